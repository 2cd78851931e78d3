/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard's program: which frames are the pod's. Pure.
 *
 * Headers are copied to the stack with bpf_skb_load_bytes, which fails where a frame ends: there is
 * no way to run off its end and be let through, as there is with the classic loads (which end the
 * program with 0, "pass"). The receiver's view counts: a header must lie within the length that the
 * IP header tells, not merely within the frame, or padding would be read here and the next fragment
 * there. What cannot be understood is dropped.
 *
 *	r6  the frame (struct __sk_buff)
 *	r7  where the IP packet ends, in bytes from the frame's begin
 *	r8  where the header under inspection begins
 *	r9  IPv6: which header that is
 *
 * The frame's first bytes stand at FRAME, such that the IP header is aligned to 8; later parts at
 * PART.
 *
 * What may pass goes to one of two labels: unfinished, with a header of UDP or TCP at r8, to which
 * a link may have a checksum to write yet, or pass.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "net/forward_table.h"
#include "net/guard.h"

#define FRAME (-94)		/* 54 bytes: Ethernet and IPv6 header */
#define PART (-40)		/* 40 bytes */
#define WHOLE (-96)		/* 2 bytes: 0 if a later link writes a checksum into the frame */
#define STATE (-104)		/* 8 bytes: STATE_* */

#define STATE_UNSPECIFIED 1	/* the IPv6 source is :: */
#define STATE_FRAGMENT 2

/* Extension headers and neighbour discovery options to follow; real hosts send one or two. */
#define EXTENSIONS_MAX 4
#define OPTIONS_MAX 4

/* How far from the begin a checksum may be asked for; less than the least MTU of IPv6. */
#define UNFINISHED_MAX 1024

struct guard {
	struct net_bpf_asm *b;
	const struct net_guard_rules *rules;
	int redirect;			/* where to: the link's index; 0: left to later filters */
	int pass;
	int unfinished;			/* pass, with a header of UDP or TCP at r8 */
	int drop[NET_GUARD_REASONS];
};

/* ---- pieces ------------------------------------------------------------------------------- */

/* Copy @len bytes of the frame to @to, from offset r8 + @from. Too short: drop. */
static void guard_read(struct guard *g, int from, int16_t to, int32_t len)
{
	net_bpf_mov(g->b, BPF_REG_1, BPF_REG_6);
	net_bpf_mov(g->b, BPF_REG_2, BPF_REG_8);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_2, from);
	net_bpf_mov(g->b, BPF_REG_3, BPF_REG_10);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_3, to);
	net_bpf_mov_imm(g->b, BPF_REG_4, len);
	net_bpf_call(g->b, BPF_FUNC_skb_load_bytes);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_0, 0, g->drop[NET_GUARD_SHORT]);
}

/* The IP packet has @len bytes from r8 on; then copy @part of them to PART. Otherwise drop. */
static void guard_read_header(struct guard *g, int32_t len, int32_t part)
{
	net_bpf_mov(g->b, BPF_REG_1, BPF_REG_8);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_1, len);
	net_bpf_jump_reg(g->b, BPF_JGT, BPF_REG_1, BPF_REG_7, g->drop[NET_GUARD_SHORT]);
	guard_read(g, 0, PART, part);
}

static void guard_load(struct guard *g, uint8_t size, uint8_t reg, int16_t at)
{
	net_bpf_load(g->b, size, reg, BPF_REG_10, at);
}

/* Unless the 16 bits at @at are @value (in host byte order), go to @label. */
static void guard_want16(struct guard *g, int16_t at, uint16_t value, int label)
{
	guard_load(g, BPF_H, BPF_REG_1, at);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, htons(value), label);
}

static void guard_want8(struct guard *g, int16_t at, uint8_t value, int label)
{
	guard_load(g, BPF_B, BPF_REG_1, at);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, value, label);
}

/* Unless the guest's MAC is at @at, which is even, go to @label. */
static void guard_want_mac(struct guard *g, int16_t at, int label)
{
	const uint8_t *mac = g->rules->mac;

	for (int i = 0; i < 6; i += 2)
		guard_want16(g, (int16_t)(at + i), (uint16_t)(mac[i] << 8 | mac[i + 1]), label);
}

/* Jump to @label if r1 holds @value, and so on. */
static void guard_if(struct guard *g, uint8_t reg, int32_t value, int label)
{
	net_bpf_jump_imm(g->b, BPF_JEQ, reg, value, label);
}

