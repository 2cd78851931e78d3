// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop around guest programs: enter, find out why the program stopped, serve it, enter again.
 *
 * Vector registers, FS base and GS base stay live in the CPU while the kernel works for a task: the
 * kernel is built without vector instructions and has no use for the bases. They belong to
 * user_owner and are saved when another user task is switched to, or when somebody reads them
 * (signal frames, fork, ptrace, core dumps). Kernel threads do not disturb them.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/ptrace.h>
#include <asm/prctl.h>
#include <asm/ptrace.h>
#include <asm/unistd.h>
#include <kern_util.h>
#include <skas.h>
#include <registers.h>
#include "entry.h"
#include "host.h"
#include "moderate.h"

/* x87, SSE, AVX, AVX-512, PKRU: all that fits into uml_pt_regs.fp. */
#define XSTATE_USABLE	0x2e7UL

unsigned long nabla_xstate_mask;
unsigned int nabla_xstate_size;

#define TRAP_FLAG	0x100UL

static struct task_struct *user_owner;

/* Without FSGSBASE: what the host has been told last. Programs then cannot change it themselves. */
static unsigned long told_fs, told_gs;

static void tell(int option, unsigned long *told, unsigned long base)
{
	if (base != *told && !host_base(option, base))
		*told = base;
}

void nabla_set_fs_base(unsigned long base)
{
	if (nabla_has_fsgsbase)
		asm volatile("wrfsbase %0" : : "r" (base));
	else
		tell(ARCH_SET_FS, &told_fs, base);
}

void nabla_set_gs_base(unsigned long base)
{
	if (nabla_has_fsgsbase)
		asm volatile("wrgsbase %0" : : "r" (base));
	else
		tell(ARCH_SET_GS, &told_gs, base);
}

unsigned long nabla_fs_base(void)
{
	unsigned long base = told_fs;

	if (nabla_has_fsgsbase)
		asm volatile("rdfsbase %0" : "=r" (base));
	return base;
}

unsigned long nabla_gs_base(void)
{
	unsigned long base = told_gs;

	if (nabla_has_fsgsbase)
		asm volatile("rdgsbase %0" : "=r" (base));
	return base;
}

static void xsave(void *area)
{
	asm volatile("xsave64 (%0)" : : "r" (area), "a" ((u32)nabla_xstate_mask),
		     "d" ((u32)(nabla_xstate_mask >> 32)) : "memory");
}

static void xrstor(void *area)
{
	asm volatile("xrstor64 (%0)" : : "r" (area), "a" ((u32)nabla_xstate_mask),
		     "d" ((u32)(nabla_xstate_mask >> 32)) : "memory");
}

/*
 * Launch stage: which state components the host uses, and how large they are in the standard
 * layout.
 */
void nabla_xstate_init(void)
{
	unsigned int a, b, c, d, i;
	u32 lo, hi;

	asm volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	nabla_xstate_mask = ((u64)hi << 32 | lo) & XSTATE_USABLE;
	nabla_xstate_size = 576;
	for (i = 2; i < 10; i++) {
		if (!(nabla_xstate_mask & (1UL << i)))
			continue;
		a = 13;
		c = i;
		asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
		if (a + b > sizeof(((struct uml_pt_regs *)0)->fp))
			/* a layout of another kind of CPU */
			nabla_xstate_mask &= ~(1UL << i);
		else if (a + b > nabla_xstate_size)
			nabla_xstate_size = a + b;
	}
}

void nabla_user_state_save(void)
{
	struct uml_pt_regs *r;

	if (!user_owner)
		return;
	r = &user_owner->thread.regs.regs;
	xsave(r->fp);
	r->gp[HOST_FS_BASE] = nabla_fs_base();
	r->gp[HOST_GS_BASE] = nabla_gs_base();
}

void nabla_user_state_load(struct task_struct *task)
{
	struct uml_pt_regs *r = &task->thread.regs.regs;

	xrstor(r->fp);
	nabla_set_fs_base(r->gp[HOST_FS_BASE]);
	nabla_set_gs_base(r->gp[HOST_GS_BASE]);
	user_owner = task;
}

void nabla_user_state_drop(struct task_struct *task)
{
	if (user_owner == task)
		user_owner = NULL;
}

