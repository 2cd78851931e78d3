/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pod's local ports, of several guests that share its namespace: the table of
 * net/ports_table.h, in a map that lives as long as a program that reads it. The first guest's
 * create makes it, the next ones find it by the filter at the namespace's loopback. Internal to
 * src/net; the caller is in the namespace.
 */
#ifndef RUNNC_NET_PORTS_H
#define RUNNC_NET_PORTS_H

#include <stdint.h>

#include "base/err.h"
#include "net/netlink.h"
#include "net/ports_table.h"

#define NET_PORTS_NONE 1

/*
 * Make an empty one. *@map is close-on-exec and the caller's. Where the kernel cannot map it into
 * memory (before Linux 5.5) it is for one guest alone. Returns 0 or -errno.
 */
int net_ports_create(int *map, struct err *e);

/*
 * Find the one that the filter at the egress of @lo has. *@map is close-on-exec and the caller's.
 * Returns 0, NET_PORTS_NONE, or -errno. Needs CAP_SYS_ADMIN.
 */
int net_ports_open(struct net_nl *nl, int lo, int *map, struct err *e);

/*
 * Write down guest @number (1 to NET_PORTS_GUESTS), or with @guest NULL that it is gone and has
 * claimed nothing. Returns 0 or -errno: -EOPNOTSUPP on a kernel before 5.5 where @number is not 1.
 */
int net_ports_set(int map, unsigned int number, const struct net_ports_guest *guest,
		  struct err *e);

#define NET_PORTS_ALIVE 1

/*
 * Is guest @number in the table that the filter at @lo has, and alive: is its tap there? Returns
 * NET_PORTS_ALIVE, 0 or -errno.
 */
int net_ports_alive(struct net_nl *nl, int lo, unsigned int number, struct err *e);

#endif