/* r1 = the IPv4 address at @at as guard_own4() wants it: comparisons sign-extend their constant. */
static void guard_load4(struct guard *g, int16_t at)
{
	guard_load(g, BPF_W, BPF_REG_1, at);
	net_bpf_alu_imm(g->b, BPF_LSH, BPF_REG_1, 32);
	net_bpf_alu_imm(g->b, BPF_ARSH, BPF_REG_1, 32);
}

/* Go on if r1 is an IPv4 address of the pod's, otherwise go to @drop. */
static void guard_own4(struct guard *g, int drop)
{
	int own = net_bpf_label(g->b);

	for (size_t i = 0; i < g->rules->nr_addrs; i++) {
		int32_t addr;

		if (g->rules->addrs[i].family != AF_INET)
			continue;
		memcpy(&addr, g->rules->addrs[i].addr, sizeof(addr));
		guard_if(g, BPF_REG_1, addr, own);
	}
	net_bpf_jump(g->b, drop);
	net_bpf_place(g->b, own);
}

static bool guard_has(const struct net_guard_rules *rules, uint8_t family)
{
	for (size_t i = 0; i < rules->nr_addrs; i++)
		if (rules->addrs[i].family == family)
			return true;
	return false;
}

/* r1, r2 = the address at @at. If it is @addr, go to @own. */
static void guard_if6(struct guard *g, const uint8_t addr[16], int own)
{
	int other = net_bpf_label(g->b);
	uint64_t half[2];

	memcpy(half, addr, sizeof(half));
	net_bpf_load64(g->b, BPF_REG_3, half[1]);
	net_bpf_jump_reg(g->b, BPF_JNE, BPF_REG_2, BPF_REG_3, other);
	net_bpf_load64(g->b, BPF_REG_3, half[0]);
	net_bpf_jump_reg(g->b, BPF_JEQ, BPF_REG_1, BPF_REG_3, own);
	net_bpf_place(g->b, other);
}

/*
 * If the address at @at, in r1 and r2, is global (2000::/3) or unique local (fc00::/7) and ends in
 * the guest's EUI-64, go to @own.
 */
static void guard_if_slaac(struct guard *g, int16_t at, int own)
{
	const uint8_t *mac = g->rules->mac;
	const uint8_t id[8] = { mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] };
	int other = net_bpf_label(g->b);
	uint64_t half;

	memcpy(&half, id, sizeof(half));
	net_bpf_load64(g->b, BPF_REG_3, half);
	net_bpf_jump_reg(g->b, BPF_JNE, BPF_REG_2, BPF_REG_3, other);
	guard_load(g, BPF_B, BPF_REG_3, at);
	net_bpf_mov(g->b, BPF_REG_4, BPF_REG_3);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_3, 0xe0);
	guard_if(g, BPF_REG_3, 0x20, own);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_4, 0xfe);
	guard_if(g, BPF_REG_4, 0xfc, own);
	net_bpf_place(g->b, other);
}

/* Go on if the IPv6 address at @at, which is aligned to 8, is the pod's, otherwise go to @drop. */
static void guard_own6(struct guard *g, int16_t at, int drop)
{
	int own = net_bpf_label(g->b);

	guard_load(g, BPF_DW, BPF_REG_1, at);
	guard_load(g, BPF_DW, BPF_REG_2, (int16_t)(at + 8));
	for (size_t i = 0; i < g->rules->nr_addrs; i++)
		if (g->rules->addrs[i].family == AF_INET6)
			guard_if6(g, g->rules->addrs[i].addr, own);
	if (g->rules->slaac)
		guard_if_slaac(g, at, own);
	net_bpf_jump(g->b, drop);
	net_bpf_place(g->b, own);
}

/*
 * A UDP header at r8, of a packet to be passed unless it goes from port @server to @client. If one
 * of the two is so, nothing may be written into it, as that could make it the other one as well.
 */
static void guard_udp(struct guard *g, uint16_t server, uint16_t client)
{
	int other = net_bpf_label(g->b);

	guard_read_header(g, 8, 4);
	guard_want16(g, PART, server, other);
	guard_want16(g, PART + 2, client, g->pass);
	net_bpf_jump(g->b, g->drop[NET_GUARD_DHCP]);
	net_bpf_place(g->b, other);
	guard_want16(g, PART + 2, client, g->unfinished);
	net_bpf_jump(g->b, g->pass);
}

/* ---- checksums ---------------------------------------------------------------------------- */

/*
 * A virtio header can name a place for a checksum that a later link writes: the frame would change
 * there after it was looked at. No field tells that; so change the second half of the sender's MAC
 * address, which is known, as if it were a checksum. The kernel does so only in a frame whose
 * checksum is not to be written yet (inet_proto_csum_replace4()). Then put it back.
 */
