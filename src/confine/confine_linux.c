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
#include "confine.h"

#ifdef __KERNEL__
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/stddef.h>
#include <linux/mman.h>
#include <linux/termios.h>
#include <asm/unistd.h>
#else
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif

#define PUNCH_HOLE_KEEP_SIZE 3		/* FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE */

#define POPULATE_WRITE 23		/* MADV_POPULATE_WRITE */

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
	{"fallocate", __NR_fallocate, "punch holes into the guest memory file", "host_discard",
	 "give free memory back to the host"},
	{"madvise", __NR_madvise,
	 "MADV_POPULATE_WRITE: nothing that touching the memory would not do", "host_populate",
	 "have the host's pages behind guest memory in pieces instead of one by one"},
	{"clock_gettime", __NR_clock_gettime,
	 "only from the vDSO, CLOCK_REALTIME and CLOCK_MONOTONIC", "host_clock",
	 "the vDSO's own fallback where the host's clock needs a system call"},
	{"rt_sigreturn", __NR_rt_sigreturn, "any (it has none)", "nabla_restorer",
	 "leave a host signal handler"},
	{"ioctl", __NR_ioctl,
	 "TIOCGWINSZ of descriptor 0, only if that is the container's terminal", "host_tty_size",
	 "rows and columns of the terminal"},
	{"exit_group", __NR_exit_group, "any status", "host_exit", "the end"},
};

const size_t confine_linux_nr_calls = sizeof(confine_linux_calls) / sizeof(confine_linux_calls[0]);

/* A filter under construction. */
struct program {
	struct sock_filter *out;
	size_t len;
	bool bad;
};

static void emit(struct program *p, u32 code, u32 k, unsigned int yes, unsigned int no)
{
	if (p->len >= CONFINE_LINUX_MAX || yes > 255 || no > 255) {
		p->bad = true;
		return;
	}
	p->out[p->len++] = (struct sock_filter){ (unsigned short)code, (unsigned char)yes,
						 (unsigned char)no, k };
}

static void load(struct program *p, u32 offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void load_arg(struct program *p, unsigned int n, bool high)
{
	load(p, (u32)offsetof(struct seccomp_data, args) + 8 * n + (high ? 4 : 0));
}

static void ret(struct program *p, u32 answer)
{
	emit(p, BPF_RET | BPF_K, answer, 0, 0);
}

/* Compare and fall through if it holds, else kill. */
static void require(struct program *p, u32 op, u32 k)
{
	emit(p, BPF_JMP | op | BPF_K, k, 1, 0);
	ret(p, SECCOMP_RET_KILL_PROCESS);
}

/* Compare and fall through if it does not hold, else kill. */
static void refuse(struct program *p, u32 op, u32 k)
{
	emit(p, BPF_JMP | op | BPF_K, k, 0, 1);
	ret(p, SECCOMP_RET_KILL_PROCESS);
}

/* Argument @n is a 32-bit value in [first, first + count) or [first2, first2 + count2). */
static void require_fd(struct program *p, unsigned int n, u32 first, u32 count, u32 first2,
		       u32 count2)
{
	load_arg(p, n, false);
	if (count) {
		emit(p, BPF_ALU | BPF_SUB | BPF_K, first, 0, 0);
		emit(p, BPF_JMP | BPF_JGE | BPF_K, count, 0, count2 ? 4 : 2);
		emit(p, BPF_ALU | BPF_ADD | BPF_K, first, 0, 0);
	}
	if (count2) {
		emit(p, BPF_ALU | BPF_SUB | BPF_K, first2, 0, 0);
		emit(p, BPF_JMP | BPF_JGE | BPF_K, count2, 0, 1);
	}
	ret(p, SECCOMP_RET_KILL_PROCESS);
}

/* Arguments 0 and 1 are an address and a length inside the guest's ranges. Falls through if so. */
static void require_range(struct program *p)
{
	load_arg(p, 0, true);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 13);
	/* low: no upper half of the length, start and end inside, no wrap */
	load_arg(p, 1, true);
	require(p, BPF_JEQ, 0);
	load_arg(p, 1, false);
	refuse(p, BPF_JGT, CONFINE_LINUX_LOW_END);
	emit(p, BPF_MISC | BPF_TAX, 0, 0, 0);
	load_arg(p, 0, false);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, CONFINE_LINUX_LOW_END, 3, 0);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, CONFINE_LINUX_LOW_START, 0, 2);
	emit(p, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, CONFINE_LINUX_LOW_END, 0, 8);
	ret(p, SECCOMP_RET_KILL_PROCESS);
	/*
	 * high: 13 instructions behind the first comparison; A holds the upper half of the address
	 */
	require(p, BPF_JGE, CONFINE_LINUX_HIGH_START_HI);
	refuse(p, BPF_JGE, CONFINE_LINUX_HIGH_END_HI);
	load_arg(p, 1, true);
	refuse(p, BPF_JGE, CONFINE_LINUX_HIGH_LEN_HI);
}

/*
 * Rules, one a call. Each begins with the system call's number tested by the caller and ends by
 * allowing, or kills on the way.
 */
