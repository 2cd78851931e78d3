// SPDX-License-Identifier: GPL-2.0-only
/* Attempts by the CPU: other entries, other modes, instructions that are not a program's. */
#include "hostile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

void int80(const struct attempt *a)
{
	long ret;

	say("before");
	asm volatile("int $0x80" : "=a" (ret) : "0" (20L) : "r8", "r9", "r10", "r11", "memory");
	escaped(a->name, ret);
}

void sysenter(const struct attempt *a)
{
	catch_faults();
	say("before");
	if (!sigsetjmp(fault_back, 1)) {
		asm volatile("mov %%rsp, %%rbp; mov $20, %%eax; sysenter"
			     : : : "rax", "rcx", "rdx", "rbp", "memory");
		escaped(a->name, 0);
	}
	contained();
}

void syscall_elsewhere(const struct attempt *a)
{
	const unsigned char *p, *text = (unsigned char *)KERNEL;
	const uint64_t *phdr = (uint64_t *)(text + 64);
	uintptr_t gate = find_gate();
	long none[6] = { 0 };

	while (((uint32_t *)phdr)[0] != 1 || !(((uint32_t *)phdr)[1] & 1))
		phdr += 7;
	text = (unsigned char *)phdr[2];
	for (p = text; p < text + phdr[4] - 1; p++)
		if (p[0] == 0x0f && p[1] == 0x05 && (uintptr_t)p != gate) {
			say("before");
			escaped(a->name, gate_call((uintptr_t)p, SYS_getpid, none));
		}
	say("before");			/* there is none: as good */
	raise(SIGSYS);
}

void x32_numbers(const struct attempt *a)
{
	long nr;

	for (nr = 0; nr < 550; nr++)
		if (syscall(0x40000000 | nr, 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS)
			escaped(a->name, nr);
	contained();
}

/* Code at a low address that runs in the 32-bit segment. */
static void in_32_bit(const unsigned char *code, size_t len)
{
	unsigned char *p = mmap((void *)0x10000000, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		escaped("mmap", errno);
	memcpy(p, code, len);
	asm volatile("mov %%rsp, %%rbp; mov $0x10000ff0, %%esp\n\t"
		     "sub $8, %%rsp; movl $0x23, 4(%%rsp); mov %%eax, (%%rsp); lretl"
		     : : "a" ((uint32_t)(uintptr_t)p) : "rbp", "memory");
	__builtin_unreachable();
}

void int80_in_32_bit(const struct attempt *a)
{
	static const unsigned char code[] = { 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b };

	(void)a;
	say("before");
	in_32_bit(code, sizeof(code));
}

void syscall_in_32_bit(const struct attempt *a)
{
	static const unsigned char code[] = { 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b };

	(void)a;
	say("before");
	in_32_bit(code, sizeof(code));
}

static void fault_32(void)
{
	static const unsigned char code[] = { 0x0f, 0x0b };

	in_32_bit(code, sizeof(code));
}

static void loop_32(void)
{
	static const unsigned char code[] = { 0xeb, 0xfe };

	alarm(1);
	in_32_bit(code, sizeof(code));
}

void segment_32(const struct attempt *a)
{
	(void)a;
	child_dies(fault_32, SIGILL, SIGSEGV);
	child_dies(loop_32, SIGALRM, SIGSEGV);
	contained();
}

/* Privileged instructions. */
static const char *instruction_now;
static size_t instruction_len;
static void one_instruction(void)
{
	unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, instruction_now, instruction_len);
	memcpy(p + instruction_len, "\xc3", 1);
	((void (*)(void))(uintptr_t)p)();
}

void privileged(const struct attempt *a)
{
	static const struct {
		const char *code;
		size_t len;
	} list[] = {
		{ "\xf4", 1 },				      /* hlt */
		{ "\xfa", 1 },	       { "\xfb", 1 },	      /* cli, sti */
		{ "\xe4\x60", 2 },     { "\xe6\x80", 2 },     /* in, out */
		{ "\x0f\x20\xc0", 3 }, { "\x0f\x22\xc0", 3 }, /* cr0 */
		{ "\x0f\x32", 2 },     { "\x0f\x30", 2 },     /* rdmsr, wrmsr */
		{ "\x0f\x08", 2 },     { "\x0f\x09", 2 },     /* invd, wbinvd */
		{ "\x0f\x06", 2 },			      /* clts */
		{ "\x0f\x01\xf8", 3 },			      /* swapgs */
		{ "\x48\x0f\x07", 3 },			      /* sysret */
		{ "\x48\xcf", 2 },			  /* iretq, of what lies on the stack */
		{ "\xcd\x20", 2 },     { "\xcd\xff", 2 }, /* int $n */
		{ "\x0f\x01\xd1", 3 },			  /* xsetbv */
	};
	size_t i;

	(void)a;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		instruction_now = list[i].code;
		instruction_len = list[i].len;
		child_dies(one_instruction, SIGSEGV, SIGILL);
	}
	contained();
}

static void call_vsyscall(void)
{
	((long (*)(void *))0xffffffffff600400)(NULL);
	raise(SIGSEGV);
}

void vsyscall(const struct attempt *a)
{
	(void)a;
	child_dies(call_vsyscall, SIGSEGV, SIGSYS);
	contained();
}

/* The host's vDSO: its own clock_gettime is allowed there, nothing else. */
static const unsigned char *find_vdso(void)
{
	const uint64_t *p = (uint64_t *)KERNEL;
	const unsigned char *end;

	catch_faults();
	end = readable_end((unsigned char *)KERNEL + PAGE);
	for (p = (uint64_t *)(KERNEL + PAGE);
	     (unsigned char *)p < end && (uintptr_t)p < KERNEL + (16 << 20); p++)
		if (*p > 0x7e0000000000 && *p < 0x7fffffffffff && !(*p & (PAGE - 1)) &&
		    readable((unsigned char *)*p) && !memcmp((void *)*p, "\177ELF", 4))
			return (unsigned char *)*p;
	say("no vDSO found");
	exit(98);
}

void vdso_other_number(const struct attempt *a)
{
	const unsigned char *vdso = find_vdso(), *p;
	long none[6] = { 0 };

	for (p = vdso; readable(p + 1) && p < vdso + 4 * PAGE; p++)
		if (p[0] == 0x0f && p[1] == 0x05) {
			say("before");
			escaped(a->name, gate_call((uintptr_t)p, SYS_getpid, none));
		}
	say("no syscall in the vDSO");
	exit(98);
}

/* Forged signal frames at the gate. */
