/* SPDX-License-Identifier: GPL-2.0-only */
/* Other guests in the namespace, by the records of their containers. */
#include <errno.h>
#include <net/if.h>

#include "net/link.h"
#include "net/net.h"
#include "net/record.h"

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

static bool has_same_link(const struct net_survey *a, const struct net_survey *b)
{
	for (size_t i = 0; i < a->nr_links; i++)
		for (size_t k = 0; k < b->nr_links; k++)
			if (a->links[i].index == b->links[k].index)
				return true;
	return false;
}

static enum net_meeting meeting(const struct net_record *own, const struct net_record *other)
{
	if (shares(own, &other->was) && shares(other, &own->was))
		return NET_MEETING_SHARED;
	/* An interface that one has for itself is not taken: so it was free when the other came. */
	if (net_survey_is_same(&other->was, &own->was) &&
	    other->was.boottime_ms > own->was.boottime_ms && has_same_link(&own->was, &other->was))
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
