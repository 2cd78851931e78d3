/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes to links. Internal to src/net. Each returns 0 or -errno with @e filled in. */
#ifndef RUNNC_NET_LINK_H
#define RUNNC_NET_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "net/netlink.h"

/* Set those IFF_* of @index that are in @mask to what @flags says. */
int net_link_flags(struct net_nl *nl, int index, uint32_t flags, uint32_t mask, struct err *e);
int net_link_mtu(struct net_nl *nl, int index, uint32_t mtu, struct err *e);
int net_link_txqlen(struct net_nl *nl, int index, uint32_t txqlen, struct err *e);
int net_link_mac(struct net_nl *nl, int index, const uint8_t mac[6], struct err *e);

/*
 * Is that the doing of a qdisc? Adding one to a virtual link whose queue has the length 0 makes it
 * 1000 (qdisc_create() of Linux: "Caught tx_queue_len zero misconfig").
 */
static inline bool net_link_txqlen_lost(uint32_t was, uint32_t now)
{
	return was == 0 && now == 1000;
}

/* Make @index a port of @master; 0: of nothing. */
int net_link_master(struct net_nl *nl, int index, int master, struct err *e);

/* The bridge of port @index learns nothing from what comes in there. It ends with the port. */
int net_link_no_learning(struct net_nl *nl, int index, struct err *e);

/* Create a bridge that forwards at once: no STP, no forward delay, no multicast snooping. */
int net_link_bridge(struct net_nl *nl, const char *name, const uint8_t mac[6], uint32_t mtu,
		    struct err *e);

/* Already gone: success. */
int net_link_delete(struct net_nl *nl, int index, struct err *e);

/* The index of the link @name. Returns 0 or -errno. */
int net_link_index(const char *name, int *index, struct err *e);

#endif
