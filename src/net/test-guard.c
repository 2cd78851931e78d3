/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard, run by the kernel on crafted frames of Ethernet, ARP and IPv4: each honest frame
 * passes; each with one field changed that tells who the sender is, is dropped for that reason;
 * each cut short is dropped.
 */
#include <arpa/inet.h>

#include "net/test-guard-help.h"

/* ---- Ethernet, ARP ------------------------------------------------------------------------ */

static void test_types(void **state)
{
	static const struct { uint16_t type; enum net_guard_reason reason; } types[] = {
		{ 0x8100, NET_GUARD_VLAN }, { 0x88a8, NET_GUARD_VLAN }, { 0x9100, NET_GUARD_TYPE },
		{ 0x8035, NET_GUARD_TYPE }, { 0x88cc, NET_GUARD_TYPE }, { 0x888e, NET_GUARD_TYPE },
		{ 0x8847, NET_GUARD_TYPE }, { 0x8863, NET_GUARD_TYPE }, { 0x88e5, NET_GUARD_TYPE },
		{ 0x0026, NET_GUARD_TYPE }, { 0x0000, NET_GUARD_TYPE }, { 0x0608, NET_GUARD_TYPE },
		{ 0x0008, NET_GUARD_TYPE }, { 0xdd86, NET_GUARD_TYPE },
	};
	struct frame f, inner;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame_udp4(&inner, OWN4, 1000, 1000);
		frame_ethernet(&f, types[i].type);
		put_bytes(&f, 0, 1, 8, 0);	/* as a tag: VLAN 1, IPv4 */
		frame_put(&f, inner.bytes + 14, inner.len - 14);
		assert_verdict(*state, &f, types[i].reason);
	}
}

static void test_arp(void **state)
{
	struct frame f;

	/* hardware and protocol types, operation, sender's MAC and address; target is anybody */
	for (uint8_t op = 1; op <= 2; op++) {
		frame_arp(&f, op, OWN4, "10.1.2.1");
		check_honest_ids(*state, &f, { 14, 6, NET_GUARD_ARP }, { 20, 1, NET_GUARD_ARP },
				 { 22, 10, NET_GUARD_ARP });
	}
	frame_arp(&f, 1, OWN4_HIGH, OWN4_HIGH);		/* an announcement */
	check_honest_ids(*state, &f, { 22, 10, NET_GUARD_ARP });
	frame_arp(&f, 1, "0.0.0.0", OWN4);			/* a probe */
	check_honest_ids(*state, &f, { 22, 10, NET_GUARD_ARP }, { 38, 4, NET_GUARD_ARP });

	frame_arp(&f, 1, "0.0.0.0", "10.1.2.1");		/* contests the gateway's */
	assert_verdict(*state, &f, NET_GUARD_ARP);
	frame_arp(&f, 2, "0.0.0.0", OWN4);
	assert_verdict(*state, &f, NET_GUARD_ARP);
	frame_arp(&f, 2, "10.1.2.1", OWN4);			/* poisons it */
	assert_verdict(*state, &f, NET_GUARD_ARP);
	for (unsigned int op = 0; op < 256; op++) {
		frame_arp(&f, (uint8_t)op, OWN4, OWN4);
		assert_verdict(*state, &f, op == 1 || op == 2 ? PASSED : NET_GUARD_ARP);
	}
}
/* ---- IPv4 --------------------------------------------------------------------------------- */

static void test_ipv4(void **state)
{
	static const char *const own[] = { OWN4, OWN4_HIGH };
	struct frame f;

	for (size_t i = 0; i < 2; i++) {
		frame_udp4(&f, own[i], 1000, 53);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
		frame_ipv4(&f, own[i], 6, 0x4000, 0, 20);
		frame_put(&f, (uint8_t[20]){ 0 }, 20);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
		frame_ipv4(&f, own[i], 1, 0, 0, 8);
		put_bytes(&f, 8, 0, 0, 0, 0, 0, 0, 0);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	}
	/* fragments: the first with its header, a middle one, the last */
	frame_ipv4(&f, OWN4, 17, 0x2000, 0, 8);
	frame_ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	frame_ipv4(&f, OWN4, 17, 0x2001, 0, 8);
	frame_ports(&f, 67, 68, 0);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	frame_ipv4(&f, OWN4, 17, 0x0001, 0, 1);
	put_bytes(&f, 1);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	/* a first one too small for its header: which one it is would come later */
	frame_ipv4(&f, OWN4, 17, 0x2000, 0, 4);
	put_bytes(&f, 0, 67, 0, 68, 0, 8, 0, 0);
	assert_verdict(*state, &f, NET_GUARD_SHORT);
}

