/* SPDX-License-Identifier: GPL-2.0-only */
/* The pod's loopback: its plan, and its programs, run by the kernel on crafted packets. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/inet_diag.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/forward.h"
#include "net/forward_load.h"
#include "net/forward_parts.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/ports.h"
#include "net/test-forward-help.h"

/* ---- plan ----------------------------------------------------------------------------------- */

static struct net_link links[] = {
	{ .index = 1, .flags = IFF_LOOPBACK | IFF_UP, .ipv6 = true, .name = "lo" },
	{ .index = 2, .flags = IFF_UP, .name = "eth0" },
	{ .index = 3, .flags = IFF_UP, .name = "rnctl" },
};

static struct gcfg_addr addrs[] = {
	{ .family = AF_INET, .prefix = 16, .local = { 10, 0, 0, 5 } },
	{ .family = AF_INET6, .prefix = 64, .local = { 0xfd, [15] = 5 } },
	{ .family = AF_INET6, .prefix = 64, .local = { 0xfe, 0x80, [15] = 5 } },
	{ .family = AF_INET, .prefix = 24, .local = { 10, 1, 0, 5 }, .scope = RT_SCOPE_LINK },
};

static struct net_addr on_lo[] = {
	{ .addr = { .link = 1, .family = AF_INET, .prefix = 32, .local = { 10, 1, 0, 5 } } },
};

static void make(struct net_forward *f, const char **why, struct net_forward_facts facts)
{
	const struct net_survey s = { .links = links, .nr_links = 3, .addrs = on_lo, .nr_addrs = 1,
				      .loopback = facts };
	struct net_plan p = { .nr_ports = 1, .addrs = addrs, .nr_addrs = 4 };

	net_forward_plan(&s, &p, f, why);
}

static void test_plan(void **state)
{
	struct net_forward f;
	const char *why;

	(void)state;
	make(&f, &why, (struct net_forward_facts){ .known = true, .accept_local = 1 });
	assert_null(why);
	assert_true(f.on && f.lo_up && !f.lo_clsact);
	assert_int_equal(f.lo_accept_local, 1);
	assert_string_equal(f.tap, "rnctl1");
	assert_string_equal(f.link.name, "pod0");
	assert_int_equal(f.link.index, 1);
	assert_int_equal(f.link.flags, GCFG_LINK_POD);
	assert_int_equal(f.table.nr4, 2);
	assert_int_equal(f.table.nr6, 1);
	/* Not the link-local one, and not what lo has already. */
	assert_int_equal(f.nr_addrs, 2);
	assert_int_equal(f.addrs[0].prefix, 32);
	assert_int_equal(f.addrs[1].prefix, 128);
	/* Clients, servers, IPv6; then for each address those that dial it, and where it dials. */
	assert_int_equal(f.nr_routes, 8);
	assert_memory_equal(f.routes[0].dst, ((uint8_t[]){ 127, 254, 0, 0 }), 4);
	assert_memory_equal(f.routes[5].dst, ((uint8_t[]){ 127, 254, 255, 1 }), 4);
	assert_memory_equal(f.routes[5].prefsrc, addrs[3].local, 4);
	assert_memory_equal(f.routes[6].dst, ((uint8_t[]){ 127, 253, 255, 1 }), 4);
	assert_memory_equal(f.routes[6].prefsrc, addrs[3].local, 4);
	assert_int_equal(f.routes[7].dst[15], 1);
	assert_memory_equal(f.routes[7].prefsrc, addrs[1].local, 16);
}

static void test_resolver(void **state)
{
	struct net_forward f;
	const char *why;

	(void)state;
	make(&f, &why, (struct net_forward_facts){ .known = true, .resolver_udp = 4000 });
	assert_int_equal(f.table.resolver_udp, htons(4000));
	assert_memory_equal(f.routes[2].dst, ((uint8_t[]){ 127, 0, 0, 11 }), 4);
	assert_int_equal(f.routes[2].dst_prefix, 32);
}

