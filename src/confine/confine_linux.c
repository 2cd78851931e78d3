/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Linux guest's host system calls: the table, and the filter.
 *
 * Who calls is told by the instruction pointer. The guest kernel has one instruction that calls the
 * host (nabla_gate in guest/linux/arch/um/nabla/entry.S); code anywhere else is a guest program,
 * whose system call instructions are trapped and served by the guest kernel. A guest program may
 * jump to the gate: it then gets what the guest kernel may do, and no more, because guest kernel
 * and programs are one untrusted domain. So each rule must be harmless whoever makes the call.
 */
#include "chain.h"

#ifdef __KERNEL__
#include <linux/audit.h>
#include <linux/mman.h>
#include <linux/termios.h>
#include <asm/unistd.h>
#else
#include <linux/audit.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif

#define ADVICE_REMOVE		9	/* MADV_REMOVE */
#define ADVICE_POPULATE_WRITE	23	/* MADV_POPULATE_WRITE */
#define BASE_GS			0x1001	/* ARCH_SET_GS */
#define BASE_FS			0x1002	/* ARCH_SET_FS */

const struct confine_call confine_linux_calls[] = {
	{"mmap", __NR_mmap,
	 "MAP_SHARED|MAP_FIXED[|MAP_POPULATE] of the guest memory file or an image, in guest "
	 "ranges only",
	 "host_map", "show pages of guest memory and of read-only images to guest programs"},
	{"munmap", __NR_munmap, "guest ranges only", "host_unmap",
	 "take pages away from guest programs"},
	{"readv", __NR_readv, "descriptor 0 and the network devices", "host_readv",
	 "frames and standard input"},
	{"writev", __NR_writev, "descriptors 1 and 2 and the network devices", "host_writev",
	 "frames, standard output and error"},
	{"epoll_pwait2", __NR_epoll_pwait2,
	 "the two epoll descriptors made at launch, no signal mask", "host_wait",
	 "sleep until a descriptor is ready or a timer is due"},
	{"timer_settime", __NR_timer_settime, "the one timer made at launch", "host_timer_arm",
	 "preempt guest programs"},
	{"madvise", __NR_madvise,
	 "MADV_POPULATE_WRITE: nothing that touching the memory would not do; MADV_REMOVE: the "
	 "only memory that is shared and writable is the guest's",
	 "host_populate, host_discard",
	 "have the host's pages behind guest memory in pieces instead of one by one; give free "
	 "memory back"},
	{"clock_gettime", __NR_clock_gettime,
	 "only from the vDSO, CLOCK_REALTIME and CLOCK_MONOTONIC", "host_clock",
	 "the vDSO's own fallback where the host's clock needs a system call"},
	{"rt_sigreturn", __NR_rt_sigreturn, "any (it has none)", "nabla_restorer",
	 "leave a host signal handler"},
	{"ioctl", __NR_ioctl,
	 "FIOASYNC of the network devices; TIOCGWINSZ of descriptor 0, only if that is the "
	 "container's terminal",
	 "host_async, host_tty_size",
	 "no signal for each frame while they are frequent; rows and columns of the terminal"},
	{"arch_prctl", __NR_arch_prctl,
	 "ARCH_SET_FS and ARCH_SET_GS, only where the host has no FSGSBASE instructions",
	 "host_base", "thread-local storage of guest programs"},
	{"exit_group", __NR_exit_group, "any status", "host_exit", "the end"},
};

const size_t confine_linux_nr_calls = sizeof(confine_linux_calls) / sizeof(confine_linux_calls[0]);

/* A is in [first, first + count) or [first2, first2 + count2): go on, else kill. */
static void require_in(struct chain *p, u32 first, u32 count, u32 first2, u32 count2)
{
	if (!count && !count2) {
		chain_ret(p, SECCOMP_RET_KILL_PROCESS);
		return;
	}
	if (count) {
		/* to what follows the second range; without one, a failure is final */
		chain_test(p, BPF_JGE, first, NEXT, count2 ? 1 : KILL);
		chain_test(p, BPF_JGE, first + count, count2 ? NEXT : KILL, count2 ? 2 : NEXT);
	}
	if (count2) {
		chain_test(p, BPF_JGE, first2, NEXT, KILL);
		chain_test(p, BPF_JGE, first2 + count2, KILL, NEXT);
	}
}

