/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Solo5 unikernel's host system calls: the table, and the filter.
 *
 * There is one untrusted program in the process and no gate: each rule must be harmless whoever
 * makes the call, from whatever address. Descriptors, clocks and options are ints to the kernel,
 * which ignores the upper half of those registers; so do the rules. Lengths, offsets and pointers
 * are compared whole.
 *
 * The filter is one chain: the architecture, the number, then a rule for each call. x32 has its
 * numbers above 0x40000000, so no row matches. Calls that guests make most stand first.
 */
#include "confine/confine_solo5.h"

#include "confine/chain.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#define CLOCK_LAST	1u		/* CLOCK_REALTIME, CLOCK_MONOTONIC: no CPU time of others */
#define ARCH_SETS_FS	0x1002u
#define CONSOLE_FD	1u
#define READ_ONLY_FS	30u		/* EROFS */

const struct confine_call confine_solo5_calls[] = {
	{"write", __NR_write, "descriptor 1 and the network devices", "console_write, net_write",
	 "console output and frames"},
	{"read", __NR_read, "the network devices", "net_read", "frames"},
	{"epoll_pwait", __NR_epoll_pwait, "the epoll made at launch, no signal mask", "yield",
	 "sleep until a frame is there or the timer is due"},
	{"clock_gettime", __NR_clock_gettime, "CLOCK_REALTIME and CLOCK_MONOTONIC",
	 "clock_wall, clock_monotonic", "the time"},
	{"timerfd_settime", __NR_timerfd_settime, "the timer made at launch", "yield",
	 "end a sleep at the guest's deadline"},
	{"pread64", __NR_pread64, "a disk, exactly one sector, inside its capacity", "block_read",
	 "disks"},
	{"pwrite64", __NR_pwrite64,
	 "a disk, exactly one sector, inside its capacity; EROFS for a read-only one",
	 "block_write", "disks"},
	{"arch_prctl", __NR_arch_prctl, "ARCH_SET_FS", "set_tls_base", "thread-local storage"},
	{"exit_group", __NR_exit_group, "any status", "exit, abort", "the end"},
};

const size_t confine_solo5_nr_calls = sizeof(confine_solo5_calls) / sizeof(confine_solo5_calls[0]);

/* Place KILL and ALLOW here, for all jumps since @from. What comes here by itself is killed. */
static void place_answers(struct chain *p, size_t from)
{
	chain_place(p, from, KILL, SECCOMP_RET_KILL_PROCESS);
	chain_place(p, from, ALLOW, SECCOMP_RET_ALLOW);
}

/* Argument 0 is one of the network devices: allow, else kill. A holds it. */
static void net_rule(struct chain *p, const struct confine_solo5 *c)
{
	chain_test(p, BPF_JGE, c->net_fd_first + c->nr_nets, KILL, NEXT);
	chain_test(p, BPF_JGE, c->net_fd_first, ALLOW, KILL);
}

/* What the arguments of @nr must be; each way through it ends in an answer. */
static void rule(struct chain *p, const struct confine_solo5 *c, unsigned int nr)
{
	chain_load_arg(p, 0, false);
	switch (nr) {
	case __NR_write:
		chain_test(p, BPF_JEQ, CONSOLE_FD, ALLOW, c->nr_nets ? NEXT : KILL);
		if (c->nr_nets)
			net_rule(p, c);
		break;
	case __NR_read:
		net_rule(p, c);
		break;
	case __NR_epoll_pwait:
		chain_test(p, BPF_JEQ, c->epoll_fd, NEXT, KILL);
		/* A signal mask would let a guest sleep through SIGTERM. */
		chain_load_arg(p, 4, false);
		chain_test(p, BPF_JEQ, 0, NEXT, KILL);
		chain_load_arg(p, 4, true);
		chain_test(p, BPF_JEQ, 0, ALLOW, KILL);
		break;
	case __NR_clock_gettime:
		chain_test(p, BPF_JGT, CLOCK_LAST, KILL, ALLOW);
		break;
	case __NR_timerfd_settime:
		chain_test(p, BPF_JEQ, c->timer_fd, ALLOW, KILL);
		break;
	case __NR_arch_prctl:
		chain_test(p, BPF_JEQ, ARCH_SETS_FS, ALLOW, KILL);
		break;
	default:
		p->bad = true;
	}
}

