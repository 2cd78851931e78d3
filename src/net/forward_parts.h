/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of net/forward.h share. Internal to src/net. */
#ifndef RUNNC_NET_FORWARD_PARTS_H
#define RUNNC_NET_FORWARD_PARTS_H

#include <linux/netlink.h>

#include "net/forward.h"

#define NET_FORWARD_RESOLVER 0x7f00000bu	/* 127.0.0.11 */

/* What net_forward_record() wrote: how lo was. Strings and @addrs are borrowed from the object. */
struct net_forward_lo {
	int index;
	int up;
	int new;
	int clsact;
	int route_localnet;
	int accept_local;
	const char *tap;
	const json_t *addrs;		/* an array */
};

/* Returns 0, or -EINVAL with @e filled in for an object that is none. */
int net_forward_read(const json_t *record, struct net_forward_lo *out, struct err *e);

/*
 * Does @m, of which nlmsg_len bytes are readable, tell of Docker's resolver? Then its port is noted
 * as that of @protocol. Reads untrusted bytes: fuzzed by tests/fuzz/fuzz-netlink.c.
 */
bool net_forward_parse_socket(const struct nlmsghdr *m, struct net_forward_facts *f,
			      uint8_t protocol);

#endif
