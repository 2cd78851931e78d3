// SPDX-License-Identifier: GPL-2.0-only
/* Several guests of one pod: whose a port is, and what the programs of each make of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/ports.h"
#include "base/fd.h"
#include "net/bpf.h"
#include "net/forward_load.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/ports.h"
#include "net/share.h"
#include "net/sysctl.h"
#include "net/tap.h"
#include "net/tc.h"
#include "net/test-forward-help.h"

#define GUESTS 3

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 9 };
static int ports = -1;

/* Number i + 1. The first one came when there was no other. */
static struct guest {
	int tap;
	int to_guest;
	int from_guest;
} guests[GUESTS] = { { -1, -1, -1 }, { -1, -1, -1 }, { -1, -1, -1 } };

static void begin(struct net_nl *nl, unsigned int number)
{
	struct net_forward_table t = { .lo = 1, .nr4 = 1, .addr4 = { htonl(0x0a000005) },
				       .number = (uint8_t)number, .alone = number == 1 };
	struct net_ports_guest row = { .first = (uint16_t)(40000 + 100 * number),
				       .last = (uint16_t)(40099 + 100 * number) };
	struct guest *g = &guests[number - 1];
	char name[] = "t1";
	struct err e = ERR_INIT;
	uint8_t flags;
	int index = 0;

	name[1] = (char)('0' + number);
	memcpy(t.guest_mac, guest_mac, sizeof(guest_mac));
	if (net_tap_open(name, false, &g->tap, &flags, &e) < 0 ||
	    net_link_index(name, &index, &e) < 0 ||
	    net_sysctl_ipv6(name, "disable_ipv6", 1, &e) < 0 ||
	    net_link_flags(nl, index, IFF_UP, IFF_UP, &e) < 0)
		fail_msg("%s", e.text);
	t.tap = row.tap = (uint32_t)index;
	if (net_forward_load(&t, ports, &g->to_guest, &g->from_guest, &e) < 0 ||
	    net_ports_set(ports, number, &row, &e) < 0)
		fail_msg("%s", e.text);
}

static int setup(void **state)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct err e = ERR_INIT;
	int rc;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace of its own: %s\n", strerror(errno));
		return 0;
	}
	rc = net_ports_create(&ports, &e);
	if (rc == -EPERM || rc == -ENOSYS) {
		print_message("bpf(2) is not allowed: %s\n", e.text);
		return 0;
	}
	/* The namespace chooses its own ports outside of the guests: theirs would be told. */
	if (rc < 0 || net_sysctl_set("net.ipv4.ip_local_port_range", "50000 59999", &e) < 0 ||
	    net_nl_open(&nl, &e) < 0 || net_link_flags(&nl, 1, IFF_UP, IFF_UP, &e) < 0)
		fail_msg("%s", e.text);
	for (unsigned int number = 1; number <= GUESTS; number++)
		begin(&nl, number);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < GUESTS; i++) {
		fd_close(&guests[i].tap);
		fd_close(&guests[i].to_guest);
		fd_close(&guests[i].from_guest);
	}
	fd_close(&ports);
	return 0;
}

static int to(unsigned int number, struct help_frame f)
{
	return help_run(guests[number - 1].to_guest, &f);
}

static int from(unsigned int number, struct help_frame f)
{
	return help_run(guests[number - 1].from_guest, &f);
}

/* ---- claims --------------------------------------------------------------------------------- */

static struct help_frame question(uint8_t operation, uint8_t protocol, uint16_t port)
{
	const struct nabla_ports asked = { .operation = operation, .protocol = protocol,
					   .port = htons(port) };
	struct help_frame f = { .len = 60, .bytes = { 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x33,
						      0x33, 0x33, 0x33, 0x33, 0x33, 0x88, 0xb5 } };

	memcpy(f.bytes + 14, &asked, sizeof(asked));
	return f;
}

/* What guest @number is answered. */
static int claim(unsigned int number, uint8_t protocol, uint16_t port)
{
	struct help_frame f = question(NABLA_PORTS_CLAIM, protocol, port);
	struct nabla_ports answer;

	assert_int_equal(help_run(guests[number - 1].from_guest, &f), TC_ACT_REDIRECT);
	memcpy(&answer, f.bytes + 14, sizeof(answer));
	assert_int_equal(answer.operation, NABLA_PORTS_CLAIM);
	assert_int_equal(answer.protocol, protocol);
	assert_int_equal(answer.port, htons(port));
	assert_memory_equal(f.bytes, guest_mac, sizeof(guest_mac));
	return answer.answer;
}

