// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host signals: the guest kernel's only interrupts and faults.
 *
 * One handler serves them all, on a stack of its own, with every signal blocked, and without
 * calling anything. What it does depends on where the signal came:
 *
 * - in a guest program (any code outside the executable's text, and the host's vDSO as well): the
 *   registers are saved to the task's pt_regs and execution continues at nabla_leave_user, on the
 *   kernel stack. The host restores the vector registers from the signal frame, so the program's
 *   are live again in the kernel, which is built not to touch them.
 * - in the last instructions before a guest program, or before sleeping: noted, and the window is
 *   left (entry.S).
 * - elsewhere in the kernel, asynchronous: noted; if interrupts are enabled, the interrupted code
 *   is made to call nabla_take_pending() as if it had been interrupted by hardware.
 * - elsewhere in the kernel, synchronous: a bug of ours. The process ends.
 *
 * Signals that others on the host send to the process are told from our own by si_code.
 */
#include <linux/kernel.h>
#include <linux/signal.h>
#include <linux/sched.h>
#include <linux/compiler.h>
#include <linux/uio.h>
#include <asm/ucontext.h>
#include <asm/sections.h>
#include <asm/unistd.h>
#include <sysdep/ptrace.h>
#include "entry.h"
#include "host.h"

int signals_enabled;
unsigned int nabla_pending;
unsigned long nabla_ksp, nabla_user_ip;
struct uml_pt_regs *nabla_regs;
int nabla_left;
struct nabla_fault nabla_fault;
bool nabla_entry_stepped;
unsigned int nabla_in_host_clock;

extern unsigned long nabla_vdso_start, nabla_vdso_end;

static u64 host_signals;		/* bit N - 1: signal N came from outside */

static char signal_stack[64 * 1024] __aligned(16);

/* The host's sigaction, as rt_sigaction(2) on x86-64 takes it. */
struct host_sigaction {
	void (*handler)(int sig, struct siginfo *si, void *uc);
	unsigned long flags;
	void *restorer;
	u64 mask;
};

u64 nabla_take_signals(void)
{
	return xchg(&host_signals, 0);
}

static void save_user_regs(struct uml_pt_regs *r, const struct sigcontext *sc)
{
	r->gp[HOST_R8] = sc->r8;
	r->gp[HOST_R9] = sc->r9;
	r->gp[HOST_R10] = sc->r10;
	r->gp[HOST_R11] = sc->r11;
	r->gp[HOST_R12] = sc->r12;
	r->gp[HOST_R13] = sc->r13;
	r->gp[HOST_R14] = sc->r14;
	r->gp[HOST_R15] = sc->r15;
	r->gp[HOST_DI] = sc->di;
	r->gp[HOST_SI] = sc->si;
	r->gp[HOST_BP] = sc->bp;
	r->gp[HOST_BX] = sc->bx;
	r->gp[HOST_DX] = sc->dx;
	r->gp[HOST_AX] = sc->ax;
	r->gp[HOST_CX] = sc->cx;
	r->gp[HOST_SP] = sc->sp;
	r->gp[HOST_IP] = sc->ip;
	r->gp[HOST_EFLAGS] = sc->flags;
	r->gp[HOST_ORIG_AX] = -1;
	r->faultinfo.error_code = sc->err;
	r->faultinfo.cr2 = sc->cr2;
	r->faultinfo.trap_no = sc->trapno;
}

static bool from_outside(const struct siginfo *si)
{
	return si->si_code == SI_USER || si->si_code == SI_QUEUE || si->si_code == SI_TKILL;
}

/* Note an asynchronous signal. Returns false if it is a synchronous one. */
static bool note(int sig, const struct siginfo *si)
{
	if (from_outside(si)) {
		host_signals |= 1ULL << (sig - 1);
		nabla_pending |= NABLA_PENDING_SIGNAL;
		return true;
	}
	switch (sig) {
	case SIGALRM:
		nabla_pending |= NABLA_PENDING_TIMER;
		return true;
	case SIGIO:
		nabla_pending |= NABLA_PENDING_IO;
		return true;
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS:
		return false;
	/* the terminal, a closed pipe: ours to pass on or to ignore */
	default:
		if (sig != SIGPIPE) {
			host_signals |= 1ULL << (sig - 1);
			nabla_pending |= NABLA_PENDING_SIGNAL;
		}
		return true;
	}
}

static bool in(unsigned long ip, const char *begin, const char *end)
{
	return ip >= (unsigned long)begin && ip < (unsigned long)end;
}