void nabla_user_state_switch(struct task_struct *to)
{
	if ((to->flags & PF_KTHREAD) || to == user_owner)
		return;
	nabla_user_state_save();
	nabla_user_state_load(to);
}

void get_safe_registers_fp(unsigned long *fp)
{
	memset(fp, 0, sizeof(((struct uml_pt_regs *)0)->fp));
	((u16 *)fp)[0] = 0x37f;		/* x87 control word */
	((u32 *)fp)[6] = 0x1f80;	/* MXCSR; XSTATE_BV stays 0: everything else initial */
}

/* The state a program starts with. */
void get_safe_registers(unsigned long *gp, unsigned long *fp)
{
	memset(gp, 0, sizeof(((struct uml_pt_regs *)0)->gp));
	gp[HOST_CS] = 0x33;
	gp[HOST_SS] = 0x2b;
	gp[HOST_EFLAGS] = 0x202;
	if (fp)
		get_safe_registers_fp(fp);
}

static void user_syscall(struct uml_pt_regs *regs)
{
	long nr = regs->gp[HOST_ORIG_AX];

	if (unlikely(nabla_entry_stepped)) {
		nabla_entry_stepped = false;
		if (!test_thread_flag(TIF_SINGLESTEP)) {
			regs->gp[HOST_EFLAGS] |= TRAP_FLAG;
			regs->gp[HOST_R11] |= TRAP_FLAG;
		}
	}
	nabla_rewrite_before_syscall(regs, nr);
	handle_syscall(regs);
	nabla_mm_after_syscall(regs, nr);
}

static void user_page_fault(struct uml_pt_regs *regs)
{
	struct faultinfo fi = regs->faultinfo;

	if (nabla_tlb_fill(fi.cr2, fi.error_code))
		return;
	local_irq_enable();
	segv_handler(SIGSEGV, NULL, regs);
	local_irq_disable();
	nabla_tlb_fill(fi.cr2, fi.error_code);
}

static void user_fault(int sig, struct uml_pt_regs *regs)
{
	if (sig == SIGSEGV && regs->faultinfo.trap_no == 14 &&
	    !(regs->faultinfo.error_code & 32)) {
		user_page_fault(regs);
		return;
	}
	if (sig == SIGTRAP && nabla_rewrite_stepped(regs))
		return;
	nabla_rewrite_normalise(regs);
	local_irq_enable();
	if (sig == SIGSEGV) {
		segv_handler(sig, NULL, regs);
	} else {
		current->thread.arch.faultinfo = regs->faultinfo;
		force_sig_fault(sig, nabla_fault.code, nabla_fault.addr);
	}
}

/* Work before the next entry: returns with interrupts disabled and nothing left to do. */
static void prepare_entry(void)
{
	for (;;) {
		interrupt_end();
		local_irq_disable();
		nabla_mm_enter();
		if (!(read_thread_flags() & _TIF_WORK_MASK))
			return;
		local_irq_enable();
	}
}

/* Run the program until it stops; for one instruction if it is traced step by step. */
static int enter_user(struct uml_pt_regs *regs)
{
	int why;

	if (likely(!test_thread_flag(TIF_SINGLESTEP)))
		return nabla_enter_user(regs);
	regs->gp[HOST_EFLAGS] |= TRAP_FLAG;
	why = nabla_enter_user(regs);
	regs->gp[HOST_EFLAGS] &= ~TRAP_FLAG;
	return why;
}

void userspace(struct uml_pt_regs *regs)
{
	int why;

	for (;;) {
		prepare_entry();
		regs->is_user = 1;
		why = enter_user(regs);
		UPT_SYSCALL_NR(regs) = -1;

		switch (why) {
		case NABLA_LEFT_TRAP:
			nabla_rewrite_site(regs);
			fallthrough;
		case NABLA_LEFT_SYSCALL:
			nabla_moderate_entry();
			local_irq_enable();
			user_syscall(regs);
			break;
		case NABLA_LEFT_PENDING:
			nabla_rewrite_normalise(regs);
			nabla_take_pending_user(regs);
			break;
		default:
			user_fault(why, regs);
			local_irq_enable();
			break;
		}
	}
}
