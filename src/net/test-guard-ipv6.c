/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard, as in test-guard.c, on frames of IPv6 and its neighbour discovery. */
#include <arpa/inet.h>
#include <string.h>

#include "net/test-guard-help.h"

/* ---- IPv6 --------------------------------------------------------------------------------- */

static void test_ipv6(void **state)
{
	static const char *const own[] = { OWN6, OWN6_LINK };
	struct frame f;

	for (size_t i = 0; i < 2; i++) {
		frame_ipv6(&f, own[i], 17, 12);
		frame_ports(&f, 1000, 53, 4);
		put_bytes(&f, 'd', 'a', 't', 'a');
		check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
		frame_ipv6(&f, own[i], 6, 20);
		frame_put(&f, (uint8_t[20]){ 0 }, 20);
		check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	}
	/* Any prefix with the guest's EUI-64, if it is a global or unique local one. */
	frame_ipv6(&f, OWN6_SLAAC, 17, 8);
	frame_ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 30, 8, NET_GUARD_IPV6 });
	for (unsigned int first = 0; first < 256; first++) {
		f.bytes[22] = (uint8_t)first;
		assert_verdict(*state, &f, first >> 5 == 1 || first >> 1 == 0x7e ?
			       PASSED : NET_GUARD_IPV6);
	}
	frame_ipv6(&f, "::", 17, 8);
	frame_ports(&f, 1000, 53, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	frame_ipv6(&f, "::ffff:10.1.2.3", 17, 8);
	frame_ports(&f, 1000, 53, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	for (unsigned int version = 0; version < 16; version++) {
		frame_ipv6(&f, OWN6, 17, 8);
		frame_ports(&f, 1000, 53, 0);
		f.bytes[14] = (uint8_t)(version << 4);
		assert_verdict(*state, &f, version == 6 ? PASSED : NET_GUARD_SHORT);
	}
}

/* @nr destination options headers in front of ICMPv6 of this type. */
static void chained(struct frame *f, unsigned int nr, uint8_t type)
{
	frame_ipv6(f, OWN6_LINK, nr ? 60 : 58, nr * 8 + 24);
	for (unsigned int i = 1; i <= nr; i++)
		put_bytes(f, i < nr ? 60 : 58, 0, 1, 4, 0, 0, 0, 0);
	put_bytes(f, type, 0, 0, 0, 0, 0, 0, 0);
	frame_put_ip(f, AF_INET6, OWN6);
}

static void test_extensions(void **state)
{
	struct frame f;

	for (unsigned int nr = 0; nr < 6; nr++) {
		chained(&f, nr, 128);
		assert_verdict(*state, &f, nr <= 4 ? PASSED : NET_GUARD_OPTIONS);
		chained(&f, nr, 134);
		assert_verdict(*state, &f, nr <= 4 ? NET_GUARD_ROUTER : NET_GUARD_OPTIONS);
	}
	/* hop-by-hop options: first only */
	frame_ipv6(&f, OWN6_LINK, 0, 16);
	put_bytes(&f, 58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	chained(&f, 1, 128);
	f.bytes[54] = 0;
	assert_verdict(*state, &f, NET_GUARD_OPTIONS);
	/* routing headers of any type */
	chained(&f, 1, 128);
	f.bytes[20] = 43;
	assert_verdict(*state, &f, NET_GUARD_OPTIONS);
	/* a header whose length leads beyond the packet */
	chained(&f, 1, 128);
	f.bytes[55] = 255;
	assert_verdict(*state, &f, NET_GUARD_SHORT);
	/* what is no extension ends the chain */
	chained(&f, 1, 134);
	f.bytes[54] = 59;
	assert_verdict(*state, &f, PASSED);
}

/* A fragment of @len bytes with the ICMPv6 header of an advertisement in it or behind it. */
static void fragment6(struct frame *f, const char *source, uint8_t next, uint16_t offset,
		      size_t len)
{
	frame_ipv6(f, source, 44, 8 + len);
	put_bytes(f, next, 0, (uint8_t)(offset >> 8), (uint8_t)offset, 0, 0, 0, 1);
}

static void test_fragments6(void **state)
{
	struct frame f;

	fragment6(&f, OWN6, 17, 1, 8);
	frame_ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	fragment6(&f, OWN6, 17, 8 | 1, 8);		/* a later one */
	frame_ports(&f, 547, 546, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	fragment6(&f, "::", 58, 8 | 1, 8);
	frame_ports(&f, 1, 1, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	/* neighbour discovery in fragments, whole ("atomic") or not */
	for (unsigned int more = 0; more < 2; more++)
		for (uint8_t type = 133; type <= 137; type++) {
			fragment6(&f, OWN6_LINK, 58, (uint16_t)more, 24);
			put_bytes(&f, type, 0, 0, 0, 0, 0, 0, 0);
			frame_put_ip(&f, AF_INET6, OWN6);
			assert_verdict(*state, &f, type == 134 || type == 137 ?
				       NET_GUARD_ROUTER : NET_GUARD_ND);
		}
	/*
	 * The chain's end not in the first fragment, but something like it behind the packet, where
	 * only padding should be.
	 */
	fragment6(&f, OWN6_LINK, 60, 1, 8);
	put_bytes(&f, 58, 0, 1, 4, 0, 0, 0, 0);
	put_bytes(&f, 128, 0, 0, 0, 0, 0, 0, 0);
	assert_verdict(*state, &f, NET_GUARD_SHORT);
}
/* ---- neighbour discovery ------------------------------------------------------------------ */

static void test_solicitations(void **state)
{
	uint8_t two[16];
	struct frame f;

	frame_nd(&f, OWN6, 135, "fd00:1::1", guard_source_option, 8);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 }, { 80, 6, NET_GUARD_ND });
	frame_nd(&f, OWN6_LINK, 135, "fd00:1::1", NULL, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	/* detection of duplicates: for an own address only; with the nonce of RFC 7527 */
	frame_nd(&f, "::", 135, OWN6, NULL, 0);
	check_honest_ids(*state, &f, { 62, 16, NET_GUARD_ND });
	frame_nd(&f, "::", 135, OWN6_SLAAC, guard_nonce_option, 8);
	check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND });
	frame_nd(&f, "::", 135, "fd00:1::1", NULL, 0);
	assert_verdict(*state, &f, NET_GUARD_ND);
	/* the second option lies */
	memcpy(two, guard_nonce_option, 8);
	memcpy(two + 8, (const uint8_t[]){ 1, 1, OTHER_MAC }, 8);
	frame_nd(&f, OWN6, 135, "fd00:1::1", two, 16);
	assert_verdict(*state, &f, NET_GUARD_ND);
	memcpy(two + 8, guard_source_option, 8);
	frame_nd(&f, OWN6, 135, "fd00:1::1", two, 16);
	assert_verdict(*state, &f, PASSED);
}

static void test_advertisements(void **state)
{
	static const char *const own[] = { OWN6, OWN6_LINK, OWN6_SLAAC };
	struct frame f;

	for (size_t i = 0; i < 3; i++) {
		frame_nd(&f, OWN6, 136, own[i], guard_target_option, 8);
		/* the target's latter half: the first may be another prefix of the guest's */
		check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND }, { 80, 6, NET_GUARD_ND });
		frame_nd(&f, OWN6_LINK, 136, own[i], NULL, 0);
		check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND });
	}
	frame_nd(&f, OWN6, 136, "fd00:1::1", guard_target_option, 8);	/* poisons */
	assert_verdict(*state, &f, NET_GUARD_ND);
	frame_nd(&f, "::", 136, OWN6, guard_target_option, 8);
	assert_verdict(*state, &f, NET_GUARD_ND);
}