/* The rules of the table but those of the disks; A holds the number, before and after. */
static void rules(struct chain *p, const struct confine_solo5 *c)
{
	size_t i, begun;

	for (i = 0; i < confine_solo5_nr_calls && !p->bad; i++) {
		unsigned int nr = confine_solo5_calls[i].nr;

		switch (nr) {
		case __NR_pread64:
		case __NR_pwrite64:
			break;			/* block_rules() */
		case __NR_exit_group:
			chain_test(p, BPF_JEQ, nr, ALLOW, NEXT);
			break;
		case __NR_read:
			if (!c->nr_nets)
				break;
			__attribute__((fallthrough));
		default:
			begun = p->len;
			chain_test(p, BPF_JEQ, nr, NEXT, NEXT);
			rule(p, c, nr);
			chain_else_here(p, begun);
		}
	}
}

/* One disk; A holds the descriptor, and still does for the next one. */
static void block_rule(struct chain *p, const struct confine_solo5_block *b, bool own_answers)
{
	u64 last = b->capacity - b->sector_size;
	u32 high = (u32)(last >> 32);
	size_t begun = p->len;

	if (!b->sector_size || b->capacity < b->sector_size) {
		p->bad = true;
		return;
	}
	chain_test(p, BPF_JEQ, b->fd, NEXT, NEXT);
	chain_load_arg(p, 2, false);
	chain_test(p, BPF_JEQ, b->sector_size, NEXT, KILL);
	chain_load_arg(p, 3, true);
	if (high) {
		chain_test(p, BPF_JGT, high, KILL, NEXT);
		/* below the highest half: over the next two, or to what a read-only disk needs */
		chain_test(p, BPF_JEQ, high, NEXT, b->writable ? ALLOW : 2);
	} else {
		chain_test(p, BPF_JEQ, 0, NEXT, KILL);
	}
	chain_load_arg(p, 3, false);
	if (b->writable) {
		chain_test(p, BPF_JGT, (u32)last, KILL, ALLOW);
	} else {
		chain_test(p, BPF_JGT, (u32)last, KILL, NEXT);
		chain_load(p, offsetof(struct seccomp_data, nr));
		chain_test(p, BPF_JEQ, __NR_pread64, ALLOW, NEXT);
		chain_ret(p, SECCOMP_RET_ERRNO | READ_ONLY_FS);
	}
	if (own_answers)
		place_answers(p, begun);
	chain_else_here(p, begun);
}

/*
 * Both disk calls, the last of the chain; A holds the number. A jump reaches 255 instructions: with
 * more than a few disks, each has its own answers behind it.
 */
static void block_rules(struct chain *p, const struct confine_solo5 *c)
{
	bool far = c->nr_blocks > 8;
	u32 i;

	chain_test(p, BPF_JEQ, __NR_pread64, 1, NEXT);
	chain_test(p, BPF_JEQ, __NR_pwrite64, NEXT, KILL);
	chain_load_arg(p, 2, true);
	chain_test(p, BPF_JEQ, 0, NEXT, KILL);
	chain_load_arg(p, 0, false);
	if (far) {
		chain_emit(p, BPF_JMP | BPF_JA, 2, 0, 0);
		place_answers(p, 0);
	}
	for (i = 0; i < c->nr_blocks; i++)
		block_rule(p, &c->block[i], far);
	if (far)
		chain_ret(p, SECCOMP_RET_KILL_PROCESS);
	else
		place_answers(p, 0);
}

size_t confine_solo5_filter(const struct confine_solo5 *c, struct sock_filter *out)
{
	struct chain p = { .out = out, .max = CONFINE_SOLO5_MAX };

	if (c->nr_nets > 63 || c->nr_blocks > 63)
		return 0;
	chain_load(&p, offsetof(struct seccomp_data, arch));
	chain_test(&p, BPF_JEQ, AUDIT_ARCH_X86_64, NEXT, KILL);
	chain_load(&p, offsetof(struct seccomp_data, nr));
	rules(&p, c);
	if (c->nr_blocks)
		block_rules(&p, c);
	else
		place_answers(&p, 0);
	return p.bad ? 0 : p.len;
}
