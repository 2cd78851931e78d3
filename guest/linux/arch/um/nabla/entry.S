/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways between host, guest kernel and guest programs.
 *
 *	_start			the host starts the executable
 *	nabla_gate		the one instruction that calls the host
 *	nabla_enter_user	into a guest program, and nabla_leave_user back out of it
 *	nabla_syscall_entry	from a rewritten system call site (rewrite.c)
 *	nabla_irq_inject	where a host signal that came in kernel mode continues
 *	nabla_switch		from one kernel stack to another
 *
 * There is one host thread. Host signals run on a stack of their own (signal.c) and only note what
 * came, or change where the interrupted code continues; no kernel code runs on that stack.
 */
#include <linux/init.h>
#include <linux/linkage.h>
#include <generated/user_constants.h>
#include <generated/asm-offsets.h>
#include "entry.h"

#define FS_SLOT		21	/* sysdep/ptrace_64.h: HOST_FS_BASE, HOST_GS_BASE */
#define G(reg)		(HOST_##reg * 8)

	__INIT

SYM_CODE_START(_start)
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	lea	nabla_launch_stack_end(%rip), %rsp
	call	nabla_start
	ud2
SYM_CODE_END(_start)

/* void nabla_start_kernel_on(unsigned long sp): leave the launch stack for good. */
SYM_CODE_START(nabla_start_kernel_on)
	mov	%rdi, %rsp
	xor	%ebp, %ebp
	call	nabla_start_kernel
	ud2
SYM_CODE_END(nabla_start_kernel_on)

	.text

/*
 * long nabla_gate(a1..a6 in rdi rsi rdx r10 r8 r9, number in rax). The seccomp filter knows the
 * address behind the instruction, nabla_gate_return: a host call from anywhere else in the
 * executable kills the process, and one from outside it is a guest program's own system call.
 */
SYM_CODE_START(nabla_gate)
	syscall
SYM_INNER_LABEL(nabla_gate_return, SYM_L_GLOBAL)
	RET
SYM_CODE_END(nabla_gate)

/* long nabla_syscall6(nr, a1, a2, a3, a4, a5, a6) by the C calling convention. */
SYM_FUNC_START(nabla_syscall6)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	jmp	nabla_gate
SYM_FUNC_END(nabla_syscall6)

/* sa_restorer of our host signal handlers. */
SYM_CODE_START(nabla_restorer)
	mov	$15, %eax		/* rt_sigreturn */
	jmp	nabla_gate
SYM_CODE_END(nabla_restorer)

/*
 * long nabla_wait(epfd, events, n, const struct timespec *): epoll_pwait2 without a mask, unless an
 * interrupt is pending. A signal that comes between the check and the call is noted by the handler,
 * which continues at nabla_wait_abort when it interrupted the window (interrupts are disabled
 * here).
 */
SYM_FUNC_START(nabla_wait)
	mov	%rcx, %r10
	xor	%r8d, %r8d
	mov	$8, %r9d
	mov	$441, %eax		/* epoll_pwait2 */
SYM_INNER_LABEL(nabla_wait_begin, SYM_L_GLOBAL)
	cmpl	$0, nabla_pending(%rip)
	jne	nabla_wait_abort
	jmp	nabla_gate
SYM_INNER_LABEL(nabla_wait_abort, SYM_L_GLOBAL)
	mov	$-4, %rax		/* -EINTR */
	RET
SYM_FUNC_END(nabla_wait)

/* From the registers at %rdi, all but the stack pointer and %rdi. */
.macro LOAD_REGISTERS
	mov	G(R15)(%rdi), %r15
	mov	G(R14)(%rdi), %r14
	mov	G(R13)(%rdi), %r13
	mov	G(R12)(%rdi), %r12
	mov	G(BP)(%rdi), %rbp
	mov	G(BX)(%rdi), %rbx
	mov	G(R11)(%rdi), %r11
	mov	G(R10)(%rdi), %r10
	mov	G(R9)(%rdi), %r9
	mov	G(R8)(%rdi), %r8
	mov	G(AX)(%rdi), %rax
	mov	G(CX)(%rdi), %rcx
	mov	G(DX)(%rdi), %rdx
	mov	G(SI)(%rdi), %rsi
.endm

/*
 * int nabla_enter_user(struct uml_pt_regs *regs): run the guest program from @regs, interrupts
 * disabled. Returns why it stopped (entry.h) with @regs filled in. From nabla_enter_begin on
 * nothing is lost if a signal comes: @regs is only read, and the handler continues at
 * nabla_enter_abort.
 */
