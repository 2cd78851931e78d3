/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard, at a tap, on frames whose virtio header asks for a checksum: each place in each kind
 * of frame. What passes comes out of another tap, as it was. No test run of the kernel's has such
 * frames. Needs to be root, in the host's user namespace; otherwise each test skips itself.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/link.h"
#include "net/sysctl.h"
#include "net/tap.h"
#include "net/tc.h"
#include "net/test-guard-help.h"

#define FIRST_PLACE 20			/* that Linux takes, from 6.11 on */

static struct {
	struct guarded guard;
	int in, out;			/* descriptors of the taps; -1: not possible here */
	int index;			/* of the first one */
} us = { .in = -1, .out = -1 };

/* ---- set-up ------------------------------------------------------------------------------- */

static int tap_up(struct net_nl *nl, const char *name, int *tap, int *index, struct err *e)
{
	uint8_t flags;
	int rc = net_tap_open(name, false, tap, &flags, e);

	if (rc == 0)
		rc = net_link_index(name, index, e);
	if (rc == 0)
		rc = net_sysctl_ipv6(name, "disable_ipv6", 1, e);
	return rc < 0 ? rc : net_link_flags(nl, *index, IFF_UP, IFF_UP, e);
}

static int setup(void **state)
{
	struct net_guard_rules *rules = &us.guard.rules;
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct err e = ERR_INIT;
	int to = 0;

	(void)state;
	guard_begin(&us.guard, 4);
	guard_own(rules, OWN4);
	guard_own(rules, OWN6);
	guard_own(rules, OWN6_LINK);
	rules->offloads = true;
	/* Whether bpf(2) is allowed at all. */
	if (guard_load(&us.guard) < 0)
		return 0;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace of its own: %s\n", strerror(errno));
		return 0;
	}
	if (net_nl_open(&nl, &e) < 0 || tap_up(&nl, "out", &us.out, &to, &e) < 0 ||
	    tap_up(&nl, "in", &us.in, &us.index, &e) < 0 ||
	    net_tc_clsact_add(&nl, us.index, &e) < 0 ||
	    net_guard_add(&nl, us.index, NET_TC_INGRESS, rules, to, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(&us.in);
	fd_close(&us.out);
	guard_unload(&us.guard);
	return 0;
}

/* ---- a frame's fate ----------------------------------------------------------------------- */

struct sent {
	struct virtio_net_hdr header;
	uint8_t bytes[sizeof(((struct frame *)0)->bytes)];
} __attribute__((packed));

/* Why the guard dropped one frame since @before, or PASSED. */
static unsigned int reason_since(const struct net_guard_stats *before)
{
	struct net_guard_stats now;
	struct err e = ERR_INIT;

	if (net_guard_stats(us.index, NET_TC_INGRESS, 0, &now, &e) != 0)
		fail_msg("%s", e.text);
	for (unsigned int i = 0; i < NET_GUARD_REASONS; i++)
		if (now.drops[i] != before->drops[i])
			return i;
	return PASSED;
}

/* The guest writes it. What passes arrives, with not one byte changed; what does not, does not. */
static unsigned int fate(const struct virtio_net_hdr *header, const struct frame *f)
{
	struct sent sent = { .header = *header }, got;
	size_t len = NET_TAP_HDR_LEN + f->len;
	struct net_guard_stats before;
	struct err e = ERR_INIT;
	unsigned int reason;

	if (us.in < 0)
		skip();
	memcpy(sent.bytes, f->bytes, f->len);
	if (net_guard_stats(us.index, NET_TC_INGRESS, 0, &before, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(write(us.in, &sent, len), len);
	reason = reason_since(&before);
	if (reason != PASSED) {
		assert_int_equal(read(us.out, &got, sizeof(got)), -1);
		assert_int_equal(errno, EAGAIN);
		return reason;
	}
	assert_int_equal(read(us.out, &got, sizeof(got)), len);
	assert_memory_equal(got.bytes, f->bytes, f->len);
	assert_int_equal(got.header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
			 header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		assert_int_equal(got.header.csum_start + got.header.csum_offset,
				 header->csum_start + header->csum_offset);
	return PASSED;
}

static unsigned int fate_at(const struct frame *f, size_t start, size_t place)
{
	const struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)start, .csum_offset = (uint16_t)(place - start),
	};

	return fate(&header, f);
}

/*
 * The frame passes with no checksum asked for, or said to be right. With one asked for it passes if
 * the sum begins at its header of UDP or TCP (@l4; 0: it has none) or behind, and not if the place
 * is in front of that. Between these it depends on the kernel, which compares with the place's end
 * or with the sum's begin.
 */
static void check_places(const struct frame *f, size_t l4, const char *what)
{
	const struct virtio_net_hdr none = { .flags = 0 },
				    valid = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };

	assert_int_equal(fate(&none, f), PASSED);
	assert_int_equal(fate(&valid, f), PASSED);
	for (size_t place = FIRST_PLACE; place + 2 <= f->len; place++)
		for (size_t start = FIRST_PLACE; start <= place; start += 7) {
			bool passes = l4 && start >= l4, drops = !l4 || place + 2 < l4;
			unsigned int got = fate_at(f, start, place);

			if (got != PASSED && got != NET_GUARD_CHECKSUM)
				fail_msg("%s: %s", what, net_guard_reason_name(got));
			if ((passes && got != PASSED) || (drops && got == PASSED))
				fail_msg("%s: the checksum at %zu of the sum from %zu on: %s", what,
					 place, start, got == PASSED ? "passed" : "dropped");
		}
	/* Where they belong. */
	if (l4)
		assert_int_equal(fate_at(f, l4, l4 + 6), PASSED);
}

/* ---- frames ------------------------------------------------------------------------------- */

/* @nr extension headers of 8 bytes, destination options, and then what @next is. */
static size_t put_extensions(struct frame *f, unsigned int nr, uint8_t next)
{
	for (unsigned int i = 1; i <= nr; i++)
		put_bytes(f, i < nr ? 60 : next, 0, 1, 4, 0, 0, 0, 0);
	return f->len;
}

static void put_tcp(struct frame *f)
{
	put_bytes(f, 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0, 0, 0, 0);
	put_bytes(f, 'd', 'a', 't', 'a');
}

static void put_udp(struct frame *f)
{
	frame_ports(f, 1000, 53, 4);
	put_bytes(f, 'd', 'a', 't', 'a');
}

static void test_udp(void **state)
{
	struct frame f;

	(void)state;
	frame_udp4(&f, OWN4, 1000, 53);
	check_places(&f, 34, "UDP");
	frame_ipv4(&f, OWN4, 17, 0, 1, 12);		/* with an IPv4 option */
	put_udp(&f);
	check_places(&f, 38, "UDP behind an option");
	for (unsigned int nr = 0; nr <= 4; nr++) {
		size_t at;

		frame_ipv6(&f, OWN6, nr ? 60 : 17, nr * 8 + 12);
		at = put_extensions(&f, nr, 17);
		put_udp(&f);
		check_places(&f, at, "UDP behind extensions");
	}
	frame_ipv6(&f, OWN6, 44, 8 + 12);		/* the first fragment */
	put_bytes(&f, 17, 0, 0, 1, 0, 0, 0, 1);
	put_udp(&f);
	check_places(&f, 62, "UDP in a fragment");
}

static void test_tcp(void **state)
{
	struct frame f;

	(void)state;
	frame_ipv4(&f, OWN4, 6, 0x4000, 0, 24);
	put_tcp(&f);
	check_places(&f, 34, "TCP");
	frame_ipv4(&f, OWN4, 6, 0x4000, 1, 24);
	put_tcp(&f);
	check_places(&f, 38, "TCP behind an option");
	for (unsigned int nr = 0; nr <= 4; nr++) {
		size_t at;

		frame_ipv6(&f, OWN6, nr ? 60 : 6, nr * 8 + 24);
		at = put_extensions(&f, nr, 6);
		put_tcp(&f);
		check_places(&f, at, "TCP behind extensions");
	}
	/* A part of its header. */
	frame_ipv4(&f, OWN4, 6, 0x2000, 0, 8);
	put_bytes(&f, 0x30, 0x39, 0, 80, 0, 0, 0, 1);
	check_places(&f, 34, "a part of TCP's header");
}

/* A large segment is one frame, with its checksum asked for. */
static void test_segments(void **state)
{
	(void)state;
	for (int six = 0; six < 2; six++) {
		struct virtio_net_hdr header = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 100, .csum_offset = 16,
			.gso_type = six ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		};
		struct frame f;

		if (six)
			frame_ipv6(&f, OWN6, 6, 24 + 300);
		else
			frame_ipv4(&f, OWN4, 6, 0x4000, 0, 24 + 300);
		header.csum_start = (uint16_t)f.len;
		header.hdr_len = (uint16_t)(f.len + 20);
		put_tcp(&f);
		for (int n = 0; n < 300; n++)
			put_bytes(&f, (uint8_t)n);
		assert_int_equal(fate(&header, &f), PASSED);
	}
}