static void release(unsigned int number, uint8_t protocol, uint16_t port)
{
	assert_int_equal(from(number, question(NABLA_PORTS_RELEASE, protocol, port)), TC_ACT_SHOT);
}

/* What guest @number is told unasked, by its tap; 0: nothing. */
static int heard(unsigned int number, uint8_t protocol, uint16_t port)
{
	uint8_t got[NET_TAP_HDR_LEN + 128];
	ssize_t len = read(guests[number - 1].tap, got, sizeof(got));
	struct nabla_ports told;

	if (len < 0)
		return 0;
	assert_true(len >= (ssize_t)(NET_TAP_HDR_LEN + 14 + sizeof(told)));
	assert_memory_equal(got + NET_TAP_HDR_LEN, guest_mac, sizeof(guest_mac));
	memcpy(&told, got + NET_TAP_HDR_LEN + 14, sizeof(told));
	assert_int_equal(told.protocol, protocol);
	assert_int_equal(told.port, htons(port));
	return told.operation;
}

static void test_claims(void **state)
{
	(void)state;
	assert_int_equal(claim(1, IPPROTO_TCP, 80), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(1, IPPROTO_TCP, 80), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(2, IPPROTO_TCP, 80), NABLA_PORTS_TAKEN);
	assert_int_equal(claim(2, IPPROTO_UDP, 80), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(3, IPPROTO_UDP, 80), NABLA_PORTS_TAKEN);
	/* Only whose it is gives it back. */
	release(2, IPPROTO_TCP, 80);
	assert_int_equal(claim(2, IPPROTO_TCP, 80), NABLA_PORTS_TAKEN);
	release(1, IPPROTO_TCP, 80);
	assert_int_equal(claim(2, IPPROTO_TCP, 80), NABLA_PORTS_GRANTED);
	release(2, IPPROTO_TCP, 80);
	release(2, IPPROTO_UDP, 80);
	for (unsigned int port = 1; port < 65536; port += 4369) {
		assert_int_equal(claim(3, IPPROTO_TCP, (uint16_t)port), NABLA_PORTS_GRANTED);
		assert_int_equal(claim(1, IPPROTO_TCP, (uint16_t)port), NABLA_PORTS_TAKEN);
		release(3, IPPROTO_TCP, (uint16_t)port);
	}
}

static void test_namespace_has_it(void **state)
{
	static const struct {
		int type, family;
		uint8_t protocol;
	} rows[] = {
		{ SOCK_STREAM, AF_INET, IPPROTO_TCP }, { SOCK_DGRAM, AF_INET, IPPROTO_UDP },
		{ SOCK_STREAM, AF_INET6, IPPROTO_TCP }, { SOCK_DGRAM, AF_INET6, IPPROTO_UDP },
	};

	(void)state;
	if (ports < 0)
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t port = 0;
		int fd = help_listening(rows[i].type, rows[i].family, &port);

		assert_int_equal(claim(1, rows[i].protocol, port), NABLA_PORTS_TAKEN);
		close(fd);
		assert_int_equal(claim(1, rows[i].protocol, port), NABLA_PORTS_GRANTED);
		/* Who had it first keeps it. */
		assert_int_equal(claim(1, rows[i].protocol, port), NABLA_PORTS_GRANTED);
		release(1, rows[i].protocol, port);
	}
}

/* The guest says whatever it likes: what is no question is lost, and changes nothing. */
static void test_no_question(void **state)
{
	struct help_frame f;

	(void)state;
	for (unsigned int operation = 0; operation < 256; operation++)
		if (operation != NABLA_PORTS_CLAIM)
			assert_int_equal(from(1, question((uint8_t)operation, IPPROTO_TCP, 81)),
					 TC_ACT_SHOT);
	for (unsigned int protocol = 0; protocol < 256; protocol++)
		if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
			assert_int_equal(
				from(1, question(NABLA_PORTS_CLAIM, (uint8_t)protocol, 81)),
				TC_ACT_SHOT);
	assert_int_equal(from(1, question(NABLA_PORTS_CLAIM, IPPROTO_TCP, 0)), TC_ACT_SHOT);
	for (size_t len = 14; len < 14 + sizeof(struct nabla_ports); len++) {
		f = question(NABLA_PORTS_CLAIM, IPPROTO_TCP, 81);
		f.len = len;
		assert_int_equal(from(1, f), TC_ACT_SHOT);
	}
	/* From the namespace's side it is no question either. */
	assert_int_equal(to(1, question(NABLA_PORTS_CLAIM, IPPROTO_TCP, 81)), TC_ACT_UNSPEC);
	assert_int_equal(claim(2, IPPROTO_TCP, 81), NABLA_PORTS_GRANTED);
	release(2, IPPROTO_TCP, 81);
}

