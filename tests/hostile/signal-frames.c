// SPDX-License-Identifier: GPL-2.0-only
/* Attempts by the host's rt_sigreturn, which the gate lets through. */
#include "hostile.h"

#include <string.h>
#include <sys/syscall.h>

struct host_frame {			/* what rt_sigreturn finds at rsp */
	ucontext_t uc;
	uint64_t room[512];
} __attribute__((aligned(16)));

static struct host_frame frame;
static unsigned char frame_stack[65536] __attribute__((aligned(16)));

static void sigreturn_to(void (*where)(void), uint64_t mask, stack_t *alt)
{
	uintptr_t gate = find_gate();

	memset(&frame, 0, sizeof(frame));
	frame.uc.uc_flags = 6;
	frame.uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)where;
	frame.uc.uc_mcontext.gregs[REG_RSP] =
		(greg_t)(uintptr_t)(frame_stack + sizeof(frame_stack) - 8);
	frame.uc.uc_mcontext.gregs[REG_EFL] = 0x202;
	frame.uc.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bLL << 48;
	memcpy(&frame.uc.uc_sigmask, &mask, sizeof(mask));
	if (alt)
		frame.uc.uc_stack = *alt;
	else
		frame.uc.uc_stack.ss_flags = SS_DISABLE;
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

static void blocked_call(void)
{
	long ret;

	asm volatile("syscall" : "=a" (ret) : "0" (SYS_getpid) : "rcx", "r11", "memory");
	escaped("a call with SIGSYS blocked", ret);
}

void block_and_call(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_call, ~0ull, NULL);
}

static void blocked_fault(void)
{
	*(volatile int *)0 = 1;
}

void block_and_fault(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_fault, ~0ull, NULL);
}

static void blocked_loop(void)
{
	for (;;)
		asm volatile("pause");
}

/* attempts.sh ends this one. */
void block_and_loop(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_loop, ~0ull, NULL);
}

void alt_on_kernel(const struct attempt *a)
{
	stack_t alt = { .ss_sp = (void *)(KERNEL + PAGE), .ss_size = 65536 };

	(void)a;
	sigreturn_to(blocked_fault, 0, &alt);
}

void sigreturn_garbage(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	(void)a;
	memset(&frame, 0xa5, sizeof(frame));
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

void privileged_frame(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	(void)a;
	memset(&frame, 0, sizeof(frame));
	frame.uc.uc_flags = 6;
	frame.uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)blocked_loop;
	frame.uc.uc_mcontext.gregs[REG_RSP] =
		(greg_t)(uintptr_t)(frame_stack + sizeof(frame_stack) - 8);
	frame.uc.uc_mcontext.gregs[REG_EFL] = 0x3202;		/* IOPL 3 */
	frame.uc.uc_mcontext.gregs[REG_CSGSFS] = 0x10 | 0x18LL << 48;
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

/* The guest kernel's own memory. */
