/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, MACs and places as text. */
#include "explain/words.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"

struct words words_mac(const uint8_t mac[6])
{
	struct words w;

	snprintf(w.text, sizeof(w.text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return w;
}

struct words words_ip(uint8_t family, const uint8_t *addr)
{
	struct words w;

	if (!inet_ntop(family, addr, w.text, sizeof(w.text)))
		strcpy(w.text, "?");
	return w;
}

struct words words_addr(const struct gcfg_addr *a)
{
	struct words w;

	snprintf(w.text, sizeof(w.text), "%.64s/%u", words_ip(a->family, a->local).text, a->prefix);
	return w;
}

struct words words_place(const struct explain_facts *f, struct explain_place place)
{
	const struct net_link *l = explain_at(f, place);
	struct words w;

	if (!l)
		strcpy(w.text, "?");
	else if (place.space == 0)
		snprintf(w.text, sizeof(w.text), "%s of the pod", l->name);
	else
		snprintf(w.text, sizeof(w.text), "%s of %s", l->name,
			 f->spaces[place.space].name[0] == '/'
				 ? path_basename(f->spaces[place.space].name)
				 : f->spaces[place.space].name);
	return w;
}

const char *words_nud(uint16_t state)
{
	if (state & NUD_PERMANENT)
		return "permanent";
	if (state & NUD_NOARP)
		return "noarp";
	if (state & NUD_REACHABLE)
		return "reachable";
	if (state & (NUD_STALE | NUD_DELAY | NUD_PROBE))
		return "stale";
	return state & NUD_INCOMPLETE ? "incomplete" : "failed";
}
