/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink replies as untrusted bytes.
 *
 * Lengths are checked in net/attr.c only; nothing here looks at message bytes.
 */
#include "net/parse.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/attr.h"
#include "net/tc.h"

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static size_t address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* ---- growing lists ------------------------------------------------------------------------ */

/* Room for one more of @size bytes in *@list, which holds @nr. Zeroed; NULL with *@rc set. */
static void *grow(void **list, size_t nr, size_t size, int *rc)
{
	void *larger = *list;

	if (nr >= NET_PARSE_MAX) {
		*rc = -E2BIG;
		return NULL;
	}
	/* Powers of two, so that nr alone tells how much is allocated. */
	if ((nr & (nr - 1)) == 0)
		larger = reallocarray(*list, nr ? nr * 2 : 1, size);
	if (!larger) {
		*rc = -ENOMEM;
		return NULL;
	}
	*list = larger;
	*rc = 0;
	return memset((char *)larger + nr * size, 0, size);
}

static int keep(const struct nlmsghdr *m, struct net_raw *raw)
{
	raw->data = malloc(m->nlmsg_len);
	if (!raw->data)
		return -ENOMEM;
	memcpy(raw->data, m, m->nlmsg_len);
	raw->len = m->nlmsg_len;
	return 0;
}

/* ---- links -------------------------------------------------------------------------------- */

static int parse_inet6_conf(const struct nlattr *af_spec, struct net_link *l)
{
	const struct nlattr *tb[AF_INET6 + 1], *inet6[IFLA_INET6_MAX + 1];
	const char *conf;

	if (net_nested(af_spec, tb, AF_INET6) < 0 ||
	    net_nested(tb[AF_INET6], inet6, IFLA_INET6_MAX) < 0)
		return -EBADMSG;
	/* An array of int32_t, one for each DEVCONF_* that the kernel knows. */
	if (!inet6[IFLA_INET6_CONF] ||
	    net_attr_len(inet6[IFLA_INET6_CONF]) < (DEVCONF_ACCEPT_DAD + 1) * sizeof(int32_t))
		return 0;
	conf = net_attr_body(inet6[IFLA_INET6_CONF]);
	memcpy(&l->disable_ipv6, conf + DEVCONF_DISABLE_IPV6 * sizeof(int32_t), sizeof(int32_t));
	memcpy(&l->accept_ra, conf + DEVCONF_ACCEPT_RA * sizeof(int32_t), sizeof(int32_t));
	memcpy(&l->accept_dad, conf + DEVCONF_ACCEPT_DAD * sizeof(int32_t), sizeof(int32_t));
	l->ipv6 = true;
	return 0;
}

/* The name becomes part of a path below /proc/sys. */
static bool is_link_name(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strchr(name, '/');
}

static int parse_link(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[IFLA_CARRIER + 1], *info[IFLA_INFO_KIND + 1];
	struct net_link l = { .index = 0 }, *slot;
	const struct ifinfomsg *head = net_head(m, sizeof(*head), tb, IFLA_CARRIER);
	uint8_t carrier = 0;
	int rc;

	if (!head || head->ifi_index <= 0)
		return -EBADMSG;
	l.index = head->ifi_index;
	l.type = head->ifi_type;
	l.flags = head->ifi_flags;
	if (net_attr_string(tb[IFLA_IFNAME], l.name, sizeof(l.name)) < 0 || !is_link_name(l.name) ||
	    net_attr_get(tb[IFLA_MTU], &l.mtu, sizeof(l.mtu)) < 0 ||
	    net_attr_get(tb[IFLA_TXQLEN], &l.txqlen, sizeof(l.txqlen)) < 0 ||
	    net_attr_get(tb[IFLA_MASTER], &l.master, sizeof(l.master)) < 0 ||
	    net_attr_get(tb[IFLA_CARRIER], &carrier, sizeof(carrier)) < 0 ||
	    net_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_KIND) < 0 ||
	    net_attr_string(info[IFLA_INFO_KIND], l.kind, sizeof(l.kind)) < 0 ||
	    parse_inet6_conf(tb[IFLA_AF_SPEC], &l) < 0)
		return -EBADMSG;
	l.carrier = carrier == 1;
	if (tb[IFLA_ADDRESS] && net_attr_len(tb[IFLA_ADDRESS]) == sizeof(l.mac)) {
		memcpy(l.mac, net_attr_body(tb[IFLA_ADDRESS]), sizeof(l.mac));
		l.has_mac = true;
	}

	slot = grow((void **)&s->links, s->nr_links, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	*slot = l;
	s->nr_links++;
	return 0;
}

