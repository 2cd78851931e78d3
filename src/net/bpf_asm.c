/* SPDX-License-Identifier: GPL-2.0-only */
/* A small assembler of eBPF. */
#include "net/bpf_asm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void net_bpf_asm_free(struct net_bpf_asm *b)
{
	free(b->insns);
	free(b->jumps);
	free(b->labels);
	memset(b, 0, sizeof(*b));
}

/* Room for one more in a list that grows by powers of two. NULL, and b->failed, without memory. */
static void *bpf_room(struct net_bpf_asm *b, void **list, size_t nr, size_t size)
{
	void *larger = *list;

	if (b->failed)
		return NULL;
	if ((nr & (nr - 1)) == 0)
		larger = reallocarray(*list, nr ? nr * 2 : 1, size);
	if (!larger) {
		b->failed = -ENOMEM;
		return NULL;
	}
	*list = larger;
	return (char *)larger + nr * size;
}

int net_bpf_label(struct net_bpf_asm *b)
{
	struct net_bpf_label *slot = bpf_room(b, (void **)&b->labels, b->nr_labels, sizeof(*slot));

	if (!slot)
		return -1;
	*slot = (struct net_bpf_label){ .at = -1 };
	return (int)b->nr_labels++;
}

void net_bpf_place(struct net_bpf_asm *b, int label)
{
	if (b->failed)
		return;
	if (label < 0 || (size_t)label >= b->nr_labels || b->labels[label].at >= 0) {
		b->failed = -EINVAL;
		return;
	}
	b->labels[label].at = (long)b->nr;
	if (b->labels[label].used)
		b->dead = false;
}

void net_bpf_emit(struct net_bpf_asm *b, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
		  int32_t imm)
{
	struct bpf_insn *insn;

	if (b->dead)
		return;
	insn = bpf_room(b, (void **)&b->insns, b->nr, sizeof(*insn));
	if (!insn)
		return;
	*insn = (struct bpf_insn){ .code = code, .dst_reg = dst & 15, .src_reg = src & 15,
				   .off = off, .imm = imm };
	b->nr++;
}

static void bpf_wide(struct net_bpf_asm *b, uint8_t dst, uint8_t src, uint64_t imm)
{
	net_bpf_emit(b, BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, (int32_t)(uint32_t)imm);
	net_bpf_emit(b, 0, 0, 0, 0, (int32_t)(uint32_t)(imm >> 32));
}

void net_bpf_load64(struct net_bpf_asm *b, uint8_t dst, uint64_t imm)
{
	bpf_wide(b, dst, 0, imm);
}

void net_bpf_load_map(struct net_bpf_asm *b, uint8_t dst, int map)
{
	bpf_wide(b, dst, BPF_PSEUDO_MAP_FD, (uint32_t)map);
}

/* Remember that the next instruction jumps to @label. */
static void bpf_jumps(struct net_bpf_asm *b, int label)
{
	struct net_bpf_jump *jump;

	if (b->dead || b->failed)
		return;
	if (label < 0 || (size_t)label >= b->nr_labels || b->labels[label].at >= 0) {
		b->failed = -EINVAL;
		return;
	}
	jump = bpf_room(b, (void **)&b->jumps, b->nr_jumps, sizeof(*jump));
	if (!jump)
		return;
	*jump = (struct net_bpf_jump){ .insn = b->nr, .label = label };
	b->nr_jumps++;
	b->labels[label].used = true;
}

void net_bpf_jump(struct net_bpf_asm *b, int label)
{
	bpf_jumps(b, label);
	net_bpf_emit(b, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	b->dead = true;
}

void net_bpf_jump_imm(struct net_bpf_asm *b, uint8_t op, uint8_t dst, int32_t imm, int label)
{
	bpf_jumps(b, label);
	net_bpf_emit(b, BPF_JMP | BPF_K | op, dst, 0, 0, imm);
}

void net_bpf_jump_reg(struct net_bpf_asm *b, uint8_t op, uint8_t dst, uint8_t src, int label)
{
	bpf_jumps(b, label);
	net_bpf_emit(b, BPF_JMP | BPF_X | op, dst, src, 0, 0);
}

void net_bpf_mov(struct net_bpf_asm *b, uint8_t dst, uint8_t src)
{
	net_bpf_alu(b, BPF_MOV, dst, src);
}

void net_bpf_mov_imm(struct net_bpf_asm *b, uint8_t dst, int32_t imm)
{
	net_bpf_alu_imm(b, BPF_MOV, dst, imm);
}

void net_bpf_alu(struct net_bpf_asm *b, uint8_t op, uint8_t dst, uint8_t src)
{
	net_bpf_emit(b, BPF_ALU64 | BPF_X | op, dst, src, 0, 0);
}

void net_bpf_alu_imm(struct net_bpf_asm *b, uint8_t op, uint8_t dst, int32_t imm)
{
	net_bpf_emit(b, BPF_ALU64 | BPF_K | op, dst, 0, 0, imm);
}

void net_bpf_ntohs(struct net_bpf_asm *b, uint8_t dst)
{
	net_bpf_emit(b, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, 16);
}

void net_bpf_load(struct net_bpf_asm *b, uint8_t size, uint8_t dst, uint8_t src, int16_t off)
{
	net_bpf_emit(b, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

void net_bpf_store(struct net_bpf_asm *b, uint8_t size, uint8_t dst, int16_t off, uint8_t src)
{
	net_bpf_emit(b, BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

void net_bpf_store_imm(struct net_bpf_asm *b, uint8_t size, uint8_t dst, int16_t off, int32_t imm)
{
	net_bpf_emit(b, BPF_ST | BPF_MEM | size, dst, 0, off, imm);
}

void net_bpf_call(struct net_bpf_asm *b, int32_t helper)
{
	net_bpf_emit(b, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void net_bpf_exit(struct net_bpf_asm *b)
{
	net_bpf_emit(b, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	b->dead = true;
}

/* Returns 0 or -errno. */
static int bpf_resolve(struct net_bpf_asm *b, const struct net_bpf_jump *jump)
{
	long to, distance;

	/* The label exists: bpf_jumps(). */
	to = b->labels[jump->label].at;
	if (to < 0)
		return -EINVAL;
	/* Counted from the instruction behind the jump. */
	distance = to - (long)jump->insn - 1;
	if (distance > INT16_MAX)
		return -E2BIG;
	b->insns[jump->insn].off = (int16_t)distance;
	return 0;
}

int net_bpf_finish(struct net_bpf_asm *b, struct err *e)
{
	for (size_t i = 0; i < b->nr_jumps && !b->failed; i++)
		b->failed = bpf_resolve(b, &b->jumps[i]);
	return b->failed ? err_set(e, b->failed, "assemble a BPF program") : 0;
}
