/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan, from surveys made by hand; the record, from recorded replies (the folder in argv[1]).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/net.h"
#include "net/parse.h"
#include "net/record.h"
#include "net/replay.h"

static const char *recorded;

/* ---- a survey by hand --------------------------------------------------------------------- */

struct hand {
	struct net_link links[24];
	struct net_addr addrs[24];
	struct net_route routes[24];
	struct net_neigh neighs[8];
	struct net_rule rules[8];
	struct gcfg_hop hops[24];
	struct net_survey s;
};

static void hand_init(struct hand *h)
{
	memset(h, 0, sizeof(*h));
	h->s = (struct net_survey){ .links = h->links, .addrs = h->addrs, .routes = h->routes,
				    .neighs = h->neighs, .rules = h->rules };
}

static struct net_link *hand_link(struct hand *h, int index, const char *name)
{
	struct net_link *l = &h->links[h->s.nr_links++];

	*l = (struct net_link){ .index = index, .type = ARPHRD_ETHER, .carrier = true, .ipv6 = true,
				.accept_ra = 1, .flags = IFF_UP | IFF_BROADCAST, .mtu = 1450,
				.txqlen = 1000, .has_mac = true,
				.mac = { 0x0a, 0x58, 10, 1, 2, (uint8_t)index } };
	snprintf(l->name, sizeof(l->name), "%s", name);
	return l;
}

static struct gcfg_addr *hand_addr(struct hand *h, int link, const char *text, uint8_t prefix)
{
	struct gcfg_addr *a = &h->addrs[h->s.nr_addrs++].addr;

	a->link = (uint32_t)link;
	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	a->prefix = prefix;
	a->flags = IFA_F_PERMANENT;
	a->valid_lft = a->preferred_lft = UINT32_MAX;
	assert_int_equal(inet_pton(a->family, text, a->local), 1);
	memcpy(a->peer, a->local, sizeof(a->peer));
	return a;
}

static struct net_route *hand_route(struct hand *h, int link, const char *dst, uint8_t prefix,
				    const char *gateway)
{
	struct gcfg_hop *hop = &h->hops[h->s.nr_routes];
	struct net_route *r = &h->routes[h->s.nr_routes++];

	r->route = (struct gcfg_route){ .family = strchr(dst, ':') ? AF_INET6 : AF_INET,
					.dst_prefix = prefix, .type = RTN_UNICAST, .nr_hops = 1,
					.protocol = RTPROT_BOOT, .table = RT_TABLE_MAIN };
	assert_int_equal(inet_pton(r->route.family, dst, r->route.dst), 1);
	r->hops = hop;
	hop->link = (uint32_t)link;
	if (gateway) {
		hop->gateway_family = r->route.family;
		assert_int_equal(inet_pton(r->route.family, gateway, hop->gateway), 1);
	}
	return r;
}

/* The route that the kernel makes for a prefix. */
static void hand_kernel(struct hand *h, int link, const char *dst, uint8_t prefix)
{
	struct net_route *r = hand_route(h, link, dst, prefix, NULL);

	r->kernel_made = true;
	r->route.protocol = RTPROT_KERNEL;
}

static void plan(const struct hand *h, enum net_mode mode, enum net_mac mac, struct net_plan *p)
{
	struct net_request request = { .mode = mode, .mac = mac, .entropy = "0123456789abcde" };
	struct err e = ERR_INIT;

	assert_int_equal(net_plan(&h->s, &request, p, &e), 0);
}

static bool has_notice(const struct net_plan *p, const char *part)
{
	for (size_t i = 0; i < p->nr_notices; i++)
		if (strstr(p->notices[i], part))
			return true;
	return false;
}

static bool is_local_unicast(const uint8_t mac[6])
{
	return (mac[0] & 3) == 2;
}

/* ---- tests -------------------------------------------------------------------------------- */

static void test_empty(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports, 0);
	assert_int_equal(p.nr_notices, 0);
	net_plan_free(&p);

	hand_link(&h, 1, "lo")->flags |= IFF_LOOPBACK;
	hand_addr(&h, 1, "127.0.0.1", 8);
	hand_addr(&h, 1, "::1", 128);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports + p.nr_addrs + p.nr_notices, 0);
	net_plan_free(&p);
}