/* ---- frames in which nobody asks for a checksum -------------------------------------------- */

static void test_ipv4(void **state)
{
	struct frame f;

	(void)state;
	frame_ipv4(&f, OWN4, 1, 0, 0, 12);
	put_bytes(&f, 8, 0, 0, 0, 0, 1, 0, 1, 'd', 'a', 't', 'a');
	check_places(&f, 0, "ICMP echo");
	frame_ipv4(&f, OWN4, 2, 0, 1, 8);
	put_bytes(&f, 0x16, 0, 0, 0, 239, 1, 2, 3);
	check_places(&f, 0, "IGMP report");
	frame_ipv4(&f, "0.0.0.0", 2, 0, 1, 8);
	put_bytes(&f, 0x16, 0, 0, 0, 239, 1, 2, 3);
	check_places(&f, 0, "IGMP report of nobody");
	/* Behind the UDP header there is more to be looked at, and the place could be there. */
	frame_dhcp(&f);
	check_places(&f, 0, "DHCP request");
	frame_udp4(&f, OWN4, 67, 67);
	check_places(&f, 0, "from a DHCP server's port");
	frame_udp4(&f, OWN4, 1000, 68);
	check_places(&f, 0, "to a DHCP client's port");
	frame_ipv4(&f, OWN4, 17, 0x2001, 0, 12);
	put_udp(&f);
	check_places(&f, 0, "a later fragment");
	frame_ipv4(&f, OWN4, 47, 0, 0, 24);
	put_tcp(&f);
	check_places(&f, 0, "another protocol");
}

