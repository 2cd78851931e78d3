/* SPDX-License-Identifier: GPL-2.0-only */
/* An interface for two: the program, run on crafted frames. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/ports.h"
#include "net/share.h"
#include "net/sysctl.h"
#include "net/tap.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- frames --------------------------------------------------------------------------------- */

struct frame {
	uint8_t bytes[256];
	size_t len;
};

/* What became of a frame: NEXT and COPY are for the program behind this one. */
enum fate { KERNEL, GUEST, BOTH, NEXT, COPY, NOBODY };
static const char *const fates[] = { "the kernel's", "the guest's", "both's", "the next one's",
				     "everybody's", "nobody's" };

static int share = -1, second = -1, orphan = -1, tap = -1, ports = -1;
static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const char *const own4[] = { "10.0.0.5", "10.1.0.5" };
static const char *const own6[] = { "fd00::5", "fe80::5" };

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* An IP packet of @protocol from @source to @dest, with room for 64 bytes behind its header. */
static struct frame ip_frame(const char *source, const char *dest, uint8_t protocol)
{
	bool six = strchr(source, ':');
	size_t head = six ? 40 : 20, size = six ? 16 : 4;
	struct frame f = { .len = 14 + head + 64 };
	uint8_t *ip = f.bytes + 14;

	memset(f.bytes + 6, 0x22, 6);
	put16(f.bytes + 12, six ? 0x86dd : 0x800);
	ip[0] = six ? 0x60 : 0x45;
	put16(ip + (six ? 4 : 2), six ? 64 : 84);
	ip[six ? 6 : 9] = protocol;
	ip[six ? 7 : 8] = 64;
	assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, source, ip + (six ? 8 : 12)), 1);
	assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, dest, ip + head - size), 1);
	return f;
}

static uint8_t *transport(struct frame *f)
{
	return f->bytes + 14 + (f->bytes[12] == 8 ? 20 : 40);
}

static struct frame port_frame(uint8_t protocol, const char *source, unsigned int sport,
			       const char *dest, unsigned int dport)
{
	struct frame f = ip_frame(source, dest, protocol);

	put16(transport(&f), sport);
	put16(transport(&f) + 2, dport);
	transport(&f)[12] = 0x50;
	return f;
}

#define SYN 2
#define RST 4
#define ACK 16

static struct frame tcp_frame(const char *source, unsigned int sport, const char *dest,
			      unsigned int dport, uint8_t flags)
{
	struct frame f = port_frame(IPPROTO_TCP, source, sport, dest, dport);

	transport(&f)[13] = flags;
	return f;
}

static struct frame icmp_frame(bool six, uint8_t type)
{
	struct frame f = six ? ip_frame("fd00::9", "fd00::5", IPPROTO_ICMPV6) :
			       ip_frame("10.0.0.9", "10.0.0.5", IPPROTO_ICMP);

	*transport(&f) = type;
	return f;
}

static struct frame arp_frame(uint8_t operation, const char *sender, const char *target)
{
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0 };
	struct frame f = { .len = 60 };

	memset(f.bytes, operation == 1 ? 0xff : 0, 6);
	memset(f.bytes + 6, 0x22, 6);
	memcpy(f.bytes + 12, head, sizeof(head));
	f.bytes[21] = operation;
	assert_int_equal(inet_pton(AF_INET, sender, f.bytes + 28), 1);
	assert_int_equal(inet_pton(AF_INET, target, f.bytes + 38), 1);
	return f;
}

/* ---- running it ----------------------------------------------------------------------------- */

static bool came_by_tap(const struct frame *f)
{
	uint8_t got[NET_TAP_HDR_LEN + sizeof(f->bytes)];
	ssize_t len = read(tap, got, sizeof(got));

	if (len < 0)
		return false;
	assert_int_equal(len, NET_TAP_HDR_LEN + f->len);
	assert_memory_equal(got + NET_TAP_HDR_LEN, f->bytes, f->len);
	return true;
}

static enum fate fate_by(int prog, const struct frame *f)
{
	struct frame out = { .len = sizeof(out.bytes) };
	struct err e = ERR_INIT;
	uint32_t result = 0;

