/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of namespaces that hold what a guest's kernel cannot have just as it is. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/test-plan-help.h"

static const uint8_t none[16];

static void plan(const struct hand *h, struct net_plan *p)
{
	hand_plan(h, NET_MODE_TC, NET_MAC_ADOPT, p);
}

static void begin(struct hand *h)
{
	hand_init(h);
	hand_link(h, 2, "eth0");
	hand_addr(h, 2, "10.0.0.5", 24);
}

static void set_source(struct net_route *r, const char *text)
{
	assert_int_equal(inet_pton(r->route.family, text, r->route.prefsrc), 1);
}

/* ---- sources of routes ---------------------------------------------------------------------- */

static void test_source(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	set_source(hand_route(&h, 2, "0.0.0.0", 0, "10.0.0.1"), "10.255.0.1");
	set_source(hand_route(&h, 2, "10.9.0.0", 16, "10.0.0.1"), "10.0.0.5");
	set_source(hand_route(&h, 2, "10.8.0.0", 16, "10.0.0.1"), "10.7.7.7");
	set_source(hand_route(&h, 2, "10.6.0.0", 16, "10.0.0.1"), "127.0.0.1");
	hand_addr(&h, 2, "10.7.7.7", 24)->valid_lft = 0;
	plan(&h, &p);
	assert_int_equal(p.nr_routes, 4);
	assert_int_equal(p.routes[3].prefsrc[0], 127);
	assert_memory_equal(p.routes[0].prefsrc, none, sizeof(none));
	assert_memory_equal(p.routes[1].prefsrc, h.addrs[0].addr.local, sizeof(none));
	assert_memory_equal(p.routes[2].prefsrc, none, sizeof(none));
	assert_true(hand_has_notice(&p, "route to 0.0.0.0/0 names a source address"));
	assert_true(hand_has_notice(&p, "route to 10.8.0.0/16 names a source address"));
	assert_int_equal(p.nr_notices, 2);
	net_plan_free(&p);
}

/* What the guest makes from its MAC is an address of its own, and not in the plan. */
static void test_source_made(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	hand_addr(&h, 2, "fe80::858:aff:fe01:202", 64);
	set_source(hand_route(&h, 2, "fd00::", 8, "fe80::1"), "fe80::858:aff:fe01:202");
	plan(&h, &p);
	assert_int_equal(p.nr_addrs, 1);
	assert_memory_equal(p.routes[0].prefsrc, h.addrs[1].addr.local, sizeof(none));
	net_plan_free(&p);
	/* With another MAC it makes another one. */
	hand_plan(&h, NET_MODE_TC, NET_MAC_RANDOM, &p);
	assert_memory_equal(p.routes[0].prefsrc, none, sizeof(none));
	net_plan_free(&p);
}

/* ---- addresses ------------------------------------------------------------------------------ */

/* A guest that is given a link-local address makes none. */
static void test_link_local(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	hand_addr(&h, 2, "fe80::858:aff:fe01:202", 64);
	plan(&h, &p);
	assert_int_equal(p.nr_addrs, 1);
	net_plan_free(&p);
	hand_addr(&h, 2, "fe80::2", 64);
	plan(&h, &p);
	assert_int_equal(p.nr_addrs, 3);
	net_plan_free(&p);
	/* One that is not handed over is no reason. */
	h.addrs[2].addr.flags |= IFA_F_DADFAILED;
	plan(&h, &p);
	assert_int_equal(p.nr_addrs, 1);
	net_plan_free(&p);
	/* Nor is another interface's. */
	h.addrs[2].addr.flags = 0;
	h.addrs[2].addr.link = 3;
	plan(&h, &p);
	assert_int_equal(p.nr_addrs, 1);
	net_plan_free(&p);
}

/* ---- routers -------------------------------------------------------------------------------- */

static struct net_route *advertised(struct hand *h, const char *dst, uint8_t prefix,
				    const char *router)
{
	struct net_route *r = hand_route(h, 2, dst, prefix, router);

	r->route.protocol = RTPROT_RA;
	r->route.metric = 1024;
	r->route.lifetime = 1800;
	return r;
}

