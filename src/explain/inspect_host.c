/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be seen without sending anything: host end, segment, router, and the way back. Pure. */
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/inspect.h"
#include "explain/words.h"

static const uint8_t families[] = { AF_INET, AF_INET6 };

/* ---- host end and segment ------------------------------------------------------------------- */

/* Larger on the host's side: what comes for the guest is dropped at the pod's end of the pair. */
static void inspect_larger(struct inspection *x)
{
	if (x->host->mtu > x->pod->mtu && strcmp(x->pod->kind, "veth") == 0)
		explain_say(x->r, EXPLAIN_HOP_HOST, EXPLAIN_BROKEN,
			    "give both ends of the pair one MTU, then create the container again",
			    "MTU: that of %s is %u, that of %s is %u: longer packets for the guest "
			    "vanish there without a word", words_place(x->f, x->p->host).text,
			    x->host->mtu, words_place(x->f, x->p->pod).text, x->pod->mtu);
}

static void inspect_fdb(struct inspection *x)
{
	const struct explain_space *space = &x->f->spaces[x->p->segment.space];

	for (size_t i = 0; i < space->nr_fdb; i++) {
		const struct explain_fdb *e = &space->fdb[i];
		const struct net_link *port = explain_net_link(space, e->link);

		if (e->bridge != x->segment->index || e->link == x->host->index || !port ||
		    memcmp(e->mac, x->port->guest_mac, sizeof(e->mac)) != 0)
			continue;
		explain_say(x->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_BROKEN,
			    "take the MAC from whoever else has it",
			    "bridge %s has the guest's MAC %s at %s, not at %s: %s",
			    x->segment->name, words_mac(e->mac).text, port->name, x->host->name,
			    e->local ? "it is that port's own" : "somebody else sends with it");
	}
}

static void inspect_duplicates(struct inspection *x)
{
	for (size_t i = 0; i < x->p->nr_others; i++) {
		const struct net_link *l = explain_at(x->f, x->p->others[i]);

		for (size_t n = 0; l && n < 2; n++) {
			const struct gcfg_addr *a = explain_guest_addr(x->s, x->i, families[n]);

			if (a && explain_has_addr(x->f, x->p->others[i], families[n], a->local))
				explain_say(x->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_BROKEN,
					    "give one of the two another address",
					    "duplicate address: %s has the guest's %s as well, "
					    "with MAC %s", words_place(x->f, x->p->others[i]).text,
					    words_ip(families[n], a->local).text,
					    words_mac(l->mac).text);
		}
	}
}

static void inspect_segment(struct inspection *x)
{
	if (!(x->segment->flags & IFF_UP))
		explain_say(x->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_BROKEN, "set it up",
			    "link down: bridge %s", words_place(x->f, x->p->segment).text);
	else
		explain_say(x->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_WORKS, NULL,
			    "%s is a port of bridge %s, with %zu others", x->host->name,
			    x->segment->name, x->p->nr_others);
	inspect_link_mtu(x, EXPLAIN_HOP_SEGMENT, x->p->segment);
	inspect_fdb(x);
	inspect_duplicates(x);
}

void inspect_host(struct inspection *x)
{
	if (!x->host) {
		explain_say(x->r, EXPLAIN_HOP_HOST, EXPLAIN_UNKNOWN, NULL,
			    "the other end of %s is in a namespace that cannot be seen from here",
			    x->pod->name);
		return;
	}
	if (!(x->host->flags & IFF_UP)) {
		explain_say(x->r, EXPLAIN_HOP_HOST, EXPLAIN_BROKEN, "set it up",
			    "link down: %s", words_place(x->f, x->p->host).text);
		return;
	}
	explain_say(x->r, EXPLAIN_HOP_HOST, EXPLAIN_WORKS, NULL, "%s is up",
		    words_place(x->f, x->p->host).text);
	inspect_link_mtu(x, EXPLAIN_HOP_HOST, x->p->host);
	inspect_larger(x);
	if (x->segment)
		inspect_segment(x);
}

/* ---- the router ----------------------------------------------------------------------------- */

/* What the guest was told of its gateway, against what the router's MAC is. */
static void inspect_gateway_mac(struct inspection *x, uint8_t family)
{
	const struct gcfg_hop *hop = explain_guest_gateway(x->s, x->i, family);

	for (size_t i = 0; hop && i < x->s->plan->nr_neighs; i++) {
		const struct gcfg_neigh *n = &x->s->plan->neighs[i];

		if (n->link != x->i || n->family != hop->gateway_family ||
		    memcmp(n->addr, hop->gateway, sizeof(n->addr)) != 0 ||
		    !(n->state & NUD_PERMANENT) ||
		    !explain_has_addr(x->f, x->p->router, n->family, n->addr) ||
		    memcmp(n->mac, x->router->mac, sizeof(n->mac)) == 0)
			continue;
		explain_say(x->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_BROKEN,
			    "correct the pod's permanent neighbour, then create the container "
			    "again",
			    "the guest knows its gateway %s as MAC %s (permanent), %s has MAC %s",
			    words_ip(n->family, n->addr).text, words_mac(n->mac).text,
			    words_place(x->f, x->p->router).text, words_mac(x->router->mac).text);
	}
}