	if (prog < 0)
		skip();
	if (net_bpf_run(prog, f->bytes, f->len, out.bytes, &out.len, 1, &result, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(out.len, f->len);
	assert_memory_equal(out.bytes, f->bytes, f->len);
	if (result == TC_ACT_REDIRECT)
		return GUEST;
	if (result == TC_ACT_SHOT)
		return NOBODY;
	if (result == (uint32_t)TC_ACT_UNSPEC)
		return came_by_tap(f) ? COPY : NEXT;
	assert_int_equal(result, TC_ACT_OK);
	return came_by_tap(f) ? BOTH : KERNEL;
}

static void expect_fate(struct frame f, enum fate wanted, const char *what, unsigned int number)
{
	enum fate got = fate_by(share, &f);

	if (got != wanted)
		fail_msg("%s (%u) is %s, not %s", what, number, fates[got], fates[wanted]);
}

static int setup(void **state)
{
	struct net_share_table t = { .tap = 0xffff, .nr4 = 2, .nr6 = 2, .number = 1, .alone = 1 };
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct err e = ERR_INIT;
	uint8_t flags;
	int rc, index = 0;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace of its own: %s\n", strerror(errno));
		return 0;
	}
	memcpy(t.mac, own_mac, sizeof(t.mac));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(inet_pton(AF_INET, own4[i], &t.addr4[i]), 1);
		assert_int_equal(inet_pton(AF_INET6, own6[i], t.addr6[i]), 1);
	}
	rc = net_ports_create(&ports, &e);
	if (rc == 0)
		rc = net_share_load(&t, ports, &orphan, &e);
	if (rc == -EPERM || rc == -ENOSYS) {
		print_message("bpf(2) is not allowed: %s\n", e.text);
		return 0;
	}
	if (rc < 0 || net_nl_open(&nl, &e) < 0 || net_tap_open("t", false, &tap, &flags, &e) < 0 ||
	    net_link_index("t", &index, &e) < 0 ||
	    net_sysctl_ipv6("t", "disable_ipv6", 1, &e) < 0 ||
	    net_link_flags(&nl, index, IFF_UP, IFF_UP, &e) < 0 ||
	    net_link_flags(&nl, 1, IFF_UP, IFF_UP, &e) < 0)
		fail_msg("%s", e.text);
	t.tap = (uint32_t)index;
	if (net_share_load(&t, ports, &share, &e) < 0)
		fail_msg("%s", e.text);
	t.number = 2;
	t.alone = 0;
	if (net_share_load(&t, ports, &second, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(&share);
	fd_close(&second);
	fd_close(&orphan);
	fd_close(&tap);
	fd_close(&ports);
	return 0;
}

/* ---- two guests ------------------------------------------------------------------------------ */

/* The fates of @f by the program of the second guest, which is asked first, and the first one's. */
static void expect_fates(struct frame f, enum fate by_second, enum fate by_first, const char *what)
{
	enum fate got = fate_by(second, &f);

	if (got != by_second)
		fail_msg("%s is %s to the second, not %s", what, fates[got], fates[by_second]);
	expect_fate(f, by_first, what, 0);
}

static void test_two(void **state)
{
	struct net_ports_guest row = { .tap = 1, .first = 40200, .last = 40299 };
	struct net_ports_table *t = MAP_FAILED;
	struct err e = ERR_INIT;

	(void)state;
	if (ports < 0)
		skip();
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED, ports, 0);
	assert_true(t != MAP_FAILED);
	assert_int_equal(net_ports_set(ports, 2, &row, &e), 0);
	t->claims[NET_PORTS_TCP][80] = 2;
	t->claims[NET_PORTS_UDP][40250] = 1;
	expect_fates(tcp_frame("10.0.0.9", 5, "10.0.0.5", 80, 2), GUEST, NEXT, "what it claims");
	expect_fates(tcp_frame("fd00::9", 5, "fd00::5", 80, 2), GUEST, NEXT, "what it claims");
	expect_fates(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", 80), NEXT, GUEST, "UDP");
	expect_fates(tcp_frame("10.0.0.9", 5, "10.0.0.5", 81, 2), NEXT, GUEST, "what is nobody's");
	for (uint16_t port = 40199; port <= 40300; port++) {
		bool own = port >= 40200 && port <= 40299;

		expect_fates(tcp_frame("10.0.0.9", 5, "10.0.0.5", port, 16), own ? GUEST : NEXT,
			     own ? NEXT : GUEST, "its part of the ports");
	}
	expect_fates(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", 40250), NEXT, GUEST,
		     "what the first one claims there");
	/* What is for all goes on; questions are the first one's. */
	expect_fates(icmp_frame(false, 0), COPY, BOTH, "an echo reply");
	expect_fates(icmp_frame(true, 129), COPY, BOTH, "an echo reply");
	expect_fates(icmp_frame(false, 8), NEXT, GUEST, "a ping");
	expect_fates(icmp_frame(true, 135), NEXT, GUEST, "a solicitation");
	expect_fates(arp_frame(1, "10.0.0.9", "10.0.0.5"), NEXT, GUEST, "a question");
	expect_fates(arp_frame(2, "10.0.0.9", "10.0.0.5"), COPY, BOTH, "an answer");
	/* It has ended, but is not deleted. */
	row.tap = 0xffff;
	assert_int_equal(net_ports_set(ports, 2, &row, &e), 0);
	expect_fate(tcp_frame("10.0.0.9", 5, "10.0.0.5", 80, 2), GUEST, "what it had", 0);
	assert_int_equal(net_ports_set(ports, 2, NULL, &e), 0);
	assert_int_equal(t->claims[NET_PORTS_TCP][80], 0);
	assert_int_equal(t->claims[NET_PORTS_UDP][40250], 1);
	t->claims[NET_PORTS_UDP][40250] = 0;
	munmap(t, sizeof(*t));
}

/* ---- without a socket ----------------------------------------------------------------------- */

static void test_nobody(void **state)
{
	(void)state;
	for (uint8_t flags = 0; flags < 64; flags++) {
		expect_fate(tcp_frame("10.0.0.9", 5, "10.0.0.5", 80, flags), GUEST, "TCP", flags);
		expect_fate(tcp_frame("fd00::9", 5, "fd00::5", 80, flags), GUEST, "TCP6", flags);
	}
	expect_fate(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", 53), GUEST, "UDP", 0);
	expect_fate(port_frame(IPPROTO_UDP, "fd00::9", 5, "fd00::5", 53), GUEST, "UDP6", 0);
}

static bool is_one_of(unsigned int value, const uint8_t *list, size_t nr)
{
	return memchr(list, (int)value, nr) != NULL;
}

/* Questions have one answer; what answers, or is about something that was sent, is for both. */
static void test_icmp(void **state)
{
	static const uint8_t asks4[] = { 8, 10, 13, 15, 17, 42 };
	static const uint8_t asks6[] = { 128, 133, 135, 139, 160 };

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		expect_fate(icmp_frame(false, (uint8_t)type),
			    is_one_of(type, asks4, sizeof(asks4)) ? GUEST : BOTH, "ICMP", type);
		expect_fate(icmp_frame(true, (uint8_t)type),
			    is_one_of(type, asks6, sizeof(asks6)) ? GUEST : BOTH, "ICMPv6", type);
	}
}

static void test_protocols(void **state)
{
	static const uint8_t decided6[] = { 0, 6, 17, 43, 44, 51, 58, 60 };

	(void)state;
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_ICMP)
			expect_fate(ip_frame("10.0.0.9", "10.0.0.5", (uint8_t)protocol),
				    protocol == IPPROTO_IGMP ? BOTH : GUEST, "IPv4", protocol);
		if (!is_one_of(protocol, decided6, sizeof(decided6)))
			expect_fate(ip_frame("fd00::9", "fd00::5", (uint8_t)protocol), GUEST,
				    "IPv6", protocol);
	}
}

