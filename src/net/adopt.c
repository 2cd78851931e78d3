/* SPDX-License-Identifier: GPL-2.0-only */
/* Other guests in the namespace, by the records of their containers. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "net/link.h"
#include "net/net.h"
#include "net/record.h"
#include "net/replay.h"

/* What the first guest has changed at an interface that it shares, unchanged. */
static void adopt_link(struct net_survey *s, const struct net_link *was)
{
	for (size_t i = 0; i < s->nr_links; i++) {
		struct net_link *l = &s->links[i];

		if (l->index != was->index || l->type != was->type)
			continue;
		l->shared = true;
		l->plumbed = false;
		l->clsact = was->clsact;
		if (net_link_txqlen_lost(was->txqlen, l->txqlen))
			l->txqlen = was->txqlen;
		l->flags = (l->flags & ~(uint32_t)IFF_ALLMULTI) | (was->flags & IFF_ALLMULTI);
		if (l->ipv6 && was->ipv6)
			l->accept_dad = was->accept_dad;
	}
}

static int adopt(struct net_survey *s, const struct net_record *r)
{
	int rc = net_forward_adopt(r->loopback, &s->loopback);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->was.nr_links; i++)
		adopt_link(s, &r->was.links[i]);
	s->guests.numbers |= UINT32_C(1) << r->number;
	/* Who came when the range was too small to be divided knows nothing of it. */
	if (r->split) {
		s->guests.split = true;
		s->guests.was = r->range;
	}
	return 0;
}

/* They meet at the loopback: a guest without it shares its interfaces with no other guest. */
static bool shares(const struct net_record *r, const struct net_survey *s)
{
	return r->shared && r->loopback && net_survey_is_same(s, &r->was);
}

int net_survey_adopt(struct net_survey *s, const char *record, struct err *e)
{
	struct net_record r;
	int rc = net_record_read(record, &r, e);

	if (rc < 0)
		return rc;
	if (shares(&r, s)) {
		rc = adopt(s, &r);
		if (rc < 0)
			err_say(e, rc, "the loopback's record is none");
	}
	net_record_free(&r);
	return rc;
}

static bool is_link_as_before(const struct net_link *was, const struct net_survey *later)
{
	const struct net_link *l = net_survey_link(later, was->index);

	return l && l->type == was->type && memcmp(l->mac, was->mac, sizeof(l->mac)) == 0 &&
	       l->mtu == was->mtu && l->txqlen == was->txqlen && l->flags == was->flags &&
	       l->disable_ipv6 == was->disable_ipv6 && l->accept_dad == was->accept_dad &&
	       l->clsact == was->clsact;
}

/*
 * Would a restore of @was have had nothing to do when @later was looked at? What ends by itself, or
 * comes from a router, may have gone meanwhile.
 */
static bool is_as_before(const struct net_survey *was, const struct net_survey *later)
{
	bool same = was->nr_links > 0;

	for (size_t i = 0; same && i < was->nr_links; i++)
		same = is_link_as_before(&was->links[i], later);
	for (size_t i = 0; same && i < was->nr_addrs; i++)
		same = was->addrs[i].addr.valid_lft != UINT32_MAX ||
		       net_replay_has_addr(later, &was->addrs[i]);
	for (size_t i = 0; same && i < was->nr_routes; i++)
		same = was->routes[i].route.lifetime ||
		       was->routes[i].route.protocol == RTPROT_RA ||
		       net_replay_has_route(later, &was->routes[i]);
	return same;
}

static enum net_meeting meeting(const struct net_record *own, const struct net_record *other)
{
	if (shares(own, &other->was) && shares(other, &own->was))
		return NET_MEETING_SHARED;
	if (!own->shared && net_survey_is_same(&other->was, &own->was) &&
	    other->was.boottime_ms > own->was.boottime_ms && is_as_before(&own->was, &other->was))
		return NET_MEETING_OVER;
	return NET_MEETING_NONE;
}

enum net_meeting net_record_meeting(const char *own, const char *other)
{
	enum net_meeting found = NET_MEETING_NONE;
	struct net_record one, two;
	struct err e = ERR_INIT;

	if (net_record_read(own, &one, &e) < 0)
		return found;
	if (net_record_read(other, &two, &e) == 0) {
		found = meeting(&one, &two);
		net_record_free(&two);
	}
	net_record_free(&one);
	return found;
}
