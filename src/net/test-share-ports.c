/* SPDX-License-Identifier: GPL-2.0-only */
/* An interface for two: which local ports are the guest's. */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/net.h"
#include "net/ports_table.h"
#include "net/share.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- the division --------------------------------------------------------------------------- */

static void test_range(void **state)
{
	static const char *const bad[] = { "", "1", "a b", "1 2 3", "2 1", "1 65536", "-1 5", "1,2",
					   "1 99999999999999999999", " ", "1 2x", "1 -2" };
	struct net_share_range r = { 7, 7 };

	(void)state;
	assert_true(net_share_parse("32768\t60999\n", &r));
	assert_int_equal(r.first, 32768);
	assert_int_equal(r.last, 60999);
	assert_true(net_share_parse("0 65535", &r));
	for (size_t i = 0; i < ROWS(bad); i++)
		if (net_share_parse(bad[i], &r))
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(r.last, 65535);
}

static void divide(const char *setting, struct net_share *share, const char **why)
{
	char text[64];
	struct net_setting one = { .text = text };
	struct err e = ERR_INIT;
	const struct net_survey s = { .settings = &one, .nr_settings = setting ? 1 : 0 };

	snprintf(text, sizeof(text), "net/ipv4/ip_local_port_range=%s", setting ? setting : "");
	assert_int_equal(net_share_plan(&s, share, why, &e), 0);
	assert_true(share->on);
}

static void test_division(void **state)
{
	struct net_share s;
	const char *why;

	(void)state;
	divide(NULL, &s, &why);
	assert_null(why);
	assert_true(s.split);
	assert_int_equal(s.was.first, 32768);
	assert_int_equal(s.was.last, 60999);
	assert_int_equal(s.kept.first, 32768);
	assert_int_equal(s.kept.last, 36295);
	assert_int_equal(s.given.first, 36296);
	assert_int_equal(s.given.last, 50407);

	divide("1024\t65535", &s, &why);
	assert_int_equal(s.kept.first, 1024);
	assert_int_equal(s.kept.last, 1024 + 8064 - 1);
	assert_int_equal(s.given.first, 1024 + 8064);
	assert_int_equal(s.given.last, 1024 + 8064 + 32256 - 1);

	divide("100 179", &s, &why);
	assert_true(s.split && !why);
	assert_int_equal(s.kept.last, 109);
	divide("100 178", &s, &why);
	assert_false(s.split);
	assert_string_equal(why, "net.ipv4.ip_local_port_range is too small to be divided: the "
				 "guest and the namespace may choose the same port for one peer");
}

/* Of any range: all parts are there, in it, even, and apart. */
static void test_parts(void **state)
{
	(void)state;
	for (unsigned int size = 80; size < 65000; size += size < 200 ? 1 : 977) {
		static uint8_t owner[65536];
		struct net_survey s = { .guests = { .split = true, .was = {
			500, (uint16_t)(500 + size - 1) } } };
		struct net_share share;
		struct err e = ERR_INIT;
		const char *why;

		memset(owner, 0, sizeof(owner));
		for (unsigned int number = 1; number <= NET_PORTS_GUESTS; number++) {
			assert_int_equal(net_share_plan(&s, &share, &why, &e), 0);
			assert_int_equal(share.number, number);
			assert_true(share.split && share.given.first > share.kept.last);
			assert_true(share.given.last <= s.guests.was.last);
			assert_int_equal((share.given.last - share.given.first) % 2, 1);
			for (unsigned int port = share.given.first; port <= share.given.last;
			     port++) {
				assert_int_equal(owner[port], 0);
				owner[port] = (uint8_t)number;
			}
			s.guests.numbers |= 1u << number;
		}
	}
}

/* ---- ports in use --------------------------------------------------------------------------- */

static char *reserved(const struct net_share_ports *p, const char *also, const char **why)
{
	char *text = net_share_reserved(p, (struct net_share_range){ 100, 1099 }, also, why);

	assert_non_null(text);
	return text;
}

static void busy(struct net_share_ports *p, unsigned int first, unsigned int last,
		 unsigned int step)
{
	for (; first <= last; first += step)
		p->busy[first / 64] |= UINT64_C(1) << first % 64;
}

