/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restore: make the namespace what its record says.
 *
 * Nothing here depends on how far an apply or a restore has come: each step compares what is there
 * with what was there and changes only the difference. The order keeps the interface silent until
 * it is itself again: our links and filters go first, then the MAC comes back (IPv6 still
 * disabled, no IPv4 address), then IPv6 and the addresses, then routes, then neighbours.
 *
 * A step that fails does not keep the others from being tried; all failures are reported.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "net/link.h"
#include "net/ports.h"
#include "net/replay.h"
#include "net/restore_parts.h"
#include "net/sysctl.h"
#include "net/tc.h"

bool net_restore_is_gone(uint32_t link)
{
	char name[IF_NAMESIZE];

	return link && !if_indextoname(link, name) && errno == ENXIO;
}

void net_restore_note(struct net_restorer *r, uint32_t link, int rc, const struct err *why,
		      const char *format, ...)
{
	size_t told = strlen(r->e->text);
	struct err what = ERR_INIT;
	va_list ap;

	if (rc >= 0 || net_restore_is_gone(link))
		return;
	va_start(ap, format);
	vsnprintf(what.text, sizeof(what.text), format, ap);
	va_end(ap);
	if (r->failures++ == 0) {
		r->rc = rc;
		told = 0;
	}
	snprintf(r->e->text + told, sizeof(r->e->text) - told, "%s%s: %s", told ? "; " : "",
		 what.text, why->text);
}

bool net_restore_look(struct net_restorer *r)
{
	struct err e = ERR_INIT;
	int rc;

	net_survey_free(&r->now);
	rc = net_survey(&r->now, &e);
	net_restore_note(r, 0, rc, &e, "the rest of it");
	return rc == 0;
}

/*
 * The recorded link as it is now; NULL if it is gone, or if its index belongs to another kind
 * now.
 */
static const struct net_link *current(const struct net_restorer *r, const struct net_link *was)
{
	const struct net_link *l = net_survey_link(&r->now, was->index);

	return l && l->type == was->type && strcmp(l->kind, was->kind) == 0 ? l : NULL;
}

bool net_restore_is_recorded(const struct net_restorer *r, uint32_t link)
{
	for (size_t i = 0; i < r->record.was.nr_links; i++)
		if ((uint32_t)r->record.was.links[i].index == link)
			return current(r, &r->record.was.links[i]) != NULL;
	return false;
}

/* ---- our links and filters ---------------------------------------------------------------- */

/* The name was free when it was chosen, so a link of that name and kind is ours. */
static void remove_link(struct net_restorer *r, const char *name, const char *kind)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; name[0] && i < r->now.nr_links; i++) {
		const struct net_link *l = &r->now.links[i];

		if (strcmp(l->name, name) == 0 && strcmp(l->kind, kind) == 0)
			net_restore_note(r, (uint32_t)l->index,
					 net_link_delete(&r->nl, l->index, &e), &e,
					 "link '%s', to be deleted", name);
	}
}

static void remove_plumbing(struct net_restorer *r, const struct net_link *was,
			    const struct net_port *p)
{
	const uint32_t link = (uint32_t)was->index;
	const struct net_link *l = current(r, was);
	struct err e = ERR_INIT;

	if (r->others && l && l->clsact)
		net_restore_note(r, link,
				 net_tc_ours_remove(&r->nl, l->index, r->record.number,
						    r->record.alone, &e),
				 &e, "filters of '%s', to be removed", l->name);
	else if (l && l->clsact && !was->clsact)
		net_restore_note(r, link, net_tc_clsact_remove(&r->nl, l->index, &e), &e,
				 "qdisc clsact of '%s', to be removed", l->name);
	else if (l && l->clsact)
		net_restore_note(r, link, net_tc_ours_remove(&r->nl, l->index, 0, true, &e), &e,
				 "filters of '%s', to be removed", l->name);
	/* It went with the guest's process, and another one's may have its name by now. */
	if (r->others)
		return;
	remove_link(r, p->bridge, "bridge");
	remove_link(r, p->tap, p->mode == NET_MODE_MACVTAP ? "macvtap" : "tun");
}

/* ---- the link itself ---------------------------------------------------------------------- */