static void test_types(void **state)
{
	struct frame f = ip_frame("10.0.0.9", "10.0.0.5", IPPROTO_ICMP);

	(void)state;
	for (unsigned int type = 0x600; type < 0x10000; type += 7) {
		if (type == 0x800 || type == 0x806 || type == 0x86dd || type == 0x8100 ||
		    type == 0x88a8)
			continue;
		put16(f.bytes + 12, type);
		expect_fate(f, GUEST, "type", type);
	}
}

static void test_arp(void **state)
{
	struct frame echo = arp_frame(1, "10.0.0.5", "10.0.0.5");

	(void)state;
	expect_fate(arp_frame(1, "10.0.0.9", "10.0.0.5"), GUEST, "ARP request", 0);
	expect_fate(arp_frame(1, "0.0.0.0", "10.0.0.5"), GUEST, "ARP probe", 0);
	expect_fate(arp_frame(2, "10.0.0.9", "10.0.0.5"), BOTH, "ARP reply", 0);
	expect_fate(arp_frame(1, "10.0.0.9", "10.0.0.9"), BOTH, "ARP announcement", 0);
	expect_fate(arp_frame(8, "10.0.0.9", "10.0.0.5"), GUEST, "InARP request", 0);
	memcpy(echo.bytes + 6, own_mac, 6);
	expect_fate(echo, GUEST, "the guest's announcement, sent back", 0);
}