static void test_off(void **state)
{
	struct net_forward f;
	const char *why;

	(void)state;
	make(&f, &why, (struct net_forward_facts){ .known = false });
	assert_true(!f.on && !why);
	make(&f, &why, (struct net_forward_facts){ .known = true, .ours = true });
	assert_false(f.on);
	assert_string_equal(why, "not connected: it leads to another container's guest already");
	make(&f, &why, (struct net_forward_facts){ .known = true, .unsupported = -EPERM });
	assert_string_equal(why, "not connected: loading eBPF programs is not permitted");
	links[0].flags = 0;
	make(&f, &why, (struct net_forward_facts){ .known = true });
	assert_string_equal(why, "not connected: the namespace has none");
	links[0].flags = IFF_LOOPBACK | IFF_UP;
}

static void test_many(void **state)
{
	const struct net_survey s = { .links = links, .nr_links = 1, .loopback.known = true };
	struct gcfg_addr many[NET_FORWARD_ADDRS + 1] = { 0 };
	struct net_plan p = { .addrs = many, .nr_addrs = NET_FORWARD_ADDRS + 1 };
	struct net_forward f;
	const char *why;

	(void)state;
	for (uint8_t i = 0; i <= NET_FORWARD_ADDRS; i++)
		many[i] = (struct gcfg_addr){ .family = AF_INET, .local = { 10, 0, 0, i } };
	net_forward_plan(&s, &p, &f, &why);
	assert_true(f.on);
	assert_string_equal(why, "only 16 of the pod's addresses of each family are forwarded");
	assert_int_equal(f.table.nr4, NET_FORWARD_ADDRS);
}

static void test_socket(void **state)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg socket;
	} m = {
		.head = { .nlmsg_len = sizeof(m), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.socket = { .idiag_family = AF_INET, .id.idiag_sport = htons(5353),
			    .id.idiag_src = { htonl(NET_FORWARD_RESOLVER) } },
	};
	struct net_forward_facts f = { .known = true };

	(void)state;
	assert_true(net_forward_parse_socket(&m.head, &f, IPPROTO_UDP));
	assert_int_equal(f.resolver_udp, 5353);
	assert_int_equal(f.resolver_tcp, 0);
	m.head.nlmsg_len--;
	assert_false(net_forward_parse_socket(&m.head, &f, IPPROTO_TCP));
	m.head.nlmsg_len++;
	m.socket.id.idiag_src[0] = htonl(0x7f000001);
	assert_false(net_forward_parse_socket(&m.head, &f, IPPROTO_TCP));
	assert_int_equal(f.resolver_tcp, 0);
}

/* ---- programs ------------------------------------------------------------------------------- */

static int to_guest = -1, from_guest = -1, ports = -1;

/* In a namespace of its own: the programs ask whose socket it is that something goes to. */
static int setup(void **state)
{
	struct net_forward_table t = {
		.tap = 1, .lo = 1, .nr4 = 2, .nr6 = 1, .guest_mac = { 2, 0, 0, 0, 0, 9 },
		.addr4 = { htonl(0x0a000005), htonl(0x0a010005) },
		.addr6 = { { htonl(0xfd000000), 0, 0, htonl(5) } },
		.resolver_udp = htons(4000), .number = 1, .alone = 1,
	};
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct err e = ERR_INIT;
	int rc;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace of its own: %s\n", strerror(errno));
		return 0;
	}
	if (net_nl_open(&nl, &e) < 0 || net_link_flags(&nl, 1, IFF_UP, IFF_UP, &e) < 0)
		fail_msg("%s", e.text);
	rc = net_ports_create(&ports, &e);
	if (rc == 0)
		rc = net_forward_load(&t, ports, &to_guest, &from_guest, &e);
	if (rc == -EPERM || rc == -ENOSYS)
		print_message("bpf(2) is not allowed: %s\n", e.text);
	else if (rc < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(&to_guest);
	fd_close(&from_guest);
	fd_close(&ports);
	return 0;
}

#define CLIENT6 "fd6e:6162:6c61::fe:0"
#define CLIENT6_1 "fd6e:6162:6c61::fe:1"

