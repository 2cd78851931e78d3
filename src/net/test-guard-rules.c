/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of other guests than that of test-guard.c: of one family or none, with virtio headers,
 * in mode tc, with as many addresses as there may be; its rules from a plan; and the guard of what
 * comes in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/test-guard-help.h"

/* ---- other rules -------------------------------------------------------------------------- */

/* One family or none: everything of the other is dropped, and the kernel takes the program. */
static void test_families(void **state)
{
	const struct guarded *all = *state;
	struct frame v4, v6;

	frame_udp4(&v4, OWN4, 1, 2);
	frame_ipv6(&v6, OWN6, 17, 8);
	frame_ports(&v6, 1, 2, 0);
	assert_verdict(all, &v4, PASSED);
	for (int which = 0; which < 3; which++) {
		struct guarded g;

		guard_begin(&g, 1);
		if (which < 2)
			guard_own(&g.rules, which ? OWN6 : OWN4);
		assert_int_equal(guard_load(&g), 0);
		assert_verdict(&g, &v4, which == 0 ? PASSED : NET_GUARD_IPV4);
		assert_verdict(&g, &v6, which == 1 ? PASSED : NET_GUARD_IPV6);
		frame_dhcp(&v6);
		assert_verdict(&g, &v6, PASSED);
		frame_ipv6(&v6, OWN6_SLAAC, 17, 8);
		frame_ports(&v6, 1, 2, 0);
		assert_verdict(&g, &v6, NET_GUARD_IPV6);
		frame_ipv6(&v6, OWN6, 17, 8);
		frame_ports(&v6, 1, 2, 0);
		guard_unload(&g);
	}
}

/*
 * A device without virtio headers: none of a frame's bytes is written to find out about checksums.
 * (With such headers, the guard of all other tests: test-guard-offloads.c.)
 */
static void test_bare(void **state)
{
	const struct guarded *all = *state;
	struct guarded g;
	struct frame f;

	frame_udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	guard_begin(&g, 2);
	guard_own(&g.rules, OWN4);
	guard_own(&g.rules, OWN6);
	assert_int_equal(guard_load(&g), 0);
	assert_verdict(&g, &f, PASSED);
	frame_ipv6(&f, OWN6, 6, 20);
	frame_put(&f, (uint8_t[20]){ 0 }, 20);
	assert_verdict(&g, &f, PASSED);
	frame_arp(&f, 1, OWN4, "10.1.2.1");
	assert_verdict(&g, &f, PASSED);
	frame_ipv4(&f, OWN4, 1, 0, 0, 8);
	put_bytes(&f, 8, 0, 0, 0, 0, 0, 0, 0);
	assert_verdict(&g, &f, PASSED);
	guard_unload(&g);
}

/* Mode tc: what passes is redirected at once. The loopback's index is 1. */
static void test_redirect(void **state)
{
	const struct guarded *all = *state;
	struct guarded g;
	struct frame f;

	frame_udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	guard_begin(&g, 1);
	guard_own(&g.rules, OWN4);
	g.redirect = 1;
	assert_int_equal(guard_load(&g), 0);
	assert_verdict(&g, &f, PASSED);
	frame_udp4(&f, OWN4_HIGH, 1, 2);
	assert_verdict(&g, &f, NET_GUARD_IPV4);
	guard_unload(&g);
}

static void test_many(void **state)
{
	const struct guarded *all = *state;
	struct guarded g;
	struct frame f;
	char text[32];

	frame_udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	guard_begin(&g, 2 * NET_GUARD_ADDRS_MAX);
	for (int i = 0; i < NET_GUARD_ADDRS_MAX; i++) {
		snprintf(text, sizeof(text), "10.7.%d.%d", i >> 8, i & 255);
		guard_own(&g.rules, text);
		snprintf(text, sizeof(text), "fd00:7::%x", (unsigned int)i);
		guard_own(&g.rules, text);
	}
	assert_int_equal(guard_load(&g), 0);
	for (int i = 0; i <= NET_GUARD_ADDRS_MAX; i += NET_GUARD_ADDRS_MAX / 8) {
		bool own = i < NET_GUARD_ADDRS_MAX;

		snprintf(text, sizeof(text), "10.7.%d.%d", i >> 8, i & 255);
		frame_udp4(&f, text, 1, 2);
		assert_verdict(&g, &f, own ? PASSED : NET_GUARD_IPV4);
		snprintf(text, sizeof(text), "fd00:7::%x", (unsigned int)i);
		frame_nd(&f, "fd00:7::1", 136, text, guard_target_option, 8);
		assert_verdict(&g, &f, own ? PASSED : NET_GUARD_ND);
	}
	guard_unload(&g);
}
/* ---- rules from a plan -------------------------------------------------------------------- */

static bool rules_have(const struct net_guard_rules *r, const char *text)
{
	uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET, addr[16] = { 0 };

	assert_int_equal(inet_pton(family, text, addr), 1);
	for (size_t i = 0; i < r->nr_addrs; i++)
		if (r->addrs[i].family == family && memcmp(r->addrs[i].addr, addr, 16) == 0)
			return true;
	return false;
}

