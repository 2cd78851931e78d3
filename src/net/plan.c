/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plan: from what is in the namespace to what will be done there and what the guest gets. Pure. Here
 * are the ports, one for each interface that is handed over; plan_guest.c has what the guest is told.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "net/plan_parts.h"

/* ---- lists -------------------------------------------------------------------------------- */

void *net_plan_add(struct net_planner *p, void **list, size_t *nr, size_t size)
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

void net_plan_say(struct net_planner *p, char ***list, size_t *nr, const char *format, ...)
{
	char **slot = net_plan_add(p, (void **)list, nr, sizeof(*slot));
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

/* ---- ports -------------------------------------------------------------------------------- */

int net_plan_port(const struct net_plan *plan, uint32_t link)
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

		if (a->link == (uint32_t)l->index && !net_plan_is_link_local(a->family, a->local))
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

static void fill_port(const struct net_planner *p, const struct net_link *l, struct net_port *port)
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
	port->unguarded = p->request->unguarded;
	port->slaac = l->ipv6 && l->disable_ipv6 == 0 && l->accept_ra > 0;
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

static void fill_link(struct net_planner *p, const struct net_link *l, uint32_t index)
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
		net_plan_say(p, &p->plan->sysctls, &p->plan->nr_sysctls,
			 "net/ipv6/conf/%s/accept_ra=%d", l->name, l->accept_ra);
}

static size_t max_ports(const struct net_request *r)
{
	return r->max_ports && r->max_ports < NABLA_LAUNCH_NETS ? r->max_ports : NABLA_LAUNCH_NETS;
}

static void plan_link(struct net_planner *p, const struct net_link *l)
{
	struct net_plan *plan = p->plan;
	const char *reason;

	if ((l->flags & IFF_LOOPBACK) || net_plan_port(plan, (uint32_t)l->index) >= 0)
		return;
	if (!has_address(p->survey, l)) {
		if (l->plumbed)
			net_plan_notice(p, "interface '%s' has no address and carries the redirect of "
				    "another container: not handed over", l->name);
		else if (l->flags & IFF_UP)
			net_plan_notice(p, "interface '%s' has no address: not handed over", l->name);
		return;
	}
	reason = why_not(l);
	if (!reason && plan->nr_ports == max_ports(p->request))
		reason = p->request->max_ports ? "is more than the guest has devices for" :
						 "is one too many";
	if (reason) {
		net_plan_notice(p, "interface '%s' %s: not handed over", l->name, reason);
		return;
	}
	if (p->request->mode == NET_MODE_BRIDGE && is_mac_bound(l))
		net_plan_notice(p, "interface '%s' (%s) delivers only what is sent to its own MAC: "
			    "nothing will reach the guest in mode bridge; use mode tc",
			    l->name, l->kind);
	fill_port(p, l, &plan->ports[plan->nr_ports]);
	fill_link(p, l, (uint32_t)plan->nr_ports);
	plan->nr_ports++;
}

static void plan_links(struct net_planner *p)
{
	const struct net_survey *s = p->survey;

	for (size_t i = 0; i < s->nr_links && p->plan->nr_ports == 0; i++)
		if (has_default_route(s, &s->links[i]) && has_address(s, &s->links[i]) &&
		    !why_not(&s->links[i]))
			plan_link(p, &s->links[i]);
	for (size_t i = 0; i < s->nr_links; i++)
		plan_link(p, &s->links[i]);
}

/* ---- the whole ---------------------------------------------------------------------------- */

int net_plan(const struct net_survey *s, const struct net_request *r, struct net_plan *out,
	     struct err *e)
{
	struct net_planner p = { .survey = s, .request = r, .plan = out };

	memset(out, 0, sizeof(*out));
	plan_links(&p);
	net_plan_guest(&p);
	if (p.failed) {
		net_plan_free(out);
		return err_set(e, -ENOMEM, "plan the network");
	}
	return 0;
}
