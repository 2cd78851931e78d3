/* SPDX-License-Identifier: GPL-2.0-only */
/* Putting a table's address into a compiled program: for its loader, on the host or in a guest. */
#ifndef RUNNC_NET_BPF_RELOCATE_H
#define RUNNC_NET_BPF_RELOCATE_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* The value of @map takes the place of @mark (net/bpf_table.h) in the @nr instructions. */
static inline void net_bpf_relocate(struct bpf_insn *insns, size_t nr, uint64_t mark, int map)
{
	for (size_t i = 0; i + 1 < nr; i++) {
		if (insns[i].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insns[i].src_reg == 0 && (uint32_t)insns[i].imm == (uint32_t)mark &&
		    (uint32_t)insns[i + 1].imm == (uint32_t)(mark >> 32)) {
			insns[i].src_reg = BPF_PSEUDO_MAP_VALUE;
			insns[i].imm = map;
			insns[i + 1].imm = 0;
		}
		i++;
	}
}

#endif
