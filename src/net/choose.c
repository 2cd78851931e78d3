/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which mode an interface gets.
 *
 * The order of mode auto: tc first, as it fits every kind of interface, leaves its MAC alone and
 * needs nothing that others on the interface could be in the way of; then packet, the same without
 * a tap; then macvtap, for kernels without clsact; bridge last, since the interface must change its
 * MAC for it. All are about as fast as one another (docs/network.md).
 */
#include "net/choose.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static bool is_kind(const struct net_link *l, const char *kind)
{
	return strcmp(l->kind, kind) == 0;
}

/* Frames come to it by its MAC: one for another MAC is not delivered, or to a sibling. */
static bool is_mac_bound(const struct net_link *l)
{
	return is_kind(l, "macvlan") || is_kind(l, "ipvlan");
}

bool net_takes_frames(const struct net_link *l)
{
	return is_mac_bound(l) || is_kind(l, "macvtap") || is_kind(l, "ipvtap");
}

static bool is_below(const struct net_survey *s, const struct net_link *l)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].lower == l->index && net_takes_frames(&s->links[i]))
			return true;
	return false;
}

/* ---- one mode ----------------------------------------------------------------------------- */

/* Why the kernel would refuse @mode for @l, or do it elsewhere; NULL if it would not. */
static const char *refusal(const struct net_survey *s, const struct net_link *l,
			   const struct net_request *r, enum net_mode mode)
{
	switch (mode) {
	case NET_MODE_BRIDGE:
		if (is_kind(l, "bridge"))
			return "is a bridge, which cannot be a port of another one";
		if (is_below(s, l))
			return "has a macvlan on it, and cannot be a bridge's port as well";
		return NULL;
	case NET_MODE_MACVTAP:
		if (is_mac_bound(l) || is_kind(l, "macvtap"))
			return "is a macvlan: a macvtap would be put below it, on the host's link";
		if (is_below(s, l))
			return "has a macvlan on it, and a macvtap in mode passthru must be alone";
		return NULL;
	case NET_MODE_PACKET:
		if (r->bare_frames)
			return "would give a guest that knows no virtio headers frames without "
			       "checksums";
		/* A filter for its egress would be put among those of the ingress. */
		if (l->ingress)
			return "has a qdisc 'ingress' of somebody else, and only 'clsact' can "
			       "guard what the guest sends";
		return NULL;
	case NET_MODE_TC:
	case NET_MODE_AUTO:
		break;
	}
	return NULL;
}

/* Why nothing may reach the guest in @mode; NULL if it should. */
static const char *misgiving(const struct net_link *l, enum net_mode mode)
{
	if (mode == NET_MODE_BRIDGE && is_mac_bound(l))
		return "delivers only what is sent to its own MAC";
	if ((mode == NET_MODE_BRIDGE || mode == NET_MODE_MACVTAP) && l->filtered)
		return "has filters of others, which may take frames first";
	return NULL;
}

/* Can this host's kernel do @mode at all? */
static bool is_offered(const struct net_host *h, enum net_mode mode)
{
	switch (mode) {
	case NET_MODE_TC:
		return h->tun && h->clsact;
	case NET_MODE_BRIDGE:
		return h->tun && h->bridge;
	case NET_MODE_MACVTAP:
		return h->macvtap;
	case NET_MODE_PACKET:
		return h->packet && h->clsact;
	case NET_MODE_AUTO:
		break;
	}
	return false;
}

/* ---- the choice --------------------------------------------------------------------------- */

