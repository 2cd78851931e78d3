/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program of share.bpf.c is told: the one value of its array map. Addresses in network
 * byte order. Included by both sides.
 */
#ifndef RUNNC_NET_SHARE_TABLE_H
#define RUNNC_NET_SHARE_TABLE_H

#include <linux/types.h>

#include "net/bpf_table.h"

#define NET_SHARE_ADDRS 128		/* of each family, as many as a guard holds */

struct net_share_table {
	__u32 tap;			/* its index */
	__u32 nr4;			/* the pod's addresses */
	__u32 nr6;
	__u32 addr4[NET_SHARE_ADDRS];
	__u32 addr6[NET_SHARE_ADDRS][4];
	__u8 mac[6];			/* of the interface, and of the guest's device */
	__u8 number;			/* the guest's, among the pod's: net/ports_table.h */
	/* it was the only one when it came: it gets what is no other guest's either */
	__u8 alone;
};

#endif