static void test_advertised(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	advertised(&h, "::", 0, "fe80::1");
	advertised(&h, "::", 0, "fe80::2");
	advertised(&h, "fd00::", 8, "fe80::2");
	hand_route(&h, 2, "fd77::", 16, "fe80::3")->route.metric = 1024;
	plan(&h, &p);
	assert_int_equal(p.nr_routes, 4);
	assert_int_equal(p.routes[0].metric, 1025);
	assert_int_equal(p.routes[1].metric, 1026);
	assert_int_equal(p.routes[2].metric, 1025);
	assert_int_equal(p.routes[3].metric, 1024);
	assert_int_equal(p.routes[0].lifetime, 1800);
	net_plan_free(&p);
	/* To who does not listen they are routes like any other. */
	for (int i = 0; i < 2; i++) {
		h.links[0].accept_ra = i;
		h.links[0].forwarding6 = i;
		plan(&h, &p);
		assert_int_equal(p.routes[0].metric, 1024);
		assert_int_equal(p.routes[1].metric, 1024);
		net_plan_free(&p);
	}
	h.links[0].accept_ra = 2;
	plan(&h, &p);
	assert_int_equal(p.routes[0].metric, 1025);
	net_plan_free(&p);
}

/* ---- interfaces ----------------------------------------------------------------------------- */

static void test_mtu(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	h.links[0].mtu = 65521;
	plan(&h, &p);
	assert_int_equal(p.ports[0].mtu, 65521);
	assert_int_equal(p.nr_notices, 0);
	net_plan_free(&p);
	h.links[0].mtu = 65535;
	plan(&h, &p);
	assert_int_equal(p.ports[0].mtu, 65521);
	assert_int_equal(p.links[0].mtu, 65521);
	assert_true(hand_has_notice(&p, "interface 'eth0' has an MTU of 65535"));
	net_plan_free(&p);
	/* Without a tap. */
	hand_plan(&h, NET_MODE_PACKET, NET_MAC_ADOPT, &p);
	assert_int_equal(p.links[0].mtu, 65535);
	net_plan_free(&p);
}

static void test_names(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "a=b");
	hand_addr(&h, 2, "10.0.0.5", 24);
	hand_link(&h, 3, "a\x1b[31mb");
	hand_addr(&h, 3, "10.1.0.5", 24);
	hand_link(&h, 4, "c\xff" "d");
	plan(&h, &p);
	assert_int_equal(p.nr_ports, 0);
	assert_true(hand_has_notice(&p, "'a=b' has a name with '='"));
	assert_true(hand_has_notice(&p, "'a?[31mb' has a name"));
	assert_true(hand_has_notice(&p, "'c?d' has no address"));
	net_plan_free(&p);
}

/* What stands on an interface and tells by MAC or address gets nothing when a redirect is there. */
static void test_above(void **state)
{
	struct net_link *l;
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	l = hand_link(&h, 3, "mv0");
	snprintf(l->kind, sizeof(l->kind), "macvlan");
	l->lower = 2;
	hand_addr(&h, 3, "10.0.1.5", 24);
	plan(&h, &p);
	assert_int_equal(p.nr_ports, 2);
	assert_true(hand_has_notice(&p, "'mv0' is a macvlan on 'eth0'"));
	net_plan_free(&p);
	/* On an interface of another namespace it stands by itself. */
	l->lower = 9;
	plan(&h, &p);
	assert_int_equal(p.nr_notices, 0);
	net_plan_free(&p);
}

static void test_ipvlan(void **state)
{
	struct net_plan p;
	struct hand h;

	(void)state;
	begin(&h);
	snprintf(h.links[0].kind, sizeof(h.links[0].kind), "ipvlan");
	plan(&h, &p);
	assert_true(hand_has_notice(&p, "use org.runnc.net.sidecars=keep"));
	net_plan_free(&p);
	hand_plan(&h, NET_MODE_BRIDGE, NET_MAC_ADOPT, &p);
	assert_true(hand_has_notice(&p, "use org.runnc.net.sidecars=keep"));
	net_plan_free(&p);
	hand_plan_shared(&h, &p);
	assert_false(hand_has_notice(&p, "nothing may reach the guest"));
	net_plan_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source), cmocka_unit_test(test_source_made),
		cmocka_unit_test(test_link_local), cmocka_unit_test(test_advertised),
		cmocka_unit_test(test_mtu), cmocka_unit_test(test_names),
		cmocka_unit_test(test_above), cmocka_unit_test(test_ipvlan),
	};

	return cmocka_run_group_tests_name("net/plan-odd", tests, NULL, NULL);
}
