/* SPDX-License-Identifier: GPL-2.0-only */
/* Restore, its routes. */
#include "net/restore_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "net/replay.h"

static bool has_route(const struct net_survey *s, const struct net_route *route)
{
	for (size_t i = 0; i < s->nr_routes; i++)
		if (net_replay_same_route(&s->routes[i], route))
			return true;
	return false;
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
			net_restore_note(r, net_replay_route_remove(&r->nl, route, &e), &e,
					 "remove a route over",
					 net_survey_link(&r->now, (int)route->hops[0].link)->name);
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

/* A route may need another one, to its gateway: go round as long as something can be added. */
static void add_routes(struct net_restorer *r)
{
	const struct net_survey *was = &r->record.was;
	_autofree_ bool *done = calloc(was->nr_routes + 1, sizeof(*done));
	struct err e = ERR_INIT;
	bool progress = true;
	int last = 0;

	if (!done) {
		net_restore_note(r, err_set(&e, -ENOMEM, "restore"), &e, "restore", "routes");
		return;
	}
	for (size_t i = 0; i < was->nr_routes; i++)
		done[i] = has_route(&r->now, &was->routes[i]) || !is_possible(r, &was->routes[i]);
	while (progress) {
		progress = false;
		last = 0;
		for (size_t i = 0; i < was->nr_routes; i++) {
			int rc = done[i] ? 0 : net_replay_route(&r->nl, &was->routes[i],
								r->elapsed, &e);

			progress |= !done[i] && rc == 0;
			done[i] |= rc == 0;
			if (rc < 0)
				last = rc;
		}
	}
	net_restore_note(r, last, &e, "restore a route over",
			 was->nr_links ? was->links[0].name : "");
}

void net_restore_routes(struct net_restorer *r)
{
	remove_routes(r);
	add_routes(r);
}