static void restore_txqlen(struct net_restorer *r, const struct net_link *l,
			   const struct net_link *was)
{
	struct err e = ERR_INIT;

	net_restore_note(r, (uint32_t)was->index,
			 net_link_txqlen(&r->nl, l->index, was->txqlen, &e), &e,
			 "queue length of '%s'", l->name);
}

static void restore_itself(struct net_restorer *r, const struct net_link *l,
			   const struct net_link *was)
{
	const uint32_t link = (uint32_t)was->index;
	struct err e = ERR_INIT;

	if (memcmp(l->mac, was->mac, sizeof(l->mac)) != 0)
		net_restore_note(r, link, net_link_mac(&r->nl, l->index, was->mac, &e), &e,
				 "MAC of '%s'", l->name);
	if (l->mtu != was->mtu)
		net_restore_note(r, link, net_link_mtu(&r->nl, l->index, was->mtu, &e), &e,
				 "MTU of '%s'", l->name);
	if (l->txqlen != was->txqlen)
		restore_txqlen(r, l, was);
}

/* What the namespace shares, its own programs may have changed meanwhile. */
static void restore_link(struct net_restorer *r, const struct net_link *was)
{
	const uint32_t mask = r->record.shared ? IFF_ALLMULTI :
		IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP;
	const uint32_t link = (uint32_t)was->index;
	const struct net_link *l = current(r, was);
	struct err e = ERR_INIT;

	if (!l)
		return;
	if (!r->record.shared)
		restore_itself(r, l, was);
	else if (net_link_txqlen_lost(was->txqlen, l->txqlen))
		restore_txqlen(r, l, was);
	if ((l->flags ^ was->flags) & mask)
		net_restore_note(r, link,
				 net_link_flags(&r->nl, l->index, was->flags, mask, &e), &e,
				 "flags of '%s'", l->name);
}

/* ---- addresses ---------------------------------------------------------------------------- */

/* The next address of @link and @family in @s from *@i on, or NULL; *@i is moved behind it. */
static const struct net_addr *next_addr(const struct net_survey *s, int link, uint8_t family,
					size_t *i)
{
	while (*i < s->nr_addrs) {
		const struct net_addr *a = &s->addrs[(*i)++];

		if (a->addr.link == (uint32_t)link && a->addr.family == family)
			return a;
	}
	return NULL;
}

/* Same addresses in the same order? For IPv4 the order says which are primary. */
static bool same_addrs(const struct net_restorer *r, int link, uint8_t family)
{
	size_t i = 0, j = 0;

	for (;;) {
		const struct net_addr *a = next_addr(&r->record.was, link, family, &i);
		const struct net_addr *b = next_addr(&r->now, link, family, &j);

		if (!a || !b)
			return a == b;
		if (!net_replay_same_addr(a, b))
			return false;
	}
}

static void note_addr(struct net_restorer *r, int rc, const struct err *why,
		      const struct net_addr *a, const char *name, const char *end)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(a->addr.family, a->addr.local, text, sizeof(text));
	net_restore_note(r, a->addr.link, rc, why, "address %s/%u of '%s'%s", text,
			 a->addr.prefix, name, end);
}

static void remove_addr(struct net_restorer *r, const struct net_addr *a, const char *name)
{
	struct err e = ERR_INIT;

	note_addr(r, net_replay_addr_remove(&r->nl, a, &e), &e, a, name, ", to be removed");
}

static void add_addr(struct net_restorer *r, const struct net_addr *a, const char *name)
{
	struct err e = ERR_INIT;

	note_addr(r, net_replay_addr(&r->nl, a, r->elapsed, &e), &e, a, name, "");
}

static void restore_ipv4(struct net_restorer *r, const struct net_link *was)
{
	const struct net_addr *a;

	if (!current(r, was) || same_addrs(r, was->index, AF_INET))
		return;
	for (size_t i = r->now.nr_addrs; i-- > 0;) {
		a = &r->now.addrs[i];
		if (a->addr.family == AF_INET && a->addr.link == (uint32_t)was->index)
			remove_addr(r, a, was->name);
	}
	for (size_t i = 0; (a = next_addr(&r->record.was, was->index, AF_INET, &i));)
		add_addr(r, a, was->name);
}

