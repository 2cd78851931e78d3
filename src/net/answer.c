/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer: a request for a neighbour that only the namespace knows becomes the reply to it.
 *
 * The frame is copied to the stack, changed there, and written back only when it is known to be a
 * request for one of those neighbours. r6 is the frame; r7 and r8 hold the address asked for.
 */
#include "net/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/bpf.h"

#define ANSWER_NAME "runnc_answer"
#define FRAME (-102)			/* the IP header in it is aligned to 8 */
#define ARP_LEN 42
#define ND_LEN 86			/* with one option */

struct answer {
	struct net_bpf_asm *b;
	int pass;
	int index;
};

/* ---- pieces ------------------------------------------------------------------------------- */

/* r1 = the frame, r2 = @offset, r3 = that place on the stack, r4 = @len */
static void answer_arguments(struct answer *a, int offset, int len)
{
	net_bpf_mov(a->b, BPF_REG_1, BPF_REG_6);
	net_bpf_mov_imm(a->b, BPF_REG_2, offset);
	net_bpf_mov(a->b, BPF_REG_3, BPF_REG_10);
	net_bpf_alu_imm(a->b, BPF_ADD, BPF_REG_3, FRAME + offset);
	net_bpf_mov_imm(a->b, BPF_REG_4, len);
}

static void answer_read(struct answer *a, int offset, int len)
{
	answer_arguments(a, offset, len);
	net_bpf_call(a->b, BPF_FUNC_skb_load_bytes);
	net_bpf_jump_imm(a->b, BPF_JNE, BPF_REG_0, 0, a->pass);
}

static void answer_want(struct answer *a, int at, uint16_t value)
{
	net_bpf_load(a->b, BPF_H, BPF_REG_1, BPF_REG_10, (int16_t)(FRAME + at));
	net_bpf_jump_imm(a->b, BPF_JNE, BPF_REG_1, htons(value), a->pass);
}

static void answer_put(struct answer *a, int at, uint16_t value)
{
	net_bpf_store_imm(a->b, BPF_H, BPF_REG_10, (int16_t)(FRAME + at), htons(value));
}

static void answer_put_mac(struct answer *a, int at, const uint8_t mac[6])
{
	for (int i = 0; i < 6; i += 2)
		answer_put(a, at + i, (uint16_t)(mac[i] << 8 | mac[i + 1]));
}

static void answer_copy(struct answer *a, uint8_t size, int from, int to)
{
	net_bpf_load(a->b, size, BPF_REG_1, BPF_REG_10, (int16_t)(FRAME + from));
	net_bpf_store(a->b, size, BPF_REG_10, (int16_t)(FRAME + to), BPF_REG_1);
}

static void answer_copy_mac(struct answer *a, int from, int to)
{
	for (int i = 0; i < 6; i += 2)
		answer_copy(a, BPF_H, from + i, to + i);
}

/* Write the first @len bytes back and send the frame to where it came from. */
static void answer_send(struct answer *a, int len)
{
	answer_arguments(a, 0, len);
	net_bpf_mov_imm(a->b, BPF_REG_5, 0);
	net_bpf_call(a->b, BPF_FUNC_skb_store_bytes);
	net_bpf_jump_imm(a->b, BPF_JNE, BPF_REG_0, 0, a->pass);
	net_bpf_mov_imm(a->b, BPF_REG_1, a->index);
	net_bpf_mov_imm(a->b, BPF_REG_2, 0);
	net_bpf_call(a->b, BPF_FUNC_redirect);
	net_bpf_exit(a->b);
}

static bool answer_is_one(const struct gcfg_neigh *n, uint8_t family, uint32_t link)
{
	return n->link == link && n->family == family && (n->state & NUD_PERMANENT);
}

/* ---- ARP ---------------------------------------------------------------------------------- */

