/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plan: from what is in the namespace to what will be done there and what the guest gets. Pure.
 *
 * The guest gets what the interface had: every prefix as it is, every route that the kernel did not
 * make. Two things differ, because a guest starts from nothing: where the kernel's route for an
 * address's prefix was removed (CNI's ptp plugin), the address is marked not to make it; and a
 * gateway outside the connected prefixes is marked on-link, so that it can be added at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/net.h"
#include "net/parse.h"

struct planner {
	const struct net_survey *survey;
	const struct net_request *request;
	struct net_plan *plan;
	bool failed;			/* no memory: sticks */
	size_t skipped_routes;
};

/* ---- names -------------------------------------------------------------------------------- */

static const char *const mode_names[] = { [NET_MODE_TC] = "tc", [NET_MODE_BRIDGE] = "bridge" };
static const char *const mac_names[] = { [NET_MAC_ADOPT] = "adopt", [NET_MAC_RANDOM] = "random" };

const char *net_mode_name(enum net_mode mode)
{
	return mode_names[mode];
}

const char *net_mac_name(enum net_mac mac)
{
	return mac_names[mac];
}

bool net_mode_parse(const char *text, enum net_mode *mode)
{
	for (unsigned int i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++)
		if (strcmp(text, mode_names[i]) == 0) {
			*mode = i;
			return true;
		}
	return false;
}

bool net_mac_parse(const char *text, enum net_mac *mac)
{
	for (unsigned int i = 0; i < sizeof(mac_names) / sizeof(mac_names[0]); i++)
		if (strcmp(text, mac_names[i]) == 0) {
			*mac = i;
			return true;
		}
	return false;
}

int net_request_init(struct net_request *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	return io_random(r->entropy, sizeof(r->entropy), e);
}

/* ---- lists -------------------------------------------------------------------------------- */

/*
 * As in net/parse.c: room for one more, powers of two. NULL, and p->failed, if there is no
 * memory.
 */
static void *plan_add(struct planner *p, void **list, size_t *nr, size_t size)
{
	void *larger = *list;

	if (p->failed)
		return NULL;
	if ((*nr & (*nr - 1)) == 0)
		larger = reallocarray(*list, *nr ? *nr * 2 : 1, size);
	if (!larger) {
		p->failed = true;
		return NULL;
	}
	*list = larger;
	return memset((char *)larger + (*nr)++ * size, 0, size);
}

static __attribute__((format(printf, 4, 5))) void plan_say(struct planner *p, char ***list,
							   size_t *nr,
							  const char *format, ...)
{
	char **slot = plan_add(p, (void **)list, nr, sizeof(*slot));
	va_list ap;

	if (!slot)
		return;
	va_start(ap, format);
	if (vasprintf(slot, format, ap) < 0) {
		*slot = NULL;
		p->failed = true;
	}
	va_end(ap);
}

#define plan_notice(p, ...) plan_say(p, &(p)->plan->notices, &(p)->plan->nr_notices, __VA_ARGS__)

void net_plan_free(struct net_plan *p)
{
	for (size_t i = 0; i < p->nr_sysctls; i++)
		free(p->sysctls[i]);
	for (size_t i = 0; i < p->nr_notices; i++)
		free(p->notices[i]);
	free(p->sysctls);
	free(p->notices);
	free(p->addrs);
	free(p->routes);
	free(p->hops);
	free(p->neighs);
	free(p->rules);
	memset(p, 0, sizeof(*p));
}

/* ---- addresses and prefixes --------------------------------------------------------------- */

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool is_link_local6(uint8_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* The link-local address that any kernel makes from a MAC: the guest makes it for itself. */
static bool is_eui64(const struct gcfg_addr *a, const uint8_t mac[6])
{
	const uint8_t expected[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2],
				       0xff, 0xfe, mac[3], mac[4], mac[5] };

	return a->family == AF_INET6 && memcmp(a->local, expected, sizeof(expected)) == 0;
}

static const char *text_of(uint8_t family, const uint8_t *addr, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, addr, text, INET6_ADDRSTRLEN) ? text : "?";
}

/* The kernel makes no route for an IPv4 host address: its own place in table local says it all. */
static bool makes_prefix_route(const struct gcfg_addr *a)
{
	return a->family == AF_INET6 || a->prefix < 32 || memcmp(a->local, a->peer, 4) != 0;
}

static bool has_prefix_route(const struct net_survey *s, const struct gcfg_addr *a)
{
	for (size_t i = 0; i < s->nr_routes; i++) {
		const struct net_route *r = &s->routes[i];

		if (r->kernel_made && r->route.family == a->family && r->route.nr_hops == 1 &&
		    r->hops[0].link == a->link && r->route.dst_prefix == a->prefix &&
		    same_prefix(r->route.dst, a->peer, a->prefix))
			return true;
	}
	return false;
}