static void test_rules(void **state)
{
	static const char *const texts[] = { OWN4, "10.1.2.3", OWN6, "fe80::1", "fe80::2" };
	struct gcfg_addr addrs[5];
	struct net_plan p = { .nr_ports = 2, .addrs = addrs, .nr_addrs = 5 };
	struct net_guard_rules r;
	struct err e = ERR_INIT;

	(void)state;
	memset(addrs, 0, sizeof(addrs));
	for (size_t i = 0; i < 5; i++) {
		addrs[i].family = strchr(texts[i], ':') ? AF_INET6 : AF_INET;
		addrs[i].link = i == 4;
		assert_int_equal(inet_pton(addrs[i].family, texts[i], addrs[i].local), 1);
	}
	memcpy(p.ports[0].guest_mac, guard_guest_mac, 6);
	p.ports[0].slaac = true;
	assert_int_equal(net_guard_rules(&p, 0, &r, &e), 0);
	/* One of the two alike, the other port's link-local one not, the EUI-64 one beside them. */
	assert_int_equal(r.nr_addrs, 4);
	assert_true(rules_have(&r, OWN4) && rules_have(&r, OWN6) && rules_have(&r, "fe80::1"));
	assert_true(rules_have(&r, OWN6_LINK) && r.slaac);
	assert_memory_equal(r.mac, guard_guest_mac, 6);
	net_guard_rules_free(&r);

	p.links[1].flags = GCFG_LINK_NO_IPV6;
	p.ports[1].slaac = true;
	assert_int_equal(net_guard_rules(&p, 1, &r, &e), 0);
	assert_int_equal(r.nr_addrs, 1);
	assert_true(rules_have(&r, OWN4) && !r.slaac);
	net_guard_rules_free(&r);
}
/* ---- what arrives ------------------------------------------------------------------------- */

static void test_inbound(void **state)
{
	static const char *const bad[] = {
		"127.0.0.1", "127.255.255.255", "::1", "fd6e:6162:6c61::fe:0", "fd6e:6162:6c61::",
		"fd6e:6162:6c61:0:ffff:ffff:ffff:ffff",
	};
	static const char *const good[] = {
		"126.255.255.255", "128.0.0.1", "10.9.9.9", "::2", "::", "0:0:0:1::1", "0:1::1",
		"1::1", "0:0:1::1", "::1:1", "fd6e:6162:6c61:1::1", "fd6e:6162:6c60::1",
		"fd6e:6163:6c61::1", "fd6f:6162:6c61::1", "0:0:6c61::1", "fd6e:6162::1",
		"0:0:fd6e:6162:6c61::",
	};
	const size_t nr_bad = sizeof(bad) / sizeof(bad[0]);
	const size_t nr = nr_bad + sizeof(good) / sizeof(good[0]);
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	struct guarded g = { .prog = -1, .map = -1 };
	struct err e = ERR_INIT;
	int rc, pair[2];

	(void)state;
	rc = net_bpf_counters("runnc_guard", NET_GUARD_REASONS, &g.map, &e);
	if (rc == -EPERM)
		skip();
	assert_int_equal(rc, 0);
	net_guard_inbound_program(&b, 0, g.map);
	if (net_bpf_program(&b, "runnc_guard", &g.prog, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	/* The socket's filter must say the same of each frame. */
	assert_int_equal(net_guard_inbound_socket(pair[1], &e), 0);

	for (size_t i = 0; i < nr; i++) {
		bool dropped = i < nr_bad;
		const char *text = dropped ? bad[i] : good[i - nr_bad];
		bool six = strchr(text, ':');

		for (int destination = 0; destination < 2; destination++) {
			uint8_t got[512];
			struct frame f;

			if (six)
				frame_nd(&f, OWN6, 128, NULL, NULL, 0);
			else
				frame_udp4(&f, OWN4, 1, 2);
			f.len = six ? (destination ? 38 : 22) : (destination ? 30 : 26);
			frame_put_ip(&f, six ? AF_INET6 : AF_INET, text);
			f.len = six ? 62 : 46;
			memcpy(f.bytes + 6, (const uint8_t[]){ OTHER_MAC }, 6);
			assert_verdict(&g, &f, dropped ? NET_GUARD_LOOPBACK : PASSED);
			/* A refused datagram is silently gone or an error. */
			(void)!send(pair[0], f.bytes, f.len, 0);
			assert_int_equal(recv(pair[1], got, sizeof(got), 0) == (ssize_t)f.len,
					 !dropped);
		}
	}
	close(pair[0]);
	close(pair[1]);
	guard_unload(&g);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families), cmocka_unit_test(test_many),
		cmocka_unit_test(test_redirect), cmocka_unit_test(test_bare),
		cmocka_unit_test(test_rules), cmocka_unit_test(test_inbound),
	};

	return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