static const struct {
	const char *source, *dest, *source_out, *dest_out;
	uint16_t sport, dport, sport_out, dport_out;
} to_guest_rows[] = {
	{ "127.0.0.1", "127.0.0.1", "127.254.0.1", "127.0.0.1", 40000, 9, 40000, 9 },
	{ "127.0.3.4", "127.9.9.9", "127.254.3.4", "127.9.9.9", 40000, 9, 40000, 9 },
	{ "10.0.0.5", "10.0.0.5", "127.254.255.0", "10.0.0.5", 40000, 9, 40000, 9 },
	{ "10.1.0.5", "127.0.0.1", "127.254.255.1", "127.0.0.1", 40000, 9, 40000, 9 },
	{ "127.0.0.1", "127.253.0.1", "127.253.0.1", "127.0.0.1", 80, 5000, 80, 5000 },
	{ "10.0.0.5", "127.253.255.1", "127.253.255.0", "10.1.0.5", 80, 5000, 80, 5000 },
	{ "127.0.0.1", "127.253.255.1", "127.253.255.1", "10.1.0.5", 80, 5000, 80, 5000 },
	{ "127.0.0.11", "127.253.0.1", "127.0.0.11", "127.0.0.1", 4000, 5000, 53, 5000 },
	{ "::1", "::1", CLIENT6, "::1", 40000, 9, 40000, 9 },
	{ "fd00::5", "fd00::5", CLIENT6_1, "fd00::5", 40000, 9, 40000, 9 },
}, from_guest_rows[] = {
	{ "127.0.0.1", "127.254.0.1", "127.0.0.1", "127.0.0.1", 9, 40000, 9, 40000 },
	{ "10.0.0.5", "127.254.255.0", "10.0.0.5", "10.0.0.5", 9, 40000, 9, 40000 },
	{ "127.0.0.1", "127.253.0.1", "127.253.0.1", "127.0.0.1", 5000, 80, 5000, 80 },
	{ "10.1.0.5", "127.253.255.0", "127.253.255.1", "10.0.0.5", 5000, 80, 5000, 80 },
	{ "10.1.0.5", "127.253.255.1", "127.253.255.1", "10.1.0.5", 5000, 80, 5000, 80 },
	{ "127.0.0.1", "127.0.0.11", "127.253.0.1", "127.0.0.11", 5000, 53, 5000, 4000 },
	{ "::1", CLIENT6, "::1", "::1", 9, 40000, 9, 40000 },
	{ "fe80::fe:0", CLIENT6, "::1", "::1", 9, 40000, 9, 40000 },
	{ "fd00::5", CLIENT6_1, "fd00::5", "fd00::5", 9, 40000, 9, 40000 },
};

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_to_guest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(to_guest_rows); i++) {
		struct help_frame f = help_packet(IPPROTO_UDP, to_guest_rows[i].source,
					to_guest_rows[i].sport, to_guest_rows[i].dest,
					to_guest_rows[i].dport);

		assert_int_equal(help_run(to_guest, &f), TC_ACT_REDIRECT);
		help_expect(&f, to_guest_rows[i].source_out, to_guest_rows[i].sport_out,
		       to_guest_rows[i].dest_out, to_guest_rows[i].dport_out);
		assert_memory_equal(f.bytes, ((uint8_t[]){ 2, 0, 0, 0, 0, 9 }), 6);
	}
}

static void test_from_guest(void **state)
{
	static const uint8_t none[6];

	(void)state;
	for (size_t i = 0; i < ROWS(from_guest_rows); i++) {
		struct help_frame f = help_packet(IPPROTO_UDP, from_guest_rows[i].source,
					from_guest_rows[i].sport, from_guest_rows[i].dest,
					from_guest_rows[i].dport);

		memset(f.bytes, 0x22, 6);
		assert_int_equal(help_run(from_guest, &f), TC_ACT_REDIRECT);
		help_expect(&f, from_guest_rows[i].source_out, from_guest_rows[i].sport_out,
		       from_guest_rows[i].dest_out, from_guest_rows[i].dport_out);
		assert_memory_equal(f.bytes, none, 6);
	}
}