static void guard_unfinished(struct guard *g)
{
	uint16_t word;

	if (!g->rules->offloads)
		return;
	memcpy(&word, g->rules->mac + 4, sizeof(word));
	net_bpf_mov(g->b, BPF_REG_1, BPF_REG_6);
	net_bpf_mov_imm(g->b, BPF_REG_2, 10);
	net_bpf_mov_imm(g->b, BPF_REG_3, 0);
	net_bpf_mov_imm(g->b, BPF_REG_4, 1);
	net_bpf_mov_imm(g->b, BPF_REG_5, sizeof(word));
	net_bpf_call(g->b, BPF_FUNC_l4_csum_replace);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_0, 0, g->drop[NET_GUARD_CHECKSUM]);
	net_bpf_load(g->b, BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, data));
	net_bpf_load(g->b, BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct __sk_buff, data_end));
	net_bpf_mov(g->b, BPF_REG_3, BPF_REG_1);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_3, 12);
	net_bpf_jump_reg(g->b, BPF_JGT, BPF_REG_3, BPF_REG_2, g->drop[NET_GUARD_SHORT]);
	net_bpf_load(g->b, BPF_H, BPF_REG_3, BPF_REG_1, 10);
	net_bpf_mov_imm(g->b, BPF_REG_2, word);
	net_bpf_store(g->b, BPF_H, BPF_REG_1, 10, BPF_REG_2);
	net_bpf_alu(g->b, BPF_XOR, BPF_REG_3, BPF_REG_2);
	net_bpf_store(g->b, BPF_H, BPF_REG_10, WHOLE, BPF_REG_3);
}

/*
 * Where what may pass goes. A checksum that is not written yet is one of UDP or TCP, and nothing in
 * front of that header changes any more, which is what was looked at. No field tells the place, but
 * a frame cannot be cut in front of it: so try to cut it one byte before the header. What the
 * kernel compares with is the place's end, or, since the stable releases of 2025, where the sum
 * begins (__bpf_skb_min_len()): the place is not before the header in the one, and at most two
 * bytes before it in the other case, in the destination or an option's end. Up to Linux 5.11 a
 * frame cannot be cut beyond the link's MTU either, therefore UNFINISHED_MAX. Any other failure
 * says nothing about the place.
 */
static void guard_pass(struct guard *g, int out)
{
	int drop = g->drop[NET_GUARD_CHECKSUM];

	net_bpf_place(g->b, g->unfinished);
	if (g->rules && g->rules->offloads) {
		guard_load(g, BPF_H, BPF_REG_1, WHOLE);
		net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, out);
		net_bpf_jump_imm(g->b, BPF_JGT, BPF_REG_8, UNFINISHED_MAX, drop);
		net_bpf_mov(g->b, BPF_REG_1, BPF_REG_6);
		net_bpf_mov(g->b, BPF_REG_2, BPF_REG_8);
		net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_2, -1);
		net_bpf_mov_imm(g->b, BPF_REG_3, 0);
		net_bpf_call(g->b, BPF_FUNC_skb_change_tail);
		guard_if(g, BPF_REG_0, -EINVAL, out);
		net_bpf_jump(g->b, drop);
	}
	net_bpf_place(g->b, g->pass);
	if (g->rules && g->rules->offloads) {
		guard_load(g, BPF_H, BPF_REG_1, WHOLE);
		guard_if(g, BPF_REG_1, 0, drop);
	}
}

/* ---- ARP ---------------------------------------------------------------------------------- */

/*
 * RFC 826 requests and replies for IPv4 over Ethernet. The sender's address is the pod's; or it is
 * 0.0.0.0 in a probe (RFC 5227), which must ask for an address of the pod's: to ask so for a
 * neighbour's is to contest it.
 */
static void guard_arp(struct guard *g)
{
	int drop = g->drop[NET_GUARD_ARP], sender = net_bpf_label(g->b);

	guard_want16(g, FRAME + 14, 1, drop);		/* hardware: Ethernet */
	guard_want16(g, FRAME + 16, ETH_P_IP, drop);
	guard_want16(g, FRAME + 18, 0x0604, drop);	/* their lengths */
	guard_want_mac(g, FRAME + 22, drop);
	guard_read(g, 28, PART, 4);			/* the sender's address */
	guard_read(g, 38, PART + 8, 4);			/* the target's */
	guard_load4(g, PART);
	guard_load(g, BPF_H, BPF_REG_2, FRAME + 20);
	guard_if(g, BPF_REG_2, htons(2), sender);	/* a reply */
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_2, htons(1), drop);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, sender);
	guard_load4(g, PART + 8);
	net_bpf_place(g->b, sender);
	guard_own4(g, drop);
	net_bpf_jump(g->b, g->pass);
}