/* The post's new cluster: /32, 169.254.1.1. */
static void hand_slash32(struct hand *h)
{
	hand_init(h);
	hand_link(h, 2, "eth0");
	hand_addr(h, 2, "172.17.0.5", 32);
	hand_addr(h, 2, "fe80::858:aff:fe01:202", 64)->scope = RT_SCOPE_LINK;
	hand_route(h, 2, "0.0.0.0", 0, "169.254.1.1");
	hand_route(h, 2, "169.254.1.1", 32, NULL)->route.scope = RT_SCOPE_LINK;
	hand_kernel(h, 2, "fe80::", 64);
}

static void test_slash32(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports, 1);
	assert_string_equal(p.links[0].name, "eth0");
	assert_memory_equal(p.links[0].mac, h.links[0].mac, 6);
	assert_int_equal(p.links[0].mtu, 1450);
	assert_int_equal(p.links[0].flags, GCFG_LINK_ANNOUNCE);
	/* No prefix is rewritten; the link-local address follows from the MAC and is left out. */
	assert_int_equal(p.nr_addrs, 1);
	assert_int_equal(p.addrs[0].prefix, 32);
	assert_int_equal(p.addrs[0].flags, 0);
	/* The route to the gateway first; the gateway is outside every prefix: on-link. */
	assert_int_equal(p.nr_routes, 2);
	assert_int_equal(p.routes[0].dst_prefix, 32);
	assert_int_equal(p.routes[1].dst_prefix, 0);
	assert_int_equal(p.hops[0].flags, 0);
	assert_int_equal(p.hops[1].flags, RTNH_F_ONLINK);
	assert_int_equal(p.nr_sysctls, 0);
	net_plan_free(&p);
}

static void test_macs(void **state)
{
	struct net_plan p, q;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	plan(&h, NET_MODE_BRIDGE, NET_MAC_ADOPT, &p);
	assert_memory_equal(p.ports[0].guest_mac, h.links[0].mac, 6);
	assert_true(is_local_unicast(p.ports[0].new_mac));
	assert_true(is_local_unicast(p.ports[0].bridge_mac));
	assert_memory_not_equal(p.ports[0].new_mac, p.ports[0].bridge_mac, 6);
	assert_memory_not_equal(p.ports[0].new_mac, h.links[0].mac, 6);
	assert_string_equal(p.ports[0].tap, "rnct2");
	assert_string_equal(p.ports[0].bridge, "rncb2");

	plan(&h, NET_MODE_TC, NET_MAC_RANDOM, &q);
	assert_memory_equal(q.ports[0].host_mac, h.links[0].mac, 6);
	assert_memory_not_equal(q.links[0].mac, h.links[0].mac, 6);
	assert_true(is_local_unicast(q.links[0].mac));
	assert_string_equal(q.ports[0].bridge, "");
	net_plan_free(&p);
	net_plan_free(&q);
}

static void test_connected_gateway(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.0.5", 16);
	hand_addr(&h, 2, "fd00::5", 64);
	hand_kernel(&h, 2, "10.1.0.0", 16);
	hand_kernel(&h, 2, "fd00::", 64);
	hand_route(&h, 2, "0.0.0.0", 0, "10.1.255.254");
	hand_route(&h, 2, "10.9.0.0", 16, "10.2.0.1");
	hand_route(&h, 2, "::", 0, "fe80::1");
	hand_route(&h, 2, "fd01::", 16, "fd00:1::1");
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_routes, 4);
	assert_int_equal(p.hops[0].flags, 0);
	assert_int_equal(p.hops[1].flags, RTNH_F_ONLINK);
	assert_int_equal(p.hops[2].flags, 0);
	assert_int_equal(p.hops[3].flags, RTNH_F_ONLINK);
	assert_int_equal(p.addrs[0].flags, 0);
	net_plan_free(&p);
}

