/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of net_plan() share with one another. */
#ifndef RUNNC_NET_PLAN_PARTS_H
#define RUNNC_NET_PLAN_PARTS_H

#include <sys/socket.h>

#include "net/net.h"

struct net_planner {
	const struct net_survey *survey;
	const struct net_request *request;
	struct net_plan *plan;
	bool failed;			/* no memory: sticks */
	int rc;				/* the first other failure, told in *e; or 0 */
	struct err *e;
	size_t skipped_routes;
};

/*
 * As net_parse_grow(): room for one more, powers of two. NULL, and p->failed, if there is no
 * memory.
 */
void *net_plan_add(struct net_planner *p, void **list, size_t *nr, size_t size);

/* Add a text to a list of texts. */
void net_plan_say(struct net_planner *p, char ***list, size_t *nr, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Add a line about what the guest does not get as it is. The namespace's names in it may have any
 * bytes, and it goes to terminals and into JSON: what is not printable ASCII becomes a "?".
 */
void net_plan_notice(struct net_planner *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the guest device for a link of the namespace, or -1. */
int net_plan_port(const struct net_plan *plan, uint32_t link);

static inline bool net_plan_is_link_local(uint8_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* What the guest's own kernel is told, once the ports are there. net/plan_guest.c */
void net_plan_guest(struct net_planner *p);

#endif
