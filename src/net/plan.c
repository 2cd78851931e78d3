/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plan: from what is in the namespace to what will be done there and what the guest gets. Pure.
 * Here are the ports, one for each interface that is handed over; plan_guest.c has what the guest
 * is told.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "net/choose.h"
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

__attribute__((format(printf, 4, 0)))
static char *add_text(struct net_planner *p, char ***list, size_t *nr, const char *format,
		      va_list ap)
{
	char **slot = net_plan_add(p, (void **)list, nr, sizeof(*slot));

	if (!slot)
		return NULL;
	if (vasprintf(slot, format, ap) < 0) {
		*slot = NULL;
		p->failed = true;
	}
	return *slot;
}

void net_plan_say(struct net_planner *p, char ***list, size_t *nr, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_text(p, list, nr, format, ap);
	va_end(ap);
}

void net_plan_notice(struct net_planner *p, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = add_text(p, &p->plan->notices, &p->plan->nr_notices, format, ap);
	va_end(ap);
	for (; text && *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
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
		if (*name <= ' ' || *name > '~' || *name == '=')
			return false;
	return true;
}

/* Why an interface with an address cannot become a guest device; NULL if it can. */
static const char *why_not(const struct net_link *l)
{
	static const uint8_t zero[6];

	if (l->type != ARPHRD_ETHER || !l->has_mac || (l->flags & IFF_NOARP))
		return l->type == ARPHRD_NONE || l->type == ARPHRD_RAWIP ?
			"carries IP packets, not Ethernet frames, and a guest needs frames" :
			"is not an Ethernet interface";
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
		return "has a name with '=' or beyond plain ASCII";
	return NULL;
}

/* Is it one of those that free_name() makes? */
static bool is_own_name(const char *name)
{
	return strncmp(name, "rnct", 4) == 0 || strncmp(name, "rncb", 4) == 0 ||
	       strncmp(name, "rncm", 4) == 0;
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

static bool has_vlans(const struct net_survey *s, const struct net_link *l)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].lower == l->index && strcmp(s->links[i].kind, "vlan") == 0)
			return true;
	return false;
}

/* The largest MTU of a tap: drivers/net/tun.c, 65535 without the Ethernet header. */
#define TAP_MTU_MAX 65521u

/* What a frame may have on the whole way. */
static uint32_t port_mtu(struct net_planner *p, const struct net_link *l, enum net_mode mode)
{
	bool tap = mode == NET_MODE_TC || mode == NET_MODE_BRIDGE;

	if (!tap || l->mtu <= TAP_MTU_MAX)
		return l->mtu;
	net_plan_notice(p, "interface '%s' has an MTU of %u: the guest's is %u, as a tap takes no "
			"more", l->name, l->mtu, TAP_MTU_MAX);
	return TAP_MTU_MAX;
}

static void fill_port(struct net_planner *p, const struct net_link *l, struct net_port *port)
{
	uint64_t salt = (uint64_t)l->index << 2;

	port->index = l->index;
	memcpy(port->name, l->name, sizeof(port->name));
	port->mac_mode = p->request->mac;
	port->mtu = port_mtu(p, l, port->mode);
	port->host_flags = l->flags;
	port->ipv6 = l->ipv6;
	port->clsact = l->clsact;
	port->bare_frames = p->request->bare_frames;
	port->unguarded = p->request->unguarded;
	port->shared = p->request->shared;
	port->accept_dad = l->ipv6 && l->disable_ipv6 == 0 && l->accept_dad != 0;
	port->slaac = l->ipv6 && l->disable_ipv6 == 0 && l->accept_ra > 0;
	memcpy(port->host_mac, l->mac, sizeof(port->host_mac));
	make_mac(p->request, salt | 1, port->new_mac);
	make_mac(p->request, salt | 2, port->bridge_mac);
	if (port->mac_mode == NET_MAC_ADOPT)
		memcpy(port->guest_mac, l->mac, sizeof(port->guest_mac));
	else
		make_mac(p->request, salt | 3, port->guest_mac);
	port->vlans = has_vlans(p->survey, l);
	if (port->mode == NET_MODE_MACVTAP)
		free_name(p->survey, "rncm", l->index, port->tap);
	else if (port->mode != NET_MODE_PACKET)
		free_name(p->survey, "rnct", l->index, port->tap);
	if (port->mode == NET_MODE_BRIDGE)
		free_name(p->survey, "rncb", l->index, port->bridge);
}

