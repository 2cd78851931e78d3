// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signal frames of guest programs, as x86-64 Linux lays them out: return address, ucontext,
 * siginfo, and above them, 64-byte aligned, the extended state in XSAVE's standard layout with the
 * marks that programs and unwinders look for (FP_XSTATE_MAGIC1 and 2).
 */
#include <linux/ptrace.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/ucontext.h>
#include <asm/sigcontext.h>
#include <asm/unistd.h>
#include <frame_kern.h>
#include <registers.h>
#include "entry.h"

#define RED_ZONE 128

struct rt_sigframe {
	char __user *pretcode;
	struct ucontext uc;
	struct siginfo info;
};

/* Flags that a program may change by returning from a handler. */
#define USER_FLAGS 0x244dd5UL	/* ID AC OF DF TF SF ZF AF PF CF */

#define FOR_EACH_REG(X)                                                                         \
	X(R8, r8)                                                                               \
	X(R9, r9) X(R10, r10) X(R11, r11) X(R12, r12) X(R13, r13) X(R14, r14) X(R15, r15)       \
		X(DI, di) X(SI, si) X(BP, bp) X(BX, bx) X(DX, dx) X(AX, ax) X(CX, cx) X(SP, sp) \
			X(IP, ip)

static int put_xstate(void __user *fp, struct uml_pt_regs *r)
{
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = nabla_xstate_size + FP_XSTATE_MAGIC2_SIZE,
		.xfeatures = nabla_xstate_mask,
		.xstate_size = nabla_xstate_size,
	};
	u32 magic2 = FP_XSTATE_MAGIC2;

	nabla_user_state_save();
	if (copy_to_user(fp, r->fp, nabla_xstate_size))
		return -EFAULT;
	if (copy_to_user(fp + offsetof(struct _fpstate_64, sw_reserved), &sw, sizeof(sw)))
		return -EFAULT;
	return copy_to_user(fp + nabla_xstate_size, &magic2, sizeof(magic2)) ? -EFAULT : 0;
}

static int put_context(struct sigcontext __user *to, void __user *fp, struct pt_regs *regs,
		       const sigset_t *mask)
{
	const struct faultinfo *fi = &current->thread.arch.faultinfo;
	struct sigcontext sc = {
		.flags = regs->regs.gp[HOST_EFLAGS],
		.cs = 0x33,
		.ss = 0x2b,
		.err = fi->error_code,
		.trapno = fi->trap_no,
		.cr2 = fi->cr2,
		.oldmask = mask->sig[0],
		.fpstate = (unsigned long)fp,
	};

#define PUT(reg, field) sc.field = regs->regs.gp[HOST_##reg];
	FOR_EACH_REG(PUT)
#undef PUT
	return copy_to_user(to, &sc, sizeof(sc)) ? -EFAULT : 0;
}

int setup_signal_stack_si(unsigned long top, struct ksignal *ksig, struct pt_regs *regs,
			  sigset_t *set)
{
	unsigned long sp = top, fp;
	struct rt_sigframe __user *frame;
	struct ucontext uc = { .uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS };
	int err = 0;

	if (!(ksig->ka.sa.sa_flags & SA_RESTORER))
		return -EFAULT;
	if (sp == PT_REGS_SP(regs))		/* not on an alternative stack */
		sp -= RED_ZONE;
	fp = round_down(sp - nabla_xstate_size - FP_XSTATE_MAGIC2_SIZE, 64);
	sp = round_down(fp - sizeof(*frame), 16) - 8;
	frame = (struct rt_sigframe __user *)sp;
	if (!access_ok(frame, top - sp))
		return -EFAULT;

	err |= put_xstate((void __user *)fp, &regs->regs);
	if (ksig->ka.sa.sa_flags & SA_SIGINFO)
		err |= copy_siginfo_to_user(&frame->info, &ksig->info);
	err |= copy_to_user(&frame->uc, &uc, offsetof(struct ucontext, uc_stack));
	err |= __save_altstack(&frame->uc.uc_stack, PT_REGS_SP(regs));
	err |= put_context(&frame->uc.uc_mcontext, (void __user *)fp, regs, set);
	err |= copy_to_user(&frame->uc.uc_sigmask, set, sizeof(*set));
	err |= __put_user((void *)ksig->ka.sa.sa_restorer, &frame->pretcode);
	if (err)
		return -EFAULT;

	PT_REGS_SP(regs) = sp;
	PT_REGS_IP(regs) = (unsigned long)ksig->ka.sa.sa_handler;
	PT_REGS_DI(regs) = ksig->sig;
	PT_REGS_SI(regs) = (unsigned long)&frame->info;
	PT_REGS_DX(regs) = (unsigned long)&frame->uc;
	PT_REGS_AX(regs) = 0;
	regs->regs.gp[HOST_EFLAGS] &= ~0x10500UL;	/* RF, DF, TF */
	return 0;
}

/*
 * XRSTOR faults on a header that is not valid; nothing a program writes may do that to the kernel.
 */
static void sanitise_xstate(unsigned long *fp)
{
	u64 *header = (u64 *)((char *)fp + 512);

	header[0] &= nabla_xstate_mask;
	memset(header + 1, 0, 56);
	((u32 *)fp)[6] &= 0xffff;		/* MXCSR: reserved bits */
}

static int get_xstate(void __user *fp, struct uml_pt_regs *r)
{
	struct _fpx_sw_bytes sw;
	size_t size = sizeof(struct _fpstate_64);

	nabla_user_state_save();
	if (!fp) {
		get_safe_registers_fp(r->fp);
		nabla_user_state_load(current);
		return 0;
	}
	if (copy_from_user(&sw, fp + offsetof(struct _fpstate_64, sw_reserved), sizeof(sw)))
		return -EFAULT;
	if (sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size >= 576)
		size = min_t(size_t, sw.xstate_size, nabla_xstate_size);
	if (copy_from_user(r->fp, fp, size))
		return -EFAULT;
	if (size == sizeof(struct _fpstate_64))
		((u64 *)r->fp)[64] = 3;		/* x87 and SSE only */
	sanitise_xstate(r->fp);
	nabla_user_state_load(current);
	return 0;
}

static int get_context(struct pt_regs *regs, struct sigcontext __user *from)
{
	struct sigcontext sc;

	current->restart_block.fn = do_no_restart_syscall;
	if (copy_from_user(&sc, from, sizeof(sc)))
		return -EFAULT;
#define GET(reg, field) regs->regs.gp[HOST_##reg] = sc.field;
	FOR_EACH_REG(GET)
#undef GET
	regs->regs.gp[HOST_EFLAGS] =
		(regs->regs.gp[HOST_EFLAGS] & ~USER_FLAGS) | (sc.flags & USER_FLAGS);
	return get_xstate((void __user *)sc.fpstate, &regs->regs);
}

SYSCALL_DEFINE0(rt_sigreturn)
{
	struct pt_regs *regs = &current->thread.regs;
	struct rt_sigframe __user *frame =
		(struct rt_sigframe __user *)(PT_REGS_SP(regs) - sizeof(long));
	sigset_t set;

	if (copy_from_user(&set, &frame->uc.uc_sigmask, sizeof(set)))
		goto bad;
	set_current_blocked(&set);
	if (get_context(regs, &frame->uc.uc_mcontext))
		goto bad;
	if (restore_altstack(&frame->uc.uc_stack))
		goto bad;
	PT_REGS_SYSCALL_NR(regs) = -1;		/* no restart */
	return PT_REGS_SYSCALL_RET(regs);
bad:
	force_sig(SIGSEGV);
	return 0;
}