static void restore_ipv6(struct net_restorer *r, const struct net_link *was)
{
	const struct net_addr *a;

	if (!current(r, was) || !was->ipv6 || was->disable_ipv6 != 0)
		return;
	for (size_t i = 0; (a = next_addr(&r->now, was->index, AF_INET6, &i));)
		if (!net_replay_has_addr(&r->record.was, a))
			remove_addr(r, a, was->name);
	/* The kernel puts a new one before the others of its scope: the last one first. */
	for (size_t i = r->record.was.nr_addrs; i-- > 0;) {
		a = &r->record.was.addrs[i];
		if (a->addr.family == AF_INET6 && a->addr.link == (uint32_t)was->index &&
		    !net_replay_has_addr(&r->now, a))
			add_addr(r, a, was->name);
	}
}

/* ---- IPv6 settings ------------------------------------------------------------------------ */

static void set_ipv6(struct net_restorer *r, const struct net_link *l, const char *key,
		     int32_t value)
{
	struct err e = ERR_INIT;

	net_restore_note(r, (uint32_t)l->index, net_sysctl_ipv6(l->name, key, value, &e), &e,
			 "net.ipv6.conf.%s.%s", l->name, key);
}

/*
 * Allow IPv6 again. The addresses were this interface's before: they need not be tentative for a
 * second again, during which the next container would find no usable address.
 */
static void enable_ipv6(struct net_restorer *r, const struct net_link *was)
{
	const struct net_link *l = current(r, was);

	if (!l || !l->ipv6 || !was->ipv6)
		return;
	if (was->disable_ipv6 == 0 &&
	    (l->disable_ipv6 != 0 || !same_addrs(r, was->index, AF_INET6)))
		set_ipv6(r, l, "accept_dad", 0);
	if (l->disable_ipv6 != was->disable_ipv6)
		set_ipv6(r, l, "disable_ipv6", was->disable_ipv6);
}

static void restore_dad(struct net_restorer *r)
{
	for (size_t i = 0; i < r->record.was.nr_links; i++) {
		const struct net_link *was = &r->record.was.links[i], *l = current(r, was);

		if (l && l->ipv6 && was->ipv6 && l->accept_dad != was->accept_dad)
			set_ipv6(r, l, "accept_dad", was->accept_dad);
	}
}

static bool is_tentative(const struct net_restorer *r)
{
	for (size_t i = 0; i < r->now.nr_addrs; i++) {
		const struct gcfg_addr *a = &r->now.addrs[i].addr;
		const struct net_link *l = net_survey_link(&r->now, (int)a->link);

		if ((a->flags & IFA_F_TENTATIVE) && net_restore_is_recorded(r, a->link) && l &&
		    l->carrier)
			return true;
	}
	return false;
}

/*
 * The kernel ends the detection of duplicates in the background, also when there is none to be
 * done; until then accept_dad must stay 0, and a route with such an address as its source is
 * refused ("Invalid source address"); CNI's plugin ptp makes such routes. With
 * net.ipv6.conf.all.accept_dad it is done after all: not worth waiting for. Returns false if what
 * is there now could not be read.
 */
static bool settle_ipv6(struct net_restorer *r)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	bool seen = net_restore_look(r);

	for (int i = 0; i < 100 && seen && is_tentative(r); i++) {
		nanosleep(&pause, NULL);
		seen = net_restore_look(r);
	}
	restore_dad(r);
	return seen;
}

/* ---- neighbours --------------------------------------------------------------------------- */

static bool has_neigh(const struct net_survey *s, const struct net_neigh *n)
{
	for (size_t i = 0; i < s->nr_neighs; i++) {
		const struct net_neigh *other = &s->neighs[i];

		if (other->proxy == n->proxy && other->neigh.link == n->neigh.link &&
		    other->neigh.family == n->neigh.family &&
		    other->neigh.state == n->neigh.state &&
		    memcmp(other->neigh.addr, n->neigh.addr, sizeof(n->neigh.addr)) == 0 &&
		    memcmp(other->neigh.mac, n->neigh.mac, sizeof(n->neigh.mac)) == 0)
			return true;
	}
	return false;
}

