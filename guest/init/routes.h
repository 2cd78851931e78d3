/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes and policy rules of the configuration. */
#ifndef NABLA_INIT_ROUTES_H
#define NABLA_INIT_ROUTES_H

#include "guest/init/config.h"
#include "guest/init/netlink.h"

/* Where they go: all borrowed. */
struct init_routes {
	const struct init_config *config;
	struct init_netlink *nl;
	const int *ifindex;		/* by gcfg_link.index */
};

/* Add all routes, those without a gateway first. The links are up. 0 or -errno. */
int init_routes_add(const struct init_routes *to, struct err *e);

/*
 * Add all rules; for a family that has any, take the kernel's own away where they are not told. 0
 * or -errno. rules.c
 */
int init_rules_add(const struct init_routes *to, struct err *e);

#endif
