/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last page: copied, not called where it is linked, so everything is relative.
 *
 * tender_last_step(const struct tender_enter *) does not return. Nothing may be on a stack: ours is
 * gone with the first munmap. Callee-saved registers keep values across system calls, which clobber
 * rcx and r11 only.
 */
#include <sys/syscall.h>
#include "tender/enter.h"

#define ARCH_SET_FS		0x1002
#define SECCOMP_SET_MODE_FILTER	1
#define PAGE			4096
#define BOOT_INFO		0x11000
#define USER_END		0x7ffffffff000	/* of 47 bits: nobody asked for addresses above */

	.section .rodata
	.globl tender_page, tender_page_len, tender_page_signal
	.balign 16
tender_page:
	mov	ENTER_FILTER(%rdi), %r14
	mov	ENTER_FILTER_BYTES(%rdi), %rbp
	mov	ENTER_ENTRY(%rdi), %r15
	mov	ENTER_MEM_SIZE(%rdi), %r12
	mov	ENTER_PAGE(%rdi), %r13
	mov	ENTER_ERROR_STATUS(%rdi), %rbx

	/* all but this page and the guest's memory */
	mov	%r12, %rdi
	mov	%r13, %rsi
	sub	%r12, %rsi
	mov	$SYS_munmap, %eax
	syscall
	test	%rax, %rax
	jnz	fail
	lea	PAGE(%r13), %rdi
	movabs	$USER_END, %rsi
	sub	%rdi, %rsi
	mov	$SYS_munmap, %eax
	syscall
	test	%rax, %rax
	jnz	fail

	/* the tender's thread pointer says where it was */
	mov	$ARCH_SET_FS, %edi
	xor	%esi, %esi
	mov	$SYS_arch_prctl, %eax
	syscall
	test	%rax, %rax
	jnz	fail

	mov	$SECCOMP_SET_MODE_FILTER, %edi
	xor	%esi, %esi
	mov	%r14, %rdx
	mov	$SYS_seccomp, %eax
	syscall
	test	%rax, %rax
	jnz	fail

	/* wipe the filter; then the registers, and enter as the ABI has it */
	mov	%r14, %rdi
	mov	%rbp, %rcx
	xor	%eax, %eax
	cld
	rep stosb
	lea	-8(%r12), %rsp
	mov	%r15, %rcx
	mov	$BOOT_INFO, %edi
	xor	%ebx, %ebx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	jmp	*%rcx

fail:
	mov	$2, %edi
	lea	message(%rip), %rsi
	mov	$(message_end - message), %edx
	mov	$SYS_write, %eax
	syscall
	mov	%ebx, %edi
	mov	$SYS_exit_group, %eax
	syscall
	hlt

	/* PID 1's handler of signals that end a process: rdi is the signal. */
handler:
	lea	128(%rdi), %edi
	mov	$SYS_exit_group, %eax
	syscall
	hlt

message:
	.ascii	"nabla-run: the host refuses to unmap the tender or to install the filter\n"
message_end:

	.balign 4
tender_page_len:
	.long	message_end - tender_page
tender_page_signal:
	.long	handler - tender_page

	.section .note.GNU-stack, "", @progbits
