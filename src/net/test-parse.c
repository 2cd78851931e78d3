/* SPDX-License-Identifier: GPL-2.0-only */
/* The parser: recorded replies (the folder in argv[1]) and hostile ones. */
#include "net/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"

static const char *recorded;

/* ---- recorded replies --------------------------------------------------------------------- */

static char *load(const char *name, size_t *len)
{
	struct err e = ERR_INIT;
	char path[512], *data;

	snprintf(path, sizeof(path), "%s/%s", recorded, name);
	assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &data, len, &e), 0);
	return data;
}

static void survey(const char *name, struct net_survey *s)
{
	size_t len;
	_autofree_ char *data = load(name, &len);

	memset(s, 0, sizeof(*s));
	assert_int_equal(net_parse_buffer(s, data, len), 0);
	net_parse_finish(s);
}

static bool is_ip(const uint8_t *addr, uint8_t family, const char *text)
{
	uint8_t wanted[16] = { 0 };

	assert_int_equal(inet_pton(family, text, wanted), 1);
	return memcmp(addr, wanted, sizeof(wanted)) == 0;
}

static const struct gcfg_addr *find_addr(const struct net_survey *s, uint8_t family,
					 const char *text)
{
	for (size_t i = 0; i < s->nr_addrs; i++)
		if (s->addrs[i].addr.family == family &&
		    is_ip(s->addrs[i].addr.local, family, text))
			return &s->addrs[i].addr;
	fail_msg("no address %s", text);
	return NULL;
}

static const struct net_route *find_route(const struct net_survey *s, uint8_t family,
					  const char *text,
					  uint32_t metric)
{
	for (size_t i = 0; i < s->nr_routes; i++) {
		const struct gcfg_route *r = &s->routes[i].route;

		if (r->family == family && r->metric == metric && is_ip(r->dst, family, text))
			return &s->routes[i];
	}
	fail_msg("no route to %s, metric %u", text, metric);
	return NULL;
}

static void test_links(void **state)
{
	struct net_survey s;
	const struct net_link *l;

	(void)state;
	survey("furnished", &s);
	assert_int_equal(s.nr_links, 2);
	assert_true(s.links[0].flags & IFF_LOOPBACK);
	l = net_survey_link(&s, 2);
	assert_string_equal(l->name, "eth0");
	assert_string_equal(l->kind, "veth");
	assert_int_equal(l->mtu, 1500);
	assert_int_equal(l->txqlen, 333);
	assert_true(l->carrier && l->has_mac && l->ipv6 && !l->clsact && !l->plumbed);
	assert_int_equal(l->disable_ipv6, 0);
	assert_int_equal(l->accept_ra, 0);
	assert_int_equal(l->accept_dad, 1);
	/* The kernel's three, two of IPv6, and one that was added. */
	assert_int_equal(s.nr_rules, 6);
	assert_null(net_survey_link(&s, 3));
	net_survey_free(&s);
}

static void test_addrs(void **state)
{
	struct net_survey s;
	const struct gcfg_addr *a;

	(void)state;
	survey("furnished", &s);
	a = find_addr(&s, AF_INET, "172.17.0.5");
	assert_int_equal(a->prefix, 16);
	assert_true(is_ip(a->broadcast, AF_INET, "172.17.255.255"));
	assert_memory_equal(a->local, a->peer, 16);
	assert_int_equal(a->valid_lft, UINT32_MAX);
	a = find_addr(&s, AF_INET, "10.20.0.1");
	assert_true(is_ip(a->peer, AF_INET, "10.20.0.2"));
	assert_int_equal(a->scope, RT_SCOPE_LINK);
	a = find_addr(&s, AF_INET, "10.11.12.13");
	assert_in_range(a->valid_lft, 1, 90000);
	assert_in_range(a->preferred_lft, 1, 80000);
	assert_true(find_addr(&s, AF_INET, "172.17.9.9")->flags & IFA_F_SECONDARY);
	assert_true(find_addr(&s, AF_INET, "10.30.0.1")->flags & IFA_F_NOPREFIXROUTE);
	assert_int_equal(find_addr(&s, AF_INET, "10.30.0.1")->metric, 77);
	assert_true(find_addr(&s, AF_INET6, "fd00:17::7")->flags & IFA_F_DEPRECATED);
	assert_int_equal(find_addr(&s, AF_INET6, "fd00:17::5")->prefix, 64);
	net_survey_free(&s);
}