static void note_neigh(struct net_restorer *r, int rc, const struct err *why,
		       const struct net_neigh *n)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(n->neigh.family, n->neigh.addr, text, sizeof(text));
	net_restore_note(r, n->neigh.link, rc, why, "%s %s of '%s'",
			 n->proxy ? "proxy entry" : "neighbour", text,
			 net_survey_link(&r->now, (int)n->neigh.link)->name);
}

static void restore_neighs(struct net_restorer *r)
{
	const struct net_survey *was = &r->record.was;

	for (size_t i = 0; i < was->nr_neighs; i++) {
		struct err e = ERR_INIT;
		const struct net_neigh *n = &was->neighs[i];

		if (net_restore_is_recorded(r, n->neigh.link) && !has_neigh(&r->now, n))
			note_neigh(r, net_replay_neigh(&r->nl, n, &e), &e, n);
	}
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void each_link(struct net_restorer *r,
		      void (*step)(struct net_restorer *, const struct net_link *))
{
	for (size_t i = 0; i < r->record.was.nr_links; i++)
		step(r, &r->record.was.links[i]);
}

/* Drop addresses whose time was up before this restore: nobody misses them. */
static void forget_expired(struct net_restorer *r)
{
	struct net_survey *was = &r->record.was;
	size_t kept = 0;

	r->elapsed = r->now.boottime_ms <= was->boottime_ms ?
		0 : (uint32_t)((r->now.boottime_ms - was->boottime_ms) / 1000);
	for (size_t i = 0; i < was->nr_addrs; i++)
		if (was->addrs[i].addr.valid_lft > r->elapsed)
			was->addrs[kept++] = was->addrs[i];
		else
			free(was->addrs[i].raw.data);
	was->nr_addrs = kept;
}

/* The addresses never went; what is there now is the namespace's own affair. */
static void restore_shared(struct net_restorer *r)
{
	struct err e = ERR_INIT;

	restore_dad(r);
	if (r->record.split)
		net_restore_note(r, 0, net_share_set(r->record.range, &e), &e,
				 "net.ipv4.ip_local_port_range");
}

/*
 * Is what is there under this guest's number a living one's? Then this one's record was written
 * and never carried out, or was restored before, and the number is another's since.
 */
static bool is_anothers(struct net_restorer *r)
{
	struct err e = ERR_INIT;
	int lo, rc;

	if (!r->others || json_unpack(r->record.loopback, "{si}", "index", &lo) < 0)
		return false;
	rc = net_ports_alive(&r->nl, lo, r->record.number, &e);
	net_restore_note(r, 0, rc, &e, "'lo'");
	return rc > 0;
}

static void restore_all(struct net_restorer *r)
{
	struct err e = ERR_INIT;

	if (is_anothers(r))
		return;
	forget_expired(r);
	/* First of all: it has addresses that the interfaces get back. */
	if (r->record.loopback)
		net_restore_note(r, 0,
				 net_forward_restore(&r->nl, r->record.loopback, r->record.number,
						     r->others, &e),
				 &e, "'lo'");
	for (size_t i = 0; i < r->record.was.nr_links; i++)
		remove_plumbing(r, &r->record.was.links[i], &r->record.ports[i]);
	if (r->others || !net_restore_look(r))
		return;
	each_link(r, restore_link);
	if (r->record.shared) {
		restore_shared(r);
		return;
	}
	each_link(r, enable_ipv6);
	if (!net_restore_look(r))
		return;
	each_link(r, restore_ipv4);
	each_link(r, restore_ipv6);
	if (!settle_ipv6(r))
		return;
	if (net_restore_routes(r))
		restore_neighs(r);
}

int net_restore(const char *record, bool others, struct err *e)
{
	struct net_restorer r = { .e = e, .others = others };
	int rc = net_record_read(record, &r.record, e);

	if (rc < 0)
		return rc;
	if ((r.record.was.nr_links > 0 || r.record.loopback) && net_restore_look(&r)) {
		/* Another namespace: the recorded one is gone, and all that was in it. */
		if (net_survey_is_same(&r.now, &r.record.was)) {
			rc = net_nl_open(&r.nl, e);
			if (rc == 0)
				restore_all(&r);
			else
				r.rc = rc;
		}
	}
	net_nl_close(&r.nl);
	net_survey_free(&r.now);
	net_record_free(&r.record);
	return r.rc;
}