/* Arguments 0 and 1 are an address and a length inside the guest's ranges: allow, else kill. */
static void range_rule(struct chain *p)
{
	size_t is_low;

	chain_load_arg(p, 0, true);
	is_low = p->len;
	chain_test(p, BPF_JEQ, 0, NEXT, NEXT);
	/* no upper half of the length, start and end inside, no wrap */
	chain_load_arg(p, 1, true);
	chain_test(p, BPF_JEQ, 0, NEXT, KILL);
	chain_load_arg(p, 1, false);
	chain_test(p, BPF_JGT, CONFINE_LINUX_LOW_END, KILL, NEXT);
	chain_emit(p, BPF_MISC | BPF_TAX, 0, 0, 0);
	chain_load_arg(p, 0, false);
	chain_test(p, BPF_JGE, CONFINE_LINUX_LOW_END, KILL, NEXT);
	chain_test(p, BPF_JGE, CONFINE_LINUX_LOW_START, NEXT, KILL);
	chain_emit(p, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	chain_test(p, BPF_JGT, CONFINE_LINUX_LOW_END, KILL, ALLOW);
	/* A still holds the upper half of the address */
	chain_else_here(p, is_low);
	chain_test(p, BPF_JGE, CONFINE_LINUX_HIGH_START_HI, NEXT, KILL);
	chain_test(p, BPF_JGE, CONFINE_LINUX_HIGH_END_HI, KILL, NEXT);
	chain_load_arg(p, 1, true);
	chain_test(p, BPF_JGE, CONFINE_LINUX_HIGH_LEN_HI, KILL, ALLOW);
}

/* Argument @n is 0: go on, else kill. */
static void require_zero(struct chain *p, unsigned int n)
{
	chain_load_arg(p, n, false);
	chain_test(p, BPF_JEQ, 0, NEXT, KILL);
	chain_load_arg(p, n, true);
	chain_test(p, BPF_JEQ, 0, NEXT, KILL);
}

/* What the arguments of @nr must be; each way through it ends in an answer. */
static void rule(struct chain *p, const struct confine_linux *c, unsigned int nr)
{
	size_t is_size;

	switch (nr) {
	case __NR_mmap:
		chain_load_arg(p, 3, false);
		chain_emit(p, BPF_ALU | BPF_AND | BPF_K, ~(u32)MAP_POPULATE, 0, 0);
		chain_test(p, BPF_JEQ, MAP_SHARED | MAP_FIXED, NEXT, KILL);
		chain_load_arg(p, 2, false);
		chain_test(p, BPF_JSET, ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC), KILL, NEXT);
		chain_load_arg(p, 4, false);
		require_in(p, c->memory_fd, 1, c->image_fd_first, c->nr_images);
		range_rule(p);
		return;
	case __NR_munmap:
		range_rule(p);
		return;
	case __NR_readv:
		chain_load_arg(p, 0, false);
		require_in(p, 0, 1, c->net_fd_first, c->nr_nets);
		break;
	case __NR_writev:
		chain_load_arg(p, 0, false);
		require_in(p, 1, 2, c->net_fd_first, c->nr_nets);
		break;
	case __NR_epoll_pwait2:
		chain_load_arg(p, 0, false);
		require_in(p, c->epoll_fd, 1, c->stdio_epoll_fd, 1);
		/* A signal mask would let a guest sleep through SIGTERM. */
		require_zero(p, 4);
		break;
	case __NR_timer_settime:
		chain_load_arg(p, 0, false);
		chain_test(p, BPF_JEQ, c->timer, NEXT, KILL);
		break;
	case __NR_madvise:
		chain_load_arg(p, 2, false);
		chain_test(p, BPF_JEQ, ADVICE_REMOVE, ALLOW, NEXT);
		chain_test(p, BPF_JEQ, ADVICE_POPULATE_WRITE, ALLOW, KILL);
		return;
	case __NR_arch_prctl:
		if (!c->set_base) {
			chain_ret(p, SECCOMP_RET_KILL_PROCESS);
			return;
		}
		chain_load_arg(p, 0, false);
		chain_test(p, BPF_JEQ, BASE_FS, ALLOW, NEXT);
		chain_test(p, BPF_JEQ, BASE_GS, ALLOW, KILL);
		return;
	case __NR_clock_gettime:
		/* at the gate; the vDSO has its own rule */
		chain_ret(p, SECCOMP_RET_KILL_PROCESS);
		return;
	case __NR_ioctl:
		chain_load_arg(p, 1, false);
		if (c->tty) {
			is_size = p->len;
			chain_test(p, BPF_JEQ, TIOCGWINSZ, NEXT, NEXT);
			chain_load_arg(p, 0, false);
			chain_test(p, BPF_JEQ, 0, ALLOW, KILL);
			chain_else_here(p, is_size);
		}
		chain_test(p, BPF_JEQ, FIOASYNC, NEXT, KILL);
		chain_load_arg(p, 0, false);
		require_in(p, c->net_fd_first, c->nr_nets, 0, 0);
		break;
	case __NR_rt_sigreturn:
	case __NR_exit_group:
		break;
	default:
		p->bad = true;
		return;
	}
	chain_ret(p, SECCOMP_RET_ALLOW);
}