/* ---- ports -------------------------------------------------------------------------------- */

/* Returns the guest device for a link of the namespace, or -1. */
static int port_of(const struct net_plan *plan, uint32_t link)
{
	for (size_t i = 0; i < plan->nr_ports; i++)
		if ((uint32_t)plan->ports[i].index == link)
			return (int)i;
	return -1;
}

static bool has_address(const struct net_survey *s, const struct net_link *l)
{
	for (size_t i = 0; i < s->nr_addrs; i++) {
		const struct gcfg_addr *a = &s->addrs[i].addr;

		if (a->link == (uint32_t)l->index && !is_link_local6(a->family, a->local))
			return true;
	}
	return false;
}

static bool has_default_route(const struct net_survey *s, const struct net_link *l)
{
	for (size_t i = 0; i < s->nr_routes; i++) {
		const struct net_route *r = &s->routes[i];

		for (size_t h = 0; r->route.dst_prefix == 0 && h < r->route.nr_hops; h++)
			if (r->route.table == RT_TABLE_MAIN &&
			    r->hops[h].link == (uint32_t)l->index)
				return true;
	}
	return false;
}

/*
 * The record and the guest's settings hold the name as text; the kernel allows any byte but a
 * few.
 */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name > '~')
			return false;
	return true;
}

/* Why an interface with an address cannot become a guest device; NULL if it can. */
static const char *why_not(const struct net_link *l)
{
	static const uint8_t zero[6];

	if (l->type != ARPHRD_ETHER || !l->has_mac || (l->flags & IFF_NOARP))
		return "is not an Ethernet interface";
	if (l->master)
		return "is a port of another interface";
	if (!(l->flags & IFF_UP))
		return "is down";
	if (!l->carrier)
		return "has no carrier";
	if ((l->mac[0] & 1) || memcmp(l->mac, zero, sizeof(zero)) == 0)
		return "has no unicast MAC";
	if (l->mtu < 68 || l->mtu > 65535)
		return "has an MTU outside 68 to 65535";
	if (!is_plain(l->name) || !is_plain(l->kind))
		return "has a name beyond plain ASCII";
	if (l->plumbed)
		return "still carries the redirect of another container";
	return NULL;
}

/* Once it has given its MAC away, a frame for the guest no longer comes through it. */
static bool is_mac_bound(const struct net_link *l)
{
	return strcmp(l->kind, "macvlan") == 0 || strcmp(l->kind, "ipvlan") == 0;
}

/* A free name for a link of ours beside @index: "rnct5", then "rnct5.1" and so on. */
static void free_name(const struct net_survey *s, const char *prefix, int index, char name[16])
{
	for (unsigned int i = 0; i < 100; i++) {
		size_t taken = 0;

		if (i == 0)
			snprintf(name, 16, "%s%x", prefix, (unsigned int)index);
		else
			snprintf(name, 16, "%s%x.%u", prefix, (unsigned int)index, i);
		for (size_t l = 0; l < s->nr_links; l++)
			taken += strcmp(s->links[l].name, name) == 0;
		if (taken == 0)
			return;
	}
}