/* To all; and what the pod has said itself comes back from a port in hairpin mode. */
static void test_groups(void **state)
{
	static const char *const groups[][2] = {
		{ "10.0.0.9", "224.0.0.251" }, { "10.0.0.9", "255.255.255.255" },
		{ "10.0.0.9", "239.1.2.3" }, { "fe80::9", "ff02::fb" },
	};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < ROWS(groups); i++) {
		f = port_frame(IPPROTO_UDP, groups[i][0], 5353, groups[i][1], 5353);
		f.bytes[0] = 1;
		expect_fate(f, BOTH, groups[i][1], 0);
		memcpy(f.bytes + 6, own_mac, 6);
		expect_fate(f, GUEST, groups[i][1], 1);
		/* Not to all: it is from somebody else behind the same MAC, a NAT for instance. */
		f.bytes[0] = 0;
		expect_fate(f, BOTH, groups[i][1], 2);
	}
	/* The broadcast address of one network is known by the frame alone. */
	f = port_frame(IPPROTO_UDP, "10.0.0.9", 137, "10.0.0.255", 137);
	expect_fate(f, GUEST, "a datagram", 0);
	memset(f.bytes, 0xff, 6);
	expect_fate(f, BOTH, "a broadcast", 0);
	f = icmp_frame(true, 136);
	f.bytes[0] = 0x33;
	expect_fate(f, BOTH, "an advertisement to all", 0);
	memcpy(f.bytes + 6, own_mac, 6);
	expect_fate(f, GUEST, "the guest's advertisement, sent back", 0);
}

/* ---- sockets -------------------------------------------------------------------------------- */

/* Bound to any address, which takes IPv4 as well; TCP: listening. */
static int bound(int type, uint16_t *port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin6_port);
	return fd;
}