/* CNI's ptp plugin removes the kernel's prefix route: the guest must not make it either. */
static void test_ptp(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.67.0.2", 24);
	hand_route(&h, 2, "0.0.0.0", 0, "10.67.0.1");
	hand_route(&h, 2, "10.67.0.0", 24, "10.67.0.1");
	hand_route(&h, 2, "10.67.0.1", 32, NULL);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.addrs[0].prefix, 24);
	assert_int_equal(p.addrs[0].flags, IFA_F_NOPREFIXROUTE);
	assert_int_equal(p.routes[0].dst_prefix, 32);
	assert_int_equal(p.hops[1].flags, RTNH_F_ONLINK);
	net_plan_free(&p);
}

static void test_several(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "net1");
	hand_link(&h, 3, "eth0");
	hand_link(&h, 4, "idle");
	hand_addr(&h, 2, "10.9.0.5", 24);
	hand_addr(&h, 3, "10.1.0.5", 16);
	hand_kernel(&h, 2, "10.9.0.0", 24);
	hand_kernel(&h, 3, "10.1.0.0", 16);
	hand_route(&h, 3, "0.0.0.0", 0, "10.1.0.1");
	hand_route(&h, 2, "10.10.0.0", 16, "10.9.0.1");
	hand_route(&h, 4, "10.11.0.0", 16, NULL);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	/* The one with the default route comes first. */
	assert_int_equal(p.nr_ports, 2);
	assert_string_equal(p.links[0].name, "eth0");
	assert_string_equal(p.links[1].name, "net1");
	assert_int_equal(p.addrs[0].link, 1);
	assert_int_equal(p.addrs[1].link, 0);
	assert_int_equal(p.nr_routes, 2);
	assert_int_equal(p.hops[0].link, 0);
	assert_int_equal(p.hops[1].link, 1);
	assert_true(has_notice(&p, "interface 'idle' has no address"));
	assert_true(has_notice(&p, "1 routes use interfaces that are not handed over"));
	net_plan_free(&p);
}

static void test_too_many(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	for (int i = 0; i < NABLA_LAUNCH_NETS + 1; i++) {
		char text[16];

		snprintf(text, sizeof(text), "e%d", i);
		hand_link(&h, i + 2, text);
		snprintf(text, sizeof(text), "10.0.%d.1", i);
		hand_addr(&h, i + 2, text, 32);
	}
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports, NABLA_LAUNCH_NETS);
	assert_int_equal(p.nr_addrs, NABLA_LAUNCH_NETS);
	assert_true(has_notice(&p, "interface 'e16' is one too many"));
	net_plan_free(&p);
}

/* A guest with one device: the interface with the default route, the others stay as they are. */
static void test_one_port(void **state)
{
	struct net_request request = { .mode = NET_MODE_TC, .max_ports = 1, .bare_frames = true };
	struct err e = ERR_INIT;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "net1");
	hand_addr(&h, 2, "10.9.0.1", 24);
	hand_link(&h, 3, "eth0");
	hand_addr(&h, 3, "10.0.0.1", 24);
	hand_route(&h, 3, "0.0.0.0", 0, "10.0.0.254");
	assert_int_equal(net_plan(&h.s, &request, &p, &e), 0);
	assert_int_equal(p.nr_ports, 1);
	assert_string_equal(p.ports[0].name, "eth0");
	assert_true(p.ports[0].bare_frames);
	assert_true(has_notice(&p, "interface 'net1' is more than the guest has devices for"));
	net_plan_free(&p);
}

static void test_refused_links(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "tun0")->type = 0xfffe;
	hand_link(&h, 3, "down0")->flags = 0;
	hand_link(&h, 4, "nocar0")->carrier = false;
	hand_link(&h, 5, "port0")->master = 9;
	hand_link(&h, 6, "used0")->plumbed = true;
	hand_link(&h, 7, "odd\xff");
	hand_link(&h, 8, "group0")->mac[0] = 1;
	for (int i = 2; i <= 8; i++)
		hand_addr(&h, i, "10.0.0.1", 32);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports + p.nr_addrs, 0);
	assert_int_equal(p.nr_notices, 7);
	assert_true(has_notice(&p, "'tun0' carries IP packets, not Ethernet frames"));
	assert_true(has_notice(&p, "'down0' is down"));
	assert_true(has_notice(&p, "'nocar0' has no carrier"));
	assert_true(has_notice(&p, "'port0' is a port"));
	assert_true(has_notice(&p, "'used0' still carries the redirect"));
	assert_true(has_notice(&p, "beyond plain ASCII"));
	assert_true(has_notice(&p, "'group0' has no unicast MAC"));
	net_plan_free(&p);
}

