/* SPDX-License-Identifier: GPL-2.0-only */
/* Traffic control: frames that arrive at one interface leave by another. Internal to src/net. */
#ifndef RUNNC_NET_TC_H
#define RUNNC_NET_TC_H

#include <stdint.h>

#include "net/netlink.h"

/* Our redirects are known by this mark and this priority, on a qdisc that may not be ours. */
#define NET_TC_COOKIE "runnc"
#define NET_TC_PRIORITY 0x6e62u

/* Add a clsact qdisc. One that is there already (also the older "ingress") is fine. 0 or -errno. */
int net_tc_clsact_add(struct net_nl *nl, int index, struct err *e);

/* Remove it with its filters. None there: success. */
int net_tc_clsact_remove(struct net_nl *nl, int index, struct err *e);

/*
 * Every frame that arrives at @from leaves by @to, and nothing else sees it. With cls_bpf, or with
 * cls_u32 where the kernel has no cls_bpf. Returns 0 or -errno.
 */
int net_tc_redirect_add(struct net_nl *nl, int from, int to, struct err *e);

/* Remove our filter only. None there: success. */
int net_tc_redirect_remove(struct net_nl *nl, int from, struct err *e);

#endif
