/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record: what a namespace was like, as a JSON text.
 *
 * Links are told by field. Addresses, routes and neighbours are the kernel's messages in
 * hexadecimal, each with a text for human readers that is not read back.
 */
#include "net/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "net/parse.h"
#include "net/ports_table.h"

#define RECORD_VERSION 1

static void record_decref(json_t **json)
{
	json_decref(*json);
}

#define _autojson_ __attribute__((cleanup(record_decref)))

/* ---- writing ------------------------------------------------------------------------------ */

static void hex_of(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* Append {"text": ADDRESS/PREFIX, "message": HEX} to @list. Returns 0 or -1 (no memory). */
static int write_object(json_t *list, uint8_t family, const uint8_t *addr, unsigned int prefix,
			const struct net_raw *raw)
{
	_autofree_ char *hex = malloc(raw->len * 2 + 1);
	char ip[INET6_ADDRSTRLEN] = "?", text[INET6_ADDRSTRLEN + 8];

	if (!hex)
		return -1;
	hex_of(raw->data, raw->len, hex);
	inet_ntop(family, addr, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s/%u", ip, prefix);
	return json_array_append_new(list, json_pack("{ss ss}", "text", text, "message", hex));
}

static int write_link(json_t *list, const struct net_link *l, const struct net_port *p)
{
	char mac[13], guest_mac[13];

	hex_of(l->mac, sizeof(l->mac), mac);
	hex_of(p->guest_mac, sizeof(p->guest_mac), guest_mac);
	return json_array_append_new(list, json_pack(
		"{si ss ss si ss ss sI sI sI sb si si sb ss ss ss}",
		"index", l->index, "name", l->name, "kind", l->kind, "type", (int)l->type,
		"mac", mac, "guest_mac", guest_mac,
		"mtu", (json_int_t)l->mtu, "txqueuelen", (json_int_t)l->txqlen,
		"flags", (json_int_t)l->flags, "ipv6", (int)l->ipv6,
		"disable_ipv6", (int)l->disable_ipv6, "accept_dad", (int)l->accept_dad,
		"clsact", (int)l->clsact, "mode", net_mode_name(p->mode), "tap", p->tap,
		"bridge", p->bridge));
}

static bool is_port(const struct net_plan *p, uint32_t link)
{
	for (size_t i = 0; i < p->nr_ports; i++)
		if ((uint32_t)p->ports[i].index == link)
			return true;
	return false;
}

static int write_lists(const struct net_survey *s, const struct net_plan *p, json_t *links,
		       json_t *addrs, json_t *routes, json_t *neighs)
{
	int bad = 0;

	for (size_t i = 0; i < p->nr_ports; i++)
		bad |= write_link(links, net_survey_link(s, p->ports[i].index), &p->ports[i]);
	for (size_t i = 0; i < s->nr_addrs; i++) {
		const struct gcfg_addr *a = &s->addrs[i].addr;

		if (is_port(p, a->link))
			bad |= write_object(addrs, a->family, a->local, a->prefix,
					    &s->addrs[i].raw);
	}
	/* All routes: one by another interface may have gone with an address that it used. */
	for (size_t i = 0; p->nr_ports && i < s->nr_routes; i++) {
		const struct gcfg_route *r = &s->routes[i].route;

		bad |= write_object(routes, r->family, r->dst, r->dst_prefix, &s->routes[i].raw);
	}
	for (size_t i = 0; i < s->nr_neighs; i++) {
		const struct net_neigh *n = &s->neighs[i];

		if (is_port(p, n->neigh.link) && (n->proxy || (n->neigh.state & NUD_PERMANENT)))
			bad |= write_object(neighs, n->neigh.family, n->neigh.addr,
					    n->neigh.family == AF_INET ? 32 : 128, &n->raw);
	}
	return bad;
}

/* Returns 0 or -1 (no memory). */
static int write_share(json_t *root, const struct net_share *share)
{
	char range[16] = "";

	if (!share->on)
		return 0;
	if (share->split)
		snprintf(range, sizeof(range), "%u %u", share->was.first, share->was.last);
	return json_object_set_new(root, "shared",
				   json_pack("{ss si sb}", "port_range", range, "number",
					     (int)share->number, "alone", (int)share->alone));
}

int net_record(const struct net_survey *s, const struct net_plan *p, char **json, struct err *e)
{
	json_t *links = json_array(), *addrs = json_array(), *routes = json_array(),
	       *neighs = json_array();
	_autojson_ json_t *root = json_pack("{si sI sI sI so so so so}", "version", RECORD_VERSION,
					    "netns", (json_int_t)s->netns,
					    "boottime_ms", (json_int_t)s->boottime_ms,
					    "cookie", (json_int_t)s->cookie,
					    "links", links, "addresses", addrs, "routes", routes,
					    "neighbours", neighs);
	char *text = NULL;

	if (root && write_lists(s, p, links, addrs, routes, neighs) == 0 &&
	    write_share(root, &p->share) == 0 &&
	    (!p->forward.on || json_object_set_new(root, "loopback",
						   net_forward_record(&p->forward)) == 0))
		text = json_dumps(root, JSON_COMPACT);
	if (!text)
		return err_set(e, -ENOMEM, "write the network's record");
	*json = text;
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* @text's bytes into @out, which has room for strlen(@text) / 2. Returns 0 or -EINVAL. */
static int hex_read(const char *text, size_t digits, uint8_t *out)
{
	if (digits % 2)
		return -EINVAL;
	for (size_t i = 0; i < digits; i += 2) {
		int high = nibble(text[i]), low = nibble(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		*out++ = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* Each object's message through the parser of the kernel's replies; only type @type is allowed. */
static int read_objects(const json_t *list, uint16_t type, struct net_survey *s)
{
	const json_t *object;
	size_t i;

	json_array_foreach(list, i, object) {
		const json_t *message = json_object_get(object, "message");
		size_t digits = json_string_length(message);
		_autofree_ struct nlmsghdr *m = malloc(digits / 2 + sizeof(*m));
		int rc;

		if (!m)
			return -ENOMEM;
		if (digits < 2 * sizeof(*m) ||
		    hex_read(json_string_value(message), digits, (uint8_t *)m) < 0 ||
		    m->nlmsg_len != digits / 2 || m->nlmsg_type != type)
			return -EINVAL;
		rc = net_parse_message(s, m);
		if (rc < 0)
			return rc == -ENOMEM ? rc : -EINVAL;
	}
	return 0;
}

/* A name that may be put into a path below /proc/sys, or is "". */
static bool copy_name(const char *from, char to[16])
{
	if (strlen(from) >= 16 || strchr(from, '/') || strcmp(from, ".") == 0 ||
	    strcmp(from, "..") == 0)
		return false;
	strcpy(to, from);
	return true;
}

static int read_link(json_t *json, struct net_link *l, struct net_port *p)
{
	const char *name, *kind, *mac, *guest_mac = NULL, *mode, *tap, *bridge;
	json_int_t mtu, txqlen, flags;
	int type, ipv6, clsact;

	/* A record of an older runnc has no guest_mac: it is for the explainer only. */
	if (json_unpack(json, "{si ss ss si ss s?s sI sI sI sb si si sb ss ss ss}",
			"index", &l->index, "name", &name, "kind", &kind, "type", &type,
			"mac", &mac, "guest_mac", &guest_mac,
			"mtu", &mtu, "txqueuelen", &txqlen, "flags", &flags,
			"ipv6", &ipv6, "disable_ipv6", &l->disable_ipv6,
			"accept_dad", &l->accept_dad, "clsact", &clsact, "mode", &mode,
			"tap", &tap, "bridge", &bridge) < 0)
		return -EINVAL;
	if (l->index <= 0 || !copy_name(name, l->name) || !copy_name(kind, l->kind) ||
	    strlen(mac) != 12 || hex_read(mac, 12, l->mac) < 0 ||
	    (guest_mac && (strlen(guest_mac) != 12 || hex_read(guest_mac, 12, p->guest_mac) < 0)) ||
	    !net_mode_parse(mode, &p->mode) || !copy_name(tap, p->tap) ||
	    !copy_name(bridge, p->bridge) || l->name[0] == '\0' ||
	    p->mode == NET_MODE_AUTO || (p->tap[0] == '\0') != (p->mode == NET_MODE_PACKET))
		return -EINVAL;
	l->type = (uint16_t)type;
	l->mtu = (uint32_t)mtu;
	l->txqlen = (uint32_t)txqlen;
	l->flags = (uint32_t)flags;
	l->ipv6 = ipv6;
	l->clsact = clsact;
	l->has_mac = true;
	p->index = l->index;
	memcpy(p->name, l->name, sizeof(p->name));
	return 0;
}

static int read_links(const json_t *list, struct net_record *r)
{
	size_t nr = json_array_size(list);

	if (!json_is_array(list) || nr > NABLA_LAUNCH_NETS)
		return -EINVAL;
	r->was.links = calloc(nr + 1, sizeof(*r->was.links));
	if (!r->was.links)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		if (read_link(json_array_get(list, i), &r->was.links[i], &r->ports[i]) < 0)
			return -EINVAL;
	r->was.nr_links = nr;
	return 0;
}

static int read_share(json_t *share, struct net_record *r)
{
	int number = 1, alone = true;
	const char *range;

	r->number = 1;
	r->alone = true;
	if (!share)
		return 0;
	/* A record of an older runnc has no numbers: there was one guest at most. */
	if (json_unpack(share, "{ss s?i s?b}", "port_range", &range, "number", &number, "alone",
			&alone) < 0 ||
	    number < 1 || number > NET_PORTS_GUESTS)
		return -EINVAL;
	r->shared = true;
	r->number = (unsigned int)number;
	r->alone = alone;
	for (size_t i = 0; i < r->was.nr_links; i++)
		r->ports[i].shared = true;
	r->split = range[0];
	return !r->split || net_share_parse(range, &r->range) ? 0 : -EINVAL;
}

static int read_root(const json_t *root, struct net_record *r)
{
	const json_t *netns = json_object_get(root, "netns");
	const json_t *boottime = json_object_get(root, "boottime_ms");
	int rc;

	if (json_integer_value(json_object_get(root, "version")) != RECORD_VERSION ||
	    !json_is_integer(netns) || !json_is_integer(boottime))
		return -EINVAL;
	r->was.netns = (uint64_t)json_integer_value(netns);
	r->was.boottime_ms = (uint64_t)json_integer_value(boottime);
	/* A record of an older runnc, or kernel, has none: 0. */
	r->was.cookie = (uint64_t)json_integer_value(json_object_get(root, "cookie"));
	rc = read_links(json_object_get(root, "links"), r);
	if (rc == 0)
		rc = read_share(json_object_get(root, "shared"), r);
	if (rc == 0)
		rc = read_objects(json_object_get(root, "addresses"), RTM_NEWADDR, &r->was);
	if (rc == 0)
		rc = read_objects(json_object_get(root, "routes"), RTM_NEWROUTE, &r->was);
	if (rc == 0)
		rc = read_objects(json_object_get(root, "neighbours"), RTM_NEWNEIGH, &r->was);
	r->loopback = json_incref(json_object_get(root, "loopback"));
	return rc;
}

int net_record_read(const char *json, struct net_record *out, struct err *e)
{
	json_error_t where;
	_autojson_ json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	int rc;

	memset(out, 0, sizeof(*out));
	if (!root)
		return err_say(e, -EINVAL, "read the network's record: %s", where.text);
	rc = read_root(root, out);
	if (rc < 0) {
		net_record_free(out);
		return err_set(e, rc, "read the network's record");
	}
	return 0;
}

void net_record_free(struct net_record *r)
{
	net_survey_free(&r->was);
	json_decref(r->loopback);
	r->loopback = NULL;
}
