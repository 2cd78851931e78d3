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
	s->guests.split = r->split;
	s->guests.was = r->range;
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

bool net_record_meets(const char *a, const char *b)
{
	struct net_record one, other;
	struct err e = ERR_INIT;
	bool meets = false;

	if (net_record_read(a, &one, &e) < 0)
		return false;
	if (net_record_read(b, &other, &e) == 0) {
		meets = shares(&one, &other.was) && shares(&other, &one.was);
		net_record_free(&other);
	}
	net_record_free(&one);
	return meets;
}