/* ---- who gets what --------------------------------------------------------------------------- */

/* The guests that take a packet of the namespace's for @port, as digits. */
static int takers(uint8_t protocol, const char *address, uint16_t port)
{
	int digits = 0;

	for (unsigned int number = 1; number <= GUESTS; number++)
		if (to(number, help_packet(protocol, address, 50000, address, port)) ==
		    TC_ACT_REDIRECT)
			digits = digits * 10 + (int)number;
	return digits;
}

static void test_takers(void **state)
{
	(void)state;
	assert_int_equal(claim(2, IPPROTO_TCP, 82), NABLA_PORTS_GRANTED);
	/* What is nobody's is the first one's. */
	assert_int_equal(takers(IPPROTO_TCP, "127.0.0.1", 83), 1);
	assert_int_equal(takers(IPPROTO_TCP, "127.0.0.1", 82), 2);
	assert_int_equal(takers(IPPROTO_TCP, "10.0.0.5", 82), 2);
	assert_int_equal(takers(IPPROTO_TCP, "::1", 82), 2);
	assert_int_equal(takers(IPPROTO_UDP, "127.0.0.1", 82), 1);
	/* Their parts of the local ports: 40100 to 40199 and so on. */
	for (unsigned int number = 1; number <= GUESTS; number++) {
		uint16_t first = (uint16_t)(40000 + 100 * number);

		assert_int_equal(takers(IPPROTO_UDP, "127.0.0.1", first), number);
		assert_int_equal(takers(IPPROTO_UDP, "::1", (uint16_t)(first + 99)), number);
	}
	assert_int_equal(takers(IPPROTO_UDP, "127.0.0.1", 40099), 1);
	assert_int_equal(takers(IPPROTO_UDP, "127.0.0.1", 40400), 1);
	/* In another's part, but claimed. */
	assert_int_equal(claim(3, IPPROTO_UDP, 40210), NABLA_PORTS_GRANTED);
	assert_int_equal(takers(IPPROTO_UDP, "127.0.0.1", 40210), 3);
	release(3, IPPROTO_UDP, 40210);
	release(2, IPPROTO_TCP, 82);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), NABLA_PORTS_RESERVE);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), NABLA_PORTS_FREE);
}

/* An answer of the namespace's server, by the port of whoever asked. */
static void test_answers(void **state)
{
	struct help_frame f = help_packet(IPPROTO_TCP, "127.0.0.1", 80, "127.253.0.1", 40210);

	(void)state;
	assert_int_equal(to(1, f), TC_ACT_UNSPEC);
	assert_int_equal(to(3, f), TC_ACT_UNSPEC);
	assert_int_equal(help_run(guests[1].to_guest, &f), TC_ACT_REDIRECT);
	help_expect(&f, "127.253.0.1", 80, "127.0.0.1", 40210);
}

/* Who chooses from a part learns which ports of it another one has, and nobody else does. */
static void test_reserve(void **state)
{
	(void)state;
	assert_int_equal(claim(3, IPPROTO_UDP, 40210), NABLA_PORTS_GRANTED);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), NABLA_PORTS_RESERVE);
	assert_int_equal(claim(1, IPPROTO_UDP, 40210), NABLA_PORTS_TAKEN);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), 0);
	release(1, IPPROTO_UDP, 40210);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), 0);
	release(3, IPPROTO_UDP, 40210);
	assert_int_equal(heard(2, IPPROTO_UDP, 40210), NABLA_PORTS_FREE);
	/* Its own, and what is in nobody's part. */
	assert_int_equal(claim(2, IPPROTO_TCP, 40211), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(3, IPPROTO_TCP, 88), NABLA_PORTS_GRANTED);
	release(2, IPPROTO_TCP, 40211);
	release(3, IPPROTO_TCP, 88);
	for (unsigned int number = 1; number <= GUESTS; number++)
		assert_int_equal(heard(number, IPPROTO_TCP, 0), 0);
}

/* ---- from one to another --------------------------------------------------------------------- */