static void test_routes(void **state)
{
	struct net_survey s;
	const struct net_route *r;

	(void)state;
	survey("furnished", &s);
	r = find_route(&s, AF_INET, "203.0.113.0", 5);
	assert_int_equal(r->route.mtu, 1300);
	assert_int_equal(r->route.dst_prefix, 24);
	assert_int_equal(r->route.nr_hops, 1);
	assert_int_equal(r->hops[0].flags, RTNH_F_ONLINK);
	assert_true(is_ip(r->hops[0].gateway, AF_INET, "10.99.0.1"));
	r = find_route(&s, AF_INET, "203.0.113.0", 6);
	assert_true(is_ip(r->route.prefsrc, AF_INET, "172.17.9.9"));
	r = find_route(&s, AF_INET, "198.51.100.0", 0);
	assert_int_equal(r->route.nr_hops, 2);
	assert_int_equal(r->hops[0].weight, 3);
	assert_int_equal(r->hops[1].weight, 1);
	r = find_route(&s, AF_INET, "192.0.2.0", 0);
	assert_int_equal(r->route.type, RTN_BLACKHOLE);
	assert_int_equal(r->route.nr_hops, 0);
	r = find_route(&s, AF_INET, "10.40.0.0", 0);
	assert_int_equal(r->route.table, 100);
	r = find_route(&s, AF_INET, "0.0.0.0", 500);
	assert_int_equal(r->route.metrics[RTAX_ADVMSS], 1200);
	assert_int_equal(r->route.metrics[RTAX_INITCWND], 20);
	assert_int_equal(r->route.mtu, 0);
	assert_in_range(find_route(&s, AF_INET6, "2001:db8:3::", 1024)->route.lifetime, 80000,
			90000);
	assert_int_equal(find_route(&s, AF_INET6, "2001:db8:1::", 5)->route.lifetime, 0);
	assert_int_equal(find_route(&s, AF_INET6, "2001:db8:2::", 1024)->route.nr_hops, 2);
	r = find_route(&s, AF_INET6, "2001:db8:4::", 1024);
	assert_int_equal(r->route.type, RTN_UNREACHABLE);
	assert_int_equal(r->route.nr_hops, 0);
	/* Of the kernel's own in table local, those that have an order among interfaces. */
	assert_true(find_route(&s, AF_INET6, "ff00::", 256)->kernel_made);
	assert_int_equal(find_route(&s, AF_INET, "172.17.255.255", 0)->route.type, RTN_BROADCAST);
	for (size_t i = 0; i < s.nr_routes; i++)
		if (s.routes[i].kernel_made && s.routes[i].route.table == RT_TABLE_LOCAL)
			assert_true(s.routes[i].route.type == RTN_BROADCAST ||
				    s.routes[i].route.dst_prefix == 8);
	net_survey_free(&s);
}

static void test_rules(void **state)
{
	const struct gcfg_rule *found = NULL;
	struct net_survey s;

	(void)state;
	survey("furnished", &s);
	for (size_t i = 0; i < s.nr_rules; i++) {
		assert_false(s.rules[i].odd);
		if (s.rules[i].rule.src_prefix)
			found = &s.rules[i].rule;
	}
	assert_non_null(found);
	assert_true(is_ip(found->src, AF_INET, "172.17.9.9"));
	assert_int_equal(found->src_prefix, 32);
	assert_int_equal(found->table, 100);
	assert_int_equal(found->priority, 32765);
	assert_int_equal(found->suppress_prefix, UINT32_MAX);
	assert_int_equal(found->has, 0);
	net_survey_free(&s);
}

