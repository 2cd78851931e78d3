/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transport: one rtnetlink socket, requests that change something, dumps. For src/net
 * and src/explain.
 *
 * libmnl rather than libnl-route: libnl's objects drop what they do not know (address lifetimes and
 * protocols, route metrics, nexthop flags), while an exact restore replays the kernel's own bytes;
 * and a parser over plain bytes can be fuzzed and tested without a kernel.
 */
#ifndef RUNNC_NET_NETLINK_H
#define RUNNC_NET_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct net_nl {
	struct mnl_socket *sock;	/* NULL: closed */
	uint32_t seq;
	void *buf;			/* of one datagram */
};

#define NET_NL_INIT { .sock = NULL }
#define _autonl_ __attribute__((cleanup(net_nl_close)))

/* Open in the current network namespace, close-on-exec. Returns 0 or -errno with @e filled in. */
int net_nl_open(struct net_nl *nl, struct err *e);
/* As net_nl_open(), of another of netlink's families: NETLINK_*. */
int net_nl_open_bus(struct net_nl *nl, int bus, struct err *e);
void net_nl_close(struct net_nl *nl);

/*
 * A request under construction: fixed parts and a few attributes of bounded size, never a replay.
 */
union net_msg {
	struct nlmsghdr head;
	char bytes[2048];
};

/*
 * Start @m: type, NLM_F_REQUEST | @flags, and a zeroed family header of @size bytes, which is
 * returned.
 */
void *net_nl_request(union net_msg *m, uint16_t type, uint16_t flags, size_t size);

/*
 * Send @m and wait for its acknowledgement. This is the only place where src/net changes something
 * by netlink: tests count and interrupt the steps here. Returns 0, or the kernel's -errno with its
 * own words in @e (for err_wrap(): "what was attempted").
 */
int net_nl_change(struct net_nl *nl, struct nlmsghdr *m, struct err *e);

/* Is there a whole message at @m, with @left bytes (or less than none) to the end of the buffer? */
bool net_nl_ok(const struct nlmsghdr *m, int left);

/* Another process changed what was being listed: the listing is torn, begin again. */
#define NET_NL_AGAIN 1

/* Called for each message of a dump. Return 0 to go on; anything else ends the dump with it. */
typedef int net_nl_each(const struct nlmsghdr *m, void *context);

/* Returns 0, NET_NL_AGAIN, what @each returned, or -errno. @e is filled in for negative values. */
int net_nl_dump(struct net_nl *nl, struct nlmsghdr *m, net_nl_each *each, void *context,
		struct err *e);

/*
 * Dump what a namespace's interfaces have: the links, then their qdiscs, addresses, routes,
 * neighbours and proxy entries, and the rules. Returns as net_nl_dump().
 */
int net_nl_dump_interfaces(struct net_nl *nl, net_nl_each *each, void *context, struct err *e);

#endif
