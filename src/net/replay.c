/* SPDX-License-Identifier: GPL-2.0-only */
/* Give a surveyed object back to the kernel, or take it away. */
#include "net/replay.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define REPLAY_USER_HZ 100		/* the unit of rta_expires, on every architecture */
#define REPLAY_HOP_FLAGS (RTNH_F_PERVASIVE | RTNH_F_ONLINK)
/* What may be asked for; the other IFA_F_* are the kernel's to set. */
#define REPLAY_ADDR_FLAGS (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | \
			   IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

/*
 * A copy of @raw's message with its header of @size bytes, without attributes, and room for @more
 * bytes of new ones; NULL: no memory. @raw passed net/parse.c, so its lengths are sound.
 */
static struct nlmsghdr *replay_begin(const struct net_raw *raw, uint16_t type, size_t size,
				     size_t more)
{
	struct nlmsghdr *m = calloc(1, raw->len + more + NLMSG_ALIGNTO);

	if (!m)
		return NULL;
	memcpy(m, raw->data, NLMSG_HDRLEN + size);
	m->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(size));
	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST;
	m->nlmsg_seq = 0;
	m->nlmsg_pid = 0;
	return m;
}

static void replay_put(struct nlmsghdr *m, const struct nlattr *attr)
{
	mnl_attr_put(m, attr->nla_type, mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr));
}

static int replay_no_memory(struct err *e)
{
	return err_say(e, -ENOMEM, "%s", strerror(ENOMEM));
}

/* ---- addresses ---------------------------------------------------------------------------- */

static uint32_t replay_life(uint32_t seconds, uint32_t elapsed)
{
	if (seconds == UINT32_MAX)
		return seconds;
	return seconds > elapsed ? seconds - elapsed : 0;
}

static struct nlmsghdr *replay_addr(const struct net_addr *a, uint16_t type, uint32_t elapsed)
{
	struct nlmsghdr *m = replay_begin(&a->raw, type, sizeof(struct ifaddrmsg),
					  3 * NLA_HDRLEN + 2 * sizeof(uint32_t) +
					  sizeof(struct ifa_cacheinfo));
	struct ifa_cacheinfo life = {
		.ifa_valid = replay_life(a->addr.valid_lft, elapsed),
		.ifa_prefered = replay_life(a->addr.preferred_lft, elapsed),
	};
	static const uint8_t none[16];
	uint32_t flags = a->addr.flags & REPLAY_ADDR_FLAGS;
	struct ifaddrmsg *head;
	struct nlattr *attr;

	if (!m)
		return NULL;
	head = mnl_nlmsg_get_payload(m);
	head->ifa_flags = (uint8_t)flags;
	mnl_attr_for_each(attr, (const struct nlmsghdr *)a->raw.data, sizeof(*head))
		if (attr->nla_type != IFA_CACHEINFO && attr->nla_type != IFA_FLAGS)
			replay_put(m, attr);
	/* Without one the kernel would take the address for its own peer. */
	if (a->addr.family == AF_INET && memcmp(a->addr.peer, none, sizeof(none)) == 0)
		mnl_attr_put(m, IFA_ADDRESS, 4, none);
	mnl_attr_put_u32(m, IFA_FLAGS, flags);
	if (type == RTM_NEWADDR)
		mnl_attr_put(m, IFA_CACHEINFO, sizeof(life), &life);
	return m;
}

int net_replay_addr(struct net_nl *nl, const struct net_addr *a, uint32_t elapsed, struct err *e)
{
	_autofree_ struct nlmsghdr *m = NULL;
	int rc;

	if (replay_life(a->addr.valid_lft, elapsed) == 0)
		return 0;
	m = replay_addr(a, RTM_NEWADDR, elapsed);
	if (!m)
		return replay_no_memory(e);
	m->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	rc = net_nl_change(nl, m, e);
	return rc == -EEXIST ? 0 : rc;
}

int net_replay_addr_remove(struct net_nl *nl, const struct net_addr *a, struct err *e)
{
	_autofree_ struct nlmsghdr *m = replay_addr(a, RTM_DELADDR, 0);
	int rc;

	if (!m)
		return replay_no_memory(e);
	rc = net_nl_change(nl, m, e);
	/* A secondary address goes with its primary one. */
	return rc == -EADDRNOTAVAIL || rc == -ENODEV ? 0 : rc;
}

static bool replay_same(const struct nlmsghdr *a, const struct nlmsghdr *b)
{
	return a && b && a->nlmsg_len == b->nlmsg_len && memcmp(a, b, a->nlmsg_len) == 0;
}

bool net_replay_same_addr(const struct net_addr *a, const struct net_addr *b)
{
	/* Messages that take away carry no lifetimes. */
	_autofree_ struct nlmsghdr *ma = replay_addr(a, RTM_DELADDR, 0);
	_autofree_ struct nlmsghdr *mb = replay_addr(b, RTM_DELADDR, 0);

	return replay_same(ma, mb);
}

bool net_replay_has_addr(const struct net_survey *s, const struct net_addr *a)
{
	for (size_t i = 0; i < s->nr_addrs; i++)
		if (net_replay_same_addr(&s->addrs[i], a))
			return true;
	return false;
}

/* ---- routes ------------------------------------------------------------------------------- */

static void replay_multipath(struct nlmsghdr *m, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);
	char *at = (char *)mnl_nlmsg_get_payload_tail(m) + NLA_HDRLEN;

	replay_put(m, attr);
	while (len >= sizeof(struct rtnexthop)) {
		struct rtnexthop nh;
		size_t step;

		memcpy(&nh, at, sizeof(nh));
		step = RTNH_ALIGN(nh.rtnh_len);
		nh.rtnh_flags &= REPLAY_HOP_FLAGS;
		memcpy(at, &nh, sizeof(nh));
		if (step < sizeof(nh) || step >= len)
			break;
		at += step;
		len -= step;
	}
}