static struct net_link *find_link(struct net_survey *s, int index)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static int parse_addr(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[IFA_FLAGS + 1];
	const struct ifaddrmsg *head = net_head(m, sizeof(*head), tb, IFA_FLAGS);
	struct ifa_cacheinfo life = { .ifa_valid = UINT32_MAX, .ifa_prefered = UINT32_MAX };
	struct gcfg_addr a = { .link = 0 };
	struct net_addr *slot;
	size_t len;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!is_inet(head->ifa_family))
		return 0;
	len = address_len(head->ifa_family);
	if (head->ifa_prefixlen > len * 8 || !tb[IFA_ADDRESS])
		return -EBADMSG;
	a.link = head->ifa_index;
	a.family = head->ifa_family;
	a.prefix = head->ifa_prefixlen;
	a.scope = head->ifa_scope;
	a.flags = head->ifa_flags;
	if (net_attr_get(tb[IFA_FLAGS], &a.flags, sizeof(a.flags)) < 0 ||
	    net_attr_get(tb[IFA_CACHEINFO], &life, sizeof(life)) < 0 ||
	    net_attr_get(tb[IFA_ADDRESS], a.peer, len) < 0 ||
	    net_attr_get(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], a.local, len) < 0 ||
	    net_attr_get(tb[IFA_BROADCAST], a.broadcast, len) < 0)
		return -EBADMSG;
	a.valid_lft = life.ifa_valid;
	a.preferred_lft = life.ifa_prefered;

	slot = grow((void **)&s->addrs, s->nr_addrs, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	slot->addr = a;
	rc = keep(m, &slot->raw);
	if (rc == 0)
		s->nr_addrs++;
	return rc;
}

/* ---- routes ------------------------------------------------------------------------------- */

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
		return net_attr_get(gateway, h->gateway, address_len(family));
	}
	if (!via)
		return 0;
	/* struct rtvia: a family, then an address (RFC 5549: IPv6 next to IPv4 routes). */
	if (net_attr_len(via) < sizeof(via_family))
		return -EBADMSG;
	memcpy(&via_family, net_attr_body(via), sizeof(via_family));
	if (!is_inet(via_family) ||
	    net_attr_len(via) != sizeof(via_family) + address_len(via_family))
		return -EBADMSG;
	h->gateway_family = (uint8_t)via_family;
	memcpy(h->gateway, (const char *)net_attr_body(via) + sizeof(via_family),
	       address_len(via_family));
	return 0;
}

/* One struct rtnexthop of a multipath route. Returns its length with padding, or -EBADMSG. */
static int parse_hop(const char *at, size_t len, uint8_t family, struct gcfg_hop *h)
{
	const struct nlattr *tb[RTA_VIA + 1];
	struct rtnexthop nh;

	if (len < sizeof(nh))
		return -EBADMSG;
	memcpy(&nh, at, sizeof(nh));
	if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > len || nh.rtnh_ifindex < 0)
		return -EBADMSG;
	if (net_attrs(at + sizeof(nh), nh.rtnh_len - sizeof(nh), tb, RTA_VIA) < 0)
		return -EBADMSG;
	h->link = (uint32_t)nh.rtnh_ifindex;
	h->weight = nh.rtnh_hops;
	h->flags = nh.rtnh_flags & NET_HOP_FLAGS;
	if (parse_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], family, h) < 0)
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
		int step = parse_hop(at, len, r->route.family, &r->hops[nr]);

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
	r->hops[0].flags = flags & NET_HOP_FLAGS;
	return parse_gateway(tb[RTA_GATEWAY], tb[RTA_VIA], r->route.family, &r->hops[0]);
}

