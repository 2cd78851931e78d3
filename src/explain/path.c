/* SPDX-License-Identifier: GPL-2.0-only */
/* The path of a guest's frames, found in the facts. Pure. */
#include "explain/path.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* ---- looking up ----------------------------------------------------------------------------- */

static size_t address_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static bool is_link_local6(uint8_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static bool in_prefix(const uint8_t *addr, const uint8_t *prefix, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(addr, prefix, bits / 8) != 0)
		return false;
	return rest == 0 || ((addr[bits / 8] ^ prefix[bits / 8]) >> (8 - rest)) == 0;
}

const struct net_link *explain_at(const struct explain_facts *f, struct explain_place place)
{
	if (place.link <= 0 || place.space >= f->nr_spaces)
		return NULL;
	return explain_net_link(&f->spaces[place.space], place.link);
}

const struct gcfg_addr *explain_guest_addr(const struct explain_subject *s, size_t i,
					   uint8_t family)
{
	for (size_t a = 0; a < s->plan->nr_addrs; a++) {
		const struct gcfg_addr *addr = &s->plan->addrs[a];

		if (addr->link == i && addr->family == family &&
		    !is_link_local6(family, addr->local))
			return addr;
	}
	return NULL;
}

/* The hop of a default route through port @i; *@has tells whether there is such a route at all. */
static const struct gcfg_hop *find_default(const struct explain_subject *s, size_t i,
					   uint8_t family, bool *has)
{
	const struct gcfg_hop *hop = s->plan->hops;

	*has = false;
	for (size_t r = 0; r < s->plan->nr_routes; r++) {
		const struct gcfg_route *route = &s->plan->routes[r];

		for (unsigned int h = 0; h < route->nr_hops; h++, hop++) {
			if (route->family != family || route->dst_prefix != 0 ||
			    route->table != RT_TABLE_MAIN || hop->link != i)
				continue;
			*has = true;
			if (hop->gateway_family)
				return hop;
		}
	}
	return NULL;
}

const struct gcfg_hop *explain_guest_gateway(const struct explain_subject *s, size_t i,
					     uint8_t family)
{
	bool has;

	return find_default(s, i, family, &has);
}

bool explain_guest_default(const struct explain_subject *s, size_t i, uint8_t family)
{
	bool has;

	find_default(s, i, family, &has);
	return has;
}

const struct net_neigh *explain_neigh(const struct explain_facts *f, struct explain_place place,
				      uint8_t family, const uint8_t *addr)
{
	static const uint8_t none[6];
	const struct net_survey *all = &f->spaces[place.space].all;

	for (size_t i = 0; place.link && i < all->nr_neighs; i++) {
		const struct net_neigh *n = &all->neighs[i];

		if (!n->proxy && n->neigh.link == (uint32_t)place.link &&
		    n->neigh.family == family &&
		    !(n->neigh.state & (NUD_INCOMPLETE | NUD_FAILED)) &&
		    memcmp(n->neigh.addr, addr, address_len(family)) == 0 &&
		    memcmp(n->neigh.mac, none, sizeof(none)) != 0)
			return n;
	}
	return NULL;
}

bool explain_has_addr(const struct explain_facts *f, struct explain_place place, uint8_t family,
		      const uint8_t *addr)
{
	const struct net_survey *all = &f->spaces[place.space].all;

	for (size_t i = 0; place.link && i < all->nr_addrs; i++) {
		const struct gcfg_addr *a = &all->addrs[i].addr;

		if (a->link == (uint32_t)place.link && a->family == family &&
		    memcmp(a->local, addr, address_len(family)) == 0)
			return true;
	}
	return false;
}

const struct net_route *explain_route(const struct explain_space *x, uint8_t family,
				      const uint8_t *addr)
{
	const struct net_route *best = NULL;

	for (size_t i = 0; i < x->all.nr_routes; i++) {
		const struct net_route *r = &x->all.routes[i];

		if (r->route.family != family || r->route.table != RT_TABLE_MAIN ||
		    !in_prefix(addr, r->route.dst, r->route.dst_prefix))
			continue;
		if (!best || r->route.dst_prefix > best->route.dst_prefix ||
		    (r->route.dst_prefix == best->route.dst_prefix &&
		     r->route.metric < best->route.metric))
			best = r;
	}
	return best;
}

/* ---- the path ------------------------------------------------------------------------------- */

/* The other end of the link at @place. link 0: none, or in a namespace that was not read. */
static struct explain_place other_end(const struct explain_facts *f, struct explain_place place)
{
	const struct explain_place none = { .link = 0 };
	const struct explain_space *x = &f->spaces[place.space];
	const struct explain_link *l = explain_link(x, place.link);
	struct explain_place other = { .space = place.space, .link = l ? l->other : 0 };
	bool found = false;

	if (!other.link || l->other_nsid < 0)
		return explain_at(f, other) ? other : none;
	for (size_t i = 0; i < x->nr_nsids && !found; i++)
		for (size_t s = 0; x->nsids[i].id == l->other_nsid && s < f->nr_spaces; s++)
			if (f->spaces[s].inode == x->nsids[i].inode) {
				other.space = s;
				found = true;
			}
	return found && explain_at(f, other) ? other : none;
}

