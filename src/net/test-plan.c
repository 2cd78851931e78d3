/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan, from surveys made by hand. */
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

#include "net/test-plan-help.h"

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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports, 0);
	assert_int_equal(p.nr_notices, 0);
	net_plan_free(&p);

	hand_link(&h, 1, "lo")->flags |= IFF_LOOPBACK;
	hand_addr(&h, 1, "127.0.0.1", 8);
	hand_addr(&h, 1, "::1", 128);
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_BRIDGE, NET_MAC_ADOPT, &p);
	assert_memory_equal(p.ports[0].guest_mac, h.links[0].mac, 6);
	assert_true(is_local_unicast(p.ports[0].new_mac));
	assert_true(is_local_unicast(p.ports[0].bridge_mac));
	assert_memory_not_equal(p.ports[0].new_mac, p.ports[0].bridge_mac, 6);
	assert_memory_not_equal(p.ports[0].new_mac, h.links[0].mac, 6);
	assert_string_equal(p.ports[0].tap, "rnct2");
	assert_string_equal(p.ports[0].bridge, "rncb2");

	hand_plan(&h, NET_MODE_TC, NET_MAC_RANDOM, &q);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	/* The one with the default route comes first. */
	assert_int_equal(p.nr_ports, 2);
	assert_string_equal(p.links[0].name, "eth0");
	assert_string_equal(p.links[1].name, "net1");
	assert_int_equal(p.addrs[0].link, 1);
	assert_int_equal(p.addrs[1].link, 0);
	assert_int_equal(p.nr_routes, 2);
	assert_int_equal(p.hops[0].link, 0);
	assert_int_equal(p.hops[1].link, 1);
	assert_true(hand_has_notice(&p, "interface 'idle' has no address"));
	assert_true(hand_has_notice(&p, "1 routes use interfaces that are not handed over"));
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports, NABLA_LAUNCH_NETS);
	assert_int_equal(p.nr_addrs, NABLA_LAUNCH_NETS);
	assert_true(hand_has_notice(&p, "interface 'e16' is one too many"));
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
	assert_true(hand_has_notice(&p, "interface 'net1' is more than the guest has devices for"));
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_ports + p.nr_addrs, 0);
	assert_int_equal(p.nr_notices, 7);
	assert_true(hand_has_notice(&p, "'tun0' carries IP packets, not Ethernet frames"));
	assert_true(hand_has_notice(&p, "'down0' is down"));
	assert_true(hand_has_notice(&p, "'nocar0' has no carrier"));
	assert_true(hand_has_notice(&p, "'port0' is a port"));
	assert_true(hand_has_notice(&p, "'used0' still carries the redirect"));
	assert_true(hand_has_notice(&p, "beyond plain ASCII"));
	assert_true(hand_has_notice(&p, "'group0' has no unicast MAC"));
	net_plan_free(&p);
}

static void test_ipv6_settings(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	h.links[0].disable_ipv6 = 1;
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_true(p.links[0].flags & GCFG_LINK_NO_IPV6);
	net_plan_free(&p);

	hand_slash32(&h);
	h.links[0].accept_ra = 0;
	hand_addr(&h, 2, "fe80::1234", 64)->scope = RT_SCOPE_LINK;
	hand_addr(&h, 2, "fd00::1", 64)->flags = IFA_F_DADFAILED;
	hand_addr(&h, 2, "fd00::2", 64)->flags = IFA_F_TENTATIVE;
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_sysctls, 1);
	assert_string_equal(p.sysctls[0], "net/ipv6/conf/eth0/accept_ra=0");
	/* A link-local address of its own is handed over; a duplicate is not. */
	assert_int_equal(p.nr_addrs, 4);
	assert_true(hand_has_notice(&p, "fd00::1 of 'eth0' is a duplicate"));
	assert_int_equal(p.addrs[3].flags & IFA_F_TENTATIVE, 0);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_routes, 3);
	assert_int_equal(p.nr_hops, 2);
	assert_false(hand_has_notice(&p, "routes use interfaces"));
	net_plan_free(&p);
}

static void test_taken_name(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_slash32(&h);
	hand_link(&h, 5, "rnct2");
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
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
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	/* What every kernel has by itself is not worth telling. */
	assert_int_equal(p.nr_rules, 0);
	net_plan_free(&p);

	hand_rule(&h, AF_INET, 100, 7)->rule.src_prefix = 8;
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 4);
	assert_int_equal(p.rules[3].table, 7);
	net_plan_free(&p);

	/* One of the kernel's own is missing: that, too, is policy. */
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_rule(&h, AF_INET6, 32766, RT_TABLE_MAIN);
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 1);
	net_plan_free(&p);

	hand_rule(&h, AF_INET, 50, 9)->odd = true;
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(p.nr_rules, 1);
	assert_true(hand_has_notice(&p, "policy rule 50 asks for what a guest cannot do"));
	net_plan_free(&p);
}

int main(void)
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
	};

	return cmocka_run_group_tests_name("net/plan", tests, NULL, NULL);
}
