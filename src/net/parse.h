/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink replies as untrusted bytes: every message is checked before it becomes part of a survey.
 * Needs no kernel: fuzzed by tests/fuzz/fuzz-netlink.c. For
 * src/net and src/explain.
 */
#ifndef RUNNC_NET_PARSE_H
#define RUNNC_NET_PARSE_H

#include <linux/netlink.h>

#include "net/net.h"

#define NET_PARSE_MAX 65536		/* objects of one kind in a survey */

/*
 * Room for one more of @size bytes in *@list, which holds @nr and began as NULL. Zeroed; NULL with
 * *@rc set to -E2BIG beyond NET_PARSE_MAX, or -ENOMEM.
 */
void *net_parse_grow(void **list, size_t nr, size_t size, int *rc);

/*
 * Add the object in @m, all of whose nlmsg_len bytes are readable, to @s. Types and families that
 * do not concern us are passed over. Links must come before the qdiscs and filters on them.
 * Returns 0, -EBADMSG (malformed; @s is as before), -E2BIG or -ENOMEM.
 */
int net_parse_message(struct net_survey *s, const struct nlmsghdr *m);

/*
 * As many messages as @len bytes at @data (aligned to 4) hold. -EBADMSG also for bytes left over.
 */
int net_parse_buffer(struct net_survey *s, const void *data, size_t len);

/* After the last message: drop the neighbours that a survey does not want (see net.h). */
void net_parse_finish(struct net_survey *s);

/* True for a blackhole route and its like, which have no nexthop. */
bool net_parse_is_sink(uint8_t rtn_type);

#endif
