// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program of the guest dials 127.0.x.y or one of the pod's own addresses, where nobody in the
 * guest listens: then it means a server in the pod's namespace, a sidecar, or another guest, which
 * share loopback and addresses with it in a pod of plain containers. Its stand-in, 127.253.x.y, is
 * dialled instead (src/net/forward.h), and the program is not told. Runs in the guest's kernel when
 * a connection is made, never for a packet. The one relocation is the table's.
 *
 * IPv4, also from IPv6 sockets; not 127.0.0.11, which has a route of its own.
 */
#include <linux/in.h>

#include "net/bpf_program.h"
#include "net/forward_table.h"

#define GO_ON 1
#define AF_INET 2

static inline const struct net_dial_table *the_table(void)
{
	const struct net_dial_table *t;

	asm volatile("%0 = %1 ll" : "=r"(t) : "i"(NET_BPF_TABLE_MARK));
	return t;
}

/* The number of one of the pod's addresses, or -1. */
static inline int find(__u32 address)
{
	const struct net_dial_table *t = the_table();

	for (int i = 0; i < NET_FORWARD_ADDRS; i++)
		if (t->addr4[i] == address)
			return (__u32)i < t->nr4 ? i : -1;
	return -1;
}

/* 127.253.255.N */
static inline bool is_pod_server(__u32 address)
{
	return (address & 0xffffff) == (127 | NET_FORWARD_SERVER << 8 | NET_FORWARD_POD << 16);
}

/* 127.@second.x.y, y not in the range of the pod's addresses. */
static inline bool is_loopback(__u32 address, __u8 second)
{
	return (address & 0xffff) == (127 | (__u32)second << 8) &&
	       (address >> 16 & 0xff) != NET_FORWARD_POD;
}

static inline bool has_listener(struct bpf_sock_addr *ctx, __u32 address)
{
	const struct bpf_sock *self = ctx->sk;
	struct bpf_sock_tuple tuple = {
		.ipv4 = { .saddr = net32(0x7f000001), .daddr = address,
			  .dport = (__u16)ctx->user_port },
	};
	struct bpf_sock *sock;

	/* A server that answers: its client may be a socket that wants nobody else's packets. */
	if (self) {
		tuple.ipv4.sport = __builtin_bswap16((__u16)self->src_port);
		if (self->family == AF_INET && self->src_ip4)
			tuple.ipv4.saddr = self->src_ip4;
	}
	sock = ctx->protocol == IPPROTO_TCP ?
		bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0) :
		bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);

	if (!sock)
		return false;
	bpf_sk_release(sock);
	return true;
}

/* What stands for @address; itself if nothing does. */
static inline __u32 stand_in(__u32 address)
{
	int number;

	if (is_loopback(address, 0))
		return address == net32(0x7f00000b) ? address :
			address | (__u32)NET_FORWARD_SERVER << 8;
	number = find(address);
	return number < 0 ? address : 127 | (__u32)NET_FORWARD_SERVER << 8 |
		(__u32)NET_FORWARD_POD << 16 | (__u32)number << 24;
}

/* What is dialled for @address. */
static inline __u32 dialled(struct bpf_sock_addr *ctx, __u32 address)
{
	__u32 other = stand_in(address);

	if (other == address ||
	    (ctx->protocol != IPPROTO_TCP && ctx->protocol != IPPROTO_UDP) ||
	    has_listener(ctx, address))
		return address;
	return other;
}

/* What the program is told that its peer is. */
static inline __u32 told(__u32 address)
{
	const struct net_dial_table *t = the_table();
	__u32 number = address >> 24;

	if (is_loopback(address, NET_FORWARD_SERVER))
		return address & ~0xff00u;
	return is_pod_server(address) && number < NET_FORWARD_ADDRS && number < t->nr4 ?
		t->addr4[bounded(number, NET_FORWARD_ADDRS)] : address;
}

static inline bool is_mapped(const struct bpf_sock_addr *ctx)
{
	return ctx->user_ip6[0] == 0 && ctx->user_ip6[1] == 0 && ctx->user_ip6[2] == net32(0xffff);
}

/* connect() of TCP and UDP, and sendto() of UDP */
section("dial4") int program_dial4(struct bpf_sock_addr *ctx)
{
	ctx->user_ip4 = dialled(ctx, ctx->user_ip4);
	return GO_ON;
}

section("dial6") int program_dial6(struct bpf_sock_addr *ctx)
{
	if (is_mapped(ctx))
		ctx->user_ip6[3] = dialled(ctx, ctx->user_ip6[3]);
	return GO_ON;
}

/* getpeername(), and recvfrom() of UDP */
section("peer4") int program_peer4(struct bpf_sock_addr *ctx)
{
	ctx->user_ip4 = told(ctx->user_ip4);
	return GO_ON;
}

section("peer6") int program_peer6(struct bpf_sock_addr *ctx)
{
	if (is_mapped(ctx))
		ctx->user_ip6[3] = told(ctx->user_ip6[3]);
	return GO_ON;
}
