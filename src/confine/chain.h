/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A seccomp filter under construction: a chain of classic BPF instructions whose jumps to an answer
 * are resolved where the answer is placed. Internal to src/confine; freestanding, as confine.h.
 *
 * What does not fit (too many instructions, a jump that is too far) makes the chain bad, and it
 * stays so: look at `bad` once, at the end.
 */
#ifndef RUNNC_CONFINE_CHAIN_H
#define RUNNC_CONFINE_CHAIN_H

#include "confine.h"

#ifdef __KERNEL__
#include <linux/seccomp.h>
#include <linux/stddef.h>
#else
#include <linux/seccomp.h>
#include <stddef.h>
#endif

struct chain {
	struct sock_filter *out;
	size_t max;			/* instructions that fit into @out */
	size_t len;
	bool bad;
};

/* Where a jump goes: on, over as many instructions, or to an answer that is placed further down. */
#define NEXT	0u
#define TRAP	253u
#define ALLOW	254u
#define KILL	255u

static inline void chain_emit(struct chain *p, u32 code, u32 k, unsigned int yes, unsigned int no)
{
	if (p->len >= p->max) {
		p->bad = true;
		return;
	}
	p->out[p->len++] = (struct sock_filter){ (unsigned short)code, (unsigned char)yes,
						 (unsigned char)no, k };
}

/* A := the word at @offset of struct seccomp_data. */
static inline void chain_load(struct chain *p, size_t offset)
{
	chain_emit(p, BPF_LD | BPF_W | BPF_ABS, (u32)offset, 0, 0);
}

/* A := a half of argument @n. */
static inline void chain_load_arg(struct chain *p, unsigned int n, bool high)
{
	chain_load(p, offsetof(struct seccomp_data, args) + 8 * n + (high ? 4 : 0));
}

/* Compare A with @k: BPF_JEQ, BPF_JGE, BPF_JGT or BPF_JSET. */
static inline void chain_test(struct chain *p, u32 op, u32 k, unsigned int yes, unsigned int no)
{
	chain_emit(p, BPF_JMP | op | BPF_K, k, yes, no);
}

static inline void chain_ret(struct chain *p, u32 answer)
{
	chain_emit(p, BPF_RET | BPF_K, answer, 0, 0);
}

/* Where the next instruction will be, as seen from the jump at @at. */
static inline unsigned char chain_distance(struct chain *p, size_t at)
{
	size_t distance = p->len - at - 1;

	if (at >= p->len || distance >= TRAP) {
		p->bad = true;
		return 0;
	}
	return (unsigned char)distance;
}

/* What fails the test at @at comes here. */
static inline void chain_else_here(struct chain *p, size_t at)
{
	unsigned char distance = chain_distance(p, at);

	if (!p->bad)
		p->out[at].jf = distance;
}

/* Give @answer here, to all jumps to @label since @from and to what comes here by itself. */
static inline void chain_place(struct chain *p, size_t from, unsigned int label, u32 answer)
{
	size_t i;

	for (i = from; i < p->len; i++) {
		struct sock_filter *f = &p->out[i];

		if (BPF_CLASS(f->code) != BPF_JMP || (f->jt != label && f->jf != label))
			continue;
		if (f->jt == label)
			f->jt = chain_distance(p, i);
		if (f->jf == label)
			f->jf = chain_distance(p, i);
	}
	chain_ret(p, answer);
}

#endif