static void test_ipv6(void **state)
{
	struct frame f;

	(void)state;
	frame_nd(&f, OWN6, 128, NULL, NULL, 0);
	check_places(&f, 0, "ICMPv6 echo");
	for (unsigned int nr = 1; nr <= 4; nr++) {
		frame_ipv6(&f, OWN6, 60, nr * 8 + 8);
		put_extensions(&f, nr, 58);
		put_bytes(&f, 128, 0, 0, 0, 0, 1, 0, 1);
		check_places(&f, 0, "ICMPv6 echo behind extensions");
	}
	frame_ipv6(&f, "::", 0, 16);
	put_bytes(&f, 58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0);
	check_places(&f, 0, "MLD report of nobody");
	frame_ipv6(&f, OWN6, 44, 8 + 12);
	put_bytes(&f, 17, 0, 0, 8 | 1, 0, 0, 0, 1);
	put_udp(&f);
	check_places(&f, 0, "a later fragment");
	frame_ipv6(&f, OWN6, 17, 12);
	frame_ports(&f, 547, 547, 4);
	put_bytes(&f, 'd', 'a', 't', 'a');
	check_places(&f, 0, "from a DHCPv6 server's port");
	frame_ipv6(&f, OWN6, 59, 24);
	put_tcp(&f);
	check_places(&f, 0, "no next header");
}

static void test_discovery(void **state)
{
	struct frame f;

	(void)state;
	frame_nd(&f, OWN6_LINK, 136, OWN6, guard_target_option, 8);
	check_places(&f, 0, "neighbour advertisement");
	frame_nd(&f, OWN6, 135, "fd00:1::1", guard_source_option, 8);
	check_places(&f, 0, "neighbour solicitation");
	frame_nd(&f, "::", 135, OWN6, guard_nonce_option, 8);
	check_places(&f, 0, "detection of duplicates");
	frame_nd(&f, OWN6_LINK, 133, NULL, guard_source_option, 8);
	check_places(&f, 0, "router solicitation");
	frame_arp(&f, 1, OWN4, "10.1.2.1");
	put_bytes(&f, 't', 'r', 'a', 'i', 'l', 'e', 'r', 0);
	check_places(&f, 0, "ARP");
}

/* ---- far behind ---------------------------------------------------------------------------- */

/*
 * Up to Linux 5.11 a frame cannot be cut beyond the link's MTU, whatever the place: such a refusal
 * would tell nothing. So far no checksum may be, even where it would be right.
 */
static void test_far(void **state)
{
	/* Four extension headers of 256 bytes each, and UDP: longer than a struct frame. */
	static struct { struct virtio_net_hdr header; uint8_t bytes[1200]; }
		__attribute__((packed)) sent;
	struct net_guard_stats before;
	struct err e = ERR_INIT;
	size_t len = 54 + 4 * 256 + 12, at = 54;
	struct frame f;

	(void)state;
	if (us.in < 0)
		skip();
	frame_ipv6(&f, OWN6, 60, len - 54);
	memcpy(sent.bytes, f.bytes, 54);
	for (int i = 0; i < 4; i++, at += 256) {
		sent.bytes[at] = i < 3 ? 60 : 17;
		sent.bytes[at + 1] = 31;
	}
	sent.bytes[at + 5] = 12;
	for (int asked = 0; asked < 2; asked++) {
		sent.header.flags = asked ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
		sent.header.csum_start = (uint16_t)at;
		sent.header.csum_offset = 6;
		assert_int_equal(net_guard_stats(us.index, NET_TC_INGRESS, 0, &before, &e), 0);
		assert_int_equal(write(us.in, &sent, NET_TAP_HDR_LEN + len), NET_TAP_HDR_LEN + len);
		assert_int_equal(reason_since(&before), asked ? NET_GUARD_CHECKSUM : PASSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp), cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_segments), cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6), cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_far),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
