/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of a link. Internal to src/net. */
#ifndef RUNNC_NET_ADDR_H
#define RUNNC_NET_ADDR_H

#include "net/net.h"
#include "net/netlink.h"

/* Remove all addresses of @index; IPv4 routes over it go with the last one. 0 or -errno. */
int net_addr_flush(struct net_nl *nl, int index, struct err *e);

#endif