static void test_ipv6_settings(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	h.links[0].disable_ipv6 = 1;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_true(p.links[0].flags & GCFG_LINK_NO_IPV6);
	net_plan_free(&p);

	hand_slash32(&h);
	h.links[0].accept_ra = 0;
	hand_addr(&h, 2, "fe80::1234", 64)->scope = RT_SCOPE_LINK;
	hand_addr(&h, 2, "fd00::1", 64)->flags = IFA_F_DADFAILED;
	hand_addr(&h, 2, "fd00::2", 64)->flags = IFA_F_TENTATIVE;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_sysctls, 1);
	assert_string_equal(p.sysctls[0], "net/ipv6/conf/eth0/accept_ra=0");
	/* A link-local address of its own is handed over; a duplicate is not. */
	assert_int_equal(p.nr_addrs, 3);
	assert_true(has_notice(&p, "fd00::1 of 'eth0' is a duplicate"));
	assert_int_equal(p.addrs[2].flags & IFA_F_TENTATIVE, 0);
	net_plan_free(&p);
}

static void test_neighs(void **state)
{
	static const uint16_t states[] = { NUD_PERMANENT, NUD_STALE, NUD_FAILED, NUD_REACHABLE };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	for (size_t i = 0; i < 4; i++) {
		struct gcfg_neigh *n = &h.neighs[h.s.nr_neighs++].neigh;

		*n = (struct gcfg_neigh){ .link = 2, .family = AF_INET, .state = states[i],
					  .addr = { 169, 254, 1, (uint8_t)i }, .mac = { 2, 2 } };
	}
	h.neighs[3].neigh.link = 9;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_neighs, 2);
	assert_int_equal(p.neighs[0].state, NUD_PERMANENT);
	assert_int_equal(p.neighs[1].state, NUD_REACHABLE);
	assert_int_equal(p.neighs[1].link, 0);
	net_plan_free(&p);
}

static void test_sinks(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	hand_route(&h, 0, "192.0.2.0", 24, NULL)->route.nr_hops = 0;
	h.routes[h.s.nr_routes - 1].route.type = RTN_BLACKHOLE;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_routes, 3);
	assert_int_equal(p.nr_hops, 2);
	assert_false(has_notice(&p, "routes use interfaces"));
	net_plan_free(&p);
}

static void test_taken_name(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	hand_link(&h, 5, "rnct2");
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_string_equal(p.ports[0].tap, "rnct2.1");
	net_plan_free(&p);
}

static void test_words(void **state)
{
	enum net_mode mode = NET_MODE_TC;
	enum net_mac mac = NET_MAC_ADOPT;

	(void)state;
	assert_true(net_mode_parse("bridge", &mode));
	assert_int_equal(mode, NET_MODE_BRIDGE);
	assert_string_equal(net_mode_name(mode), "bridge");
	assert_false(net_mode_parse("Bridge", &mode));
	assert_false(net_mode_parse("", &mode));
	assert_true(net_mac_parse("random", &mac));
	assert_int_equal(mac, NET_MAC_RANDOM);
	assert_false(net_mac_parse("adopted", &mac));
}

static bool has_sysctl(const struct net_plan *p, const char *text)
{
	for (size_t i = 0; i < p->nr_sysctls; i++)
		if (strcmp(p->sysctls[i], text) == 0)
			return true;
	return false;
}

/* Of the namespace, and of the interfaces that are handed over. */
static void test_settings(void **state)
{
	char texts[3][64] = { "net/ipv4/tcp_fin_timeout=30", "net/ipv4/conf/eth0/rp_filter=2",
			      "net/ipv4/conf/idle/rp_filter=2" };
	struct net_setting settings[3] = { { 0, texts[0] }, { 2, texts[1] }, { 3, texts[2] } };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_link(&h, 3, "idle");
	hand_addr(&h, 2, "10.1.2.3", 24);
	h.s.settings = settings;
	h.s.nr_settings = 3;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_sysctls, 2);
	assert_true(has_sysctl(&p, "-net/ipv4/tcp_fin_timeout=30"));
	assert_true(has_sysctl(&p, "-net/ipv4/conf/eth0/rp_filter=2"));
	net_plan_free(&p);
}