static int choose_auto(const struct net_survey *s, const struct net_link *l,
		       const struct net_request *r, enum net_mode *mode, const char **why,
		       struct err *e)
{
	static const struct {
		enum net_mode mode;
		const char *why;
	} order[] = {
		{ NET_MODE_TC, "fits every kind of interface and leaves its MAC alone" },
		{ NET_MODE_PACKET, "there are no taps here, and tc needs one" },
		{ NET_MODE_MACVTAP, "the kernel has no clsact, which tc and packet need" },
		{ NET_MODE_BRIDGE,
		  "the kernel has neither clsact nor a macvtap for this interface" },
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (is_offered(&r->host, order[i].mode) && !refusal(s, l, r, order[i].mode) &&
		    !misgiving(l, order[i].mode)) {
			*mode = order[i].mode;
			*why = order[i].why;
			return 0;
		}
	return err_say(e, -EOPNOTSUPP, "interface '%s': mode auto: neither tc, packet, macvtap nor "
		       "bridge works here (taps: %s, clsact: %s, macvtap: %s, packet sockets with "
		       "virtio headers: %s)", l->name, r->host.tun ? "yes" : "no",
		       r->host.clsact ? "yes" : "no", r->host.macvtap ? "yes" : "no",
		       r->host.packet ? "yes" : "no");
}

int net_choose(const struct net_survey *s, const struct net_link *l, const struct net_request *r,
	       enum net_mode *mode, const char **why, const char **doubt, struct err *e)
{
	const char *reason;

	*why = NULL;
	*doubt = NULL;
	if (is_kind(l, "ipvlan") && !r->shared)
		*doubt = "delivers only what is for the addresses that the namespace has there";
	if (r->mode == NET_MODE_AUTO)
		return choose_auto(s, l, r, mode, why, e);
	reason = refusal(s, l, r, r->mode);
	if (reason)
		return err_say(e, -EOPNOTSUPP, "interface '%s': mode %s: %s; use mode tc or auto",
			       l->name, net_mode_name(r->mode), reason);
	*mode = r->mode;
	if (!*doubt)
		*doubt = misgiving(l, r->mode);
	return 0;
}

/* ---- who has it --------------------------------------------------------------------------- */

static bool starts_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static const struct net_link *port_of_kind(const struct net_survey *s, int master, const char *kind)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].master == master && is_kind(&s->links[i], kind))
			return &s->links[i];
	return NULL;
}

/* By the names that net_plan() gives, or a filter with our mark. */
static bool is_ours(const struct net_survey *s, const struct net_link *l,
		    const struct net_link *master)
{
	if (l->plumbed || (master && starts_with(master->name, "rncb")))
		return true;
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].lower == l->index && is_kind(&s->links[i], "macvtap") &&
		    starts_with(s->links[i].name, "rncm"))
			return true;
	return false;
}

bool net_taken(const struct net_survey *s, const struct net_link *l, bool shared,
	       char text[NET_TAKEN_TEXT])
{
	const struct net_link *master = l->master ? net_survey_link(s, l->master) : NULL;
	const struct net_link *to = l->redirected ? net_survey_link(s, l->redirected) : NULL;
	const struct net_link *tap = master && is_kind(master, "bridge") ?
		port_of_kind(s, master->index, "tun") : NULL;

	if (l->shared && !shared) {
		snprintf(text, NET_TAKEN_TEXT, "is shared by the guest of another container, and "
			 "is not to be had for this one alone (org.runnc.net.sidecars=keep, in "
			 "mode tc, shares it)");
		return true;
	}
	if (is_ours(s, l, master)) {
		snprintf(text, NET_TAKEN_TEXT, "still carries the redirect of another container: "
			 "it runs, or was never deleted (runnc delete --force gives the interface "
			 "back)");
		return true;
	}
	/* A tap has carrier as long as somebody holds its descriptor. */
	if (to && is_kind(to, "tun") && to->carrier) {
		snprintf(text, NET_TAKEN_TEXT, "is redirected to '%s', which the guest of another "
			 "runtime holds open", to->name);
		return true;
	}
	if (tap) {
		snprintf(text, NET_TAKEN_TEXT, "is a port of bridge '%s' beside '%s': so the first "
			 "runnc left it, which could not restore; the pod needs a new namespace",
			 master->name, tap->name);
		return true;
	}
	return false;
}