static void rule(struct program *p, const struct confine_linux *c, unsigned int nr)
{
	switch (nr) {
	case __NR_mmap:
		load_arg(p, 3, false);
		emit(p, BPF_ALU | BPF_AND | BPF_K, ~(u32)MAP_POPULATE, 0, 0);
		require(p, BPF_JEQ, MAP_SHARED | MAP_FIXED);
		load_arg(p, 2, false);
		refuse(p, BPF_JSET, ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC));
		require_fd(p, 4, c->memory_fd, 1, c->image_fd_first, c->nr_images);
		require_range(p);
		break;
	case __NR_munmap:
		require_range(p);
		break;
	case __NR_readv:
		require_fd(p, 0, 0, 1, c->net_fd_first, c->nr_nets);
		break;
	case __NR_writev:
		require_fd(p, 0, 1, 2, c->net_fd_first, c->nr_nets);
		break;
	case __NR_epoll_pwait2:
		require_fd(p, 0, c->epoll_fd, 1, c->stdio_epoll_fd, 1);
		load_arg(p, 4, false);
		require(p, BPF_JEQ, 0);
		load_arg(p, 4, true);
		require(p, BPF_JEQ, 0);
		break;
	case __NR_timer_settime:
		load_arg(p, 0, false);
		require(p, BPF_JEQ, c->timer);
		break;
	case __NR_fallocate:
		require_fd(p, 0, c->memory_fd, 1, 0, 0);
		load_arg(p, 1, false);
		require(p, BPF_JEQ, PUNCH_HOLE_KEEP_SIZE);
		break;
	case __NR_madvise:
		load_arg(p, 2, false);
		require(p, BPF_JEQ, POPULATE_WRITE);
		break;
	case __NR_clock_gettime:
		ret(p, SECCOMP_RET_KILL_PROCESS);	/* at the gate; the vDSO has its own rule */
		return;
	case __NR_ioctl:
		if (!c->tty) {
			ret(p, SECCOMP_RET_KILL_PROCESS);
			return;
		}
		require_fd(p, 0, 0, 1, 0, 0);
		load_arg(p, 1, false);
		require(p, BPF_JEQ, TIOCGWINSZ);
		break;
	case __NR_rt_sigreturn:
	case __NR_exit_group:
		break;
	default:
		p->bad = true;
		return;
	}
	ret(p, SECCOMP_RET_ALLOW);
}

/* At the gate: A is free. */
static void gate(struct program *p, const struct confine_linux *c)
{
	size_t i, test;

	for (i = 0; i < confine_linux_nr_calls; i++) {
		load(p, offsetof(struct seccomp_data, nr));
		test = p->len;
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, confine_linux_calls[i].nr, 0, 0);
		rule(p, c, confine_linux_calls[i].nr);
		if (p->bad || p->len - test - 1 > 255) {
			p->bad = true;
			return;
		}
		p->out[test].jf = (unsigned char)(p->len - test - 1);
	}
	ret(p, SECCOMP_RET_KILL_PROCESS);
}

size_t confine_linux_filter(const struct confine_linux *c, struct sock_filter *out)
{
	struct program p = { .out = out };
	u32 vdso_hi = (u32)(c->vdso_start >> 32);

	if (c->kernel_end >> 32 || c->gate_return < c->kernel_start ||
	    c->gate_return > c->kernel_end)
		return 0;

	load(&p, offsetof(struct seccomp_data, arch));
	require(&p, BPF_JEQ, AUDIT_ARCH_X86_64);

	load(&p, offsetof(struct seccomp_data, instruction_pointer) + 4);
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 0, 13, 0);
	/* Above 4 GiB: the vDSO, or a guest program. */
	if (c->vdso_end && vdso_hi == (u32)((c->vdso_end - 1) >> 32))
		emit(&p, BPF_JMP | BPF_JEQ | BPF_K, vdso_hi, 1, 0);
	else
		emit(&p, BPF_JMP | BPF_JA, 0, 0, 0);
	ret(&p, SECCOMP_RET_TRAP);
	load(&p, offsetof(struct seccomp_data, instruction_pointer));
	emit(&p, BPF_JMP | BPF_JGE | BPF_K, (u32)c->vdso_start, 0, 8);
	emit(&p, BPF_JMP | BPF_JGT | BPF_K, (u32)c->vdso_end, 7, 0);
	load(&p, offsetof(struct seccomp_data, nr));
	require(&p, BPF_JEQ, __NR_clock_gettime);
	load_arg(&p, 0, false);
	refuse(&p, BPF_JGT, 1);		/* REALTIME, MONOTONIC: not another process's CPU time */
	ret(&p, SECCOMP_RET_ALLOW);
	ret(&p, SECCOMP_RET_TRAP);

	/* Below 4 GiB: the gate, the rest of the executable, or a guest program. */
	load(&p, offsetof(struct seccomp_data, instruction_pointer));
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, (u32)c->gate_return, 4, 0);
	emit(&p, BPF_JMP | BPF_JGE | BPF_K, (u32)c->kernel_start, 0, 2);
	emit(&p, BPF_JMP | BPF_JGT | BPF_K, (u32)c->kernel_end, 1, 0);
	ret(&p, SECCOMP_RET_KILL_PROCESS);
	ret(&p, SECCOMP_RET_TRAP);
	gate(&p, c);
	return p.bad ? 0 : p.len;
}