static void gate(struct chain *p, const struct confine_linux *c)
{
	size_t i, is_it;

	chain_load(p, offsetof(struct seccomp_data, nr));
	for (i = 0; i < confine_linux_nr_calls; i++) {
		is_it = p->len;
		chain_test(p, BPF_JEQ, confine_linux_calls[i].nr, NEXT, NEXT);
		rule(p, c, confine_linux_calls[i].nr);
		chain_else_here(p, is_it);	/* with the number in A still */
	}
}

/* An address above 4 GiB, its upper half in A: the vDSO, or a guest program. */
static void vdso_or_program(struct chain *p, const struct confine_linux *c)
{
	size_t from = p->len;
	u32 high = (u32)(c->vdso_start >> 32);

	if (c->vdso_end && high == (u32)((c->vdso_end - 1) >> 32)) {
		chain_test(p, BPF_JEQ, high, NEXT, TRAP);
		chain_load(p, offsetof(struct seccomp_data, instruction_pointer));
		chain_test(p, BPF_JGE, (u32)c->vdso_start, NEXT, TRAP);
		chain_test(p, BPF_JGT, (u32)c->vdso_end, TRAP, NEXT);
		chain_load(p, offsetof(struct seccomp_data, nr));
		chain_test(p, BPF_JEQ, __NR_clock_gettime, NEXT, KILL);
		chain_load_arg(p, 0, false);
		/* REALTIME, MONOTONIC: not another process's CPU time */
		chain_test(p, BPF_JGT, 1, KILL, ALLOW);
	}
	chain_place(p, from, TRAP, SECCOMP_RET_TRAP);
}

size_t confine_linux_filter(const struct confine_linux *c, struct sock_filter *out)
{
	struct chain p = { .out = out, .max = CONFINE_LINUX_MAX };
	size_t is_low, is_gate;

	if (c->kernel_end >> 32 || c->gate_return < c->kernel_start ||
	    c->gate_return > c->kernel_end)
		return 0;

	chain_load(&p, offsetof(struct seccomp_data, arch));
	chain_test(&p, BPF_JEQ, AUDIT_ARCH_X86_64, NEXT, KILL);

	chain_load(&p, offsetof(struct seccomp_data, instruction_pointer) + 4);
	is_low = p.len;
	chain_test(&p, BPF_JGE, 1, NEXT, NEXT);
	vdso_or_program(&p, c);

	/* Below 4 GiB: the gate, the rest of the executable, or a guest program. */
	chain_else_here(&p, is_low);
	chain_load(&p, offsetof(struct seccomp_data, instruction_pointer));
	is_gate = p.len;
	chain_test(&p, BPF_JEQ, (u32)c->gate_return, 3, NEXT);
	chain_test(&p, BPF_JGE, (u32)c->kernel_start, NEXT, TRAP);
	chain_test(&p, BPF_JGT, (u32)c->kernel_end, TRAP, KILL);
	chain_place(&p, is_gate, TRAP, SECCOMP_RET_TRAP);

	gate(&p, c);
	chain_place(&p, 0, KILL, SECCOMP_RET_KILL_PROCESS);
	chain_place(&p, 0, ALLOW, SECCOMP_RET_ALLOW);
	return p.bad ? 0 : p.len;
}