static void fill_link(struct net_planner *p, const struct net_link *l, uint32_t index)
{
	struct gcfg_link *g = &p->plan->links[index];
	bool ipv6 = l->ipv6 && l->disable_ipv6 == 0;

	g->index = index;
	g->mtu = p->plan->ports[index].mtu;
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

/* A link of the namespace without an address beyond link-local: usually nobody's business. */
static void notice_idle(struct net_planner *p, const struct net_link *l)
{
	char taken[NET_TAKEN_TEXT];

	/* A tap of another guest's that shares the namespace. */
	if (p->survey->guests.numbers && is_own_name(l->name))
		return;
	if (net_taken(p->survey, l, p->request->shared, taken))
		net_plan_notice(p, "interface '%s' has no address and %s: not handed over", l->name,
				taken);
	else if ((l->flags & IFF_UP) && !is_own_name(l->name))
		net_plan_notice(p, "interface '%s' has no address: not handed over", l->name);
}

static bool is_takable(struct net_planner *p, const struct net_link *l)
{
	const char *reason = why_not(l);
	char taken[NET_TAKEN_TEXT];

	if (net_taken(p->survey, l, p->request->shared, taken))
		reason = taken;
	if (!reason && p->plan->nr_ports == max_ports(p->request))
		reason = p->request->max_ports ? "is more than the guest has devices for" :
						 "is one too many";
	if (reason)
		net_plan_notice(p, "interface '%s' %s: not handed over", l->name, reason);
	return !reason;
}

static void plan_link(struct net_planner *p, const struct net_link *l)
{
	struct net_plan *plan = p->plan;
	struct net_port *port = &plan->ports[plan->nr_ports];
	const char *doubt = NULL;

	if (p->rc < 0 || (l->flags & IFF_LOOPBACK) ||
	    net_plan_port(plan, (uint32_t)l->index) >= 0)
		return;
	if (!has_address(p->survey, l)) {
		notice_idle(p, l);
		return;
	}
	if (!is_takable(p, l))
		return;
	p->rc = net_choose(p->survey, l, p->request, &port->mode, &port->why, &doubt, p->e);
	if (p->rc < 0)
		return;
	if (doubt)
		net_plan_notice(p, "interface '%s' (%s) %s: nothing may reach the guest in mode "
				"%s; use %s", l->name, l->kind, doubt, net_mode_name(port->mode),
				strcmp(l->kind, "ipvlan") == 0 && !p->request->shared ?
					"org.runnc.net.sidecars=keep" : "mode tc");
	fill_port(p, l, port);
	fill_link(p, l, (uint32_t)plan->nr_ports);
	plan->nr_ports++;
}

/*
 * A redirect comes before what stands on the interface: VLANs are left theirs (has_vlans()), but
 * what tells by MAC or address gets nothing.
 */
static void notice_above(struct net_planner *p)
{
	for (size_t i = 0; i < p->survey->nr_links; i++) {
		const struct net_link *l = &p->survey->links[i];
		int below = l->lower ? net_plan_port(p->plan, (uint32_t)l->lower) : -1;

		if (below >= 0 && net_takes_frames(l))
			net_plan_notice(p, "interface '%s' is a %s on '%s', whose frames the guest "
					"has all: nothing arrives at '%s'; give it an interface of "
					"its own", l->name, l->kind, p->plan->ports[below].name,
					l->name);
	}
}

static void plan_links(struct net_planner *p)
{
	const struct net_survey *s = p->survey;
	char taken[NET_TAKEN_TEXT];

	for (size_t i = 0; i < s->nr_links && p->plan->nr_ports == 0; i++)
		if (has_default_route(s, &s->links[i]) && has_address(s, &s->links[i]) &&
		    !why_not(&s->links[i]) &&
		    !net_taken(s, &s->links[i], p->request->shared, taken))
			plan_link(p, &s->links[i]);
	for (size_t i = 0; i < s->nr_links; i++)
		plan_link(p, &s->links[i]);
	notice_above(p);
}

/* ---- an interface for two ----------------------------------------------------------------- */

/* The namespace's own list, and the ports that its sockets have. */
static void plan_reserved(struct net_planner *p)
{
	static const char key[] = NET_SHARE_RESERVED "=";
	const struct net_share *share = &p->plan->share;
	_autofree_ char *text = NULL;
	const char *also = "", *why;

	for (size_t i = 0; i < p->survey->nr_settings; i++)
		if (strncmp(p->survey->settings[i].text, key, strlen(key)) == 0)
			also = p->survey->settings[i].text + strlen(key);
	text = net_share_reserved(&p->survey->ports, share->split ? share->given : share->was,
				  also, &why);
	if (!text)
		p->failed = true;
	else if (*text)
		net_plan_say(p, &p->plan->sysctls, &p->plan->nr_sysctls, "%s%s", key, text);
	if (why)
		net_plan_notice(p, "%s", why);
}

/* Before the guest's settings, among which are its ports. */
static void plan_share(struct net_planner *p)
{
	struct net_share *share = &p->plan->share;
	const char *why;

	if (p->rc < 0 || !p->request->shared || p->plan->nr_ports == 0)
		return;
	p->rc = net_share_plan(p->survey, share, &why, p->e);
	if (p->rc < 0)
		return;
	if (why)
		net_plan_notice(p, "%s", why);
	if (share->split)
		net_plan_say(p, &p->plan->sysctls, &p->plan->nr_sysctls, NET_SHARE_RANGE "=%u %u",
			     share->given.first, share->given.last);
	plan_reserved(p);
}

/* ---- the whole ---------------------------------------------------------------------------- */

int net_plan(const struct net_survey *s, const struct net_request *r, struct net_plan *out,
	     struct err *e)
{
	struct net_planner p = { .survey = s, .request = r, .plan = out, .e = e };
	const char *why;

	memset(out, 0, sizeof(*out));
	plan_links(&p);
	plan_share(&p);
	net_plan_guest(&p);
	net_forward_plan(s, out, &out->forward, &why);
	if (why)
		net_plan_notice(&p, "loopback: %s", why);
	if (p.failed)
		p.rc = err_say(e, -ENOMEM, "%s", strerror(ENOMEM));
	if (p.rc < 0) {
		net_plan_free(out);
		return err_wrap(e, p.rc, "plan the network");
	}
	return 0;
}
