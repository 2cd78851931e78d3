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

	port = net16(port);
	return protocol == IPPROTO_TCP ? &p->claims[NET_PORTS_TCP][port] :
					 &p->claims[NET_PORTS_UDP][port];
}

/* The number of the guest in whose part @port is, in network byte order; 0: in none's. */
static inline __u32 port_part(__u16 port)
{
	const struct net_ports_table *p = the_ports();
	__u32 owner = 0;

	port = net16(port);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NET_PORTS_GUESTS && !owner; i++)
		if (port >= p->guests[i].first && port <= p->guests[i].last)
			owner = i + 1;
	return owner;
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