static void test_nd_options(void **state)
{
	uint8_t many[48];
	struct frame f;

	for (size_t i = 0; i < sizeof(many); i += 8)
		memcpy(many + i, guard_nonce_option, 8);
	for (size_t len = 0; len <= sizeof(many); len += 8) {
		frame_nd(&f, OWN6, 135, "fd00:1::1", many, len);
		assert_verdict(*state, &f, len <= 32 ? PASSED : NET_GUARD_ND);
	}
	/* lengths: none, beyond the packet, an address of two units, half a unit at the end */
	frame_nd(&f, OWN6, 135, "fd00:1::1", guard_nonce_option, 8);
	f.bytes[79] = 0;
	assert_verdict(*state, &f, NET_GUARD_ND);
	f.bytes[79] = 2;
	assert_verdict(*state, &f, NET_GUARD_SHORT);
	frame_nd(&f, OWN6, 135, "fd00:1::1", many, 16);
	f.bytes[78] = 1;
	f.bytes[79] = 2;
	assert_verdict(*state, &f, NET_GUARD_ND);
	frame_nd(&f, OWN6, 135, "fd00:1::1", many, 12);
	assert_verdict(*state, &f, NET_GUARD_SHORT);
}

static void test_icmp6(void **state)
{
	static const struct { const char *source; bool own; } from[] = {
		{ OWN6_LINK, true }, { OWN6, true }, { "::", false },
	};
	struct frame f;

	for (size_t i = 0; i < 3; i++)
		for (unsigned int type = 0; type < 256; type++) {
			bool report = type == 131 || type == 132 || type == 143;
			bool discovery = type == 133 || type == 135 || (type == 136 && from[i].own);
			unsigned int wanted = NET_GUARD_ROUTER;

			frame_nd(&f, from[i].source, (uint8_t)type, OWN6,
				 type == 133 ? guard_nonce_option : NULL, 0);
			if (type == 133)	/* no target in it */
				frame_nd(&f, from[i].source, 133, NULL, guard_nonce_option, 8);
			if (report || discovery)
				wanted = PASSED;
			else if (type == 136)
				wanted = NET_GUARD_ND;
			else if (!from[i].own)
				wanted = NET_GUARD_IPV6;
			else if (type < 130)
				wanted = PASSED;
			assert_verdict(*state, &f, wanted);
		}
	frame_nd(&f, OWN6_LINK, 133, NULL, guard_source_option, 8);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 }, { 64, 6, NET_GUARD_ND });
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv6), cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_fragments6),
		cmocka_unit_test(test_solicitations), cmocka_unit_test(test_advertisements),
		cmocka_unit_test(test_nd_options), cmocka_unit_test(test_icmp6),
	};

	return cmocka_run_group_tests(tests, guard_setup, guard_teardown);
}