static void test_tcp(void **state)
{
	struct help_frame f = help_packet(IPPROTO_TCP, "127.0.0.1", 40000, "127.0.0.1", 9);

	(void)state;
	assert_int_equal(help_run(to_guest, &f), TC_ACT_REDIRECT);
	help_expect(&f, "127.254.0.1", 40000, "127.0.0.1", 9);
	f = help_packet(IPPROTO_TCP, CLIENT6, 9, "::1", 40000);
	assert_int_equal(help_run(from_guest, &f), TC_ACT_SHOT);
	f = help_packet(IPPROTO_TCP, "::1", 9, CLIENT6, 40000);
	assert_int_equal(help_run(from_guest, &f), TC_ACT_REDIRECT);
	help_expect(&f, "::1", 9, "::1", 40000);
}

/* A guest dials by what stands for servers; to clients it only answers. */
static void test_opening(void **state)
{
	static const struct {
		uint8_t flags;
		int verdict;
	} rows[] = {
		{ 0x02, TC_ACT_SHOT }, { 0xc2, TC_ACT_SHOT }, { 0x06, TC_ACT_SHOT },
		{ 0x12, TC_ACT_REDIRECT }, { 0x10, TC_ACT_REDIRECT }, { 0x04, TC_ACT_REDIRECT },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct help_frame f = help_packet(IPPROTO_TCP, "127.0.0.1", 9, "127.254.0.1",
						  40000);

		f.bytes[14 + 20 + 13] = rows[i].flags;
		assert_int_equal(help_run(from_guest, &f), rows[i].verdict);
		f = help_packet(IPPROTO_TCP, "::1", 9, CLIENT6, 40000);
		f.bytes[14 + 40 + 13] = rows[i].flags;
		assert_int_equal(help_run(from_guest, &f), rows[i].verdict);
		f = help_packet(IPPROTO_TCP, "127.0.0.1", 5000, "127.253.0.1", 80);
		f.bytes[14 + 20 + 13] = rows[i].flags;
		assert_int_equal(help_run(from_guest, &f), TC_ACT_REDIRECT);
	}
}

/* What is none of ours goes its way in the namespace. */
static void test_to_guest_other(void **state)
{
	static const char *const pairs[][2] = {
		{ "10.0.0.5", "10.0.0.6" },		/* not the pod's */
		{ "10.0.0.7", "127.0.0.1" },		/* nothing stands for it */
		{ "127.77.0.1", "127.0.0.1" },
		{ "127.0.0.1", "127.254.0.1" },		/* it stands for the namespace itself */
		{ "127.0.0.1", "127.253.255.2" },	/* no such number */
		{ "127.0.0.1", "127.0.0.11" },		/* a question to the resolver */
		{ "fd00::6", "::1" }, { "::1", "fd00::6" }, { "::1", CLIENT6 },
	};
	struct help_frame f;

	(void)state;
	for (size_t i = 0; i < ROWS(pairs); i++) {
		f = help_packet(IPPROTO_UDP, pairs[i][0], 40000, pairs[i][1], 9);
		assert_int_equal(help_run(to_guest, &f), TC_ACT_UNSPEC);
	}
	f = help_packet(IPPROTO_UDP, "127.0.0.1", 40000, "127.0.0.1", 9);
	f.bytes[12] = 8, f.bytes[13] = 6;		/* ARP */
	assert_int_equal(help_run(to_guest, &f), TC_ACT_UNSPEC);
	f = help_packet(IPPROTO_UDP, "127.0.0.1", 40000, "127.0.0.1", 9);
	f.bytes[14 + 6] = 0x20;				/* a fragment */
	assert_int_equal(help_run(to_guest, &f), TC_ACT_UNSPEC);
}

