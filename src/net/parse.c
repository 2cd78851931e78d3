/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink replies as untrusted bytes: links, addresses, neighbours. Routes are in parse_route.c,
 * rules and filters in parse_policy.c.
 *
 * Lengths are checked in net/attr.c only; nothing here looks at message bytes.
 */
#include "net/parse.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "net/attr.h"
#include "net/parse_parts.h"

/* ---- growing lists ------------------------------------------------------------------------ */

void *net_parse_grow(void **list, size_t nr, size_t size, int *rc)
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

int net_parse_keep(const struct nlmsghdr *m, struct net_raw *raw)
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
	memcpy(&l->forwarding6, conf + DEVCONF_FORWARDING * sizeof(int32_t), sizeof(int32_t));
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
	const struct nlattr *tb[IFLA_LINK_NETNSID + 1], *info[IFLA_INFO_KIND + 1];
	struct net_link l = { .index = 0 }, *slot;
	const struct ifinfomsg *head = net_head(m, sizeof(*head), tb, IFLA_LINK_NETNSID);
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
	    net_attr_get(tb[IFLA_LINK], &l.lower, sizeof(l.lower)) < 0 ||
	    net_attr_get(tb[IFLA_CARRIER], &carrier, sizeof(carrier)) < 0 ||
	    net_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_KIND) < 0 ||
	    net_attr_string(info[IFLA_INFO_KIND], l.kind, sizeof(l.kind)) < 0 ||
	    parse_inet6_conf(tb[IFLA_AF_SPEC], &l) < 0)
		return -EBADMSG;
	l.carrier = carrier == 1;
	/* In another namespace, where the index means another link. */
	if (tb[IFLA_LINK_NETNSID])
		l.lower = 0;
	if (tb[IFLA_ADDRESS] && net_attr_len(tb[IFLA_ADDRESS]) == sizeof(l.mac)) {
		memcpy(l.mac, net_attr_body(tb[IFLA_ADDRESS]), sizeof(l.mac));
		l.has_mac = true;
	}

	slot = net_parse_grow((void **)&s->links, s->nr_links, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	*slot = l;
	s->nr_links++;
	return 0;
}

struct net_link *net_parse_link(struct net_survey *s, int index)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static int parse_addr(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[IFA_RT_PRIORITY + 1];
	const struct ifaddrmsg *head = net_head(m, sizeof(*head), tb, IFA_RT_PRIORITY);
	struct ifa_cacheinfo life = { .ifa_valid = UINT32_MAX, .ifa_prefered = UINT32_MAX };
	struct gcfg_addr a = { .link = 0 };
	struct net_addr *slot;
	size_t len;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!net_parse_is_inet(head->ifa_family))
		return 0;
	len = net_parse_address_len(head->ifa_family);
	/* The kernel leaves out a peer of 0.0.0.0, but not the address itself. */
	if (head->ifa_prefixlen > len * 8 ||
	    (!tb[IFA_ADDRESS] && (head->ifa_family != AF_INET || !tb[IFA_LOCAL])))
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
	    net_attr_get(tb[IFA_BROADCAST], a.broadcast, len) < 0 ||
	    net_attr_get(tb[IFA_RT_PRIORITY], &a.metric, sizeof(a.metric)) < 0)
		return -EBADMSG;
	a.valid_lft = life.ifa_valid;
	a.preferred_lft = life.ifa_prefered;

	slot = net_parse_grow((void **)&s->addrs, s->nr_addrs, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	slot->addr = a;
	rc = net_parse_keep(m, &slot->raw);
	if (rc == 0)
		s->nr_addrs++;
	return rc;
}

/* ---- neighbours --------------------------------------------------- */

static int parse_neigh(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NDA_LLADDR + 1];
	const struct ndmsg *head = net_head(m, sizeof(*head), tb, NDA_LLADDR);
	struct gcfg_neigh n = { .link = 0 };
	struct net_neigh *slot;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!net_parse_is_inet(head->ndm_family))
		return 0;
	if (!tb[NDA_DST] || head->ndm_ifindex < 0 ||
	    net_attr_get(tb[NDA_DST], n.addr, net_parse_address_len(head->ndm_family)) < 0)
		return -EBADMSG;
	n.link = (uint32_t)head->ndm_ifindex;
	n.family = head->ndm_family;
	n.state = head->ndm_state;
	if (tb[NDA_LLADDR] && net_attr_len(tb[NDA_LLADDR]) == sizeof(n.mac))
		memcpy(n.mac, net_attr_body(tb[NDA_LLADDR]), sizeof(n.mac));

	slot = net_parse_grow((void **)&s->neighs, s->nr_neighs, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	slot->neigh = n;
	slot->proxy = head->ndm_flags & NTF_PROXY;
	rc = net_parse_keep(m, &slot->raw);
	if (rc == 0)
		s->nr_neighs++;
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
		return net_parse_route(s, m);
	case RTM_NEWNEIGH:
		return parse_neigh(s, m);
	case RTM_NEWRULE:
		return net_parse_rule(s, m);
	case RTM_NEWQDISC:
		return net_parse_qdisc(s, m);
	case RTM_NEWTFILTER:
		return net_parse_filter(s, m);
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