static int parse_route_fields(const struct rtmsg *head, const struct nlattr **tb,
			      struct gcfg_route *g)
{
	const struct nlattr *metrics[RTAX_MTU + 1];
	size_t len = address_len(head->rtm_family);

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
	    net_nested(tb[RTA_METRICS], metrics, RTAX_MTU) < 0 ||
	    net_attr_get(metrics[RTAX_MTU], &g->mtu, sizeof(g->mtu)) < 0)
		return -EBADMSG;
	return 0;
}

static int parse_route(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[RTA_VIA + 1];
	const struct rtmsg *head = net_head(m, sizeof(*head), tb, RTA_VIA);
	struct net_route r = { .hops = NULL }, *slot;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!is_inet(head->rtm_family) || (head->rtm_flags & RTM_F_CLONED))
		return 0;
	if (parse_route_fields(head, tb, &r.route) < 0)
		return -EBADMSG;
	r.kernel_made = r.route.protocol == RTPROT_KERNEL;
	if (r.kernel_made && r.route.table == RT_TABLE_LOCAL)
		return 0;

	rc = tb[RTA_MULTIPATH] ? parse_multipath(tb[RTA_MULTIPATH], &r)
			       : parse_single(tb, head->rtm_flags, &r);
	slot = rc < 0 ? NULL : grow((void **)&s->routes, s->nr_routes, sizeof(*slot), &rc);
	if (slot)
		rc = keep(m, &r.raw);
	if (rc < 0) {
		free(r.hops);
		return rc;
	}
	*slot = r;
	s->nr_routes++;
	return 0;
}

/* ---- neighbours, rules, qdiscs, filters --------------------------------------------------- */

static int parse_neigh(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NDA_LLADDR + 1];
	const struct ndmsg *head = net_head(m, sizeof(*head), tb, NDA_LLADDR);
	struct gcfg_neigh n = { .link = 0 };
	struct net_neigh *slot;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!is_inet(head->ndm_family))
		return 0;
	if (!tb[NDA_DST] || head->ndm_ifindex < 0 ||
	    net_attr_get(tb[NDA_DST], n.addr, address_len(head->ndm_family)) < 0)
		return -EBADMSG;
	n.link = (uint32_t)head->ndm_ifindex;
	n.family = head->ndm_family;
	n.state = head->ndm_state;
	if (tb[NDA_LLADDR] && net_attr_len(tb[NDA_LLADDR]) == sizeof(n.mac))
		memcpy(n.mac, net_attr_body(tb[NDA_LLADDR]), sizeof(n.mac));

	slot = grow((void **)&s->neighs, s->nr_neighs, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	slot->neigh = n;
	slot->proxy = head->ndm_flags & NTF_PROXY;
	rc = keep(m, &slot->raw);
	if (rc == 0)
		s->nr_neighs++;
	return rc;
}

static int parse_rule(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[FRA_PRIORITY + 1];
	const struct fib_rule_hdr *head = net_head(m, sizeof(*head), tb, FRA_PRIORITY);
	uint32_t priority = 0;

	if (!head || net_attr_get(tb[FRA_PRIORITY], &priority, sizeof(priority)) < 0)
		return -EBADMSG;
	/* The kernel's own: local, main, default. */
	if (is_inet(head->family) && priority != 0 && priority != 32766 && priority != 32767)
		s->nr_rules++;
	return 0;
}

static int parse_qdisc(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[TCA_KIND + 1];
	const struct tcmsg *head = net_head(m, sizeof(*head), tb, TCA_KIND);
	struct net_link *l;

	if (!head)
		return -EBADMSG;
	l = find_link(s, head->tcm_ifindex);
	if (l && (net_attr_is(tb[TCA_KIND], "clsact") || net_attr_is(tb[TCA_KIND], "ingress")))
		l->clsact = true;
	return 0;
}