static void test_between(void **state)
{
	static const uint8_t none[6];
	struct help_frame f;

	(void)state;
	assert_int_equal(claim(2, IPPROTO_TCP, 84), NABLA_PORTS_GRANTED);
	/* Both see the other as 127.253.0.1; the frame goes from tap to tap. */
	f = help_packet(IPPROTO_TCP, "127.0.0.1", 40310, "127.253.0.1", 84);
	assert_int_equal(help_run(guests[2].from_guest, &f), TC_ACT_REDIRECT);
	help_expect(&f, "127.253.0.1", 40310, "127.0.0.1", 84);
	assert_memory_equal(f.bytes, guest_mac, sizeof(guest_mac));
	f = help_packet(IPPROTO_TCP, "127.0.0.1", 84, "127.253.0.1", 40310);
	assert_int_equal(help_run(guests[1].from_guest, &f), TC_ACT_REDIRECT);
	help_expect(&f, "127.253.0.1", 84, "127.0.0.1", 40310);
	assert_memory_equal(f.bytes, guest_mac, sizeof(guest_mac));
	/* What no guest has is the namespace's to answer. */
	f = help_packet(IPPROTO_TCP, "127.0.0.1", 40310, "127.253.0.1", 85);
	assert_int_equal(help_run(guests[2].from_guest, &f), TC_ACT_REDIRECT);
	assert_memory_equal(f.bytes, none, sizeof(none));
	/* Nobody speaks from a port of another's, nor to another from one of nobody's. */
	assert_int_equal(from(1, help_packet(IPPROTO_TCP, "127.0.0.1", 40310, "127.253.0.1", 84)),
			 TC_ACT_SHOT);
	assert_int_equal(from(1, help_packet(IPPROTO_TCP, "127.0.0.1", 84, "127.253.0.1", 40310)),
			 TC_ACT_SHOT);
	assert_int_equal(from(1, help_packet(IPPROTO_TCP, "127.0.0.1", 84, "127.254.0.1", 50000)),
			 TC_ACT_SHOT);
	f = help_packet(IPPROTO_TCP, "::1", 84, "fd6e:6162:6c61::fe:0", 50000);
	assert_int_equal(from(1, f), TC_ACT_SHOT);
	assert_int_equal(from(1, help_packet(IPPROTO_TCP, "127.0.0.1", 7, "127.253.0.1", 84)),
			 TC_ACT_SHOT);
	release(2, IPPROTO_TCP, 84);
}

/* "Port unreachable", about a datagram of the namespace's from @port to the guest's @about. */
static struct help_frame unreachable(uint16_t port, uint16_t about)
{
	struct help_frame f = help_packet(IPPROTO_UDP, "127.0.0.1", 0, "127.254.0.1", 0);
	const struct help_frame inner =
		help_packet(IPPROTO_UDP, "127.254.0.1", port, "127.0.0.1", about);

	f.bytes[14 + 9] = IPPROTO_ICMP;
	memset(f.bytes + 14 + 20, 0, 8);
	f.bytes[14 + 20] = f.bytes[14 + 21] = 3;
	memcpy(f.bytes + 14 + 28, inner.bytes + 14, 28);
	f.len = 14 + 28 + 28;
	return f;
}

/* The same of IPv6, as a message of @type. */
static struct help_frame error6(uint8_t type, uint16_t port, uint16_t about)
{
	static const char client[] = "fd6e:6162:6c61::fe:0";
	struct help_frame f = help_packet(IPPROTO_UDP, "::1", 0, client, 0);
	const struct help_frame inner = help_packet(IPPROTO_UDP, client, port, "::1", about);

	f.bytes[14 + 6] = IPPROTO_ICMPV6;
	memset(f.bytes + 14 + 40, 0, 8);
	f.bytes[14 + 40] = type;
	memcpy(f.bytes + 14 + 48, inner.bytes + 14, 48);
	f.len = 14 + 48 + 48;
	return f;
}

/* What ends a packet, and not what would make the namespace send smaller ones to everybody. */
static void test_errors(void **state)
{
	uint16_t client = 0;
	int fd;

	(void)state;
	if (ports < 0)
		skip();
	fd = help_listening(SOCK_DGRAM, AF_INET, &client);
	for (unsigned int type = 0; type < 256; type++)
		for (unsigned int code = 0; code < 16; code++) {
			struct help_frame f = unreachable(client, 89);
			bool good = (type == 3 && code != 4) || type == 11 || type == 12;

			f.bytes[14 + 20] = (uint8_t)type;
			f.bytes[14 + 21] = (uint8_t)code;
			assert_int_equal(from(1, f), good ? TC_ACT_REDIRECT : TC_ACT_SHOT);
		}
	close(fd);
	fd = help_listening(SOCK_DGRAM, AF_INET6, &client);
	for (unsigned int type = 0; type < 256; type++)
		assert_int_equal(from(1, error6((uint8_t)type, client, 89)),
				 type == 1 || type == 3 || type == 4 ? TC_ACT_REDIRECT :
								       TC_ACT_SHOT);
	close(fd);
}

