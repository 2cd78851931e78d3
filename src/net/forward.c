// SPDX-License-Identifier: GPL-2.0-only
/* The pod's loopback, planned and recorded. */
#include "net/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/forward_parts.h"
#include "net/net.h"

/* Locally administered, and on no wire ever. */
static const uint8_t guest_mac[6] = { 0x02, 0x6e, 0x62, 0x6c, 0x61, 0x70 };
static const uint8_t prefix6[8] = { NET_FORWARD_PREFIX6 };

static const struct net_link *find_lo(const struct net_survey *s)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].flags & IFF_LOOPBACK)
			return &s->links[i];
	return NULL;
}

static bool is_taken(const struct net_survey *s, const char *name)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (strcmp(s->links[i].name, name) == 0)
			return true;
	return false;
}

/* A free name in the namespace, and one in the guest that no interface hands over. */
static void choose_names(const struct net_survey *s, struct net_forward *f)
{
	strcpy(f->tap, "rnctl");
	for (unsigned int i = 1; is_taken(s, f->tap) && i < 100; i++)
		snprintf(f->tap, sizeof(f->tap), "rnctl%u", i);
	strcpy(f->link.name, NET_FORWARD_LINK);
	for (unsigned int i = 1; is_taken(s, f->link.name) && i < 100; i++)
		snprintf(f->link.name, sizeof(f->link.name), "pod%u", i);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool is_link_local(const struct gcfg_addr *a)
{
	return a->family == AF_INET6 && a->local[0] == 0xfe && (a->local[1] & 0xc0) == 0x80;
}

static bool has_addr(const struct net_survey *s, uint32_t link, const struct gcfg_addr *a)
{
	for (size_t i = 0; i < s->nr_addrs; i++) {
		const struct gcfg_addr *b = &s->addrs[i].addr;

		if (b->link == link && b->family == a->family &&
		    memcmp(b->local, a->local, sizeof(b->local)) == 0)
			return true;
	}
	return false;
}

/* Returns false if there is no room. An address that several interfaces have counts once. */
static bool add_to_table(struct net_forward_table *t, const struct gcfg_addr *a)
{
	uint32_t *nr = a->family == AF_INET ? &t->nr4 : &t->nr6;
	char *list = a->family == AF_INET ? (char *)t->addr4 : (char *)t->addr6;
	size_t size = a->family == AF_INET ? 4 : 16;

	for (uint32_t i = 0; i < *nr; i++)
		if (memcmp(list + i * size, a->local, size) == 0)
			return true;
	if (*nr == NET_FORWARD_ADDRS)
		return false;
	memcpy(list + (*nr)++ * size, a->local, size);
	return true;
}

/* lo answers for it, and for nothing around it. */
static void add_to_lo(const struct net_survey *s, const struct gcfg_addr *a, struct net_forward *f)
{
	struct gcfg_addr *own;

	if (has_addr(s, f->lo, a))
		return;
	for (size_t i = 0; i < f->nr_addrs; i++)
		if (f->addrs[i].family == a->family &&
		    memcmp(f->addrs[i].local, a->local, sizeof(a->local)) == 0)
			return;
	own = &f->addrs[f->nr_addrs++];
	*own = (struct gcfg_addr){ .link = f->lo, .family = a->family, .scope = a->scope,
				   .prefix = a->family == AF_INET ? 32 : 128,
				   .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX };
	memcpy(own->local, a->local, sizeof(own->local));
	memcpy(own->peer, a->local, sizeof(own->peer));
}

/* Returns false if there are too many. */
static bool plan_addresses(const struct net_survey *s, const struct net_plan *p, bool ipv6,
			   struct net_forward *f)
{
	bool all = true;

	for (size_t i = 0; i < p->nr_addrs; i++) {
		const struct gcfg_addr *a = &p->addrs[i];

		if (is_link_local(a) || (a->family == AF_INET6 && !ipv6))
			continue;
		if (!add_to_table(&f->table, a))
			all = false;
		else if (!p->share.on)
			add_to_lo(s, a, f);
	}
	return all;
}

/* ---- the guest's side ----------------------------------------------------------------------- */

static struct gcfg_route *add_route(struct net_forward *f, uint8_t family, uint8_t prefix,
				    const void *dst, size_t size)
{
	struct gcfg_route *r = &f->routes[f->nr_routes];

	/* In table local, where 127.0.0.0/8 is: the longer prefix wins. */
	*r = (struct gcfg_route){ .family = family, .dst_prefix = prefix, .type = RTN_UNICAST,
				  .scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				  .protocol = RTPROT_STATIC, .nr_hops = 1,
				  .table = family == AF_INET ? RT_TABLE_LOCAL : RT_TABLE_MAIN };
	memcpy(r->dst, dst, size);
	f->hops[f->nr_routes++] = (struct gcfg_hop){ .link = f->link.index, .weight = 1 };
	return r;
}

static void plan_guest(const struct net_forward_facts *facts, bool ipv6, struct net_forward *f)
{
	static const uint8_t one[4] = { 127, 0, 0, 1 };
	static const uint8_t clients[4] = { 127, NET_FORWARD_CLIENT, 0, 0 };
	static const uint8_t servers[4] = { 127, NET_FORWARD_SERVER, 0, 0 };
	const uint32_t resolver = htonl(NET_FORWARD_RESOLVER);

	f->link.mtu = NET_FORWARD_MTU;
	f->link.flags = GCFG_LINK_POD | (ipv6 ? 0 : GCFG_LINK_NO_IPV6);
	memcpy(f->link.mac, guest_mac, sizeof(f->link.mac));
	memcpy(f->table.guest_mac, guest_mac, sizeof(f->table.guest_mac));
	memcpy(add_route(f, AF_INET, 16, clients, 4)->prefsrc, one, 4);
	memcpy(add_route(f, AF_INET, 16, servers, 4)->prefsrc, one, 4);
	if (facts->resolver_udp || facts->resolver_tcp)
		memcpy(add_route(f, AF_INET, 32, &resolver, 4)->prefsrc, one, 4);
	if (ipv6) {
		add_route(f, AF_INET6, 64, prefix6, sizeof(prefix6));
		f->own = (struct gcfg_addr){ .link = f->link.index, .family = AF_INET6,
					     .prefix = 128, .scope = RT_SCOPE_LINK,
					     .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX,
					     .local = { NET_FORWARD_OWN6 },
					     .peer = { NET_FORWARD_OWN6 } };
	}
	f->table.resolver_udp = htons(facts->resolver_udp);
	f->table.resolver_tcp = htons(facts->resolver_tcp);
}

/*
 * Who dialled one of the pod's addresses wants to be answered from it, also by a server that leaves
 * the choice to the kernel, as most do with UDP. And who dials one does so from it, as anywhere.
 */
static void plan_answers(struct net_forward *f)
{
	uint8_t client6[16] = { NET_FORWARD_PREFIX6, [13] = NET_FORWARD_CLIENT6 };

	for (uint32_t i = 0; i < f->table.nr4; i++) {
		const uint8_t client[4] = { 127, NET_FORWARD_CLIENT, NET_FORWARD_POD, (uint8_t)i };
		const uint8_t server[4] = { 127, NET_FORWARD_SERVER, NET_FORWARD_POD, (uint8_t)i };

		memcpy(add_route(f, AF_INET, 32, client, 4)->prefsrc, &f->table.addr4[i], 4);
		memcpy(add_route(f, AF_INET, 32, server, 4)->prefsrc, &f->table.addr4[i], 4);
	}
	for (uint32_t i = 0; i < f->table.nr6; i++) {
		client6[15] = (uint8_t)(i + 1);
		memcpy(add_route(f, AF_INET6, 128, client6, 16)->prefsrc, f->table.addr6[i], 16);
	}
}

/* ---- plan ----------------------------------------------------------------------------------- */

static const char *why_off(const struct net_survey *s, const struct net_plan *p)
{
	const struct net_forward_facts *facts = &s->loopback;

	if (!find_lo(s))
		return "not connected: the namespace has none";
	if (facts->ours && !(facts->shared && p->share.on))
		return "not connected: it leads to another container's guest already";
	if (facts->unsupported == -EPERM)
		return "not connected: loading eBPF programs is not permitted";
	if (facts->unsupported)
		return "not connected: the host's kernel does not take the eBPF programs (it takes "
		       "Linux 5.3 with CONFIG_BPF_SYSCALL and CONFIG_NET_CLS_BPF)";
	if (p->nr_ports == NABLA_LAUNCH_NETS)
		return "not connected: all of the guest's devices are interfaces";
	return NULL;
}

void net_forward_plan(const struct net_survey *s, const struct net_plan *p,
		      struct net_forward *out, const char **why)
{
	const struct net_forward_facts *facts = &s->loopback;
	const struct net_link *lo = find_lo(s);
	const struct gcfg_addr one = { .family = AF_INET, .local = { 127, 0, 0, 1 } };
	bool ipv6, all;

	memset(out, 0, sizeof(*out));
	*why = s->loopback.known ? why_off(s, p) : NULL;
	if (!s->loopback.known || *why)
		return;

	ipv6 = lo->ipv6 && lo->disable_ipv6 == 0;
	out->on = true;
	out->lo = (uint32_t)lo->index;
	out->lo_up = facts->shared ? facts->was_up : lo->flags & IFF_UP;
	out->lo_new = facts->shared ? facts->was_new :
		!out->lo_up && !has_addr(s, out->lo, &one);
	out->lo_clsact = facts->shared ? facts->was_clsact : lo->clsact;
	out->lo_route_localnet = s->loopback.route_localnet;
	out->lo_accept_local = s->loopback.accept_local;
	out->table.lo = (uint32_t)lo->index;
	/* Without others it is the first one, also where it does not share the interfaces. */
	out->table.number = p->share.on ? (uint8_t)p->share.number : 1;
	out->table.alone = p->share.on ? p->share.alone : true;
	out->link.index = (uint32_t)p->nr_ports;
	choose_names(s, out);
	plan_guest(&s->loopback, ipv6, out);
	all = plan_addresses(s, p, ipv6, out);
	plan_answers(out);
	if (!all)
		*why = "only 16 of the pod's addresses of each family are forwarded";
}

/* ---- record --------------------------------------------------------------------------------- */

json_t *net_forward_record(const struct net_forward *f)
{
	json_t *addrs = json_array();
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < f->nr_addrs; i++)
		if (!inet_ntop(f->addrs[i].family, f->addrs[i].local, text, sizeof(text)) ||
		    json_array_append_new(addrs, json_string(text)) < 0) {
			json_decref(addrs);
			return NULL;
		}
	return json_pack("{si sb sb sb si si ss so}", "index", (int)f->lo, "up", (int)f->lo_up,
			 "new", (int)f->lo_new, "clsact", (int)f->lo_clsact, "route_localnet",
			 (int)f->lo_route_localnet, "accept_local", (int)f->lo_accept_local, "tap",
			 f->tap, "addresses", addrs);
}