static void test_udp(void **state)
{
	uint16_t port;
	int fd;

	(void)state;
	if (share < 0)
		skip();
	fd = bound(SOCK_DGRAM, &port);
	expect_fate(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", port), KERNEL, "UDP", 0);
	expect_fate(port_frame(IPPROTO_UDP, "fd00::9", 5, "fd00::5", port), KERNEL, "UDP6", 0);
	expect_fate(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", port ^ 1u), GUEST, "UDP", 1);
	expect_fate(tcp_frame("10.0.0.9", 5, "10.0.0.5", port, SYN), GUEST, "TCP", 0);
	close(fd);
	expect_fate(port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", port), GUEST, "UDP", 2);
}

/* A listener wants what opens a connection; others may be the guest's, from the same port. */
static void test_listener(void **state)
{
	static const char *const pairs[][2] = { { "10.0.0.9", "10.0.0.5" },
						{ "fd00::9", "fd00::5" } };
	uint16_t port;
	int fd;

	(void)state;
	if (share < 0)
		skip();
	fd = bound(SOCK_STREAM, &port);
	for (size_t i = 0; i < ROWS(pairs); i++)
		for (uint8_t flags = 0; flags < 64; flags++) {
			bool opens = (flags & (SYN | RST | ACK)) == SYN;

			expect_fate(tcp_frame(pairs[i][0], 5, pairs[i][1], port, flags),
				    opens ? KERNEL : GUEST, pairs[i][0], flags);
		}
	close(fd);
	expect_fate(tcp_frame("10.0.0.9", 5, "10.0.0.5", port, SYN), GUEST, "TCP", 0);
}

static void test_connection(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int listener, client, server;
	uint16_t port, local;

	(void)state;
	if (share < 0)
		skip();
	listener = bound(SOCK_STREAM, &port);
	to.sin_port = htons(port);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(client, (struct sockaddr *)&from, &size), 0);
	local = ntohs(from.sin_port);
	server = accept(listener, NULL, NULL);
	close(listener);
	for (uint8_t flags = 0; flags < 64; flags++) {
		expect_fate(tcp_frame("127.0.0.1", port, "127.0.0.1", local, flags), KERNEL,
			    "established, client", flags);
		expect_fate(tcp_frame("127.0.0.1", local, "127.0.0.1", port, flags), KERNEL,
			    "established, server", flags);
		expect_fate(tcp_frame("127.0.0.2", port, "127.0.0.1", local, flags), GUEST,
			    "another peer", flags);
	}
	/* Who closes first waits. */
	close(client);
	close(server);
	expect_fate(tcp_frame("127.0.0.1", port, "127.0.0.1", local, ACK), KERNEL, "waiting", 0);
	expect_fate(tcp_frame("127.0.0.1", local, "127.0.0.1", port, ACK), GUEST, "closed", 0);
}

/* The guest's own packets, sent back by a router or a bridge: not for a socket of the namespace. */
static void test_own_source(void **state)
{
	uint16_t udp, tcp;
	int fds[2];

	(void)state;
	if (share < 0)
		skip();
	fds[0] = bound(SOCK_DGRAM, &udp);
	fds[1] = bound(SOCK_STREAM, &tcp);
	for (size_t i = 0; i < 2; i++) {
		struct frame f = ip_frame(own6[i], "fd00::5", IPPROTO_ICMPV6);

		expect_fate(tcp_frame(own4[i], 5, "10.0.0.5", tcp, SYN), NOBODY, own4[i], 0);
		expect_fate(tcp_frame(own6[i], 5, "fd00::5", tcp, SYN), NOBODY, own6[i], 0);
		expect_fate(port_frame(IPPROTO_UDP, own4[i], 5, "10.0.0.5", udp), NOBODY, own4[i],
			    1);
		expect_fate(port_frame(IPPROTO_UDP, own6[i], 5, "fd00::5", udp), NOBODY, own6[i],
			    1);
		*transport(&f) = 1;		/* "unreachable" */
		expect_fate(f, NOBODY, own6[i], 2);
	}
	/* As the pod's MAC makes one for a prefix that a router tells later; another MAC's not. */
	expect_fate(tcp_frame("fd77::ff:fe00:1", 5, "fd00::5", tcp, SYN), NOBODY, "made", 0);
	expect_fate(tcp_frame("fe80::ff:fe00:1", 5, "fd00::5", tcp, SYN), NOBODY, "made", 1);
	expect_fate(tcp_frame("fd77::ff:fe00:2", 5, "fd00::5", tcp, SYN), KERNEL, "made", 2);
	expect_fate(tcp_frame("fd77::200:ff:fe00:1", 5, "fd00::5", tcp, SYN), KERNEL, "made", 3);
	/* What is behind the end of a list is not in it. */
	expect_fate(tcp_frame("0.0.0.0", 5, "10.0.0.5", tcp, SYN), KERNEL, "0.0.0.0", 0);
	expect_fate(tcp_frame("::", 5, "fd00::5", tcp, SYN), KERNEL, "::", 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_table(void **state)
{
	static struct gcfg_addr addrs[NET_SHARE_ADDRS + 1];
	struct net_plan p = { .nr_ports = 1, .addrs = addrs, .nr_addrs = NET_SHARE_ADDRS };
	const uint8_t eui64[16] = { 0xfe, 0x80, [11] = 0xff, [12] = 0xfe, [15] = 1 };
	struct net_share_table t;
	struct err e = ERR_INIT;

	(void)state;
	memcpy(p.ports[0].guest_mac, own_mac, sizeof(own_mac));
	for (size_t i = 0; i < ROWS(addrs); i++)
		addrs[i] = (struct gcfg_addr){ .family = AF_INET,
					       .local = { 10, 0, 0, (uint8_t)i } };
	addrs[5].family = AF_INET6;
	assert_int_equal(net_share_table(&p, 0, 77, &t, &e), 0);
	assert_int_equal(t.tap, 77);
	assert_memory_equal(t.mac, own_mac, 6);
	assert_int_equal(t.nr4, NET_SHARE_ADDRS - 1);
	assert_int_equal(t.nr6, 2);
	assert_memory_equal(t.addr6[0], eui64, 16);
	assert_memory_equal(t.addr6[1], addrs[5].local, 16);
	assert_memory_equal(&t.addr4[NET_SHARE_ADDRS - 2], addrs[NET_SHARE_ADDRS - 1].local, 4);
	addrs[5].family = AF_INET;
	p.nr_addrs++;
	assert_int_equal(net_share_table(&p, 0, 77, &t, &e), -E2BIG);
	assert_string_equal(e.text, "share '': more than 128 addresses of one family");
}

/* ---- fragments and extensions --------------------------------------------------------------- */

static void test_fragments4(void **state)
{
	struct frame f;
	uint16_t port;
	int fd;

	(void)state;
	if (share < 0)
		skip();
	fd = bound(SOCK_DGRAM, &port);
	f = port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", port);
	put16(f.bytes + 20, 0x2000);
	expect_fate(f, KERNEL, "the first fragment", 0);
	put16(f.bytes + 20, 0x2000 | 185);
	expect_fate(f, BOTH, "a middle fragment", 0);
	put16(f.bytes + 20, 185);
	expect_fate(f, BOTH, "the last fragment", 0);
	put16(f.bytes + 20, 0x4000);
	expect_fate(f, KERNEL, "not to be fragmented", 0);
	/* Options move the ports. */
	put16(f.bytes + 20, 0);
	f.bytes[14] = 0x46;
	memmove(f.bytes + 38, f.bytes + 34, 8);
	memset(f.bytes + 34, 1, 4);
	expect_fate(f, KERNEL, "options", 0);
	close(fd);
}

/* Put @nr extension headers of this kind before what @f carries. */
static struct frame extended(struct frame f, uint8_t kind, unsigned int nr)
{
	uint8_t protocol = f.bytes[20], *at = f.bytes + 54;

	memmove(at + 8 * nr, at, 64);
	f.len += 8 * nr;
	f.bytes[20] = nr ? kind : protocol;
	for (unsigned int i = 0; i < nr; i++, at += 8) {
		memset(at, 0, 8);
		/* Length 0 is 8 bytes, by each of the three ways to count. */
		at[0] = i + 1 < nr ? kind : protocol;
	}
	return f;
}

static void test_extensions(void **state)
{
	static const uint8_t kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS,
					 IPPROTO_FRAGMENT, IPPROTO_AH };
	struct frame f, mld;
	uint16_t port;
	int fd;

	(void)state;
	if (share < 0)
		skip();
	fd = bound(SOCK_DGRAM, &port);
	f = port_frame(IPPROTO_UDP, "fd00::9", 5, "fd00::5", port);
	for (size_t i = 0; i < sizeof(kinds); i++)
		for (unsigned int nr = 0; nr < 12; nr++)
			expect_fate(extended(f, kinds[i], nr), nr <= 7 ? KERNEL : GUEST,
				    "extensions", kinds[i] * 100u + nr);
	f = extended(f, IPPROTO_FRAGMENT, 1);
	f.bytes[57] = 1;
	expect_fate(f, KERNEL, "the first fragment", 6);
	f.bytes[57] = 9;
	expect_fate(f, BOTH, "another fragment", 6);
	f.bytes[57] = 8;
	expect_fate(f, BOTH, "the last fragment", 6);
	mld = extended(icmp_frame(true, 130), IPPROTO_HOPOPTS, 1);
	expect_fate(mld, BOTH, "a group query", 6);
	/* A length that leads beyond the frame. */
	mld.bytes[55] = 255;
	expect_fate(mld, GUEST, "a long extension", 6);
	close(fd);
}

/* ---- hostile frames ------------------------------------------------------------------------- */

/* Cut before what decides: the guest's. */
static void test_cut(void **state)
{
	uint16_t udp, tcp;
	int fds[2];

	(void)state;
	if (share < 0)
		skip();
	fds[0] = bound(SOCK_DGRAM, &udp);
	fds[1] = bound(SOCK_STREAM, &tcp);
	for (size_t cut = 0; cut < 64; cut++) {
		struct {
			struct frame frame;
			size_t needs;
		} rows[] = {
			{ port_frame(IPPROTO_UDP, "10.0.0.9", 5, "10.0.0.5", udp), 4 },
			{ port_frame(IPPROTO_UDP, "fd00::9", 5, "fd00::5", udp), 4 },
			{ tcp_frame("10.0.0.9", 5, "10.0.0.5", tcp, SYN), 20 },
			{ tcp_frame("fd00::9", 5, "fd00::5", tcp, SYN), 20 },
		};

		for (size_t i = 0; i < ROWS(rows); i++) {
			rows[i].frame.len -= 64 - cut;
			expect_fate(rows[i].frame, cut < rows[i].needs ? GUEST : KERNEL, "cut",
				    (unsigned int)cut);
		}
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_heads(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 256; first++) {
		struct frame four = icmp_frame(false, 0), six = icmp_frame(true, 129);

		four.bytes[14] = (uint8_t)first;
		six.bytes[14] = (uint8_t)first;
		if (first >> 4 != 4 || (first & 15) < 5)
			expect_fate(four, GUEST, "first byte", first);
		expect_fate(six, first >> 4 == 6 ? BOTH : GUEST, "first byte, IPv6", first);
	}
}

/* Anything: it ends in one of the three ways, and is not changed (fate_by() looks). */
static void test_noise(void **state)
{
	static const uint16_t types[] = { 0x800, 0x86dd, 0x806 };

	(void)state;
	srandom(1);
	for (unsigned int round = 0; round < 60000; round++) {
		struct frame f = { .len = 14 + 40 + (size_t)random() % 200 };

		for (size_t i = 0; i < f.len; i++)
			f.bytes[i] = (uint8_t)random();
		put16(f.bytes + 12, types[round % 3]);
		if (round % 3 == 0)
			f.bytes[14] = (uint8_t)(0x40 | (random() & 15));
		if (round % 3 == 1) {
			static const uint8_t next[] = { 0, 6, 17, 43, 44, 51, 58, 60 };

			f.bytes[14] = 0x60;
			f.bytes[20] = next[random() % 8];
			for (size_t i = 54; i + 1 < f.len; i += 8) {
				f.bytes[i] = next[random() % 8];
				f.bytes[i + 1] = (uint8_t)(random() % 3);
			}
		}
		fate_by(share, &f);
	}
}

/* A guest that has ended: the namespace is as without one. */
static void test_orphan(void **state)
{
	struct frame frames[] = {
		tcp_frame("10.0.0.9", 5, "10.0.0.5", 80, SYN), icmp_frame(false, 8),
		icmp_frame(true, 135), icmp_frame(false, 0), arp_frame(1, "10.0.0.9", "10.0.0.5"),
		ip_frame("10.0.0.9", "10.0.0.5", 50),
	};

	(void)state;
	for (size_t i = 0; i < ROWS(frames); i++)
		assert_int_equal(fate_by(orphan, &frames[i]), KERNEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_nobody), cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_protocols), cmocka_unit_test(test_types),
		cmocka_unit_test(test_arp), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_udp), cmocka_unit_test(test_listener),
		cmocka_unit_test(test_connection), cmocka_unit_test(test_own_source),
		cmocka_unit_test(test_table), cmocka_unit_test(test_fragments4),
		cmocka_unit_test(test_extensions), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_heads), cmocka_unit_test(test_noise),
		cmocka_unit_test(test_orphan),
	};

	return cmocka_run_group_tests_name("net/share", tests, setup, teardown);
}