/* What becomes of a frame for @mac, which is not the guest's, once it has come to the pod. */
static void where_dropped(const struct inspection *x, const uint8_t mac[6], char *out, size_t size)
{
	const struct words mine = words_mac(x->port->guest_mac);
	const struct explain_space *pod = &x->f->spaces[0];

	snprintf(out, size, "in the guest, whose device takes only its own %s", mine.text);
	if (!x->s->id)
		snprintf(out, size, "by %s, whose MAC is %s", x->pod->name, mine.text);
	for (size_t i = 0; x->bridge && i < pod->nr_fdb; i++) {
		const struct explain_fdb *e = &pod->fdb[i];
		const struct net_link *l = explain_net_link(pod, e->link);

		if (e->bridge == x->bridge->index && e->local && l &&
		    memcmp(e->mac, mac, sizeof(e->mac)) == 0)
			snprintf(out, size, "at bridge %s of the pod, which keeps them for %s, "
				 "where nobody has the address", x->bridge->name, l->name);
	}
}

static void inspect_router_neigh(struct inspection *x, uint8_t family)
{
	const struct gcfg_addr *a = explain_guest_addr(x->s, x->i, family);
	const struct net_neigh *n = a ? explain_neigh(x->f, x->p->router, family, a->local) : NULL;
	bool fixed = n && (n->neigh.state & NUD_PERMANENT);
	bool random = x->s->id && memcmp(x->port->guest_mac, x->port->host_mac, 6) != 0;
	char dropped[256];

	if (!n)
		return;
	if (memcmp(n->neigh.mac, x->port->guest_mac, sizeof(n->neigh.mac)) == 0) {
		explain_say(x->r, EXPLAIN_HOP_BACK, EXPLAIN_WORKS, NULL,
			    "the router (%s) knows %s as MAC %s (%s), which is the guest's",
			    words_place(x->f, x->p->router).text, words_ip(family, a->local).text,
			    words_mac(n->neigh.mac).text, words_nud(n->neigh.state));
		return;
	}
	where_dropped(x, n->neigh.mac, dropped, sizeof(dropped));
	explain_say(x->r, EXPLAIN_HOP_BACK, fixed ? EXPLAIN_BROKEN : EXPLAIN_NOTE,
		    random ? "mac=adopt: create the container without the annotation "
			     "org.runnc.net.mac=random; it then answers to the MAC that the router "
			     "knows"
			   : "correct the router's entry (ip neigh replace ... lladdr ... nud "
			     "permanent)",
		    "the router (%s) knows %s as MAC %s (%s), the guest answers to MAC %s: frames "
		    "for %s are dropped %s%s",
		    words_place(x->f, x->p->router).text, words_ip(family, a->local).text,
		    words_mac(n->neigh.mac).text, words_nud(n->neigh.state),
		    words_mac(x->port->guest_mac).text, words_mac(n->neigh.mac).text, dropped,
		    fixed ? "; it will never ask again" : ", until it asks again");
}

static void inspect_router_route(struct inspection *x, uint8_t family)
{
	const struct gcfg_addr *a = explain_guest_addr(x->s, x->i, family);
	const struct explain_space *space = &x->f->spaces[x->p->router.space];
	const struct net_route *r = a ? explain_route(space, family, a->local) : NULL;
	const struct net_link *leads;
	bool back = false;

	if (!a)
		return;
	for (size_t h = 0; r && h < r->route.nr_hops; h++)
		back |= r->hops[h].link == (uint32_t)x->p->router.link;
	leads = r && r->route.nr_hops ? explain_net_link(space, (int)r->hops[0].link) : NULL;
	if (back)
		return;
	explain_say(x->r, EXPLAIN_HOP_BACK, EXPLAIN_BROKEN,
		    "the network's plugin must route the pod's address to the pod",
		    "missing route: the router (%s) %s%s%s for %s",
		    words_place(x->f, x->p->router).text,
		    !r ? "has no route" : r->route.nr_hops ? "takes " : "has an unreachable route",
		    leads ? leads->name : "", leads ? " instead" : "",
		    words_ip(family, a->local).text);
}

void inspect_router(struct inspection *x)
{
	if (!x->router) {
		if (x->host && explain_guest_default(x->s, x->i, AF_INET))
			explain_say(x->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_UNKNOWN, NULL,
				    "no router was found among what can be seen from here");
		return;
	}
	explain_say(x->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_NOTE, NULL, "the router is %s: it %s",
		    words_place(x->f, x->p->router).text, x->p->router_by);
	if (!(x->router->flags & IFF_UP)) {
		explain_say(x->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_BROKEN, "set it up",
			    "link down: %s", words_place(x->f, x->p->router).text);
		return;
	}
	inspect_link_mtu(x, EXPLAIN_HOP_GATEWAY, x->p->router);
	if (!explain_link(&x->f->spaces[x->p->router.space], x->p->router.link)->forwarding &&
	    explain_guest_gateway(x->s, x->i, AF_INET))
		explain_say(x->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_NOTE, NULL,
			    "%s does not forward IPv4 (net.ipv4.ip_forward)",
			    words_place(x->f, x->p->router).text);
	for (size_t n = 0; n < sizeof(families); n++) {
		inspect_gateway_mac(x, families[n]);
		inspect_router_neigh(x, families[n]);
		inspect_router_route(x, families[n]);
	}
}
