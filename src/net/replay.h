/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Give a surveyed object back to the kernel, or take it away: the kernel's own message is sent
 * again, without what only tells a state. So what a restore brings back is not limited to what this
 * program understands. Internal to src/net.
 */
#ifndef RUNNC_NET_REPLAY_H
#define RUNNC_NET_REPLAY_H

#include "net/net.h"
#include "net/netlink.h"

/*
 * @elapsed: seconds since the survey, taken off lifetimes; what has expired meanwhile is passed
 * over with success. An object that is there already is success, too.
 */
int net_replay_addr(struct net_nl *nl, const struct net_addr *a, uint32_t elapsed, struct err *e);
int net_replay_route(struct net_nl *nl, const struct net_route *r, uint32_t elapsed, struct err *e);
int net_replay_neigh(struct net_nl *nl, const struct net_neigh *n, struct err *e);

/* Take away; gone already is success. */
int net_replay_addr_remove(struct net_nl *nl, const struct net_addr *a, struct err *e);
int net_replay_route_remove(struct net_nl *nl, const struct net_route *r, struct err *e);
int net_replay_neigh_remove(struct net_nl *nl, const struct net_neigh *n, struct err *e);

/* Would giving back one do the same as giving back the other? Lifetimes and states do not count. */
bool net_replay_same_addr(const struct net_addr *a, const struct net_addr *b);
bool net_replay_same_route(const struct net_route *a, const struct net_route *b);

/* Is there such a one in @s? */
bool net_replay_has_addr(const struct net_survey *s, const struct net_addr *a);
bool net_replay_has_route(const struct net_survey *s, const struct net_route *route);

#endif