static struct explain_place by_name(const struct explain_facts *f, const char *name)
{
	struct explain_place place = { .space = 0 };

	place.link = name[0] ? explain_link_index(&f->spaces[0], name) : 0;
	return place;
}

/* The ports of the segment but the host end, each by its other end where that can be seen. */
static void find_others(const struct explain_facts *f, struct explain_path *p)
{
	const struct net_survey *all = &f->spaces[p->segment.space].all;

	for (size_t i = 0; p->segment.link && i < all->nr_links; i++) {
		struct explain_place port = { .space = p->segment.space,
					      .link = all->links[i].index };
		struct explain_place end;

		if (all->links[i].master != p->segment.link || port.link == p->host.link ||
		    p->nr_others == EXPLAIN_MAX_OTHERS)
			continue;
		end = other_end(f, port);
		p->others[p->nr_others++] = end.link ? end : port;
	}
}

/* ---- the router ----------------------------------------------------------------------------- */

struct candidate {
	const struct explain_facts *f;
	const struct explain_subject *s;
	size_t port;
	struct explain_place at;
};

static bool has_gateway_addr(const struct candidate *c, uint8_t family)
{
	const struct gcfg_hop *hop = explain_guest_gateway(c->s, c->port, family);

	return hop && explain_has_addr(c->f, c->at, hop->gateway_family, hop->gateway);
}

/* Is its MAC what the guest was told of the gateway? */
static bool has_gateway_mac(const struct candidate *c, uint8_t family)
{
	const struct gcfg_hop *hop = explain_guest_gateway(c->s, c->port, family);
	const struct net_link *l = explain_at(c->f, c->at);

	for (size_t i = 0; hop && l && i < c->s->plan->nr_neighs; i++) {
		const struct gcfg_neigh *n = &c->s->plan->neighs[i];

		if (n->link == c->port && n->family == hop->gateway_family &&
		    memcmp(n->addr, hop->gateway, address_len(n->family)) == 0 &&
		    memcmp(n->mac, l->mac, sizeof(n->mac)) == 0)
			return true;
	}
	return false;
}

static bool is_proxy(const struct candidate *c, uint8_t family)
{
	const struct explain_link *l = explain_link(&c->f->spaces[c->at.space], c->at.link);

	return family == AF_INET && l && l->proxy;
}

static bool knows_guest(const struct candidate *c, uint8_t family)
{
	const struct gcfg_addr *a = explain_guest_addr(c->s, c->port, family);

	return a && explain_neigh(c->f, c->at, family, a->local);
}

static const struct {
	bool (*is)(const struct candidate *c, uint8_t family);
	const char *by;
} signs[] = {		/* the strongest first */
	{ has_gateway_addr, "has the gateway's address" },
	{ has_gateway_mac, "has the MAC that the pod knows of its gateway" },
	{ is_proxy, "answers ARP for others (proxy_arp)" },
	{ knows_guest, "knows the guest's address" },
};

static bool try_router(const struct candidate *c, size_t sign, struct explain_path *p)
{
	if (!c->at.link || (!signs[sign].is(c, AF_INET) && !signs[sign].is(c, AF_INET6)))
		return false;
	p->router = c->at;
	p->router_by = signs[sign].by;
	return true;
}

static void find_router(const struct explain_facts *f, const struct explain_subject *s, size_t i,
			struct explain_path *p)
{
	struct candidate c = { .f = f, .s = s, .port = i };
	const struct net_link *pod = explain_at(f, p->pod);

	for (size_t sign = 0; sign < sizeof(signs) / sizeof(signs[0]); sign++) {
		/* A bridge is on its own segment; a port of one speaks for nobody. */
		c.at = p->segment.link ? p->segment : p->host;
		if (try_router(&c, sign, p))
			return;
		for (size_t o = 0; o < p->nr_others; o++) {
			c.at = p->others[o];
			if (try_router(&c, sign, p))
				return;
		}
	}
	if (p->host.link && !p->segment.link && pod && strcmp(pod->kind, "veth") == 0) {
		p->router = p->host;
		p->router_by = "is the other end of the pod's veth pair";
	}
}

void explain_path_find(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		       struct explain_path *p)
{
	const struct net_port *port = &s->plan->ports[i];
	const struct net_link *host;

	memset(p, 0, sizeof(*p));
	p->pod.link = explain_net_link(&f->spaces[0], port->index) ? port->index : 0;
	p->tap = by_name(f, port->tap);
	p->bridge = by_name(f, port->bridge);
	p->host = other_end(f, p->pod);
	/* A VLAN lies upon another interface of the pod: what counts is that one's other end. */
	if (p->host.link && p->host.space == 0)
		p->host = other_end(f, p->host);
	host = explain_at(f, p->host);
	if (host && host->master) {
		const struct net_link *master;

		p->segment.space = p->host.space;
		p->segment.link = host->master;
		master = explain_at(f, p->segment);
		if (!master || strcmp(master->kind, "bridge") != 0)
			p->segment.link = 0;
	}
	find_others(f, p);
	find_router(f, s, i, p);
}
