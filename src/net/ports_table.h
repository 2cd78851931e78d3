/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose a local port is, of the guests of one pod: the one value of an array map that the programs
 * of all of them read, and write when a guest claims one (abi/ports.h). Ports in host byte order.
 * Included by both sides.
 *
 * A port is the guest's that has claimed it, otherwise the one's in whose range it is. A guest is
 * known by a number from 1 on. Who writes: the runtime the rows of a guest, when it comes and goes;
 * a guest's own program its number into @claims, and 0 over its number. Two guests that claim one
 * port at the same moment, on two processors, may both be told that they have it (some nanoseconds
 * between the look and the note; the second one then has it): the BPF machine of Linux before 5.12
 * has nothing that compares and exchanges.
 */
#ifndef RUNNC_NET_PORTS_TABLE_H
#define RUNNC_NET_PORTS_TABLE_H

#include <linux/types.h>

#include "net/bpf_table.h"

#define NET_PORTS_GUESTS 8		/* at most, in one namespace */

enum { NET_PORTS_TCP, NET_PORTS_UDP, NET_PORTS_PROTOCOLS };

struct net_ports_guest {
	__u32 tap;			/* index of its end of the pod's loopback; 0: no guest */
	/* its part of net.ipv4.ip_local_port_range; last 0: none */
	__u16 first;
	__u16 last;
};

struct net_ports_table {
	struct net_ports_guest guests[NET_PORTS_GUESTS];	/* number - 1 */
	__u8 claims[NET_PORTS_PROTOCOLS][65536];		/* a guest's number, or 0 */
};

#endif