static void test_neighs(void **state)
{
	static const uint8_t mac[6] = { 2, 0xaa, 0, 0, 0, 2 };
	struct net_survey s;
	size_t proxies = 0;

	(void)state;
	survey("furnished", &s);
	assert_int_equal(s.nr_neighs, 4);
	for (size_t i = 0; i < s.nr_neighs; i++) {
		proxies += s.neighs[i].proxy;
		if (is_ip(s.neighs[i].neigh.addr, AF_INET, "172.17.0.77")) {
			assert_memory_equal(s.neighs[i].neigh.mac, mac, 6);
			assert_int_equal(s.neighs[i].neigh.state, NUD_PERMANENT);
		}
	}
	assert_int_equal(proxies, 1);
	net_survey_free(&s);
}

static void test_plumbed(void **state)
{
	struct net_survey s;

	(void)state;
	survey("plumbed", &s);
	assert_int_equal(s.nr_links, 3);
	assert_true(s.links[1].clsact && s.links[1].plumbed);
	assert_true(s.links[2].clsact && s.links[2].plumbed);
	assert_string_equal(s.links[2].kind, "tun");
	net_survey_free(&s);
}

/* Each message of a recording, with one byte after the other changed to something else. */
static void test_any_byte(void **state)
{
	static const char values[] = { 0, 1, 0x7f, (char)0x80, (char)0xff };
	size_t len;
	_autofree_ char *data = load("slash32", &len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		_autofree_ char *copy = malloc(len);

		for (size_t v = 0; v < sizeof(values); v++) {
			struct net_survey s = { .links = NULL };
			int rc;

			memcpy(copy, data, len);
			copy[i] = values[v];
			rc = net_parse_buffer(&s, copy, len);
			assert_true(rc == 0 || rc == -EBADMSG || rc == -E2BIG);
			net_survey_free(&s);
		}
	}
}

/* Every cut that does not fall between messages is an error. */
static void test_any_cut(void **state)
{
	size_t len;
	_autofree_ char *data = load("furnished", &len);
	size_t whole = 0;

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		_autofree_ char *copy = malloc(cut);
		struct net_survey s = { .links = NULL };
		int rc;

		memcpy(copy, data, cut);
		rc = net_parse_buffer(&s, copy, cut);
		assert_true(rc == 0 || rc == -EBADMSG);
		whole += rc == 0;
		net_survey_free(&s);
	}
	assert_in_range(whole, 10, 200);
}

/* ---- hostile replies ---------------------------------------------------------------------- */

/* One message in exactly as much memory as it says. */
struct message {
	union {
		struct nlmsghdr head;
		char bytes[16384];
	};
};

static void *begin(struct message *m, uint16_t type, size_t size)
{
	memset(m, 0, sizeof(*m));
	m->head.nlmsg_type = type;
	m->head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(size));
	return m->bytes + NLMSG_HDRLEN;
}

static struct nlattr *put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)(m->bytes + m->head.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy(m->bytes + m->head.nlmsg_len + NLA_HDRLEN, data, len);
	m->head.nlmsg_len += (uint32_t)NLA_ALIGN(attr->nla_len);
	return attr;
}

/* What the parser says to @m, and that a refused message leaves nothing behind. */
static int verdict(const struct message *m)
{
	_autofree_ struct nlmsghdr *exact = malloc(m->head.nlmsg_len);
	struct net_survey s = { .links = NULL };
	int rc;

	memcpy(exact, m, m->head.nlmsg_len);
	rc = net_parse_message(&s, exact);
	if (rc < 0)
		assert_int_equal(s.nr_links + s.nr_addrs + s.nr_routes + s.nr_neighs, 0);
	net_survey_free(&s);
	return rc;
}

static int link_named(const void *name, size_t len)
{
	struct message m;
	struct ifinfomsg *head = begin(&m, RTM_NEWLINK, sizeof(*head));

	head->ifi_index = 7;
	put(&m, IFLA_IFNAME, name, len);
	return verdict(&m);
}

