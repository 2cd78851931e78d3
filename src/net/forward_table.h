/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of loopback.bpf.c are told: the one value of their array map. Addresses and
 * ports in network byte order. Included by both sides.
 */
#ifndef RUNNC_NET_FORWARD_TABLE_H
#define RUNNC_NET_FORWARD_TABLE_H

#include <linux/types.h>

#include "net/bpf_table.h"

#define NET_FORWARD_ADDRS 16		/* of each family */

struct net_forward_table {
	__u32 tap;			/* its index; 0: nothing is forwarded */
	__u32 lo;
	__u32 nr4;			/* the pod's addresses, number 0 to nr - 1 */
	__u32 nr6;
	__u32 addr4[NET_FORWARD_ADDRS];
	__u32 addr6[NET_FORWARD_ADDRS][4];
	__u8 guest_mac[6];		/* of pod0 */
	__u16 resolver_udp;		/* where 127.0.0.11:53 really is; 0: nowhere */
	__u16 resolver_tcp;
	__u8 number;			/* as in struct net_share_table */
	__u8 alone;
	__u16 reserved[2];
};

/* What the guest's programs that dial are told (guest/init/dial.bpf.c): the pod's addresses. */
struct net_dial_table {
	__u32 nr4;
	__u32 addr4[NET_FORWARD_ADDRS];
};

/* Second octet of an address that stands for the other side's, see net/forward.h. */
#define NET_FORWARD_CLIENT 254
#define NET_FORWARD_SERVER 253
/* third octet: the fourth is the number of a pod's address */
#define NET_FORWARD_POD 255

/* The first 64 bits of the IPv6 addresses that stand for the other side's; then 0, 0xfe, 0, N. */
#define NET_FORWARD_PREFIX6 0xfd, 0x6e, 0x61, 0x62, 0x6c, 0x61, 0, 0
#define NET_FORWARD_CLIENT6 0xfe

/* fe80::fe:0, of pod0 itself: the kernel wants one to answer from, in a pod without IPv6. */
#define NET_FORWARD_OWN6 0xfe, 0x80, [13] = 0xfe

#endif
