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
 * The kernel listens to routers there, and asks for them when IPv6 is switched on again. A route
 * that was put back here would be somebody else's to it: it could not add its own, and would
 * believe nothing more of what the router says, as of how long addresses live.
 */
static bool is_advertised(const struct net_restorer *r, const struct net_route *route)
{
	const struct net_link *l = route->route.nr_hops ?
		net_survey_link(&r->now, (int)route->hops[0].link) : NULL;

	return route->route.protocol == RTPROT_RA && l && net_link_listens(l);
}

/*
 * What came with the addresses and had been removed, as CNI's ptp plugin does with prefix routes.
 * Never of table local: what the record does not have of that, a runnc that did not yet look at it
 * has left out.
 */
static void remove_routes(struct net_restorer *r)
{
	for (size_t i = 0; i < r->now.nr_routes; i++) {
		const struct net_route *route = &r->now.routes[i];
		struct err e = ERR_INIT;
		bool ours = route->route.nr_hops > 0 && route->route.table != RT_TABLE_LOCAL &&
			    !is_advertised(r, route);

		for (size_t h = 0; h < route->route.nr_hops; h++)
			ours &= net_restore_is_recorded(r, route->hops[h].link);
		if (ours && !net_replay_has_route(&r->record.was, route))
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
		done[i] = net_replay_has_route(&r->now, &was->routes[i]) ||
			  !is_possible(r, &was->routes[i]) ||
			  is_advertised(r, &was->routes[i]);
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

/* ---- their order -------------------------------------------------------------------------- */

/*
 * Of routes to one place with one metric the kernel uses the first. A new one becomes the last: so
 * what comes back stands behind what stayed, as that of an interface which was not handed over; and
 * the kernel's own for an interface (prefixes, fe80::/64, ff00::/8, broadcasts) come in the order
 * in which the interfaces are restored. Here everything from the first that is not in its place on
 * is taken away and added again. What a router advertised is left alone: the kernel would take it
 * for ours.
 */
static bool same_place(const struct gcfg_route *a, const struct gcfg_route *b)
{
	return a->family == b->family && a->table == b->table && a->metric == b->metric &&
	       a->tos == b->tos && a->dst_prefix == b->dst_prefix &&
	       a->src_prefix == b->src_prefix && memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 &&
	       memcmp(a->src, b->src, sizeof(a->src)) == 0;
}

/* The next route of @s, from *@i on, to the place of @like that @other has as well; or NULL. */
static const struct net_route *next_route(const struct net_survey *s,
					  const struct net_survey *other,
					  const struct gcfg_route *like, size_t *i)
{
	while (*i < s->nr_routes) {
		const struct net_route *route = &s->routes[(*i)++];

		if (same_place(&route->route, like) && route->route.protocol != RTPROT_RA &&
		    net_replay_has_route(other, route))
			return route;
	}
	return NULL;
}

static void order_place(struct net_restorer *r, const struct gcfg_route *like)
{
	const struct net_survey *was = &r->record.was, *now = &r->now;
	const struct net_route *a, *b;
	struct err e = ERR_INIT;
	size_t i = 0, j = 0;

	do {
		a = next_route(was, now, like, &i);
		b = next_route(now, was, like, &j);
	} while (a && b && net_replay_same_route(a, b));
	for (; a; a = next_route(was, now, like, &i)) {
		int rc = net_replay_route_remove(&r->nl, a, &e);

		if (rc == 0)
			rc = net_replay_route(&r->nl, a, r->elapsed, &e);
		if (rc < 0 && !is_past(r, a))
			note_route(r, rc, &e, a, ", in its place among others");
	}
}

static void order_routes(struct net_restorer *r)
{
	const struct net_survey *was = &r->record.was;

	for (size_t i = 0; i < was->nr_routes; i++) {
		const struct gcfg_route *route = &was->routes[i].route;
		size_t before = 0, behind = i + 1;

		while (before < i && !same_place(&was->routes[before].route, route))
			before++;
		if (before < i)
			continue;
		while (behind < was->nr_routes && !same_place(&was->routes[behind].route, route))
			behind++;
		if (behind < was->nr_routes)
			order_place(r, route);
	}
}

bool net_restore_routes(struct net_restorer *r)
{
	size_t links = 0;

	remove_routes(r);
	add_routes(r);
	for (size_t i = 0; i < r->now.nr_links; i++)
		links += !(r->now.links[i].flags & IFF_LOOPBACK);
	/* Only those of several links can have changed places. */
	if (links < 2)
		return true;
	if (!net_restore_look(r))
		return false;
	order_routes(r);
	return true;
}
