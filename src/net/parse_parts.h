/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files net/parse*.c share with one another. */
#ifndef RUNNC_NET_PARSE_PARTS_H
#define RUNNC_NET_PARSE_PARTS_H

#include <linux/netlink.h>
#include <sys/socket.h>

#include "net/net.h"
#include "net/parse.h"

/* *@raw becomes a copy of @m. 0 or -ENOMEM. */
int net_parse_keep(const struct nlmsghdr *m, struct net_raw *raw);

/* The link of @s with this index, or NULL. */
struct net_link *net_parse_link(struct net_survey *s, int index);

static inline bool net_parse_is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static inline size_t net_parse_address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* One object each; 0, -EBADMSG (malformed; @s is as before), -E2BIG or -ENOMEM. */
int net_parse_route(struct net_survey *s, const struct nlmsghdr *m);	/* parse_route.c */
int net_parse_rule(struct net_survey *s, const struct nlmsghdr *m);	/* parse_policy.c */
int net_parse_qdisc(struct net_survey *s, const struct nlmsghdr *m);
int net_parse_filter(struct net_survey *s, const struct nlmsghdr *m);

#endif