static void answer_arp(struct answer *a, const struct gcfg_neigh *neighs, size_t nr, uint32_t link)
{
	int send = net_bpf_label(a->b);

	answer_want(a, 14, 1);
	answer_want(a, 16, ETH_P_IP);
	answer_want(a, 18, 0x0604);
	answer_want(a, 20, 1);
	/* Sign-extended, as the constants of comparisons are. */
	net_bpf_load(a->b, BPF_W, BPF_REG_7, BPF_REG_10, FRAME + 38);
	net_bpf_alu_imm(a->b, BPF_LSH, BPF_REG_7, 32);
	net_bpf_alu_imm(a->b, BPF_ARSH, BPF_REG_7, 32);
	/* A probe asks whether somebody has the address: that is between it and the wire. */
	net_bpf_load(a->b, BPF_H, BPF_REG_1, BPF_REG_10, FRAME + 28);
	net_bpf_load(a->b, BPF_H, BPF_REG_2, BPF_REG_10, FRAME + 30);
	net_bpf_alu(a->b, BPF_OR, BPF_REG_1, BPF_REG_2);
	net_bpf_jump_imm(a->b, BPF_JEQ, BPF_REG_1, 0, a->pass);

	answer_put(a, 20, 2);
	answer_copy_mac(a, 22, 0);
	answer_copy_mac(a, 22, 32);
	for (int i = 0; i < 4; i += 2) {
		net_bpf_load(a->b, BPF_H, BPF_REG_2, BPF_REG_10, (int16_t)(FRAME + 38 + i));
		answer_copy(a, BPF_H, 28 + i, 38 + i);
		net_bpf_store(a->b, BPF_H, BPF_REG_10, (int16_t)(FRAME + 28 + i), BPF_REG_2);
	}
	for (size_t i = 0; i < nr; i++) {
		int other = net_bpf_label(a->b);
		int32_t addr;

		if (!answer_is_one(&neighs[i], AF_INET, link))
			continue;
		memcpy(&addr, neighs[i].addr, sizeof(addr));
		net_bpf_jump_imm(a->b, BPF_JNE, BPF_REG_7, addr, other);
		answer_put_mac(a, 6, neighs[i].mac);
		answer_put_mac(a, 22, neighs[i].mac);
		net_bpf_jump(a->b, send);
		net_bpf_place(a->b, other);
	}
	net_bpf_jump(a->b, a->pass);
	net_bpf_place(a->b, send);
	answer_send(a, ARP_LEN);
}

/* ---- neighbour discovery ------------------------------------------------------------------ */

/* The checksum of the 64 bytes from the source address to the option, and of the pseudo header. */
static void answer_checksum(struct answer *a)
{
	answer_put(a, 56, 0);
	net_bpf_mov_imm(a->b, BPF_REG_1, 0);
	net_bpf_mov_imm(a->b, BPF_REG_2, 0);
	net_bpf_mov(a->b, BPF_REG_3, BPF_REG_10);
	net_bpf_alu_imm(a->b, BPF_ADD, BPF_REG_3, FRAME + 22);
	net_bpf_mov_imm(a->b, BPF_REG_4, 64);
	net_bpf_mov_imm(a->b, BPF_REG_5, htons(32 + IPPROTO_ICMPV6));
	net_bpf_call(a->b, BPF_FUNC_csum_diff);
	net_bpf_alu_imm(a->b, BPF_LSH, BPF_REG_0, 32);
	net_bpf_alu_imm(a->b, BPF_RSH, BPF_REG_0, 32);
	for (int i = 0; i < 2; i++) {
		net_bpf_mov(a->b, BPF_REG_1, BPF_REG_0);
		net_bpf_alu_imm(a->b, BPF_AND, BPF_REG_1, 0xffff);
		net_bpf_alu_imm(a->b, BPF_RSH, BPF_REG_0, 16);
		net_bpf_alu(a->b, BPF_ADD, BPF_REG_0, BPF_REG_1);
	}
	net_bpf_alu_imm(a->b, BPF_XOR, BPF_REG_0, -1);
	net_bpf_store(a->b, BPF_H, BPF_REG_10, FRAME + 56, BPF_REG_0);
}

/* r7, r8: the target, if this is a solicitation by somebody who has an address. */
static void answer_nd_request(struct answer *a)
{
	answer_read(a, ARP_LEN, 78 - ARP_LEN);
	answer_want(a, 20, IPPROTO_ICMPV6 << 8 | 255);	/* hop limit */
	answer_want(a, 54, 135 << 8);
	net_bpf_load(a->b, BPF_H, BPF_REG_1, BPF_REG_10, FRAME + 18);
	net_bpf_ntohs(a->b, BPF_REG_1);
	net_bpf_jump_imm(a->b, BPF_JLT, BPF_REG_1, 24, a->pass);
	net_bpf_load(a->b, BPF_DW, BPF_REG_1, BPF_REG_10, FRAME + 22);
	net_bpf_load(a->b, BPF_DW, BPF_REG_2, BPF_REG_10, FRAME + 30);
	net_bpf_alu(a->b, BPF_OR, BPF_REG_1, BPF_REG_2);
	net_bpf_jump_imm(a->b, BPF_JEQ, BPF_REG_1, 0, a->pass);
	net_bpf_load(a->b, BPF_DW, BPF_REG_7, BPF_REG_10, FRAME + 62);
	net_bpf_load(a->b, BPF_DW, BPF_REG_8, BPF_REG_10, FRAME + 70);
}