/*
 * The host's vDSO is the kernel's where host_clock() is in it; else a program is, through the
 * guest's vDSO. Otherwise only text: a program that jumps to the executable's data faults as
 * anywhere else.
 */
static bool in_kernel(unsigned long ip)
{
	return in(ip, __executable_start, _etext) ||
	       (nabla_in_host_clock && ip >= nabla_vdso_start && ip < nabla_vdso_end);
}

#define USER_CS	0x33
#define USER_SS	0x2b

static void leave_user(struct sigcontext *sc)
{
	sc->cs = USER_CS;
	sc->ss = USER_SS;
	sc->ip = (unsigned long)nabla_leave_user;
	sc->sp = nabla_ksp;
	sc->flags &= ~0x44500UL;	/* AC, NT, DF, TF */
}

static void user_signal(int sig, const struct siginfo *si, struct sigcontext *sc)
{
	struct uml_pt_regs *r = nabla_regs;

	save_user_regs(r, sc);
	/* a program switched to 32-bit code: it cannot go on from here */
	if (sc->cs != USER_CS) {
		note(sig, si);
		r->faultinfo.trap_no = 13;
		nabla_left = SIGSEGV;
	} else if (note(sig, si)) {
		nabla_left = NABLA_LEFT_PENDING;
	} else if (sig == SIGSYS) {
		r->gp[HOST_ORIG_AX] = r->gp[HOST_AX] = si->si_syscall;
		nabla_left = NABLA_LEFT_TRAP;
	} else {
		nabla_fault.signo = sig;
		nabla_fault.code = si->si_code;
		nabla_fault.addr = si->si_addr;
		nabla_left = sig;
	}
	leave_user(sc);
}

/* A fault of the guest kernel itself: say where, by the shortest way, and end. */
static void kernel_fault(int sig, struct sigcontext *sc)
{
	static char text[128];
	struct iovec iov = { .iov_base = text };

	iov.iov_len = scnprintf(
		text, sizeof(text),
		"nabla-linux: signal %d in the guest kernel at %llx, address %llx, sp %llx\n", sig,
		sc->ip, sc->cr2, sc->sp);
	host_writev(2, &iov, 1);
	host_exit(NABLA_EXIT_PANIC);
}

static void kernel_signal(int sig, const struct siginfo *si, struct sigcontext *sc)
{
	unsigned long *sp;

	/*
	 * A single-stepped program jumped to our entry: finish the entry, step on behind the call.
	 */
	if (sig == SIGTRAP && in(sc->ip, nabla_syscall_entry, nabla_syscall_entry_end)) {
		sc->flags &= ~0x100UL;
		nabla_entry_stepped = true;
		return;
	}
	if (!note(sig, si))
		kernel_fault(sig, sc);
	if (in(sc->ip, nabla_enter_begin, nabla_enter_end)) {
		sc->ip = (unsigned long)nabla_enter_abort;
		sc->flags &= ~0x44500UL;
	} else if (in(sc->ip, nabla_wait_begin, nabla_wait_abort)) {
		sc->ip = (unsigned long)nabla_wait_abort;
	} else if (signals_enabled) {
		signals_enabled = 0;
		sp = (unsigned long *)(sc->sp - 128) - 1;
		*sp = sc->ip;
		sc->sp = (unsigned long)sp;
		sc->ip = (unsigned long)nabla_irq_inject;
	}
}

static void handler(int sig, struct siginfo *si, void *p)
{
	struct ucontext *uc = p;
	struct sigcontext *sc = &uc->uc_mcontext;

	if (in_kernel(sc->ip))
		kernel_signal(sig, si, sc);
	else
		user_signal(sig, si, sc);
}

/* Launch stage: install the handler for every signal that can be caught. */
void nabla_signals_init(void)
{
	struct host_sigaction act = {
		.handler = handler,
		.flags = SA_SIGINFO | SA_ONSTACK | 0x04000000 /* SA_RESTORER */,
		.restorer = nabla_restorer,
		.mask = ~0ULL,
	};
	stack_t stack = {
		.ss_sp = signal_stack,
		.ss_size = sizeof(signal_stack),
	};
	u64 none = 0;
	int sig;

	nabla_syscall6(__NR_sigaltstack, (long)&stack, 0, 0, 0, 0, 0);
	for (sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGCONT && sig != SIGTSTP &&
		    sig != SIGTTIN && sig != SIGTTOU && sig != SIGCHLD && sig != SIGURG)
			nabla_syscall6(__NR_rt_sigaction, sig, (long)&act, 0, 8, 0, 0);
	nabla_syscall6(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&none, 0, 8, 0, 0);
}
