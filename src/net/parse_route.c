/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes in netlink replies, with their hops and metrics. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "net/attr.h"
#include "net/parse.h"
#include "net/parse_parts.h"

_Static_assert(RTAX_CC_ALGO < GCFG_METRICS && RTAX_MTU < GCFG_METRICS, "metrics of a route");

#define NET_HOP_FLAGS (RTNH_F_PERVASIVE | RTNH_F_ONLINK)	/* the others tell a state */

bool net_parse_is_sink(uint8_t type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
	       type == RTN_THROW;
}

static int parse_gateway(const struct nlattr *gateway, const struct nlattr *via, uint8_t family,
			 struct gcfg_hop *h)
{
	sa_family_t via_family;

	if (gateway) {
		h->gateway_family = family;
		return net_attr_get(gateway, h->gateway, net_parse_address_len(family));
	}
	if (!via)
		return 0;
	/* struct rtvia: a family, then an address (RFC 5549: IPv6 next to IPv4 routes). */
	if (net_attr_len(via) < sizeof(via_family))
		return -EBADMSG;
	memcpy(&via_family, net_attr_body(via), sizeof(via_family));
	if (!net_parse_is_inet(via_family) ||
	    net_attr_len(via) != sizeof(via_family) + net_parse_address_len(via_family))
		return -EBADMSG;
	h->gateway_family = (uint8_t)via_family;
	memcpy(h->gateway, (const char *)net_attr_body(via) + sizeof(via_family),
	       net_parse_address_len(via_family));
	return 0;
}

/* One struct rtnexthop of a multipath route. Returns its length with padding, or -EBADMSG. */
static int parse_hop(const char *at, size_t len, struct net_route *r, struct gcfg_hop *h)
{
	const struct nlattr *tb[RTA_ENCAP + 1];
	struct rtnexthop nh;

	if (len < sizeof(nh))
		return -EBADMSG;
	memcpy(&nh, at, sizeof(nh));
	if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > len || nh.rtnh_ifindex < 0)
		return -EBADMSG;
	if (net_attrs(at + sizeof(nh), nh.rtnh_len - sizeof(nh), tb, RTA_ENCAP) < 0)
		return -EBADMSG;
	r->encap |= tb[RTA_ENCAP] != NULL;
	h->link = (uint32_t)nh.rtnh_ifindex;
	h->weight = nh.rtnh_hops + 1u;
	h->flags = nh.rtnh_flags & NET_HOP_FLAGS;
	if (parse_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], r->route.family, h) < 0)
		return -EBADMSG;
	return (int)RTNH_ALIGN(nh.rtnh_len);
}

static int parse_multipath(const struct nlattr *multipath, struct net_route *r)
{
	const char *at = net_attr_body(multipath);
	size_t len = net_attr_len(multipath), nr = 0;

	/* The shortest hop is its header alone. */
	r->hops = calloc(len / sizeof(struct rtnexthop) + 1, sizeof(*r->hops));
	if (!r->hops)
		return -ENOMEM;
	while (len > 0) {
		int step = parse_hop(at, len, r, &r->hops[nr]);

		if (step < 0)
			return step;
		if (++nr > UINT8_MAX)
			return -E2BIG;
		if ((size_t)step >= len)
			break;
		at += step;
		len -= (size_t)step;
	}
	r->route.nr_hops = (uint8_t)nr;
	return 0;
}

static int parse_single(const struct nlattr **tb, unsigned int flags, struct net_route *r)
{
	uint32_t link = 0;

	if (net_attr_get(tb[RTA_OIF], &link, sizeof(link)) < 0)
		return -EBADMSG;
	/* IPv6 sinks are dumped with the loopback as their device. */
	if ((!link && !tb[RTA_GATEWAY] && !tb[RTA_VIA]) || net_parse_is_sink(r->route.type))
		return 0;
	r->hops = calloc(1, sizeof(*r->hops));
	if (!r->hops)
		return -ENOMEM;
	r->route.nr_hops = 1;
	r->hops[0].link = link;
	r->hops[0].weight = 1;
	r->hops[0].flags = flags & NET_HOP_FLAGS;
	return parse_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], r->route.family, &r->hops[0]);
}

static int parse_route_fields(const struct rtmsg *head, const struct nlattr **tb,
			      struct gcfg_route *g)
{
	size_t len = net_parse_address_len(head->rtm_family);