static void test_reserved(void **state)
{
	static struct net_share_ports p;
	const char *why;
	char *text;

	(void)state;
	memset(&p, 0, sizeof(p));
	/* Others' ports are not the guest's to choose anyway. */
	busy(&p, 99, 99, 1);
	busy(&p, 1100, 1100, 1);
	text = reserved(&p, "", &why);
	assert_string_equal(text, "");
	assert_null(why);
	free(text);

	busy(&p, 100, 102, 1);
	busy(&p, 127, 128, 1);
	busy(&p, 1099, 1099, 1);
	text = reserved(&p, "", &why);
	assert_string_equal(text, "100-102,127-128,1099");
	free(text);
	text = reserved(&p, "8080,9000-9001", &why);
	assert_string_equal(text, "8080,9000-9001,100-102,127-128,1099");
	assert_null(why);
	free(text);

	p.unknown = true;
	text = reserved(&p, "", &why);
	assert_string_equal(text, "100-102,127-128,1099");
	assert_non_null(strstr(why, "does not list"));
	free(text);
}

/* What does not fit into a page is told more coarsely, up to half of the ports. */
static void test_reserved_many(void **state)
{
	static struct net_share_ports p;
	const struct net_share_range all = { 20000, 59999 };
	const char *why;
	char *text;

	(void)state;
	memset(&p, 0, sizeof(p));
	for (unsigned int first = 20000; first < 60000; first += 40)
		busy(&p, first, first + 8, 8);
	text = net_share_reserved(&p, all, "", &why);
	assert_non_null(text);
	/* 1000 times two ports with seven between them: as pairs still too long. */
	assert_string_equal(text, "");
	assert_string_equal(why, "too many local ports are in use in the namespace: the guest may "
				 "choose one of them");
	free(text);

	memset(&p, 0, sizeof(p));
	for (unsigned int first = 20000; first < 60000; first += 160)
		busy(&p, first, first + 16, 8);
	text = net_share_reserved(&p, all, "1", &why);
	assert_null(why);
	assert_memory_equal(text, "1,20000-20016,20160-20176,", 26);
	assert_true(strlen(text) < 4096);
	free(text);
}

static void test_sockets(void **state)
{
	static struct net_share_ports p;
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg socket;
	} m = { .head = { .nlmsg_len = sizeof(m), .nlmsg_type = SOCK_DIAG_BY_FAMILY } };

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_false(net_share_parse_socket(&m.head, &p));
	m.socket.id.idiag_sport = htons(65535);
	assert_true(net_share_parse_socket(&m.head, &p));
	assert_true(p.busy[1023] == UINT64_C(1) << 63);
	m.socket.id.idiag_sport = htons(64);
	m.head.nlmsg_len--;
	assert_false(net_share_parse_socket(&m.head, &p));
	m.head.nlmsg_len++;
	m.head.nlmsg_type = NLMSG_ERROR;
	assert_false(net_share_parse_socket(&m.head, &p));
	assert_true(p.busy[1] == 0);
}

/* What the kernel lists of this process: a socket of each kind. */
static void test_survey(void **state)
{
	static struct net_share_ports p;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const int family = i < 2 ? AF_INET : AF_INET6;
		struct sockaddr_in6 at;
		socklen_t len = sizeof(at);
		_autoclose_ int fd = socket(family, i % 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
		unsigned int port;

		memset(&at, 0, sizeof(at));
		at.sin6_family = (sa_family_t)family;
		assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
		assert_true(i % 2 || listen(fd, 1) == 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
		/* At the same place in both families. */
		port = ntohs(at.sin6_port);
		assert_int_equal(net_share_survey(&p, &e), 0);
		if (!p.unknown && !(p.busy[port / 64] >> port % 64 & 1))
			fail_msg("socket %d: port %u is not found", i, port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range), cmocka_unit_test(test_division),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_reserved), cmocka_unit_test(test_reserved_many),
		cmocka_unit_test(test_sockets), cmocka_unit_test(test_survey),
	};

	return cmocka_run_group_tests_name("net/share-ports", tests, NULL, NULL);
}
