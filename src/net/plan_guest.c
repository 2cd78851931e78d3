/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plan, second half: what the guest's own kernel is told. Addresses, routes, neighbours and rules
 * of the interfaces that became ports.
 *
 * It gets what the interface had: every prefix as it is, every route that the kernel did not make.
 * What differs, because a guest starts from nothing: where the kernel's route for an address's
 * prefix was removed (CNI's ptp plugin), the address is marked not to make it; a gateway outside
 * the connected prefixes is marked on-link, so that it can be added at once; a route whose source
 * address is not handed over has none; and a router's routes stand behind those that the guest's
 * kernel makes of what it hears from the router itself.
 */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "net/parse.h"
#include "net/plan_parts.h"

/* ---- addresses and prefixes --------------------------------------------------------------- */

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

/* The link-local address that any kernel makes from a MAC. */
static bool is_eui64(uint8_t family, const uint8_t addr[16], const uint8_t mac[6])
{
	const uint8_t expected[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2],
				       0xff, 0xfe, mac[3], mac[4], mac[5] };

	return family == AF_INET6 && memcmp(addr, expected, sizeof(expected)) == 0;
}

/* The guest makes it for itself, unless it is given another one. */
static bool is_made(const struct net_survey *s, const struct gcfg_addr *a, const uint8_t mac[6])
{
	if (!is_eui64(a->family, a->local, mac))
		return false;
	for (size_t i = 0; i < s->nr_addrs; i++) {
		const struct gcfg_addr *other = &s->addrs[i].addr;

		if (other->link == a->link &&
		    net_plan_is_link_local(other->family, other->local) &&
		    !is_eui64(other->family, other->local, mac) &&
		    !(other->flags & IFA_F_DADFAILED))
			return false;
	}
	return true;
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

/* ---- addresses, routes, neighbours -------------------------------------------------------- */

/* Addresses of the namespace's loopback beyond what every loopback has. */
static void notice_loopback(struct net_planner *p, const struct gcfg_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	const struct net_link *l = net_survey_link(p->survey, (int)a->link);
	char text[INET6_ADDRSTRLEN];

	if (!l || !(l->flags & IFF_LOOPBACK) || (a->family == AF_INET && a->local[0] == 127) ||
	    (a->family == AF_INET6 && memcmp(a->local, one, sizeof(one)) == 0))
		return;
	net_plan_notice(p, "address %s of the loopback: not handed over",
		    text_of(a->family, a->local, text));
}

static void plan_addr(struct net_planner *p, const struct gcfg_addr *a)
{
	int port = net_plan_port(p->plan, a->link);
	char text[INET6_ADDRSTRLEN];
	struct gcfg_addr *out;

	if (port < 0) {
		notice_loopback(p, a);
		return;
	}
	if (a->flags & IFA_F_DADFAILED) {
		net_plan_notice(p,
			    "address %s of '%s' is a duplicate of another host's: not handed over",
			    text_of(a->family, a->local, text), p->plan->ports[port].name);
		return;
	}
	/* Nor what ends in this second, which no kernel takes. */
	if (a->valid_lft == 0 || is_made(p->survey, a, p->plan->ports[port].host_mac))
		return;
	out = net_plan_add(p, (void **)&p->plan->addrs, &p->plan->nr_addrs, sizeof(*out));
	if (!out)
		return;
	*out = *a;
	out->link = (uint32_t)port;
	out->flags &= IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
	if (makes_prefix_route(a) && !has_prefix_route(p->survey, a))
		out->flags |= IFA_F_NOPREFIXROUTE;
}

static bool is_connected(const struct net_plan *plan, uint32_t port, uint8_t family,
			 const uint8_t *addr)
{
	if (net_plan_is_link_local(family, addr))
		return true;
	for (size_t i = 0; i < plan->nr_addrs; i++) {
		const struct gcfg_addr *a = &plan->addrs[i];

		if (a->link == port && a->family == family && makes_prefix_route(a) &&
		    !(a->flags & IFA_F_NOPREFIXROUTE) && same_prefix(a->peer, addr, a->prefix))
			return true;
	}
	return false;
}

static void plan_hop(struct net_planner *p, const struct gcfg_hop *h, uint32_t port)
{
	struct gcfg_hop *out = net_plan_add(p, (void **)&p->plan->hops, &p->plan->nr_hops,
					sizeof(*out));

	if (!out)
		return;
	*out = *h;
	out->link = port;
	out->flags &= RTNH_F_ONLINK;
	if (h->gateway_family && !is_connected(p->plan, port, h->gateway_family, h->gateway))
		out->flags |= RTNH_F_ONLINK;
}

/* Does the guest have the address that a route names as its packets' source? */
static bool has_source(const struct net_plan *plan, const struct gcfg_route *r)
{
	static const uint8_t none[16], one[16] = { [15] = 1 };

	if (memcmp(r->prefsrc, none, sizeof(none)) == 0 ||
	    (r->family == AF_INET && r->prefsrc[0] == 127) ||
	    (r->family == AF_INET6 && memcmp(r->prefsrc, one, sizeof(one)) == 0))
		return true;
	for (size_t i = 0; i < plan->nr_addrs; i++)
		if (plan->addrs[i].family == r->family &&
		    memcmp(plan->addrs[i].local, r->prefsrc, sizeof(none)) == 0)
			return true;
	for (size_t i = 0; i < plan->nr_ports; i++)
		if (is_eui64(r->family, r->prefsrc, plan->ports[i].guest_mac))
			return true;
	return false;
}

/*
 * The guest's kernel listens to routers as the namespace's did. It would take a copy of what one
 * has told for a route of somebody else's, and believe nothing of the next advertisement, the
 * lifetimes of addresses among it: so the copies have other metrics than its own, and than one
 * another, as it would make one route of two. They go when their time is over.
 */
static void plan_advertised(const struct net_plan *plan, struct gcfg_route *r)
{
	r->metric++;
	for (size_t i = 0; i < plan->nr_routes; i++) {
		const struct gcfg_route *other = &plan->routes[i];

		if (other != r && other->protocol == RTPROT_RA && other->table == r->table &&
		    other->dst_prefix == r->dst_prefix &&
		    memcmp(other->dst, r->dst, sizeof(r->dst)) == 0 && other->metric >= r->metric)
			r->metric = other->metric + 1;
	}
}

static bool has_gateway(const struct net_route *r)
{
	for (size_t h = 0; h < r->route.nr_hops; h++)
		if (r->hops[h].gateway_family)
			return true;
	return false;
}

static bool is_heard(const struct net_planner *p, const struct net_route *r)
{
	const struct net_link *l = net_survey_link(p->survey, (int)r->hops[0].link);

	return l && net_link_listens(l);
}

static void plan_route(struct net_planner *p, const struct net_route *r)
{
	struct net_plan *plan = p->plan;
	char text[INET6_ADDRSTRLEN];
	struct gcfg_route *out;
	uint8_t nr = 0;

	if (r->encap) {
		net_plan_notice(p, "route to %s/%u wraps packets up (MPLS, segment routing or its "
				"like): not handed over",
				text_of(r->route.family, r->route.dst, text), r->route.dst_prefix);
		return;
	}
	if (r->hidden) {
		net_plan_notice(p, "route to %s/%u goes by a nexthop object that the kernel does "
				"not tell (net.ipv4.nexthop_compat_mode=0): not handed over",
				text_of(r->route.family, r->route.dst, text), r->route.dst_prefix);
		return;
	}
	if (r->congestion)
		net_plan_notice(p, "route to %s/%u names a congestion control: the guest uses its "
				"own",
				text_of(r->route.family, r->route.dst, text), r->route.dst_prefix);
	for (size_t h = 0; h < r->route.nr_hops; h++)
		nr += net_plan_port(plan, r->hops[h].link) >= 0;
	if (nr < r->route.nr_hops || (r->route.nr_hops == 0 && !net_parse_is_sink(r->route.type)))
		p->skipped_routes++;
	if (nr == 0 && !net_parse_is_sink(r->route.type))
		return;
	out = net_plan_add(p, (void **)&plan->routes, &plan->nr_routes, sizeof(*out));
	if (!out)
		return;
	*out = r->route;
	out->nr_hops = nr;
	if (!has_source(plan, out)) {
		net_plan_notice(p, "route to %s/%u names a source address that is not handed over: "
				"the guest chooses one of its own",
				text_of(r->route.family, r->route.dst, text), r->route.dst_prefix);
		memset(out->prefsrc, 0, sizeof(out->prefsrc));
	}
	for (size_t h = 0; h < r->route.nr_hops; h++) {
		int port = net_plan_port(plan, r->hops[h].link);

		if (port < 0)
			continue;
		plan_hop(p, &r->hops[h], (uint32_t)port);
		if (h == 0 && r->route.protocol == RTPROT_RA && is_heard(p, r))
			plan_advertised(plan, out);
	}
}

static void plan_routes(struct net_planner *p)
{
	const struct net_survey *s = p->survey;

	for (int gateways = 0; gateways < 2; gateways++)
		for (size_t i = 0; i < s->nr_routes; i++)
			if (!s->routes[i].kernel_made && has_gateway(&s->routes[i]) == gateways)
				plan_route(p, &s->routes[i]);
	if (p->skipped_routes)
		net_plan_notice(p, "%zu routes use interfaces that are not handed over",
			    p->skipped_routes);
}

static void plan_neigh(struct net_planner *p, const struct net_neigh *n)
{
	static const uint8_t zero[6];
	int port = net_plan_port(p->plan, n->neigh.link);
	char text[INET6_ADDRSTRLEN];
	struct gcfg_neigh *out;

	if (port < 0)
		return;
	if (n->proxy) {
		net_plan_notice(p, "proxy entry for %s on '%s': not handed over",
			    text_of(n->neigh.family, n->neigh.addr, text),
			    p->plan->ports[port].name);
		return;
	}
	if (memcmp(n->neigh.mac, zero, sizeof(zero)) == 0 ||
	    !(n->neigh.state & (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)))
		return;
	out = net_plan_add(p, (void **)&p->plan->neighs, &p->plan->nr_neighs, sizeof(*out));
	if (!out)
		return;
	*out = n->neigh;
	out->link = (uint32_t)port;
	/* A gateway that was known is known: the guest asks it again when the entry ages. */
	out->state = n->neigh.state & NUD_PERMANENT ? NUD_PERMANENT : NUD_REACHABLE;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* The three that every kernel begins with (two for IPv6). */
static bool is_default_rule(const struct gcfg_rule *r)
{
	struct gcfg_rule plain = {
		.family = r->family, .action = FR_ACT_TO_TBL, .protocol = r->protocol,
		.suppress_prefix = UINT32_MAX, .priority = r->priority, .table = r->table,
	};

	return memcmp(&plain, r, sizeof(plain)) == 0 &&
	       ((r->priority == 0 && r->table == RT_TABLE_LOCAL) ||
		(r->priority == 32766 && r->table == RT_TABLE_MAIN) ||
		(r->family == AF_INET && r->priority == 32767 && r->table == RT_TABLE_DEFAULT));
}

/* Does @family have other rules than those? */
static bool has_policy(const struct net_survey *s, uint8_t family)
{
	size_t defaults = 0, others = 0;

	for (size_t i = 0; i < s->nr_rules; i++)
		if (s->rules[i].rule.family == family) {
			if (is_default_rule(&s->rules[i].rule))
				defaults++;
			else
				others++;
		}
	return others > 0 || (defaults > 0 && defaults < (family == AF_INET ? 3 : 2));
}

static void plan_rules(struct net_planner *p, uint8_t family)
{
	const struct net_survey *s = p->survey;

	if (!has_policy(s, family))
		return;
	for (size_t i = 0; i < s->nr_rules; i++) {
		const struct net_rule *r = &s->rules[i];
		struct gcfg_rule *out;

		if (r->rule.family != family)
			continue;
		if (r->odd) {
			net_plan_notice(p, "policy rule %u asks for what a guest cannot do (a "
					"tunnel, VRF, realm or interface group): not handed over",
					r->rule.priority);
			continue;
		}
		out = net_plan_add(p, (void **)&p->plan->rules, &p->plan->nr_rules, sizeof(*out));
		if (out)
			*out = r->rule;
	}
}

/* The namespace's ports: a part of them is the guest's, and told already. */
static bool is_told(const struct net_share *share, const char *text)
{
	static const char range[] = NET_SHARE_RANGE "=";
	static const char reserved[] = NET_SHARE_RESERVED "=";

	return (share->split && strncmp(text, range, strlen(range)) == 0) ||
	       (share->on && strncmp(text, reserved, strlen(reserved)) == 0);
}

/* A guest's kernel that does not have a setting does without: the "-". */
static void plan_settings(struct net_planner *p)
{
	for (size_t i = 0; i < p->survey->nr_settings; i++) {
		const struct net_setting *s = &p->survey->settings[i];

		if (is_told(&p->plan->share, s->text))
			continue;
		if (!s->link || net_plan_port(p->plan, (uint32_t)s->link) >= 0)
			net_plan_say(p, &p->plan->sysctls, &p->plan->nr_sysctls, "-%s", s->text);
	}
}

void net_plan_guest(struct net_planner *p)
{
	const struct net_survey *s = p->survey;

	for (size_t i = 0; i < s->nr_addrs; i++)
		plan_addr(p, &s->addrs[i].addr);
	if (p->plan->nr_ports == 0)
		return;
	plan_routes(p);
	for (size_t i = 0; i < s->nr_neighs; i++)
		plan_neigh(p, &s->neighs[i]);
	plan_settings(p);
	plan_rules(p, AF_INET);
	plan_rules(p, AF_INET6);
}