/* ---- IPv4 --------------------------------------------------------------------------------- */

/* r7, r8 from the IPv4 header at FRAME + 14. */
static void guard_ipv4_lengths(struct guard *g)
{
	int plain = net_bpf_label(g->b), options = net_bpf_label(g->b);

	guard_load(g, BPF_H, BPF_REG_7, FRAME + 16);
	net_bpf_ntohs(g->b, BPF_REG_7);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_7, ETH_HLEN);
	net_bpf_load(g->b, BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, len));
	net_bpf_jump_reg(g->b, BPF_JGT, BPF_REG_7, BPF_REG_1, g->drop[NET_GUARD_SHORT]);

	guard_load(g, BPF_B, BPF_REG_1, FRAME + 14);
	net_bpf_mov_imm(g->b, BPF_REG_8, 34);
	guard_if(g, BPF_REG_1, 0x45, plain);
	guard_if(g, BPF_REG_1, 0x46, options);
	net_bpf_alu_imm(g->b, BPF_RSH, BPF_REG_1, 4);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 4, g->drop[NET_GUARD_SHORT]);
	net_bpf_jump(g->b, g->drop[NET_GUARD_OPTIONS]);

	/* The one option that hosts send by themselves: router alert (RFC 2113), with IGMP. */
	net_bpf_place(g->b, options);
	guard_read(g, 0, PART, 4);
	guard_want16(g, PART, 0x9404, g->drop[NET_GUARD_OPTIONS]);
	guard_want16(g, PART + 2, 0, g->drop[NET_GUARD_OPTIONS]);
	net_bpf_mov_imm(g->b, BPF_REG_8, 38);

	net_bpf_place(g->b, plain);
	net_bpf_jump_reg(g->b, BPF_JGT, BPF_REG_8, BPF_REG_7, g->drop[NET_GUARD_SHORT]);
}

/* A host redirects nobody and advertises no routes. */
static void guard_icmp(struct guard *g)
{
	guard_read_header(g, 8, 1);
	guard_load(g, BPF_B, BPF_REG_1, PART);
	guard_if(g, BPF_REG_1, 5, g->drop[NET_GUARD_ROUTER]);
	guard_if(g, BPF_REG_1, 9, g->drop[NET_GUARD_ROUTER]);
	net_bpf_jump(g->b, g->pass);
}

/* Reports and leaves; a query could make the guest the segment's querier. */
static void guard_igmp(struct guard *g)
{
	static const uint8_t reports[] = { 0x12, 0x16, 0x17, 0x22 };

	guard_read_header(g, 8, 1);
	guard_load(g, BPF_B, BPF_REG_1, PART);
	for (size_t i = 0; i < sizeof(reports); i++)
		guard_if(g, BPF_REG_1, reports[i], g->pass);
	net_bpf_jump(g->b, g->drop[NET_GUARD_ROUTER]);
}

/* From 0.0.0.0: an IGMP report (@igmp), or a DHCP client's request for the guest's MAC. */
static void guard_ipv4_unspecified(struct guard *g, int igmp)
{
	int drop = g->drop[NET_GUARD_IPV4];

	guard_load(g, BPF_H, BPF_REG_1, FRAME + 20);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_1, htons(0x3fff));
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, drop);
	guard_load(g, BPF_B, BPF_REG_1, FRAME + 23);
	guard_if(g, BPF_REG_1, IPPROTO_IGMP, igmp);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, IPPROTO_UDP, drop);
	guard_read_header(g, 8, 4);
	guard_want16(g, PART, 68, drop);
	guard_want16(g, PART + 2, 67, drop);
	/* RFC 2131: op BOOTREQUEST, hardware Ethernet with 6 bytes; chaddr at 28. */
	guard_read_header(g, 8 + 34, 4);
	guard_read(g, 8, PART, 34);
	guard_want16(g, PART, 0x0101, g->drop[NET_GUARD_DHCP]);
	guard_want8(g, PART + 2, 6, g->drop[NET_GUARD_DHCP]);
	guard_want_mac(g, PART + 28, g->drop[NET_GUARD_DHCP]);
	net_bpf_jump(g->b, g->pass);
}