/* True if one of the actions in @actions has our cookie. */
static int parse_actions(const struct nlattr *actions, bool *ours)
{
	const struct nlattr *list[TCA_ACT_MAX_PRIO + 1], *act[TCA_ACT_COOKIE + 1];

	if (net_nested(actions, list, TCA_ACT_MAX_PRIO) < 0)
		return -EBADMSG;
	for (size_t i = 0; i <= TCA_ACT_MAX_PRIO; i++) {
		if (net_nested(list[i], act, TCA_ACT_COOKIE) < 0)
			return -EBADMSG;
		if (act[TCA_ACT_COOKIE] &&
		    net_attr_len(act[TCA_ACT_COOKIE]) == sizeof(NET_TC_COOKIE) - 1 &&
		    memcmp(net_attr_body(act[TCA_ACT_COOKIE]), NET_TC_COOKIE,
			   sizeof(NET_TC_COOKIE) - 1) == 0)
			*ours = true;
	}
	return 0;
}

static int parse_filter(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[TCA_OPTIONS + 1], *options[TCA_U32_ACT + 1];
	const struct tcmsg *head = net_head(m, sizeof(*head), tb, TCA_OPTIONS);
	struct net_link *l;
	bool ours = false;
	int rc = 0;

	if (!head)
		return -EBADMSG;
	l = find_link(s, head->tcm_ifindex);
	if (!l || net_nested(tb[TCA_OPTIONS], options, TCA_U32_ACT) < 0)
		return l ? -EBADMSG : 0;
	if (net_attr_is(tb[TCA_KIND], "bpf"))
		rc = parse_actions(options[TCA_BPF_ACT], &ours);
	else if (net_attr_is(tb[TCA_KIND], "u32"))
		rc = parse_actions(options[TCA_U32_ACT], &ours);
	l->plumbed |= ours;
	return rc;
}

/* ---- messages ----------------------------------------------------------------------------- */

int net_parse_message(struct net_survey *s, const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
		return parse_link(s, m);
	case RTM_NEWADDR:
		return parse_addr(s, m);
	case RTM_NEWROUTE:
		return parse_route(s, m);
	case RTM_NEWNEIGH:
		return parse_neigh(s, m);
	case RTM_NEWRULE:
		return parse_rule(s, m);
	case RTM_NEWQDISC:
		return parse_qdisc(s, m);
	case RTM_NEWTFILTER:
		return parse_filter(s, m);
	}
	return 0;
}

int net_parse_buffer(struct net_survey *s, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		const struct nlmsghdr *m = (const void *)at;
		size_t step;
		int rc;

		if (len < sizeof(*m) || m->nlmsg_len < sizeof(*m) || m->nlmsg_len > len)
			return -EBADMSG;
		rc = net_parse_message(s, m);
		if (rc < 0)
			return rc;
		step = NLMSG_ALIGN(m->nlmsg_len);
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
	return 0;
}

/* Is @n what a default route on its link goes through? */
static bool is_gateway(const struct net_survey *s, const struct gcfg_neigh *n)
{
	for (size_t i = 0; i < s->nr_routes; i++) {
		const struct net_route *r = &s->routes[i];

		for (size_t h = 0; r->route.dst_prefix == 0 && h < r->route.nr_hops; h++)
			if (r->hops[h].link == n->link && r->hops[h].gateway_family == n->family &&
			    memcmp(r->hops[h].gateway, n->addr, sizeof(n->addr)) == 0)
				return true;
	}
	return false;
}

void net_parse_finish(struct net_survey *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nr_neighs; i++) {
		struct net_neigh *n = &s->neighs[i];

		if (n->proxy || (n->neigh.state & NUD_PERMANENT) || is_gateway(s, &n->neigh))
			s->neighs[kept++] = *n;
		else
			free(n->raw.data);
	}
	s->nr_neighs = kept;
}