SYM_FUNC_START(nabla_enter_user)
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, nabla_ksp(%rip)
	mov	%rdi, nabla_regs(%rip)
SYM_INNER_LABEL(nabla_enter_begin, SYM_L_GLOBAL)
	cmpl	$0, nabla_pending(%rip)
	jne	nabla_enter_abort
	testl	$0x100, G(EFLAGS)(%rdi)	/* TF: only iret sets it behind our last instruction */
	jne	.Liret
	mov	G(IP)(%rdi), %rax
	mov	%rax, nabla_user_ip(%rip)
	push	G(EFLAGS)(%rdi)
	popfq
	LOAD_REGISTERS
	mov	G(SP)(%rdi), %rsp
	mov	G(DI)(%rdi), %rdi
	jmp	*nabla_user_ip(%rip)
.Liret:
	mov	%ss, %eax
	push	%rax
	push	G(SP)(%rdi)
	push	G(EFLAGS)(%rdi)
	mov	%cs, %eax
	push	%rax
	push	G(IP)(%rdi)
	LOAD_REGISTERS
	mov	G(DI)(%rdi), %rdi
	iretq
SYM_INNER_LABEL(nabla_enter_end, SYM_L_GLOBAL)

SYM_INNER_LABEL(nabla_enter_abort, SYM_L_GLOBAL)
	mov	nabla_ksp(%rip), %rsp
	movl	$NABLA_LEFT_PENDING, %eax
	jmp	.Lleave
/* The signal handler saved the registers and left the reason in nabla_left. */
SYM_INNER_LABEL(nabla_leave_user, SYM_L_GLOBAL)
	mov	nabla_ksp(%rip), %rsp
	mov	nabla_left(%rip), %eax
.Lleave:
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	RET
SYM_FUNC_END(nabla_enter_user)

/*
 * A rewritten system call site comes here with the return address in rcx, as `syscall` leaves it;
 * r11 is free. Nothing is written to the guest's stack: it may have a red zone, or be no memory at
 * all.
 */
SYM_CODE_START(nabla_syscall_entry)
	mov	nabla_regs(%rip), %r11
	mov	%rcx, G(IP)(%r11)
	mov	%rcx, G(CX)(%r11)
	mov	%rax, G(ORIG_AX)(%r11)
	mov	%rax, G(AX)(%r11)
	mov	%r15, G(R15)(%r11)
	mov	%r14, G(R14)(%r11)
	mov	%r13, G(R13)(%r11)
	mov	%r12, G(R12)(%r11)
	mov	%rbp, G(BP)(%r11)
	mov	%rbx, G(BX)(%r11)
	mov	%r10, G(R10)(%r11)
	mov	%r9, G(R9)(%r11)
	mov	%r8, G(R8)(%r11)
	mov	%rdx, G(DX)(%r11)
	mov	%rsi, G(SI)(%r11)
	mov	%rdi, G(DI)(%r11)
	mov	%rsp, G(SP)(%r11)
	mov	nabla_ksp(%rip), %rsp
	pushfq
	pop	%rcx
	mov	%rcx, G(EFLAGS)(%r11)
	mov	%rcx, G(R11)(%r11)
	movl	$NABLA_LEFT_SYSCALL, %eax
	test	$0x44000, %ecx		/* AC, NT: the kernel must not run with them */
	je	.Lleave
	push	$2
	popfq
	jmp	.Lleave
SYM_INNER_LABEL(nabla_syscall_entry_end, SYM_L_GLOBAL)
SYM_CODE_END(nabla_syscall_entry)

/*
 * A host signal came in kernel mode with interrupts enabled. The handler pushed the interrupted
 * address below the red zone of the interrupted stack and disabled interrupts.
 */
SYM_CODE_START(nabla_irq_inject)
	pushfq
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	cld
	call	nabla_take_pending
	mov	%rbp, %rsp
	pop	%rbp
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	popfq
	ret	$128
SYM_CODE_END(nabla_irq_inject)

/* void nabla_switch(unsigned long *save_sp, unsigned long new_sp) */
SYM_FUNC_START(nabla_switch)
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	RET
SYM_FUNC_END(nabla_switch)

/* The first code on a new kernel stack: rbx holds the function, see copy_thread(). */
SYM_CODE_START(nabla_new_thread)
	xor	%ebp, %ebp
	call	*%rbx
	ud2
SYM_CODE_END(nabla_new_thread)

	.bss
	.balign	16
SYM_DATA_START_LOCAL(nabla_launch_stack)
	.skip	32768
SYM_DATA_END_LABEL(nabla_launch_stack, SYM_L_GLOBAL, nabla_launch_stack_end)

	.section .note.GNU-stack, "", @progbits