static void guard_ipv4(struct guard *g)
{
	int unspecified = net_bpf_label(g->b), icmp = net_bpf_label(g->b),
	    igmp = net_bpf_label(g->b), udp = net_bpf_label(g->b);

	guard_ipv4_lengths(g);
	guard_load4(g, FRAME + 26);
	guard_if(g, BPF_REG_1, 0, unspecified);
	guard_own4(g, g->drop[NET_GUARD_IPV4]);

	/* A later fragment has no header of the next protocol. */
	guard_load(g, BPF_H, BPF_REG_1, FRAME + 20);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_1, htons(0x1fff));
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, g->pass);
	guard_load(g, BPF_B, BPF_REG_1, FRAME + 23);
	guard_if(g, BPF_REG_1, IPPROTO_TCP, g->unfinished);
	guard_if(g, BPF_REG_1, IPPROTO_UDP, udp);
	guard_if(g, BPF_REG_1, IPPROTO_ICMP, icmp);
	guard_if(g, BPF_REG_1, IPPROTO_IGMP, igmp);
	net_bpf_jump(g->b, g->pass);

	net_bpf_place(g->b, udp);
	guard_udp(g, 67, 68);
	net_bpf_place(g->b, icmp);
	guard_icmp(g);
	net_bpf_place(g->b, unspecified);
	guard_ipv4_unspecified(g, igmp);
	net_bpf_place(g->b, igmp);
	guard_igmp(g);
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

/* A fragment header at r8: a later fragment passes; in the first one the chain goes on. */
static void guard_fragment(struct guard *g)
{
	int first = net_bpf_label(g->b);

	guard_read_header(g, 8, 4);
	guard_load(g, BPF_DW, BPF_REG_2, STATE);
	guard_load(g, BPF_H, BPF_REG_1, PART + 2);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_1, htons(0xfff8));
	guard_if(g, BPF_REG_1, 0, first);
	guard_if(g, BPF_REG_2, STATE_UNSPECIFIED, g->drop[NET_GUARD_IPV6]);
	net_bpf_jump(g->b, g->pass);
	net_bpf_place(g->b, first);
	net_bpf_alu_imm(g->b, BPF_OR, BPF_REG_2, STATE_FRAGMENT);
	net_bpf_store(g->b, BPF_DW, BPF_REG_10, STATE, BPF_REG_2);
	guard_load(g, BPF_B, BPF_REG_9, PART);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_8, 8);
}

/* From the header r9 at r8 on, go to the one that is no extension: @upper. */
static void guard_extensions(struct guard *g, int upper)
{
	static const int32_t extensions[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_FRAGMENT,
					      IPPROTO_ROUTING };

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		int options = net_bpf_label(g->b), fragment = net_bpf_label(g->b),
		    next = net_bpf_label(g->b);

		guard_if(g, BPF_REG_9, IPPROTO_TCP, upper);
		guard_if(g, BPF_REG_9, IPPROTO_HOPOPTS, i ? g->drop[NET_GUARD_OPTIONS] : options);
		guard_if(g, BPF_REG_9, IPPROTO_DSTOPTS, options);
		guard_if(g, BPF_REG_9, IPPROTO_FRAGMENT, fragment);
		guard_if(g, BPF_REG_9, IPPROTO_ROUTING, g->drop[NET_GUARD_OPTIONS]);
		net_bpf_jump(g->b, upper);

		net_bpf_place(g->b, fragment);
		guard_fragment(g);
		net_bpf_jump(g->b, next);

		net_bpf_place(g->b, options);
		guard_read_header(g, 8, 2);
		guard_load(g, BPF_B, BPF_REG_9, PART);
		guard_load(g, BPF_B, BPF_REG_1, PART + 1);
		net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_1, 1);
		net_bpf_alu_imm(g->b, BPF_LSH, BPF_REG_1, 3);
		net_bpf_alu(g->b, BPF_ADD, BPF_REG_8, BPF_REG_1);
		net_bpf_place(g->b, next);
	}
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		guard_if(g, BPF_REG_9, extensions[i], g->drop[NET_GUARD_OPTIONS]);
}

/* Options of neighbour discovery from r8 to the end: link-layer addresses are the guest's. */
static void guard_nd_options(struct guard *g)
{
	int drop = g->drop[NET_GUARD_ND];

	for (int i = 0; i < OPTIONS_MAX; i++) {
		int address = net_bpf_label(g->b), next = net_bpf_label(g->b);

		net_bpf_jump_reg(g->b, BPF_JEQ, BPF_REG_8, BPF_REG_7, g->pass);
		guard_read_header(g, 8, 8);
		guard_load(g, BPF_B, BPF_REG_1, PART + 1);
		guard_if(g, BPF_REG_1, 0, drop);
		net_bpf_alu_imm(g->b, BPF_LSH, BPF_REG_1, 3);
		net_bpf_alu(g->b, BPF_ADD, BPF_REG_8, BPF_REG_1);
		guard_load(g, BPF_B, BPF_REG_2, PART);
		guard_if(g, BPF_REG_2, 1, address);	/* source link-layer address */
		guard_if(g, BPF_REG_2, 2, address);	/* target's */
		net_bpf_jump(g->b, next);
		net_bpf_place(g->b, address);
		net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 8, drop);
		guard_want_mac(g, PART + 2, drop);
		net_bpf_place(g->b, next);
	}
	net_bpf_jump_reg(g->b, BPF_JEQ, BPF_REG_8, BPF_REG_7, g->pass);
	net_bpf_jump(g->b, drop);
}