/* It may speak of its own ports only. */
static void test_unreachable(void **state)
{
	uint16_t client = 0;
	int fd;

	(void)state;
	if (ports < 0)
		skip();
	fd = help_listening(SOCK_DGRAM, AF_INET, &client);
	assert_int_equal(from(1, unreachable(client, 89)), TC_ACT_REDIRECT);
	assert_int_equal(claim(2, IPPROTO_UDP, 89), NABLA_PORTS_GRANTED);
	assert_int_equal(from(1, unreachable(client, 89)), TC_ACT_SHOT);
	assert_int_equal(from(3, unreachable(client, 89)), TC_ACT_SHOT);
	assert_int_equal(from(2, unreachable(client, 89)), TC_ACT_REDIRECT);
	release(2, IPPROTO_UDP, 89);
	close(fd);
}

/* ---- coming and going ------------------------------------------------------------------------ */

static void test_gone(void **state)
{
	static struct net_share_ports busy;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(claim(3, IPPROTO_TCP, 86), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(3, IPPROTO_TCP, 87), NABLA_PORTS_GRANTED);
	/* It has ended: its ports are free for others, and the first one takes what is left. */
	fd_close(&guests[2].tap);
	assert_int_equal(takers(IPPROTO_TCP, "127.0.0.1", 87), 1);
	assert_int_equal(claim(2, IPPROTO_TCP, 86), NABLA_PORTS_GRANTED);
	assert_int_equal(takers(IPPROTO_TCP, "127.0.0.1", 86), 2);
	/* And its row is: another one gets the number, and none of its ports. */
	assert_int_equal(net_ports_set(ports, 3, NULL, &e), 0);
	assert_int_equal(claim(1, IPPROTO_TCP, 87), NABLA_PORTS_GRANTED);
	assert_int_equal(claim(1, IPPROTO_TCP, 86), NABLA_PORTS_TAKEN);
	assert_int_equal(takers(IPPROTO_TCP, "127.0.0.1", 40310), 1);
	/* No filter at lo has the table here: nothing is found, and that is no failure. */
	assert_int_equal(net_ports_survey(&busy, &e), 0);
}

/* By the filter at lo, as who comes next does. */
static void test_found(void **state)
{
	const struct net_tc_place at = { 1, NET_TC_EGRESS, NET_TC_PRIORITY_FORWARD, 2 };
	static struct net_share_ports busy;
	_autonl_ struct net_nl nl = NET_NL_INIT;
	_autoclose_ int found = -1;
	struct err e = ERR_INIT;

	(void)state;
	if (ports < 0)
		skip();
	assert_int_equal(claim(2, IPPROTO_UDP, 4321), NABLA_PORTS_GRANTED);
	assert_int_equal(net_nl_open(&nl, &e), 0);
	assert_int_equal(net_tc_clsact_add(&nl, 1, &e), 0);
	assert_int_equal(net_ports_open(&nl, 1, &found, &e), NET_PORTS_NONE);
	assert_int_equal(net_tc_program_add(&nl, &at, guests[1].to_guest, "t", &e), 0);
	assert_int_equal(net_ports_open(&nl, 1, &found, &e), 0);
	assert_int_equal(net_ports_survey(&busy, &e), 0);
	assert_true(busy.busy[4321 / 64] >> 4321 % 64 & 1);
	assert_false(busy.busy[4322 / 64] >> 4322 % 64 & 1);
	/* Of several filters there one goes, by its number. */
	assert_int_equal(net_tc_remove(&nl, &(struct net_tc_place){ 1, NET_TC_EGRESS,
								    NET_TC_PRIORITY_FORWARD, 1 },
				       &e), 0);
	assert_int_equal(net_tc_program_add(&nl, &(struct net_tc_place){
				1, NET_TC_EGRESS, NET_TC_PRIORITY_FORWARD, 1 },
				guests[0].to_guest, "t", &e), 0);
	assert_int_equal(net_tc_remove(&nl, &at, &e), 0);
	fd_close(&found);
	assert_int_equal(net_ports_open(&nl, 1, &found, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims), cmocka_unit_test(test_namespace_has_it),
		cmocka_unit_test(test_no_question), cmocka_unit_test(test_takers),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_between), cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_found), cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