/* The guest may say whatever it likes; what is not exactly right ends at its tap. */
static void test_from_guest_other(void **state)
{
	static const char *const pairs[][2] = {
		{ "127.0.0.1", "127.0.0.1" }, { "127.0.0.1", "10.0.0.5" },
		{ "127.0.0.1", "127.254.255.2" }, { "127.0.0.1", "127.253.255.16" },
		{ "127.0.0.1", "8.8.8.8" }, { "127.0.0.1", "224.0.0.1" },
		{ "8.8.8.8", "127.254.0.1" }, { "127.254.0.1", "127.254.0.1" },
		{ "127.253.0.1", "127.254.0.1" }, { "8.8.8.8", "127.253.0.1" },
		{ "10.0.0.6", "127.254.255.0" }, { "0.0.0.0", "127.254.0.1" },
		{ "8.8.8.8", "127.0.0.11" }, { "127.77.0.1", "127.253.0.1" },
		{ "127.0.0.11", "127.254.0.1" }, { "127.0.0.11", "127.253.0.1" },
		{ "::1", "::1" }, { "::1", "fd00::5" }, { "::1", "ff02::1" },
		{ "fd00::6", CLIENT6 }, { CLIENT6, CLIENT6 }, { "fe80::1", CLIENT6 },
		{ "::1", "fd6e:6162:6c61::fe:2" }, { "::1", "fd6e:6162:6c61::fd:0" },
		{ "::1", "fd6e:6162:6c61:1::fe:0" }, { "fe80::fe:0", CLIENT6_1 },
	};
	struct help_frame f;

	(void)state;
	for (size_t i = 0; i < ROWS(pairs); i++) {
		f = help_packet(IPPROTO_UDP, pairs[i][0], 9, pairs[i][1], 40000);
		if (help_run(from_guest, &f) != TC_ACT_SHOT)
			fail_msg("%s to %s was let in", pairs[i][0], pairs[i][1]);
	}
	for (size_t i = 0; i < 64; i++) {
		f = help_packet(IPPROTO_UDP, "127.0.0.1", 9, "127.254.0.1", 40000);
		f.bytes[12] = (uint8_t)i, f.bytes[13] = 6;	/* no IP: ARP and others */
		assert_int_equal(help_run(from_guest, &f), TC_ACT_SHOT);
	}
	/* Cut within the ports (the kernel runs nothing on less than an IP header): not let in. */
	for (size_t len = 14 + 20; len < 14 + 20 + 4; len++) {
		f = help_packet(IPPROTO_UDP, "127.0.0.1", 9, "127.254.0.1", 40000);
		f.len = len;
		assert_int_equal(help_run(from_guest, &f), TC_ACT_SHOT);
	}
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
			continue;
		f = help_packet((uint8_t)protocol, "127.0.0.1", 9, "127.254.0.1", 40000);
		assert_int_equal(help_run(from_guest, &f), TC_ACT_SHOT);
	}
}

/* A socket of the namespace keeps its port, and the guest cannot speak in its name. */
static void test_owned(void **state)
{
	static const struct {
		int type, family;
		uint8_t protocol;
		const char *lo, *client;
	} rows[] = {
		{ SOCK_STREAM, AF_INET, IPPROTO_TCP, "127.0.0.1", "127.254.0.1" },
		{ SOCK_DGRAM, AF_INET, IPPROTO_UDP, "127.0.0.1", "127.254.0.1" },
		{ SOCK_STREAM, AF_INET6, IPPROTO_TCP, "::1", CLIENT6 },
		{ SOCK_DGRAM, AF_INET6, IPPROTO_UDP, "::1", CLIENT6 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint16_t port = 0;
		int fd = help_listening(rows[i].type, rows[i].family, &port);
		struct help_frame in = help_packet(rows[i].protocol, rows[i].lo, port,
						   rows[i].client, 40000);
		struct help_frame out = help_packet(rows[i].protocol, rows[i].lo, 40000,
						    rows[i].lo, port);
		struct help_frame in2 = in, out2 = out;

		assert_int_equal(help_run(to_guest, &out), TC_ACT_UNSPEC);
		assert_int_equal(help_run(from_guest, &in), TC_ACT_SHOT);
		close(fd);
		assert_int_equal(help_run(to_guest, &out2), TC_ACT_REDIRECT);
		assert_int_equal(help_run(from_guest, &in2), TC_ACT_REDIRECT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan), cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_off), cmocka_unit_test(test_many),
		cmocka_unit_test(test_socket), cmocka_unit_test(test_to_guest),
		cmocka_unit_test(test_from_guest), cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_opening),
		cmocka_unit_test(test_to_guest_other), cmocka_unit_test(test_from_guest_other),
		cmocka_unit_test(test_owned),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
