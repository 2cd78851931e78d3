/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose a local port is: for the programs (*.bpf.c) that ask. See net/ports_table.h. */
#ifndef RUNNC_NET_PORTS_PROGRAM_H
#define RUNNC_NET_PORTS_PROGRAM_H

#include <linux/in.h>

#include "net/bpf_program.h"
#include "net/ports_table.h"

static inline struct net_ports_table *the_ports(void)
{
	struct net_ports_table *p;

	asm volatile("%0 = %1 ll" : "=r"(p) : "i"(NET_BPF_PORTS_MARK));
	return p;
}

/* Of TCP or UDP; @port in network byte order. */
static inline __u8 *the_claim(__u8 protocol, __u16 port)
{
	struct net_ports_table *p = the_ports();
	/* To the verifier of Linux 6.1 it has no limits after the swap. */
	const __u32 at = bounded(net16(port), 65536);

	return protocol == IPPROTO_TCP ? &p->claims[NET_PORTS_TCP][at] :
					 &p->claims[NET_PORTS_UDP][at];
}

/*
 * The number of the guest in whose part @port is, in network byte order; 0: in none's. Without a
 * branch: the verifier of Linux 6.1 would follow each one through all that comes behind.
 */
static inline __u32 port_part(__u16 port)
{
	const struct net_ports_table *p = the_ports();
	const __s64 at = net16(port);
	__u64 owner = 0;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < NET_PORTS_GUESTS; i++) {
		__u64 outside = (__u64)((at - p->guests[i].first) | (p->guests[i].last - at)) >> 63;

		asm volatile("" : "+r"(outside));
		owner |= (i + 1) * (1 - outside);
	}
	asm volatile("" : "+r"(owner));
	return (__u32)owner;
}

/* The number of the guest whose @port is, in network byte order; 0: no guest's. */
static inline __u32 port_owner(__u8 protocol, __u16 port)
{
	__u32 owner = *the_claim(protocol, port);

	return owner ? owner : port_part(port);
}

/* Where guest @number is reached; 0: nowhere, or it has ended and took its tap along. */
static inline __u32 guest_tap(struct __sk_buff *skb, __u32 number)
{
	__u32 tap;

	if (number < 1 || number > NET_PORTS_GUESTS)
		return 0;
	tap = the_ports()->guests[bounded(number - 1, NET_PORTS_GUESTS)].tap;
	return tap && has_link(skb, tap) ? tap : 0;
}

/*
 * Is @port guest @number's? With @alone it is the one that gets what is nobody's, as long as there
 * was no other guest before it.
 */
static inline bool is_mine(struct __sk_buff *skb, __u32 number, bool alone, __u8 protocol,
			   __u16 port)
{
	__u32 owner = port_owner(protocol, port);

	if (owner == number)
		return true;
	return alone && (!owner || !guest_tap(skb, owner));
}

#endif