/* ---- rules -------------------------------------------------------------------------------- */

static struct net_rule *hand_rule(struct hand *h, uint8_t family, uint32_t priority, uint32_t table)
{
	struct net_rule *r = &h->rules[h->s.nr_rules++];

	r->rule = (struct gcfg_rule){ .family = family, .action = FR_ACT_TO_TBL,
				      .protocol = RTPROT_KERNEL, .priority = priority,
				      .table = table, .suppress_prefix = UINT32_MAX };
	return r;
}

static void hand_rules(struct hand *h)
{
	hand_rule(h, AF_INET, 0, RT_TABLE_LOCAL);
	hand_rule(h, AF_INET, 32766, RT_TABLE_MAIN);
	hand_rule(h, AF_INET, 32767, RT_TABLE_DEFAULT);
	hand_rule(h, AF_INET6, 0, RT_TABLE_LOCAL);
	hand_rule(h, AF_INET6, 32766, RT_TABLE_MAIN);
}

static void test_rules(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_rules(&h);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	/* What every kernel has by itself is not worth telling. */
	assert_int_equal(p.nr_rules, 0);
	net_plan_free(&p);

	hand_rule(&h, AF_INET, 100, 7)->rule.src_prefix = 8;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 4);
	assert_int_equal(p.rules[3].table, 7);
	net_plan_free(&p);

	/* One of the kernel's own is missing: that, too, is policy. */
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_rule(&h, AF_INET6, 32766, RT_TABLE_MAIN);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 1);
	net_plan_free(&p);

	hand_rule(&h, AF_INET, 50, 9)->odd = true;
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 1);
	assert_true(has_notice(&p, "policy rule 50 asks for what a guest cannot do"));
	net_plan_free(&p);
}

/* ---- an interface for two ----------------------------------------------------------------- */

static size_t count_sysctls(const struct net_plan *p, const char *part)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr_sysctls; i++)
		nr += strstr(p->sysctls[i], part) != NULL;
	return nr;
}

static void plan_shared(const struct hand *h, struct net_plan *p)
{
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;

	assert_int_equal(net_plan(&h->s, &request, p, &e), 0);
}

static void test_shared(void **state)
{
	char text[] = "net/ipv4/ip_local_port_range=1000\t1999";
	struct net_setting setting = { .text = text };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	plan_shared(&h, &p);
	/* Without an interface there is nothing to share. */
	assert_false(p.share.on);
	net_plan_free(&p);

	hand_link(&h, 2, "eth0")->accept_dad = 1;
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_link(&h, 3, "eth1")->disable_ipv6 = 1;
	h.links[1].accept_dad = 1;
	hand_addr(&h, 3, "10.2.2.3", 24);
	plan_shared(&h, &p);
	assert_int_equal(p.nr_ports, 2);
	assert_true(p.ports[0].shared && p.ports[0].accept_dad);
	assert_true(p.ports[1].shared && !p.ports[1].accept_dad);
	assert_true(p.share.on && p.share.split);
	assert_int_equal(count_sysctls(&p, "net/ipv4/ip_local_port_range=39826 60999"), 1);
	net_plan_free(&p);

	/* The namespace's own range is divided, and not handed over as it was. */
	h.s.settings = &setting;
	h.s.nr_settings = 1;
	plan_shared(&h, &p);
	assert_int_equal(count_sysctls(&p, "port_range"), 1);
	assert_int_equal(count_sysctls(&p, "net/ipv4/ip_local_port_range=1250 1999"), 1);
	net_plan_free(&p);
	strcpy(text, "net/ipv4/ip_local_port_range=1000\t1003");
	plan_shared(&h, &p);
	assert_true(p.share.on && !p.share.split);
	assert_true(has_notice(&p, "too small to be divided"));
	/* Then it is the guest's as well, as ever. */
	assert_int_equal(count_sysctls(&p, "-net/ipv4/ip_local_port_range=1000\t1003"), 1);
	net_plan_free(&p);

	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_false(p.share.on || p.ports[0].shared);
	net_plan_free(&p);
}