/*
 * Only RTA_EXPIRES asks for what RTA_CACHEINFO tells: how long an IPv6 route lives. Returns false
 * if it would be gone by now.
 */
static bool replay_expiry(struct nlmsghdr *m, const struct nlattr *attr, uint32_t elapsed)
{
	struct rta_cacheinfo life;
	uint32_t seconds;

	if (mnl_attr_get_payload_len(attr) < sizeof(life))
		return true;
	memcpy(&life, mnl_attr_get_payload(attr), sizeof(life));
	seconds = (uint32_t)life.rta_expires / REPLAY_USER_HZ;
	if (life.rta_expires <= 0)
		return true;
	if (seconds <= elapsed)
		return false;
	mnl_attr_put_u32(m, RTA_EXPIRES, seconds - elapsed);
	return true;
}

/*
 * With a nexthop object (RTA_NH_ID) the kernel tells its contents as well, but takes only its id.
 */
static bool replay_is_nexthop(uint16_t type)
{
	return type == RTA_OIF || type == RTA_GATEWAY || type == RTA_VIA ||
	       type == RTA_MULTIPATH || type == RTA_ENCAP || type == RTA_ENCAP_TYPE;
}

/* *@alive: false if the route has expired since the survey. */
static struct nlmsghdr *replay_route(const struct net_route *r, uint16_t type, uint32_t elapsed,
				     bool *alive)
{
	struct nlmsghdr *m = replay_begin(&r->raw, type, sizeof(struct rtmsg),
					  NLA_HDRLEN + sizeof(uint32_t));
	const struct nlmsghdr *old = r->raw.data;
	struct nlattr *attr;
	struct rtmsg *head;
	bool by_id = false;

	*alive = true;
	if (!m)
		return NULL;
	head = mnl_nlmsg_get_payload(m);
	head->rtm_flags &= REPLAY_HOP_FLAGS;
	mnl_attr_for_each(attr, old, sizeof(*head))
		by_id |= mnl_attr_get_type(attr) == RTA_NH_ID;
	mnl_attr_for_each(attr, old, sizeof(*head)) {
		uint16_t kind = mnl_attr_get_type(attr);

		if (kind == RTA_CACHEINFO) {
			/* Nothing to say about time when it is taken away. */
			if (type == RTM_NEWROUTE && r->route.family == AF_INET6)
				*alive &= replay_expiry(m, attr, elapsed);
		} else if (by_id && replay_is_nexthop(kind)) {
			continue;
		} else if (kind == RTA_MULTIPATH) {
			replay_multipath(m, attr);
		} else {
			replay_put(m, attr);
		}
	}
	return m;
}

int net_replay_route(struct net_nl *nl, const struct net_route *r, uint32_t elapsed, struct err *e)
{
	bool alive;
	_autofree_ struct nlmsghdr *m = replay_route(r, RTM_NEWROUTE, elapsed, &alive);
	int rc;

	if (!m)
		return replay_no_memory(e);
	if (!alive)
		return 0;
	/* Append: of routes to one place with one metric, the first one listed stays the first. */
	m->nlmsg_flags |= NLM_F_CREATE | NLM_F_APPEND;
	rc = net_nl_change(nl, m, e);
	return rc == -EEXIST ? 0 : rc;
}

int net_replay_route_remove(struct net_nl *nl, const struct net_route *r, struct err *e)
{
	bool alive;
	_autofree_ struct nlmsghdr *m = replay_route(r, RTM_DELROUTE, 0, &alive);
	int rc;

	if (!m)
		return replay_no_memory(e);
	rc = net_nl_change(nl, m, e);
	return rc == -ESRCH || rc == -ENODEV ? 0 : rc;
}

bool net_replay_same_route(const struct net_route *a, const struct net_route *b)
{
	bool alive;
	_autofree_ struct nlmsghdr *ma = replay_route(a, RTM_DELROUTE, 0, &alive);
	_autofree_ struct nlmsghdr *mb = replay_route(b, RTM_DELROUTE, 0, &alive);

	return replay_same(ma, mb);
}

bool net_replay_has_route(const struct net_survey *s, const struct net_route *route)
{
	for (size_t i = 0; i < s->nr_routes; i++)
		if (net_replay_same_route(&s->routes[i], route))
			return true;
	return false;
}

/* ---- neighbours --------------------------------------------------------------------------- */

static int replay_neigh(struct net_nl *nl, const struct net_neigh *n, uint16_t type, uint16_t flags,
			struct err *e)
{
	_autofree_ struct nlmsghdr *m = replay_begin(&n->raw, type, sizeof(struct ndmsg), 0);
	struct nlattr *attr;

	if (!m)
		return replay_no_memory(e);
	m->nlmsg_flags |= flags;
	mnl_attr_for_each(attr, (const struct nlmsghdr *)n->raw.data, sizeof(struct ndmsg)) {
		uint16_t kind = mnl_attr_get_type(attr);

		if (kind != NDA_CACHEINFO && kind != NDA_PROBES)
			replay_put(m, attr);
	}
	return net_nl_change(nl, m, e);
}

int net_replay_neigh(struct net_nl *nl, const struct net_neigh *n, struct err *e)
{
	return replay_neigh(nl, n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, e);
}

int net_replay_neigh_remove(struct net_nl *nl, const struct net_neigh *n, struct err *e)
{
	int rc = replay_neigh(nl, n, RTM_DELNEIGH, 0, e);

	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}