static void test_hostile_links(void **state)
{
	struct message m;
	struct ifinfomsg *head;

	(void)state;
	assert_int_equal(link_named("eth0", 5), 0);
	assert_int_equal(link_named("eth0", 4), 0);
	assert_int_equal(link_named("", 1), -EBADMSG);
	assert_int_equal(link_named("", 0), -EBADMSG);
	assert_int_equal(link_named("..", 3), -EBADMSG);
	assert_int_equal(link_named("../../x", 8), -EBADMSG);
	assert_int_equal(link_named("0123456789abcdef", 16), -EBADMSG);

	begin(&m, RTM_NEWLINK, sizeof(*head));
	put(&m, IFLA_IFNAME, "eth0", 5);
	assert_int_equal(verdict(&m), -EBADMSG);	/* index 0 */
	head = begin(&m, RTM_NEWLINK, sizeof(*head));
	head->ifi_index = 7;
	put(&m, IFLA_IFNAME, "eth0", 5);
	put(&m, IFLA_MTU, "12", 2);
	assert_int_equal(verdict(&m), -EBADMSG);	/* an MTU of two bytes */
	begin(&m, RTM_NEWLINK, 4);
	assert_int_equal(verdict(&m), -EBADMSG);	/* a header cut short */
}

static void test_hostile_attributes(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 3, 6, 9, 100, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct message m;
		struct ifinfomsg *head = begin(&m, RTM_NEWLINK, sizeof(*head));

		head->ifi_index = 7;
		put(&m, IFLA_IFNAME, "eth0", 5);
		put(&m, IFLA_MTU, "1234", 4)->nla_len = lengths[i];
		assert_int_equal(verdict(&m), -EBADMSG);
	}
}

static int addr_with(uint8_t family, uint8_t prefix, size_t len)
{
	static const uint8_t addr[32] = { 10, 0, 0, 1 };
	struct message m;
	struct ifaddrmsg *head = begin(&m, RTM_NEWADDR, sizeof(*head));

	head->ifa_family = family;
	head->ifa_prefixlen = prefix;
	if (len)
		put(&m, IFA_ADDRESS, addr, len);
	return verdict(&m);
}

static void test_hostile_addrs(void **state)
{
	(void)state;
	assert_int_equal(addr_with(AF_INET, 32, 4), 0);
	assert_int_equal(addr_with(AF_INET6, 128, 16), 0);
	assert_int_equal(addr_with(AF_INET, 33, 4), -EBADMSG);
	assert_int_equal(addr_with(AF_INET6, 129, 16), -EBADMSG);
	assert_int_equal(addr_with(AF_INET, 24, 0), -EBADMSG);
	assert_int_equal(addr_with(AF_INET, 24, 3), -EBADMSG);
	assert_int_equal(addr_with(AF_INET, 24, 16), -EBADMSG);
	assert_int_equal(addr_with(AF_INET6, 64, 4), -EBADMSG);
	assert_int_equal(addr_with(AF_APPLETALK, 200, 1), 0);	/* none of our business */
}

/* A peer of 0.0.0.0 is not told. */
static void test_no_peer(void **state)
{
	static const uint8_t addr[4] = { 10, 0, 0, 1 }, none[16];
	struct net_survey s = { .netns = 0 };
	struct message m;
	struct ifaddrmsg *head = begin(&m, RTM_NEWADDR, sizeof(*head));

	(void)state;
	head->ifa_family = AF_INET;
	put(&m, IFA_LOCAL, addr, sizeof(addr));
	assert_int_equal(net_parse_message(&s, &m.head), 0);
	assert_int_equal(s.nr_addrs, 1);
	assert_memory_equal(s.addrs[0].addr.local, addr, sizeof(addr));
	assert_memory_equal(s.addrs[0].addr.peer, none, sizeof(none));
	head->ifa_family = AF_INET6;
	assert_int_equal(verdict(&m), -EBADMSG);
	net_survey_free(&s);
}

/* How many routes are there of one that has so many hundredths of a second left? */
static size_t routes_left(int32_t expires, uint32_t *lifetime)
{
	struct rta_cacheinfo life = { .rta_expires = expires };
	struct net_survey s = { .netns = 0 };
	struct message m;
	struct rtmsg *head = begin(&m, RTM_NEWROUTE, sizeof(*head));
	size_t nr;

	head->rtm_family = AF_INET6;
	head->rtm_type = RTN_UNICAST;
	put(&m, RTA_OIF, (uint32_t[1]){ 2 }, 4);
	put(&m, RTA_CACHEINFO, &life, sizeof(life));
	assert_int_equal(net_parse_message(&s, &m.head), 0);
	nr = s.nr_routes;
	*lifetime = nr ? s.routes[0].route.lifetime : 0;
	net_survey_free(&s);
	return nr;
}