/* The ports that the namespace has reserved, and what its sockets have of the guest's part. */
static void test_shared_reserved(void **state)
{
	char text[] = "net/ipv4/ip_local_reserved_ports=8080";
	struct net_setting setting = { .text = text };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.2.3", 24);
	plan_shared(&h, &p);
	assert_int_equal(count_sysctls(&p, "reserved"), 0);
	net_plan_free(&p);

	h.s.settings = &setting;
	h.s.nr_settings = 1;
	/* One that the namespace keeps, the guest's first, and its last. */
	h.s.ports.busy[39825 / 64] |= UINT64_C(1) << 39825 % 64;
	h.s.ports.busy[39826 / 64] |= UINT64_C(1) << 39826 % 64;
	h.s.ports.busy[60999 / 64] |= UINT64_C(1) << 60999 % 64;
	plan_shared(&h, &p);
	assert_int_equal(count_sysctls(&p, "reserved"), 1);
	assert_int_equal(count_sysctls(&p, "ports=8080,39826,60999"), 1);
	net_plan_free(&p);

	h.s.ports.unknown = true;
	plan_shared(&h, &p);
	assert_true(has_notice(&p, "does not list the namespace's sockets"));
	net_plan_free(&p);

	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(count_sysctls(&p, "-net/ipv4/ip_local_reserved_ports=8080"), 1);
	assert_int_equal(count_sysctls(&p, "reserved"), 1);
	net_plan_free(&p);
}

/* ---- the record --------------------------------------------------------------------------- */

static void survey(const char *name, struct net_survey *s)
{
	struct err e = ERR_INIT;
	_autofree_ char *data = NULL;
	char path[512];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", recorded, name);
	assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &data, &len, &e), 0);
	memset(s, 0, sizeof(*s));
	assert_int_equal(net_parse_buffer(s, data, len), 0);
	net_parse_finish(s);
	s->netns = 4026531840;
	s->boottime_ms = 123456789;
}

static void test_record(void **state)
{
	struct net_request request = { .mode = NET_MODE_BRIDGE };
	_autofree_ char *json = NULL;
	struct err e = ERR_INIT;
	struct net_survey s;
	struct net_record r;
	struct net_plan p;

	(void)state;
	survey("furnished", &s);
	assert_int_equal(net_plan(&s, &request, &p, &e), 0);
	assert_int_equal(net_record(&s, &p, &json, &e), 0);
	assert_int_equal(net_record_read(json, &r, &e), 0);
	assert_int_equal(r.was.netns, 4026531840);
	assert_int_equal(r.was.boottime_ms, 123456789);
	assert_int_equal(r.was.nr_links, 1);
	assert_memory_equal(r.was.links[0].mac, s.links[1].mac, 6);
	assert_int_equal(r.was.links[0].txqlen, 333);
	assert_string_equal(r.ports[0].tap, "rnct2");
	assert_string_equal(r.ports[0].bridge, "rncb2");
	assert_int_equal(r.was.nr_routes, s.nr_routes);
	for (size_t i = 0; i < s.nr_routes; i++)
		assert_true(net_replay_same_route(&s.routes[i], &r.was.routes[i]));
	/* All but the loopback's two. */
	assert_int_equal(r.was.nr_addrs, s.nr_addrs - 2);
	assert_int_equal(r.was.nr_neighs, 4);
	net_record_free(&r);
	net_plan_free(&p);
	net_survey_free(&s);
}