static void test_ipv4_header(void **state)
{
	struct frame f;

	for (unsigned int first = 0; first < 256; first++) {
		enum net_guard_reason wanted =
			first >> 4 != 4 ? NET_GUARD_SHORT : NET_GUARD_OPTIONS;

		frame_udp4(&f, OWN4, 1000, 53);
		f.bytes[14] = (uint8_t)first;
		/* 0x46: the ports stand where the option should be */
		assert_verdict(*state, &f, first == 0x45 ? PASSED : wanted);
	}
	/* total lengths beyond the frame, and too short for the header */
	for (unsigned int total = 0; total < 40; total++) {
		frame_udp4(&f, OWN4, 1000, 53);
		f.bytes[17] = (uint8_t)total;
		assert_verdict(*state, &f, total >= 28 && total <= 32 ? PASSED : NET_GUARD_SHORT);
	}
	/* strict and loose source routes, record route */
	for (size_t i = 0; i < 3; i++) {
		frame_udp4(&f, OWN4, 1000, 53);
		f.bytes[14] = 0x46;
		f.bytes[34] = (const uint8_t[]){ 137, 131, 7 }[i];
		f.bytes[35] = 3;
		assert_verdict(*state, &f, NET_GUARD_OPTIONS);
	}
}

static void test_icmp(void **state)
{
	struct frame f;

	for (unsigned int type = 0; type < 256; type++) {
		frame_ipv4(&f, OWN4, 1, 0, 0, 8);
		put_bytes(&f, (uint8_t)type, 0, 0, 0, 0, 0, 0, 0);
		assert_verdict(*state, &f, type == 5 || type == 9 ? NET_GUARD_ROUTER : PASSED);
	}
}

static void test_igmp(void **state)
{
	static const char *const sources[] = { OWN4, "0.0.0.0" };
	struct frame f;

	for (size_t i = 0; i < 2; i++)
		for (unsigned int type = 0; type < 256; type++) {
			bool report = type == 0x12 || type == 0x16 || type == 0x17 || type == 0x22;

			frame_ipv4(&f, sources[i], 2, 0, 1, 8);
			put_bytes(&f, (uint8_t)type, 0, 0, 0, 224, 1, 2, 3);
			assert_verdict(*state, &f, report ? PASSED : NET_GUARD_ROUTER);
		}
	check_honest_ids(*state, (frame_ipv4(&f, OWN4, 2, 0, 1, 8),
				  put_bytes(&f, 0x16, 0, 0, 0, 224, 1, 2, 3), &f),
			 { 26, 4, NET_GUARD_IPV4 }, { 34, 4, NET_GUARD_OPTIONS });
}

static void test_dhcp(void **state)
{
	struct frame f;

	frame_dhcp(&f);
	/* operation, hardware type and length, chaddr */
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 }, { 34, 4, NET_GUARD_IPV4 },
			 { 42, 3, NET_GUARD_DHCP }, { 70, 6, NET_GUARD_DHCP });
	f.bytes[20] = 0x20;				/* a fragment */
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	frame_udp4(&f, "0.0.0.0", 68, 67);			/* no BOOTP message */
	assert_verdict(*state, &f, NET_GUARD_SHORT);
	frame_udp4(&f, "0.0.0.0", 1000, 53);
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	frame_udp4(&f, OWN4, 68, 67);				/* renewal */
	assert_verdict(*state, &f, PASSED);
	frame_udp4(&f, OWN4, 67, 68);				/* a server's answer */
	assert_verdict(*state, &f, NET_GUARD_DHCP);
	frame_udp4(&f, "10.1.2.1", 67, 68);
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	frame_ipv6(&f, OWN6_LINK, 17, 8);
	frame_ports(&f, 546, 547, 0);
	assert_verdict(*state, &f, PASSED);
	frame_ipv6(&f, OWN6_LINK, 17, 8);
	frame_ports(&f, 547, 546, 0);
	assert_verdict(*state, &f, NET_GUARD_DHCP);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_ipv4), cmocka_unit_test(test_ipv4_header),
		cmocka_unit_test(test_icmp), cmocka_unit_test(test_igmp),
		cmocka_unit_test(test_dhcp),
	};

	return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
