/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small assembler of eBPF: instructions and jumps to labels, for programs that depend on a pod's
 * addresses, on hosts that have no compiler. Pure. Internal to src/net.
 *
 * Failure (no memory, an instruction that cannot be encoded, a label that was not placed) sticks:
 * emit without looking, then ask net_bpf_finish().
 */
#ifndef RUNNC_NET_BPF_ASM_H
#define RUNNC_NET_BPF_ASM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct net_bpf_jump {
	size_t insn;
	int label;
};

struct net_bpf_label {
	long at;			/* where it stands; -1: not placed yet */
	bool used;			/* something jumps there */
};

struct net_bpf_asm {
	struct bpf_insn *insns;
	size_t nr;
	struct net_bpf_jump *jumps;
	size_t nr_jumps;
	struct net_bpf_label *labels;
	size_t nr_labels;
	bool dead;			/* nothing comes here, up to the next label in use */
	int failed;			/* 0 or a negative errno */
};

#define NET_BPF_ASM_INIT { .insns = NULL }
#define _autobpf_ __attribute__((cleanup(net_bpf_asm_free)))

void net_bpf_asm_free(struct net_bpf_asm *b);

/*
 * A new label, to be jumped to and then placed once: jumps go forward only. What nothing leads to
 * is left out (the kernel refuses a program with unreachable instructions): code behind a jump or
 * an exit, up to a label that is jumped to.
 */
int net_bpf_label(struct net_bpf_asm *b);
void net_bpf_place(struct net_bpf_asm *b, int label);

/* One instruction, as in struct bpf_insn. */
void net_bpf_emit(struct net_bpf_asm *b, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
		  int32_t imm);

/* @dst = @imm, 64 bits (two instructions). @map: as the map of this descriptor. */
void net_bpf_load64(struct net_bpf_asm *b, uint8_t dst, uint64_t imm);
void net_bpf_load_map(struct net_bpf_asm *b, uint8_t dst, int map);

/*
 * Jump to @label if @dst OP @imm or @dst OP @src holds; @op is BPF_JEQ, BPF_JNE, BPF_JGT, ... All
 * 64 bits are compared, with @imm sign-extended to them.
 */
void net_bpf_jump(struct net_bpf_asm *b, int label);
void net_bpf_jump_imm(struct net_bpf_asm *b, uint8_t op, uint8_t dst, int32_t imm, int label);
void net_bpf_jump_reg(struct net_bpf_asm *b, uint8_t op, uint8_t dst, uint8_t src, int label);

/* dst = src; dst = imm (sign-extended); dst OP= src; dst OP= imm: 64 bits, @op is BPF_ADD, ... */
void net_bpf_mov(struct net_bpf_asm *b, uint8_t dst, uint8_t src);
void net_bpf_mov_imm(struct net_bpf_asm *b, uint8_t dst, int32_t imm);
void net_bpf_alu(struct net_bpf_asm *b, uint8_t op, uint8_t dst, uint8_t src);
void net_bpf_alu_imm(struct net_bpf_asm *b, uint8_t op, uint8_t dst, int32_t imm);

/* dst = 16 bits in network byte order -> host byte order. */
void net_bpf_ntohs(struct net_bpf_asm *b, uint8_t dst);

/* dst = *(src + off), zero-extended; *(dst + off) = src. @size: BPF_B, BPF_H, BPF_W, BPF_DW. */
void net_bpf_load(struct net_bpf_asm *b, uint8_t size, uint8_t dst, uint8_t src, int16_t off);
void net_bpf_store(struct net_bpf_asm *b, uint8_t size, uint8_t dst, int16_t off, uint8_t src);
void net_bpf_store_imm(struct net_bpf_asm *b, uint8_t size, uint8_t dst, int16_t off, int32_t imm);

/* Call a helper (BPF_FUNC_*): arguments in r1 to r5, result in r0; r1 to r5 are lost. */
void net_bpf_call(struct net_bpf_asm *b, int32_t helper);
void net_bpf_exit(struct net_bpf_asm *b);

/* Resolve all jumps. Returns 0 or -errno: -ENOMEM, -E2BIG (too far a jump), -EINVAL (a bug). */
int net_bpf_finish(struct net_bpf_asm *b, struct err *e);

#endif