static void answer_nd(struct answer *a, const struct gcfg_neigh *neighs, size_t nr, uint32_t link)
{
	int send = net_bpf_label(a->b);

	answer_nd_request(a);
	answer_copy_mac(a, 6, 0);
	answer_copy(a, BPF_DW, 22, 38);
	answer_copy(a, BPF_DW, 30, 46);
	net_bpf_store(a->b, BPF_DW, BPF_REG_10, FRAME + 22, BPF_REG_7);
	net_bpf_store(a->b, BPF_DW, BPF_REG_10, FRAME + 30, BPF_REG_8);
	answer_put(a, 18, 32);
	answer_put(a, 54, 136 << 8);
	answer_put(a, 58, 0xe000);			/* router, solicited, override */
	answer_put(a, 60, 0);
	answer_put(a, 78, 0x0201);			/* target link-layer address */
	for (size_t i = 0; i < nr; i++) {
		int other = net_bpf_label(a->b);
		uint64_t half[2];

		if (!answer_is_one(&neighs[i], AF_INET6, link))
			continue;
		memcpy(half, neighs[i].addr, sizeof(half));
		net_bpf_load64(a->b, BPF_REG_1, half[0]);
		net_bpf_jump_reg(a->b, BPF_JNE, BPF_REG_7, BPF_REG_1, other);
		net_bpf_load64(a->b, BPF_REG_1, half[1]);
		net_bpf_jump_reg(a->b, BPF_JNE, BPF_REG_8, BPF_REG_1, other);
		answer_put_mac(a, 6, neighs[i].mac);
		answer_put_mac(a, 80, neighs[i].mac);
		net_bpf_jump(a->b, send);
		net_bpf_place(a->b, other);
	}
	net_bpf_jump(a->b, a->pass);
	net_bpf_place(a->b, send);
	answer_checksum(a);
	net_bpf_mov(a->b, BPF_REG_1, BPF_REG_6);
	net_bpf_mov_imm(a->b, BPF_REG_2, ND_LEN);
	net_bpf_mov_imm(a->b, BPF_REG_3, 0);
	net_bpf_call(a->b, BPF_FUNC_skb_change_tail);
	net_bpf_jump_imm(a->b, BPF_JNE, BPF_REG_0, 0, a->pass);
	answer_send(a, ND_LEN);
}

/* ---- the whole ---------------------------------------------------------------------------- */

size_t net_answer_program(struct net_bpf_asm *b, const struct gcfg_neigh *neighs, size_t nr,
			  uint32_t link, int index)
{
	struct answer a = { .b = b, .pass = net_bpf_label(b), .index = index };
	int arp = net_bpf_label(b), nd = net_bpf_label(b);
	size_t found = 0;

	for (size_t i = 0; i < nr; i++)
		found += answer_is_one(&neighs[i], AF_INET, link) ||
			 answer_is_one(&neighs[i], AF_INET6, link);

	net_bpf_mov(b, BPF_REG_6, BPF_REG_1);
	net_bpf_load(b, BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, vlan_present));
	net_bpf_jump_imm(b, BPF_JNE, BPF_REG_1, 0, a.pass);
	answer_read(&a, 0, ARP_LEN);
	net_bpf_load(b, BPF_H, BPF_REG_1, BPF_REG_10, FRAME + 12);
	net_bpf_jump_imm(b, BPF_JEQ, BPF_REG_1, htons(ETH_P_ARP), arp);
	net_bpf_jump_imm(b, BPF_JEQ, BPF_REG_1, htons(ETH_P_IPV6), nd);
	net_bpf_jump(b, a.pass);
	net_bpf_place(b, arp);
	answer_arp(&a, neighs, nr, link);
	net_bpf_place(b, nd);
	answer_nd(&a, neighs, nr, link);
	net_bpf_place(b, a.pass);
	net_bpf_mov_imm(b, BPF_REG_0, TC_ACT_UNSPEC);
	net_bpf_exit(b);
	return found;
}

int net_answer_add(struct net_nl *nl, int index, const struct gcfg_neigh *neighs, size_t nr,
		   uint32_t link, struct err *e)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	const struct net_tc_place at = { index, NET_TC_INGRESS, NET_TC_PRIORITY_ANSWER, 0 };
	size_t found = net_answer_program(&b, neighs, nr, link, index);
	_autoclose_ int prog = -1;
	int rc;

	if (found == 0)
		return 0;
	if (found > NET_ANSWER_MAX)
		return err_say(e, -E2BIG, "more than %d permanent neighbours", NET_ANSWER_MAX);
	rc = net_bpf_program(&b, ANSWER_NAME, &prog, e);
	if (rc == 0)
		rc = net_tc_program_add(nl, &at, prog, "runnc-answer", e);
	return rc;
}