	g->family = head->rtm_family;
	g->dst_prefix = head->rtm_dst_len;
	g->src_prefix = head->rtm_src_len;
	g->tos = head->rtm_tos;
	g->type = head->rtm_type;
	g->scope = head->rtm_scope;
	g->protocol = head->rtm_protocol;
	g->table = head->rtm_table;
	if (g->dst_prefix > len * 8 || g->src_prefix > len * 8 ||
	    net_attr_get(tb[RTA_TABLE], &g->table, sizeof(g->table)) < 0 ||
	    net_attr_get(tb[RTA_PRIORITY], &g->metric, sizeof(g->metric)) < 0 ||
	    net_attr_get(tb[RTA_DST], g->dst, len) < 0 ||
	    net_attr_get(tb[RTA_SRC], g->src, len) < 0 ||
	    net_attr_get(tb[RTA_PREFSRC], g->prefsrc, len) < 0 ||
	    net_attr_get(tb[RTA_PREF], &g->pref, sizeof(g->pref)) < 0)
		return -EBADMSG;
	return 0;
}

/* All but the congestion control, which is a name, are numbers. */
static int parse_metrics(const struct nlattr *attr, struct net_route *r)
{
	const struct nlattr *metrics[GCFG_METRICS];

	if (net_nested(attr, metrics, GCFG_METRICS - 1) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < GCFG_METRICS; i++) {
		uint32_t *value = i == RTAX_MTU ? &r->route.mtu : &r->route.metrics[i];

		if (i == RTAX_CC_ALGO)
			r->congestion = metrics[i];
		else if (net_attr_get(metrics[i], value, sizeof(*value)) < 0)
			return -EBADMSG;
	}
	return 0;
}

/*
 * Only IPv6 routes end by themselves. The kernel tells it in hundredths of a second, less than 0 of
 * one that it does not use any more and has not thrown away yet: then *@over.
 */
static int parse_lifetime(const struct nlattr *attr, struct gcfg_route *g, bool *over)
{
	struct rta_cacheinfo life = { .rta_expires = 0 };

	if (!attr || g->family != AF_INET6)
		return 0;
	if (net_attr_len(attr) < sizeof(life))
		return -EBADMSG;
	memcpy(&life, net_attr_body(attr), sizeof(life));
	*over = life.rta_expires < 0;
	if (!*over)
		g->lifetime = ((uint32_t)life.rta_expires + 99) / 100;
	return 0;
}

/*
 * Several interfaces may have such a route, and the first one's is used: ff00::/8 (which kernels
 * before 5.11 do not call one of multicast), and the broadcast address of a prefix that two have.
 */
static bool has_order(const struct gcfg_route *g)
{
	return g->type == RTN_BROADCAST ||
	       (g->family == AF_INET6 && g->dst_prefix == 8 && g->dst[0] == 0xff);
}

int net_parse_route(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[RTA_NH_ID + 1];
	const struct rtmsg *head = net_head(m, sizeof(*head), tb, RTA_NH_ID);
	struct net_route r = { .hops = NULL }, *slot;
	bool over = false;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!net_parse_is_inet(head->rtm_family) || (head->rtm_flags & RTM_F_CLONED))
		return 0;
	if (parse_route_fields(head, tb, &r.route) < 0 || parse_metrics(tb[RTA_METRICS], &r) < 0 ||
	    parse_lifetime(tb[RTA_CACHEINFO], &r.route, &over) < 0)
		return -EBADMSG;
	if (over)
		return 0;
	r.encap = tb[RTA_ENCAP];
	r.hidden = tb[RTA_NH_ID] && !tb[RTA_OIF] && !tb[RTA_GATEWAY] && !tb[RTA_VIA] &&
		   !tb[RTA_MULTIPATH] && !net_parse_is_sink(head->rtm_type);
	r.kernel_made = r.route.protocol == RTPROT_KERNEL;
	if (r.kernel_made && r.route.table == RT_TABLE_LOCAL && !has_order(&r.route))
		return 0;

	rc = tb[RTA_MULTIPATH] ? parse_multipath(tb[RTA_MULTIPATH], &r)
			       : parse_single(tb, head->rtm_flags, &r);
	slot = rc < 0 ? NULL :
		net_parse_grow((void **)&s->routes, s->nr_routes, sizeof(*slot), &rc);
	if (slot)
		rc = net_parse_keep(m, &r.raw);
	if (rc < 0) {
		free(r.hops);
		return rc;
	}
	*slot = r;
	s->nr_routes++;
	return 0;
}