static void test_shared_record(void **state)
{
	static const char *const ranges[] = { "32768 60999", "", NULL };
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;
	struct net_survey s;
	struct net_plan p;

	(void)state;
	survey("furnished", &s);
	for (size_t i = 0; i < 3; i++) {
		_autofree_ char *json = NULL;
		struct net_record r;

		request.shared = ranges[i] != NULL;
		assert_int_equal(net_plan(&s, &request, &p, &e), 0);
		p.share.split &= ranges[i] && ranges[i][0];
		assert_int_equal(net_record(&s, &p, &json, &e), 0);
		assert_int_equal(net_record_read(json, &r, &e), 0);
		assert_int_equal(r.shared, ranges[i] != NULL);
		assert_int_equal(r.ports[0].shared, r.shared);
		assert_int_equal(r.split, i == 0);
		if (r.split)
			assert_int_equal(r.range.last, 60999);
		net_record_free(&r);
		net_plan_free(&p);
	}
	net_survey_free(&s);
}

static void refuse(const char *json)
{
	struct err e = ERR_INIT;
	struct net_record r;

	assert_int_equal(net_record_read(json, &r, &e), -EINVAL);
	assert_non_null(strstr(e.text, "read the network's record"));
	assert_int_equal(net_restore(json, &e), -EINVAL);
}

#define HEAD "{\"version\":1,\"netns\":1,\"boottime_ms\":1,"
#define LINK(name, mac, tap) "\"links\":[{\"index\":2,\"name\":\"" name "\",\"kind\":\"veth\"," \
	"\"type\":1,\"mac\":\"" mac "\",\"mtu\":1500,\"txqueuelen\":0,\"flags\":1,\"ipv6\":true," \
	"\"disable_ipv6\":0,\"accept_dad\":1,\"clsact\":false,\"mode\":\"tc\"," \
	"\"tap\":\"" tap "\",\"bridge\":\"\"}]"

static void test_bad_records(void **state)
{
	struct err e = ERR_INIT;
	struct net_record r;

	(void)state;
	assert_int_equal(net_record_read(HEAD LINK("eth0", "020000000001", "rnct2") "}", &r, &e),
			 0);
	net_record_free(&r);
	refuse("");
	refuse("[]");
	refuse("{}");
	refuse("{\"version\":2,\"netns\":1,\"boottime_ms\":1,\"links\":[]}");
	refuse(HEAD "\"links\":[{}]}");
	refuse(HEAD LINK("../eth0", "020000000001", "rnct2") "}");
	refuse(HEAD LINK("", "020000000001", "rnct2") "}");
	refuse(HEAD LINK("eth0", "02000000000", "rnct2") "}");
	refuse(HEAD LINK("eth0", "0200000000xx", "rnct2") "}");
	refuse(HEAD LINK("eth0", "020000000001", "a-name-that-is-too-long") "}");
	refuse(HEAD "\"links\":[],\"addresses\":[{\"message\":\"00\"}]}");
	refuse(HEAD "\"links\":[],\"addresses\":[{}]}");
	refuse(HEAD "\"links\":[],\"shared\":true}");
	refuse(HEAD "\"links\":[],\"shared\":{}}");
	refuse(HEAD "\"links\":[],\"shared\":{\"port_range\":\"2 1\"}}");
	/* 16 bytes that say they are a message of another type. */
	refuse(HEAD "\"links\":[],\"routes\":"
	       "[{\"message\":\"10000000140000000000000000000000\"}]}");
	/* An address message without its header. */
	refuse(HEAD "\"links\":[],\"addresses\":"
	       "[{\"message\":\"10000000140000000000000000000000\"}]}");
}

/* For an empty plan there is a record, and restoring it needs no privilege. */
static void test_empty_record(void **state)
{
	_autofree_ char *json = NULL;
	struct err e = ERR_INIT;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(net_record(&h.s, &p, &json, &e), 0);
	assert_int_equal(net_restore(json, &e), 0);
	net_plan_free(&p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_slash32),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_connected_gateway),
		cmocka_unit_test(test_ptp),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_one_port),
		cmocka_unit_test(test_refused_links),
		cmocka_unit_test(test_ipv6_settings),
		cmocka_unit_test(test_neighs),
		cmocka_unit_test(test_sinks),
		cmocka_unit_test(test_taken_name),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_shared_reserved),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_shared_record),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_empty_record),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-RECORDED-REPLIES\n", argv[0]);
		return 2;
	}
	recorded = argv[1];
	return cmocka_run_group_tests_name("net/plan", tests, NULL, NULL);
}
