/* SPDX-License-Identifier: GPL-2.0-only */
/* Surveys made by hand, for the tests of plans and records. A failure ends the test. */
#ifndef RUNNC_NET_TEST_PLAN_HELP_H
#define RUNNC_NET_TEST_PLAN_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

/* @s points into the rest. */
struct hand {
	struct net_link links[24];
	struct net_addr addrs[24];
	struct net_route routes[24];
	struct net_neigh neighs[8];
	struct net_rule rules[8];
	struct gcfg_hop hops[24];
	struct net_survey s;
};

void hand_init(struct hand *h);

/* Each adds one, to be changed: of an Ethernet interface that is up, permanent, in table main. */
struct net_link *hand_link(struct hand *h, int index, const char *name);
struct gcfg_addr *hand_addr(struct hand *h, int link, const char *text, uint8_t prefix);
struct net_route *hand_route(struct hand *h, int link, const char *dst, uint8_t prefix,
			     const char *gateway);

/* The route that the kernel makes for a prefix. */
void hand_kernel(struct hand *h, int link, const char *dst, uint8_t prefix);

/* Plan it; with _shared for an interface that the namespace keeps. */
void hand_plan(const struct hand *h, enum net_mode mode, enum net_mac mac, struct net_plan *p);
void hand_plan_shared(const struct hand *h, struct net_plan *p);

/* Is this a part of a notice of @p; of how many settings for the guest? */
bool hand_has_notice(const struct net_plan *p, const char *part);
size_t hand_count_sysctls(const struct net_plan *p, const char *part);

#endif