/* The target at r8 + 8 is the pod's; r8 goes on to the options. */
static void guard_nd_target(struct guard *g)
{
	guard_read(g, 8, PART, 16);
	guard_own6(g, PART, g->drop[NET_GUARD_ND]);
}

/* r2 = STATE without the fragments: receivers ignore those of neighbour discovery (RFC 6980). */
static void guard_nd_whole(struct guard *g)
{
	guard_load(g, BPF_DW, BPF_REG_2, STATE);
	net_bpf_jump_imm(g->b, BPF_JGT, BPF_REG_2, STATE_UNSPECIFIED, g->drop[NET_GUARD_ND]);
}

/*
 * RFC 4861: solicitations and advertisements name the sender by its address, by link-layer address
 * options and, if it defends or probes for an address, by the target. r8: the ICMPv6 header.
 */
static void guard_nd(struct guard *g, int solicit, int advertise, int router_solicit)
{
	int options24 = net_bpf_label(g->b), options = net_bpf_label(g->b),
	    target = net_bpf_label(g->b);

	net_bpf_place(g->b, solicit);
	guard_read_header(g, 24, 4);
	guard_nd_whole(g);
	/* From :: it is a detection of duplicates, which may only be for an own address. */
	guard_if(g, BPF_REG_2, STATE_UNSPECIFIED, target);
	net_bpf_jump(g->b, options24);

	net_bpf_place(g->b, advertise);
	guard_read_header(g, 24, 4);
	guard_nd_whole(g);
	guard_if(g, BPF_REG_2, STATE_UNSPECIFIED, g->drop[NET_GUARD_ND]);
	net_bpf_place(g->b, target);
	guard_nd_target(g);
	net_bpf_place(g->b, options24);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_8, 24);
	net_bpf_jump(g->b, options);

	net_bpf_place(g->b, router_solicit);
	guard_read_header(g, 8, 4);
	guard_nd_whole(g);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_8, 8);
	net_bpf_place(g->b, options);
	guard_nd_options(g);
}

static void guard_icmp6(struct guard *g)
{
	int solicit = net_bpf_label(g->b), advertise = net_bpf_label(g->b),
	    router_solicit = net_bpf_label(g->b), specified = net_bpf_label(g->b);

	guard_read_header(g, 4, 4);
	guard_load(g, BPF_B, BPF_REG_1, PART);
	/* From :: as well: multicast memberships, and some of neighbour discovery. */
	guard_if(g, BPF_REG_1, 131, g->pass);
	guard_if(g, BPF_REG_1, 132, g->pass);
	guard_if(g, BPF_REG_1, 143, g->pass);
	guard_if(g, BPF_REG_1, 133, router_solicit);
	guard_if(g, BPF_REG_1, 135, solicit);
	guard_if(g, BPF_REG_1, 136, advertise);
	guard_load(g, BPF_DW, BPF_REG_2, STATE);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_2, STATE_UNSPECIFIED);
	guard_if(g, BPF_REG_2, 0, specified);
	net_bpf_jump(g->b, g->drop[NET_GUARD_IPV6]);
	net_bpf_place(g->b, specified);
	/* Errors are below 128, then come the two of echo. Others are a router's. */
	net_bpf_jump_imm(g->b, BPF_JGT, BPF_REG_1, 129, g->drop[NET_GUARD_ROUTER]);
	net_bpf_jump(g->b, g->pass);
	guard_nd(g, solicit, advertise, router_solicit);
}

/* r7, r8, r9 from the IPv6 header at FRAME + 14. */
static void guard_ipv6_lengths(struct guard *g)
{
	net_bpf_mov_imm(g->b, BPF_REG_8, 34);
	guard_read(g, 0, FRAME + 34, 20);
	guard_load(g, BPF_B, BPF_REG_1, FRAME + 14);
	net_bpf_alu_imm(g->b, BPF_RSH, BPF_REG_1, 4);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 6, g->drop[NET_GUARD_SHORT]);
	guard_load(g, BPF_H, BPF_REG_7, FRAME + 18);
	net_bpf_ntohs(g->b, BPF_REG_7);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_7, 54);
	net_bpf_load(g->b, BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, len));
	net_bpf_jump_reg(g->b, BPF_JGT, BPF_REG_7, BPF_REG_1, g->drop[NET_GUARD_SHORT]);
	net_bpf_mov_imm(g->b, BPF_REG_8, 54);
	guard_load(g, BPF_B, BPF_REG_9, FRAME + 20);
}

