/* SPDX-License-Identifier: GPL-2.0-only */
/* Restore, its routes. */
#include "net/restore_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "net/replay.h"

static bool has_route(const struct net_survey *s, const struct net_route *route)
{
	for (size_t i = 0; i < s->nr_routes; i++)
		if (net_replay_same_route(&s->routes[i], route))
			return true;
	return false;
}

/* "route 10.1.0.0/16 over 'eth0' (table 100)" */
static void note_route(struct net_restorer *r, int rc, const struct err *why,
		       const struct net_route *route, const char *end)
{
	uint32_t link = route->route.nr_hops ? route->hops[0].link : 0;
	const struct net_link *l = net_survey_link(&r->now, (int)link);
	char dst[INET6_ADDRSTRLEN] = "?", table[32] = "";

	inet_ntop(route->route.family, route->route.dst, dst, sizeof(dst));
	if (route->route.table != RT_TABLE_MAIN)
		snprintf(table, sizeof(table), " (table %u)", route->route.table);
	net_restore_note(r, link, rc, why, "route %s/%u%s%s%s%s%s", dst, route->route.dst_prefix,
			 l ? " over '" : "", l ? l->name : "", l ? "'" : "", table, end);
}

/*
 * What came with the addresses and had been removed, as CNI's ptp plugin does with prefix routes.
 */
static void remove_routes(struct net_restorer *r)
{
	for (size_t i = 0; i < r->now.nr_routes; i++) {
		const struct net_route *route = &r->now.routes[i];
		struct err e = ERR_INIT;
		bool ours = route->route.nr_hops > 0;

		for (size_t h = 0; h < route->route.nr_hops; h++)
			ours &= net_restore_is_recorded(r, route->hops[h].link);
		if (ours && !has_route(&r->record.was, route))
			note_route(r, net_replay_route_remove(&r->nl, route, &e), &e, route,
				   ", to be removed");
	}
}

/* A route over an interface that is gone cannot come back, and nobody misses it. */
static bool is_possible(const struct net_restorer *r, const struct net_route *route)
{
	for (size_t h = 0; h < route->route.nr_hops; h++)
		if (route->hops[h].link && !net_survey_link(&r->now, (int)route->hops[h].link))
			return false;
	return true;
}

static bool has_source(const struct net_survey *s, const struct gcfg_route *route)
{
	static const uint8_t none[16];

	if (memcmp(route->prefsrc, none, sizeof(none)) == 0)
		return true;
	for (size_t i = 0; i < s->nr_addrs; i++)
		if (s->addrs[i].addr.family == route->family &&
		    memcmp(s->addrs[i].addr.local, route->prefsrc, sizeof(none)) == 0)
			return true;
	return false;
}

/*
 * A route that could not be added: would it be gone by now anyway? The kernel takes it away with
 * its interface, with that being set down or losing IPv6, and with the address that it names as
 * its source. Where it was this restore that could not bring these back, that has been told.
 */
static bool is_past(const struct net_restorer *r, const struct net_route *route)
{
	for (size_t h = 0; h < route->route.nr_hops; h++) {
		uint32_t link = route->hops[h].link;
		const struct net_link *l = net_survey_link(&r->now, (int)link);

		if (!link)
			continue;
		if (!l || !(l->flags & IFF_UP) || net_restore_is_gone(link) ||
		    (route->route.family == AF_INET6 && (!l->ipv6 || l->disable_ipv6 != 0)))
			return true;
	}
	return !has_source(&r->now, &route->route);
}

/* A route may need another one, to its gateway: go round as long as something can be added. */
static void add_routes(struct net_restorer *r)
{
	const struct net_survey *was = &r->record.was;
	_autofree_ bool *done = calloc(was->nr_routes + 1, sizeof(*done));
	struct err e = ERR_INIT;
	bool progress = true;
	int rc;

	if (!done) {
		rc = err_set(&e, -ENOMEM, "restore");
		net_restore_note(r, 0, rc, &e, "routes");
		return;
	}
	for (size_t i = 0; i < was->nr_routes; i++)
		done[i] = has_route(&r->now, &was->routes[i]) || !is_possible(r, &was->routes[i]);
	while (progress) {
		progress = false;
		for (size_t i = 0; i < was->nr_routes; i++) {
			if (done[i])
				continue;
			done[i] = net_replay_route(&r->nl, &was->routes[i], r->elapsed, &e) == 0;
			progress |= done[i];
		}
	}
	/* Each one's reason is the kernel's last word on it. */
	for (size_t i = 0; i < was->nr_routes; i++) {
		rc = done[i] ? 0 : net_replay_route(&r->nl, &was->routes[i], r->elapsed, &e);
		if (rc < 0 && !is_past(r, &was->routes[i]))
			note_route(r, rc, &e, &was->routes[i], "");
	}
}

void net_restore_routes(struct net_restorer *r)
{
	remove_routes(r);
	add_routes(r);
}