int net_forward_read(const json_t *record, struct net_forward_lo *out, struct err *e)
{
	json_t *addrs = NULL;

	memset(out, 0, sizeof(*out));
	/* jansson's unpacking takes no const, and changes nothing. */
	if (json_unpack((json_t *)(uintptr_t)record, "{si sb sb sb si si ss so}", "index",
			&out->index, "up", &out->up, "new", &out->new, "clsact", &out->clsact,
			"route_localnet", &out->route_localnet, "accept_local",
			&out->accept_local, "tap", &out->tap, "addresses", &addrs) < 0 ||
	    !json_is_array(addrs) || out->index <= 0 || strlen(out->tap) >= IF_NAMESIZE)
		return err_say(e, -EINVAL, "the loopback's record is none");
	out->addrs = addrs;
	return 0;
}

int net_forward_adopt(const json_t *record, struct net_forward_facts *f)
{
	struct err e = ERR_INIT;
	struct net_forward_lo lo;
	int rc = net_forward_read(record, &lo, &e);

	if (rc < 0)
		return rc;
	f->shared = true;
	f->was_up = lo.up;
	f->was_new = lo.new;
	f->was_clsact = lo.clsact;
	f->route_localnet = lo.route_localnet;
	f->accept_local = lo.accept_local;
	return 0;
}