/* The kernel lists for a while what it does not use any more. */
static void test_expired(void **state)
{
	uint32_t lifetime;

	(void)state;
	assert_int_equal(routes_left(0, &lifetime), 1);
	assert_int_equal(lifetime, 0);
	assert_int_equal(routes_left(1, &lifetime), 1);
	assert_int_equal(lifetime, 1);
	assert_int_equal(routes_left(-1, &lifetime), 0);
	assert_int_equal(routes_left(INT32_MIN, &lifetime), 0);
}

static int route_with(uint8_t family, uint16_t type, const void *data, size_t len)
{
	struct message m;
	struct rtmsg *head = begin(&m, RTM_NEWROUTE, sizeof(*head));

	head->rtm_family = family;
	head->rtm_type = RTN_UNICAST;
	put(&m, type, data, len);
	return verdict(&m);
}

static void test_hostile_routes(void **state)
{
	struct rtnexthop hops[300];
	uint8_t via[18] = { AF_INET6 };

	(void)state;
	memset(hops, 0, sizeof(hops));
	for (size_t i = 0; i < 300; i++) {
		hops[i].rtnh_len = sizeof(hops[i]);
		hops[i].rtnh_ifindex = 2;
	}
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 2 * sizeof(hops[0])), 0);
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 255 * sizeof(hops[0])), 0);
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 256 * sizeof(hops[0])), -E2BIG);
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 11), -EBADMSG);
	hops[0].rtnh_len = 0;
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 16), -EBADMSG);
	hops[0].rtnh_len = 7;
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 16), -EBADMSG);
	hops[0].rtnh_len = 17;
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 16), -EBADMSG);
	hops[0].rtnh_len = 0xffff;
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 16), -EBADMSG);
	hops[0].rtnh_len = 8;
	hops[0].rtnh_ifindex = -1;
	assert_int_equal(route_with(AF_INET, RTA_MULTIPATH, hops, 16), -EBADMSG);

	assert_int_equal(route_with(AF_INET, RTA_GATEWAY, "123", 3), -EBADMSG);
	assert_int_equal(route_with(AF_INET, RTA_DST, via, 16), -EBADMSG);
	assert_int_equal(route_with(AF_INET, RTA_VIA, via, 18), 0);
	assert_int_equal(route_with(AF_INET, RTA_VIA, via, 17), -EBADMSG);
	assert_int_equal(route_with(AF_INET, RTA_VIA, via, 1), -EBADMSG);
	via[0] = AF_APPLETALK;
	assert_int_equal(route_with(AF_INET, RTA_VIA, via, 18), -EBADMSG);
	assert_int_equal(route_with(AF_INET, RTA_METRICS, "\xff\xff\0\0", 4), -EBADMSG);
}

static void test_too_many(void **state)
{
	static const uint8_t addr[4] = { 10, 0, 0, 1 };
	struct net_survey s = { .links = NULL };
	struct message m;
	struct ifaddrmsg *head = begin(&m, RTM_NEWADDR, sizeof(*head));

	(void)state;
	head->ifa_family = AF_INET;
	put(&m, IFA_ADDRESS, addr, sizeof(addr));
	for (size_t i = 0; i < NET_PARSE_MAX; i++)
		assert_int_equal(net_parse_message(&s, &m.head), 0);
	assert_int_equal(net_parse_message(&s, &m.head), -E2BIG);
	assert_int_equal(s.nr_addrs, NET_PARSE_MAX);
	net_survey_free(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_addrs),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_neighs),
		cmocka_unit_test(test_plumbed),
		cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_hostile_links),
		cmocka_unit_test(test_hostile_attributes),
		cmocka_unit_test(test_hostile_addrs),
		cmocka_unit_test(test_hostile_routes),
		cmocka_unit_test(test_no_peer),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_too_many),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-RECORDED-REPLIES\n", argv[0]);
		return 2;
	}
	recorded = argv[1];
	return cmocka_run_group_tests_name("net/parse", tests, NULL, NULL);
}