/* A locally administered MAC that depends on all of the entropy and on @salt (splitmix64). */
static void make_mac(const struct net_request *r, uint64_t salt, uint8_t mac[6])
{
	uint64_t half[2], x;

	memcpy(half, r->entropy, sizeof(half));
	x = half[0] ^ (half[1] + salt * 0x9e3779b97f4a7c15u);
	for (int i = 0; i < 2; i++) {
		x += 0x9e3779b97f4a7c15u;
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
		x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
		x ^= x >> 31;
	}
	memcpy(mac, &x, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

static void fill_port(const struct planner *p, const struct net_link *l, struct net_port *port)
{
	uint64_t salt = (uint64_t)l->index << 2;

	port->index = l->index;
	memcpy(port->name, l->name, sizeof(port->name));
	port->mode = p->request->mode;
	port->mac_mode = p->request->mac;
	port->mtu = l->mtu;
	port->host_flags = l->flags;
	port->ipv6 = l->ipv6;
	port->clsact = l->clsact;
	port->bare_frames = p->request->bare_frames;
	memcpy(port->host_mac, l->mac, sizeof(port->host_mac));
	make_mac(p->request, salt | 1, port->new_mac);
	make_mac(p->request, salt | 2, port->bridge_mac);
	if (port->mac_mode == NET_MAC_ADOPT)
		memcpy(port->guest_mac, l->mac, sizeof(port->guest_mac));
	else
		make_mac(p->request, salt | 3, port->guest_mac);
	free_name(p->survey, "rnct", l->index, port->tap);
	if (port->mode == NET_MODE_BRIDGE)
		free_name(p->survey, "rncb", l->index, port->bridge);
}

static void fill_link(struct planner *p, const struct net_link *l, uint32_t index)
{
	struct gcfg_link *g = &p->plan->links[index];
	bool ipv6 = l->ipv6 && l->disable_ipv6 == 0;

	g->index = index;
	g->mtu = l->mtu;
	g->txqlen = l->txqlen;
	g->flags = GCFG_LINK_ANNOUNCE | (ipv6 ? 0 : GCFG_LINK_NO_IPV6);
	memcpy(g->mac, p->plan->ports[index].guest_mac, sizeof(g->mac));
	memcpy(g->name, l->name, sizeof(g->name));
	if (ipv6 && l->accept_ra != 1)
		plan_say(p, &p->plan->sysctls, &p->plan->nr_sysctls,
			 "net/ipv6/conf/%s/accept_ra=%d", l->name, l->accept_ra);
}

static size_t max_ports(const struct net_request *r)
{
	return r->max_ports && r->max_ports < NABLA_LAUNCH_NETS ? r->max_ports : NABLA_LAUNCH_NETS;
}

static void plan_link(struct planner *p, const struct net_link *l)
{
	struct net_plan *plan = p->plan;
	const char *reason;

	if ((l->flags & IFF_LOOPBACK) || port_of(plan, (uint32_t)l->index) >= 0)
		return;
	if (!has_address(p->survey, l)) {
		if (l->plumbed)
			plan_notice(p, "interface '%s' has no address and carries the redirect of "
				    "another container: not handed over", l->name);
		else if (l->flags & IFF_UP)
			plan_notice(p, "interface '%s' has no address: not handed over", l->name);
		return;
	}
	reason = why_not(l);
	if (!reason && plan->nr_ports == max_ports(p->request))
		reason = p->request->max_ports ? "is more than the guest has devices for" :
						 "is one too many";
	if (reason) {
		plan_notice(p, "interface '%s' %s: not handed over", l->name, reason);
		return;
	}
	if (p->request->mode == NET_MODE_BRIDGE && is_mac_bound(l))
		plan_notice(p, "interface '%s' (%s) delivers only what is sent to its own MAC: "
			    "nothing will reach the guest in mode bridge; use mode tc",
			    l->name, l->kind);
	fill_port(p, l, &plan->ports[plan->nr_ports]);
	fill_link(p, l, (uint32_t)plan->nr_ports);
	plan->nr_ports++;
}

static void plan_links(struct planner *p)
{
	const struct net_survey *s = p->survey;

	for (size_t i = 0; i < s->nr_links && p->plan->nr_ports == 0; i++)
		if (has_default_route(s, &s->links[i]) && has_address(s, &s->links[i]) &&
		    !why_not(&s->links[i]))
			plan_link(p, &s->links[i]);
	for (size_t i = 0; i < s->nr_links; i++)
		plan_link(p, &s->links[i]);
}

/* ---- addresses, routes, neighbours -------------------------------------------------------- */

/* Addresses of the namespace's loopback beyond what every loopback has. */
static void notice_loopback(struct planner *p, const struct gcfg_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	const struct net_link *l = net_survey_link(p->survey, (int)a->link);
	char text[INET6_ADDRSTRLEN];

	if (!l || !(l->flags & IFF_LOOPBACK) || (a->family == AF_INET && a->local[0] == 127) ||
	    (a->family == AF_INET6 && memcmp(a->local, one, sizeof(one)) == 0))
		return;
	plan_notice(p, "address %s of the loopback: not handed over",
		    text_of(a->family, a->local, text));
}

static void plan_addr(struct planner *p, const struct gcfg_addr *a)
{
	int port = port_of(p->plan, a->link);
	char text[INET6_ADDRSTRLEN];
	struct gcfg_addr *out;

	if (port < 0) {
		notice_loopback(p, a);
		return;
	}
	if (a->flags & IFA_F_DADFAILED) {
		plan_notice(p,
			    "address %s of '%s' is a duplicate of another host's: not handed over",
			    text_of(a->family, a->local, text), p->plan->ports[port].name);
		return;
	}
	if (is_eui64(a, p->plan->ports[port].host_mac))
		return;
	out = plan_add(p, (void **)&p->plan->addrs, &p->plan->nr_addrs, sizeof(*out));
	if (!out)
		return;
	*out = *a;
	out->link = (uint32_t)port;
	out->flags &= IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE;
	if (makes_prefix_route(a) && !has_prefix_route(p->survey, a))
		out->flags |= IFA_F_NOPREFIXROUTE;
}

static bool is_connected(const struct net_plan *plan, uint32_t port, uint8_t family,
			 const uint8_t *addr)
{
	if (is_link_local6(family, addr))
		return true;
	for (size_t i = 0; i < plan->nr_addrs; i++) {
		const struct gcfg_addr *a = &plan->addrs[i];

		if (a->link == port && a->family == family && makes_prefix_route(a) &&
		    !(a->flags & IFA_F_NOPREFIXROUTE) && same_prefix(a->peer, addr, a->prefix))
			return true;
	}
	return false;
}

static void plan_hop(struct planner *p, const struct gcfg_hop *h, uint32_t port)
{
	struct gcfg_hop *out = plan_add(p, (void **)&p->plan->hops, &p->plan->nr_hops,
					sizeof(*out));

	if (!out)
		return;
	*out = *h;
	out->link = port;
	out->flags &= RTNH_F_ONLINK;
	if (h->gateway_family && !is_connected(p->plan, port, h->gateway_family, h->gateway))
		out->flags |= RTNH_F_ONLINK;
}

static bool has_gateway(const struct net_route *r)
{
	for (size_t h = 0; h < r->route.nr_hops; h++)
		if (r->hops[h].gateway_family)
			return true;
	return false;
}

static void plan_route(struct planner *p, const struct net_route *r)
{
	struct net_plan *plan = p->plan;
	struct gcfg_route *out;
	uint8_t nr = 0;

	for (size_t h = 0; h < r->route.nr_hops; h++)
		nr += port_of(plan, r->hops[h].link) >= 0;
	if (nr < r->route.nr_hops || (r->route.nr_hops == 0 && !net_parse_is_sink(r->route.type)))
		p->skipped_routes++;
	if (nr == 0 && !net_parse_is_sink(r->route.type))
		return;
	out = plan_add(p, (void **)&plan->routes, &plan->nr_routes, sizeof(*out));
	if (!out)
		return;
	*out = r->route;
	out->nr_hops = nr;
	for (size_t h = 0; h < r->route.nr_hops; h++) {
		int port = port_of(plan, r->hops[h].link);

		if (port >= 0)
			plan_hop(p, &r->hops[h], (uint32_t)port);
	}
}

static void plan_routes(struct planner *p)
{
	const struct net_survey *s = p->survey;

	for (int gateways = 0; gateways < 2; gateways++)
		for (size_t i = 0; i < s->nr_routes; i++)
			if (!s->routes[i].kernel_made && has_gateway(&s->routes[i]) == gateways)
				plan_route(p, &s->routes[i]);
	if (p->skipped_routes)
		plan_notice(p, "%zu routes use interfaces that are not handed over",
			    p->skipped_routes);
}

static void plan_neigh(struct planner *p, const struct net_neigh *n)
{
	static const uint8_t zero[6];
	int port = port_of(p->plan, n->neigh.link);
	char text[INET6_ADDRSTRLEN];
	struct gcfg_neigh *out;

	if (port < 0)
		return;
	if (n->proxy) {
		plan_notice(p, "proxy entry for %s on '%s': not handed over",
			    text_of(n->neigh.family, n->neigh.addr, text),
			    p->plan->ports[port].name);
		return;
	}
	if (memcmp(n->neigh.mac, zero, sizeof(zero)) == 0 ||
	    !(n->neigh.state & (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)))
		return;
	out = plan_add(p, (void **)&p->plan->neighs, &p->plan->nr_neighs, sizeof(*out));
	if (!out)
		return;
	*out = n->neigh;
	out->link = (uint32_t)port;
	/* A gateway that was known is known: the guest asks it again when the entry ages. */
	out->state = n->neigh.state & NUD_PERMANENT ? NUD_PERMANENT : NUD_REACHABLE;
}

int net_plan(const struct net_survey *s, const struct net_request *r, struct net_plan *out,
	     struct err *e)
{
	struct planner p = { .survey = s, .request = r, .plan = out };

	memset(out, 0, sizeof(*out));
	plan_links(&p);
	for (size_t i = 0; i < s->nr_addrs; i++)
		plan_addr(&p, &s->addrs[i].addr);
	if (out->nr_ports > 0) {
		plan_routes(&p);
		for (size_t i = 0; i < s->nr_neighs; i++)
			plan_neigh(&p, &s->neighs[i]);
		if (s->nr_rules)
			plan_notice(&p, "%zu policy routing rules: not handed over", s->nr_rules);
	}
	if (p.failed) {
		net_plan_free(out);
		return err_set(e, -ENOMEM, "plan the network");
	}
	return 0;
}