/* STATE from the source, which is :: or the pod's. */
static void guard_ipv6_source(struct guard *g)
{
	int specified = net_bpf_label(g->b), chain = net_bpf_label(g->b);

	guard_load(g, BPF_DW, BPF_REG_1, FRAME + 22);
	guard_load(g, BPF_DW, BPF_REG_2, FRAME + 30);
	net_bpf_alu(g->b, BPF_OR, BPF_REG_1, BPF_REG_2);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, specified);
	net_bpf_store_imm(g->b, BPF_DW, BPF_REG_10, STATE, STATE_UNSPECIFIED);
	net_bpf_jump(g->b, chain);
	net_bpf_place(g->b, specified);
	net_bpf_store_imm(g->b, BPF_DW, BPF_REG_10, STATE, 0);
	guard_own6(g, FRAME + 22, g->drop[NET_GUARD_IPV6]);
	net_bpf_place(g->b, chain);
}

static void guard_ipv6(struct guard *g)
{
	int upper = net_bpf_label(g->b), icmp6 = net_bpf_label(g->b), udp = net_bpf_label(g->b);

	if (!guard_has(g->rules, AF_INET6) && !g->rules->slaac) {
		net_bpf_jump(g->b, g->drop[NET_GUARD_IPV6]);
		return;
	}
	guard_ipv6_lengths(g);
	guard_ipv6_source(g);
	guard_extensions(g, upper);
	net_bpf_place(g->b, upper);
	guard_if(g, BPF_REG_9, IPPROTO_ICMPV6, icmp6);
	guard_load(g, BPF_DW, BPF_REG_1, STATE);
	net_bpf_alu_imm(g->b, BPF_AND, BPF_REG_1, STATE_UNSPECIFIED);
	net_bpf_jump_imm(g->b, BPF_JNE, BPF_REG_1, 0, g->drop[NET_GUARD_IPV6]);
	guard_if(g, BPF_REG_9, IPPROTO_TCP, g->unfinished);
	guard_if(g, BPF_REG_9, IPPROTO_UDP, udp);
	net_bpf_jump(g->b, g->pass);
	net_bpf_place(g->b, udp);
	guard_udp(g, 547, 546);
	net_bpf_place(g->b, icmp6);
	guard_icmp6(g);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void guard_begin(struct guard *g)
{
	g->pass = net_bpf_label(g->b);
	g->unfinished = net_bpf_label(g->b);
	for (int i = 0; i < NET_GUARD_REASONS; i++)
		g->drop[i] = net_bpf_label(g->b);
	net_bpf_mov(g->b, BPF_REG_6, BPF_REG_1);
	net_bpf_mov_imm(g->b, BPF_REG_8, 0);
}

static void guard_return(struct guard *g, int32_t verdict)
{
	net_bpf_mov_imm(g->b, BPF_REG_0, verdict);
	net_bpf_exit(g->b);
}

static void guard_end(struct guard *g, int map)
{
	int out = net_bpf_label(g->b), count = net_bpf_label(g->b), lost = net_bpf_label(g->b);

	guard_pass(g, out);
	net_bpf_place(g->b, out);
	if (g->redirect) {
		net_bpf_mov_imm(g->b, BPF_REG_1, g->redirect);
		net_bpf_mov_imm(g->b, BPF_REG_2, 0);
		net_bpf_call(g->b, BPF_FUNC_redirect);
		net_bpf_exit(g->b);
	} else {
		guard_return(g, TC_ACT_UNSPEC);
	}
	for (int i = 0; i < NET_GUARD_REASONS; i++) {
		net_bpf_place(g->b, g->drop[i]);
		net_bpf_mov_imm(g->b, BPF_REG_1, i);
		net_bpf_jump(g->b, count);
	}
	net_bpf_place(g->b, count);
	net_bpf_store(g->b, BPF_W, BPF_REG_10, PART, BPF_REG_1);
	net_bpf_load_map(g->b, BPF_REG_1, map);
	net_bpf_mov(g->b, BPF_REG_2, BPF_REG_10);
	net_bpf_alu_imm(g->b, BPF_ADD, BPF_REG_2, PART);
	net_bpf_call(g->b, BPF_FUNC_map_lookup_elem);
	guard_if(g, BPF_REG_0, 0, lost);
	net_bpf_mov_imm(g->b, BPF_REG_1, 1);
	/* *(u64 *)r0 += r1, atomically: several CPUs may drop at once. */
	net_bpf_emit(g->b, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD);
	net_bpf_place(g->b, lost);
	guard_return(g, TC_ACT_SHOT);
}

void net_guard_program(struct net_bpf_asm *b, const struct net_guard_rules *rules, int redirect,
		       int map)
{
	struct guard g = { .b = b, .rules = rules, .redirect = redirect };
	int ipv4 = net_bpf_label(b), ipv6 = net_bpf_label(b), arp = net_bpf_label(b);

	guard_begin(&g);
	/* The host's kernel has taken a tag off what came from a tap; elsewhere it is a type. */
	net_bpf_load(b, BPF_W, BPF_REG_1, BPF_REG_6, offsetof(struct __sk_buff, vlan_present));
	net_bpf_jump_imm(b, BPF_JNE, BPF_REG_1, 0,
			 rules->vlans ? g.pass : g.drop[NET_GUARD_VLAN]);
	guard_read(&g, 0, FRAME, 34);
	guard_want_mac(&g, FRAME + 6, g.drop[NET_GUARD_MAC]);
	guard_unfinished(&g);
	guard_load(&g, BPF_H, BPF_REG_1, FRAME + 12);
	guard_if(&g, BPF_REG_1, htons(ETH_P_IP), ipv4);
	guard_if(&g, BPF_REG_1, htons(ETH_P_IPV6), ipv6);
	guard_if(&g, BPF_REG_1, htons(ETH_P_ARP), arp);
	guard_if(&g, BPF_REG_1, htons(ETH_P_8021Q), g.drop[NET_GUARD_VLAN]);
	guard_if(&g, BPF_REG_1, htons(ETH_P_8021AD), g.drop[NET_GUARD_VLAN]);
	net_bpf_jump(b, g.drop[NET_GUARD_TYPE]);

	net_bpf_place(b, arp);
	guard_arp(&g);
	net_bpf_place(b, ipv4);
	guard_ipv4(&g);
	net_bpf_place(b, ipv6);
	guard_ipv6(&g);
	guard_end(&g, map);
}

/* ---- what arrives ------------------------------------------------------------------------- */

/* If the address at @at is ::1, or of the network of the loopback's clients, drop. */
static void guard_not_local(struct guard *g, int16_t at)
{
	static const uint8_t one[16] = { [15] = 1 }, clients[8] = { NET_FORWARD_PREFIX6 };
	uint64_t half;

	memcpy(&half, clients, sizeof(half));
	guard_load(g, BPF_DW, BPF_REG_1, at);
	net_bpf_load64(g->b, BPF_REG_3, half);
	net_bpf_jump_reg(g->b, BPF_JEQ, BPF_REG_1, BPF_REG_3, g->drop[NET_GUARD_LOOPBACK]);
	guard_load(g, BPF_DW, BPF_REG_2, (int16_t)(at + 8));
	guard_if6(g, one, g->drop[NET_GUARD_LOOPBACK]);
}

void net_guard_inbound_program(struct net_bpf_asm *b, int redirect, int map)
{
	struct guard g = { .b = b, .redirect = redirect };
	int ipv4 = net_bpf_label(b), ipv6 = net_bpf_label(b);

	guard_begin(&g);
	guard_read(&g, 0, FRAME, 14);
	guard_load(&g, BPF_H, BPF_REG_1, FRAME + 12);
	guard_if(&g, BPF_REG_1, htons(ETH_P_IP), ipv4);
	guard_if(&g, BPF_REG_1, htons(ETH_P_IPV6), ipv6);
	net_bpf_jump(b, g.pass);

	net_bpf_place(b, ipv4);
	guard_read(&g, 14, FRAME + 14, 20);
	guard_load(&g, BPF_B, BPF_REG_1, FRAME + 26);
	guard_if(&g, BPF_REG_1, 127, g.drop[NET_GUARD_LOOPBACK]);
	guard_load(&g, BPF_B, BPF_REG_1, FRAME + 30);
	guard_if(&g, BPF_REG_1, 127, g.drop[NET_GUARD_LOOPBACK]);
	net_bpf_jump(b, g.pass);

	net_bpf_place(b, ipv6);
	guard_read(&g, 14, FRAME + 14, 40);
	guard_not_local(&g, FRAME + 22);
	guard_not_local(&g, FRAME + 38);
	net_bpf_jump(b, g.pass);
	guard_end(&g, map);
}
