/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard, run by the kernel on crafted frames: each honest frame passes; each with one field
 * changed that tells who the sender is, is dropped for that reason; each cut short is dropped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/guard.h"

#define PASSED NET_GUARD_REASONS

/* ---- frames ------------------------------------------------------------------------------- */

struct frame {
	uint8_t bytes[512];
	size_t len;
};

#define GUEST_MAC 0x0a, 0x58, 0x0a, 0x01, 0x02, 0x03
#define OTHER_MAC 0x0a, 0x58, 0x0a, 0x01, 0x02, 0x04

static const uint8_t guest_mac[6] = { GUEST_MAC };

static void put(struct frame *f, const void *bytes, size_t len)
{
	assert_true(f->len + len <= sizeof(f->bytes));
	if (len > 0)			/* else there may be nothing to point at */
		memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

#define put_bytes(f, ...) put(f, (const uint8_t[]){ __VA_ARGS__ }, \
			      sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put_ip(struct frame *f, int family, const char *text)
{
	uint8_t addr[16];

	assert_int_equal(inet_pton(family, text, addr), 1);
	put(f, addr, family == AF_INET ? 4 : 16);
}

static void ethernet(struct frame *f, uint16_t type)
{
	f->len = 0;
	put_bytes(f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, GUEST_MAC, (uint8_t)(type >> 8),
		  (uint8_t)type);
}

static void arp(struct frame *f, uint8_t op, const char *sender, const char *target)
{
	ethernet(f, 0x0806);
	put_bytes(f, 0, 1, 8, 0, 6, 4, 0, op, GUEST_MAC);
	put_ip(f, AF_INET, sender);
	put_bytes(f, 0, 0, 0, 0, 0, 0);
	put_ip(f, AF_INET, target);
}

/* An IPv4 header for @len bytes that the caller puts behind it; @words of options: router alert. */
static void ipv4(struct frame *f, const char *source, uint8_t protocol, uint16_t fragment,
		 unsigned int words, size_t len)
{
	size_t total = 20 + words * 4 + len;

	ethernet(f, 0x0800);
	put_bytes(f, (uint8_t)(0x45 + words), 0, (uint8_t)(total >> 8), (uint8_t)total, 0x12, 0x34,
		  (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, protocol, 0, 0);
	put_ip(f, AF_INET, source);
	put_ip(f, AF_INET, "10.1.2.1");
	for (unsigned int i = 0; i < words; i++)
		put_bytes(f, 0x94, 4, 0, 0);
}

static void ipv6(struct frame *f, const char *source, uint8_t next, size_t len)
{
	ethernet(f, 0x86dd);
	put_bytes(f, 0x60, 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len, next, 255);
	put_ip(f, AF_INET6, source);
	put_ip(f, AF_INET6, "ff02::1");
}

static void ports(struct frame *f, uint16_t from, uint16_t to, size_t payload)
{
	put_bytes(f, (uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to, 0,
		  (uint8_t)(8 + payload), 0, 0);
}

static void udp4(struct frame *f, const char *source, uint16_t from, uint16_t to)
{
	ipv4(f, source, 17, 0, 0, 12);
	ports(f, from, to, 4);
	put_bytes(f, 'd', 'a', 't', 'a');
}

static void dhcp(struct frame *f)
{
	static const uint8_t rest[202];

	ipv4(f, "0.0.0.0", 17, 0, 0, 8 + 34 + sizeof(rest));
	ports(f, 68, 67, 34 + sizeof(rest));
	put_bytes(f, 1, 1, 6, 0, 1, 2, 3, 4);
	put(f, rest, 20);
	put_bytes(f, GUEST_MAC);
	put(f, rest, sizeof(rest));
}

/* ICMPv6 neighbour discovery: type, target (NULL: none), options. */
static void nd(struct frame *f, const char *source, uint8_t type, const char *target,
	       const void *options, size_t len)
{
	ipv6(f, source, 58, 8 + (target ? 16 : 0) + len);
	put_bytes(f, type, 0, 0, 0, 0, 0, 0, 0);
	if (target)
		put_ip(f, AF_INET6, target);
	put(f, options, len);
}

static const uint8_t source_option[] = { 1, 1, GUEST_MAC };
static const uint8_t target_option[] = { 2, 1, GUEST_MAC };
static const uint8_t nonce_option[] = { 14, 1, 1, 2, 3, 4, 5, 6 };

/* ---- the guard ---------------------------------------------------------------------------- */

#define OWN4 "10.1.2.3"
#define OWN4_HIGH "203.0.113.9"
#define OWN6 "fd00:1::3"
#define OWN6_LINK "fe80::858:aff:fe01:203"
#define OWN6_SLAAC "2001:db8:7:7:858:aff:fe01:203"

struct guarded {
	struct net_guard_rules rules;
	int map;
	int prog;
	int redirect;
};

static void add_own(struct net_guard_rules *r, const char *text)
{
	struct net_guard_addr *a = &r->addrs[r->nr_addrs++];

	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(a->family, text, a->addr), 1);
}

static int load(struct guarded *g)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	struct err e = ERR_INIT;
	int rc = net_bpf_counters("runnc_guard", NET_GUARD_REASONS, &g->map, &e);

	if (rc == 0) {
		net_guard_program(&b, &g->rules, g->redirect, g->map);
		rc = net_bpf_program(&b, "runnc_guard", &g->prog, &e);
	}
	if (rc == -EPERM || rc == -ENOSYS)
		print_message("bpf(2) is not allowed: %s\n", e.text);
	else if (rc < 0)
		fail_msg("%s", e.text);
	return rc;
}

static void unload(struct guarded *g)
{
	fd_close(&g->prog);
	fd_close(&g->map);
	net_guard_rules_free(&g->rules);
}

static void begin(struct guarded *g, size_t room)
{
	memset(g, 0, sizeof(*g));
	g->map = g->prog = -1;
	memcpy(g->rules.mac, guest_mac, sizeof(guest_mac));
	g->rules.addrs = calloc(room, sizeof(*g->rules.addrs));
	assert_non_null(g->rules.addrs);
}

static int setup(void **state)
{
	static struct guarded g;

	begin(&g, 8);
	add_own(&g.rules, OWN4);
	add_own(&g.rules, OWN4_HIGH);
	add_own(&g.rules, OWN6);
	add_own(&g.rules, OWN6_LINK);
	g.rules.slaac = true;
	*state = &g;
	/* Where that is not allowed, each test skips itself. */
	load(&g);
	return 0;
}

static int teardown(void **state)
{
	unload(*state);
	return 0;
}

/* The reason for which the frame is dropped, or PASSED. */
static unsigned int verdict_of(const struct guarded *g, const uint8_t *bytes, size_t len)
{
	uint64_t before[NET_GUARD_REASONS], after[NET_GUARD_REASONS];
	unsigned int reason = PASSED;
	struct err e = ERR_INIT;
	uint32_t result = 0;

	if (g->prog < 0)
		skip();
	assert_int_equal(net_bpf_read(g->map, before, NET_GUARD_REASONS, &e), 0);
	if (net_bpf_run(g->prog, bytes, len, NULL, NULL, 1, &result, NULL, &e) < 0)
		fail_msg("%s (%zu bytes)", e.text, len);
	assert_int_equal(net_bpf_read(g->map, after, NET_GUARD_REASONS, &e), 0);
	for (unsigned int i = 0; i < NET_GUARD_REASONS; i++) {
		if (after[i] == before[i])
			continue;
		assert_int_equal(after[i], before[i] + 1);
		assert_int_equal(reason, PASSED);
		reason = i;
	}
	assert_int_equal((int)result, reason != PASSED ? TC_ACT_SHOT :
			 g->redirect ? TC_ACT_REDIRECT : TC_ACT_UNSPEC);
	return reason;
}

static unsigned int verdict(const struct guarded *g, const struct frame *f)
{
	return verdict_of(g, f->bytes, f->len);
}

#define assert_verdict(g, f, wanted) assert_int_equal(verdict(g, f), wanted)

/* ---- mutations ---------------------------------------------------------------------------- */

/* Bytes of a frame each change of which must lead to @reason. */
struct identity {
	size_t from;
	size_t len;
	enum net_guard_reason reason;
};

static void check_changes(const struct guarded *g, const struct frame *f, const struct identity *id)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0x7f, 0xff };

	for (size_t at = id->from; at < id->from + id->len; at++)
		for (size_t i = 0; i < sizeof(changes); i++) {
			struct frame changed = *f;
			unsigned int got;

			changed.bytes[at] ^= changes[i];
			got = verdict(g, &changed);
			if (got != (unsigned int)id->reason)
				fail_msg("byte %zu changed by %02x: %s instead of %s", at,
					 changes[i],
					 got == PASSED ? "passed" : net_guard_reason_name(got),
					 net_guard_reason_name(id->reason));
		}
}

/*
 * The shortest part of the frame that the kernel lets a program see in a test: it wants the whole
 * IP header. tests/net/spoof.sh sends shorter ones.
 */
static size_t shortest(const struct frame *f)
{
	if (f->bytes[12] == 0x86)
		return 54;
	return f->bytes[13] == 0 ? 34 : 15;
}

/* The frame passes, with a trailer too; no part of it does; no changed identity does. */
static void check_honest(const struct guarded *g, const struct frame *f,
			 const struct identity *ids, size_t nr)
{
	static const struct identity mac = { 6, 6, NET_GUARD_MAC };
	struct frame padded = *f;

	assert_verdict(g, f, PASSED);
	put_bytes(&padded, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_verdict(g, &padded, PASSED);
	for (size_t len = shortest(f); len < f->len; len++)
		assert_int_equal(verdict_of(g, f->bytes, len), NET_GUARD_SHORT);
	check_changes(g, f, &mac);
	for (size_t i = 0; i < nr; i++)
		check_changes(g, f, &ids[i]);
}

#define check_honest_ids(g, f, ...) check_honest(g, f, (const struct identity[]){ __VA_ARGS__ }, \
	sizeof((const struct identity[]){ __VA_ARGS__ }) / sizeof(struct identity))

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
		udp4(&inner, OWN4, 1000, 1000);
		ethernet(&f, types[i].type);
		put_bytes(&f, 0, 1, 8, 0);	/* as a tag: VLAN 1, IPv4 */
		put(&f, inner.bytes + 14, inner.len - 14);
		assert_verdict(*state, &f, types[i].reason);
	}
}

static void test_arp(void **state)
{
	struct frame f;

	/* hardware and protocol types, operation, sender's MAC and address; target is anybody */
	for (uint8_t op = 1; op <= 2; op++) {
		arp(&f, op, OWN4, "10.1.2.1");
		check_honest_ids(*state, &f, { 14, 6, NET_GUARD_ARP }, { 20, 1, NET_GUARD_ARP },
				 { 22, 10, NET_GUARD_ARP });
	}
	arp(&f, 1, OWN4_HIGH, OWN4_HIGH);		/* an announcement */
	check_honest_ids(*state, &f, { 22, 10, NET_GUARD_ARP });
	arp(&f, 1, "0.0.0.0", OWN4);			/* a probe */
	check_honest_ids(*state, &f, { 22, 10, NET_GUARD_ARP }, { 38, 4, NET_GUARD_ARP });

	arp(&f, 1, "0.0.0.0", "10.1.2.1");		/* contests the gateway's */
	assert_verdict(*state, &f, NET_GUARD_ARP);
	arp(&f, 2, "0.0.0.0", OWN4);
	assert_verdict(*state, &f, NET_GUARD_ARP);
	arp(&f, 2, "10.1.2.1", OWN4);			/* poisons it */
	assert_verdict(*state, &f, NET_GUARD_ARP);
	for (unsigned int op = 0; op < 256; op++) {
		arp(&f, (uint8_t)op, OWN4, OWN4);
		assert_verdict(*state, &f, op == 1 || op == 2 ? PASSED : NET_GUARD_ARP);
	}
}

/* ---- IPv4 --------------------------------------------------------------------------------- */

static void test_ipv4(void **state)
{
	static const char *const own[] = { OWN4, OWN4_HIGH };
	struct frame f;

	for (size_t i = 0; i < 2; i++) {
		udp4(&f, own[i], 1000, 53);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
		ipv4(&f, own[i], 6, 0x4000, 0, 20);
		put(&f, (uint8_t[20]){ 0 }, 20);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
		ipv4(&f, own[i], 1, 0, 0, 8);
		put_bytes(&f, 8, 0, 0, 0, 0, 0, 0, 0);
		check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	}
	/* fragments: the first with its header, a middle one, the last */
	ipv4(&f, OWN4, 17, 0x2000, 0, 8);
	ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	ipv4(&f, OWN4, 17, 0x2001, 0, 8);
	ports(&f, 67, 68, 0);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	ipv4(&f, OWN4, 17, 0x0001, 0, 1);
	put_bytes(&f, 1);
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 });
	/* a first one too small for its header: which one it is would come later */
	ipv4(&f, OWN4, 17, 0x2000, 0, 4);
	put_bytes(&f, 0, 67, 0, 68, 0, 8, 0, 0);
	assert_verdict(*state, &f, NET_GUARD_SHORT);
}

static void test_ipv4_header(void **state)
{
	struct frame f;

	for (unsigned int first = 0; first < 256; first++) {
		enum net_guard_reason wanted =
			first >> 4 != 4 ? NET_GUARD_SHORT : NET_GUARD_OPTIONS;

		udp4(&f, OWN4, 1000, 53);
		f.bytes[14] = (uint8_t)first;
		/* 0x46: the ports stand where the option should be */
		assert_verdict(*state, &f, first == 0x45 ? PASSED : wanted);
	}
	/* total lengths beyond the frame, and too short for the header */
	for (unsigned int total = 0; total < 40; total++) {
		udp4(&f, OWN4, 1000, 53);
		f.bytes[17] = (uint8_t)total;
		assert_verdict(*state, &f, total >= 28 && total <= 32 ? PASSED : NET_GUARD_SHORT);
	}
	/* strict and loose source routes, record route */
	for (size_t i = 0; i < 3; i++) {
		udp4(&f, OWN4, 1000, 53);
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
		ipv4(&f, OWN4, 1, 0, 0, 8);
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

			ipv4(&f, sources[i], 2, 0, 1, 8);
			put_bytes(&f, (uint8_t)type, 0, 0, 0, 224, 1, 2, 3);
			assert_verdict(*state, &f, report ? PASSED : NET_GUARD_ROUTER);
		}
	check_honest_ids(*state, (ipv4(&f, OWN4, 2, 0, 1, 8),
				  put_bytes(&f, 0x16, 0, 0, 0, 224, 1, 2, 3), &f),
			 { 26, 4, NET_GUARD_IPV4 }, { 34, 4, NET_GUARD_OPTIONS });
}

static void test_dhcp(void **state)
{
	struct frame f;

	dhcp(&f);
	/* operation, hardware type and length, chaddr */
	check_honest_ids(*state, &f, { 26, 4, NET_GUARD_IPV4 }, { 34, 4, NET_GUARD_IPV4 },
			 { 42, 3, NET_GUARD_DHCP }, { 70, 6, NET_GUARD_DHCP });
	f.bytes[20] = 0x20;				/* a fragment */
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	udp4(&f, "0.0.0.0", 68, 67);			/* no BOOTP message */
	assert_verdict(*state, &f, NET_GUARD_SHORT);
	udp4(&f, "0.0.0.0", 1000, 53);
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	udp4(&f, OWN4, 68, 67);				/* renewal */
	assert_verdict(*state, &f, PASSED);
	udp4(&f, OWN4, 67, 68);				/* a server's answer */
	assert_verdict(*state, &f, NET_GUARD_DHCP);
	udp4(&f, "10.1.2.1", 67, 68);
	assert_verdict(*state, &f, NET_GUARD_IPV4);
	ipv6(&f, OWN6_LINK, 17, 8);
	ports(&f, 546, 547, 0);
	assert_verdict(*state, &f, PASSED);
	ipv6(&f, OWN6_LINK, 17, 8);
	ports(&f, 547, 546, 0);
	assert_verdict(*state, &f, NET_GUARD_DHCP);
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

static void test_ipv6(void **state)
{
	static const char *const own[] = { OWN6, OWN6_LINK };
	struct frame f;

	for (size_t i = 0; i < 2; i++) {
		ipv6(&f, own[i], 17, 12);
		ports(&f, 1000, 53, 4);
		put_bytes(&f, 'd', 'a', 't', 'a');
		check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
		ipv6(&f, own[i], 6, 20);
		put(&f, (uint8_t[20]){ 0 }, 20);
		check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	}
	/* Any prefix with the guest's EUI-64, if it is a global or unique local one. */
	ipv6(&f, OWN6_SLAAC, 17, 8);
	ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 30, 8, NET_GUARD_IPV6 });
	for (unsigned int first = 0; first < 256; first++) {
		f.bytes[22] = (uint8_t)first;
		assert_verdict(*state, &f, first >> 5 == 1 || first >> 1 == 0x7e ?
			       PASSED : NET_GUARD_IPV6);
	}
	ipv6(&f, "::", 17, 8);
	ports(&f, 1000, 53, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	ipv6(&f, "::ffff:10.1.2.3", 17, 8);
	ports(&f, 1000, 53, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	for (unsigned int version = 0; version < 16; version++) {
		ipv6(&f, OWN6, 17, 8);
		ports(&f, 1000, 53, 0);
		f.bytes[14] = (uint8_t)(version << 4);
		assert_verdict(*state, &f, version == 6 ? PASSED : NET_GUARD_SHORT);
	}
}

/* @nr destination options headers in front of ICMPv6 of this type. */
static void chained(struct frame *f, unsigned int nr, uint8_t type)
{
	ipv6(f, OWN6_LINK, nr ? 60 : 58, nr * 8 + 24);
	for (unsigned int i = 1; i <= nr; i++)
		put_bytes(f, i < nr ? 60 : 58, 0, 1, 4, 0, 0, 0, 0);
	put_bytes(f, type, 0, 0, 0, 0, 0, 0, 0);
	put_ip(f, AF_INET6, OWN6);
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
	ipv6(&f, OWN6_LINK, 0, 16);
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
	ipv6(f, source, 44, 8 + len);
	put_bytes(f, next, 0, (uint8_t)(offset >> 8), (uint8_t)offset, 0, 0, 0, 1);
}

static void test_fragments6(void **state)
{
	struct frame f;

	fragment6(&f, OWN6, 17, 1, 8);
	ports(&f, 1000, 53, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	fragment6(&f, OWN6, 17, 8 | 1, 8);		/* a later one */
	ports(&f, 547, 546, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	fragment6(&f, "::", 58, 8 | 1, 8);
	ports(&f, 1, 1, 0);
	assert_verdict(*state, &f, NET_GUARD_IPV6);
	/* neighbour discovery in fragments, whole ("atomic") or not */
	for (unsigned int more = 0; more < 2; more++)
		for (uint8_t type = 133; type <= 137; type++) {
			fragment6(&f, OWN6_LINK, 58, (uint16_t)more, 24);
			put_bytes(&f, type, 0, 0, 0, 0, 0, 0, 0);
			put_ip(&f, AF_INET6, OWN6);
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

	nd(&f, OWN6, 135, "fd00:1::1", source_option, 8);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 }, { 80, 6, NET_GUARD_ND });
	nd(&f, OWN6_LINK, 135, "fd00:1::1", NULL, 0);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 });
	/* detection of duplicates: for an own address only; with the nonce of RFC 7527 */
	nd(&f, "::", 135, OWN6, NULL, 0);
	check_honest_ids(*state, &f, { 62, 16, NET_GUARD_ND });
	nd(&f, "::", 135, OWN6_SLAAC, nonce_option, 8);
	check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND });
	nd(&f, "::", 135, "fd00:1::1", NULL, 0);
	assert_verdict(*state, &f, NET_GUARD_ND);
	/* the second option lies */
	memcpy(two, nonce_option, 8);
	memcpy(two + 8, (const uint8_t[]){ 1, 1, OTHER_MAC }, 8);
	nd(&f, OWN6, 135, "fd00:1::1", two, 16);
	assert_verdict(*state, &f, NET_GUARD_ND);
	memcpy(two + 8, source_option, 8);
	nd(&f, OWN6, 135, "fd00:1::1", two, 16);
	assert_verdict(*state, &f, PASSED);
}

static void test_advertisements(void **state)
{
	static const char *const own[] = { OWN6, OWN6_LINK, OWN6_SLAAC };
	struct frame f;

	for (size_t i = 0; i < 3; i++) {
		nd(&f, OWN6, 136, own[i], target_option, 8);
		/* the target's latter half: the first may be another prefix of the guest's */
		check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND }, { 80, 6, NET_GUARD_ND });
		nd(&f, OWN6_LINK, 136, own[i], NULL, 0);
		check_honest_ids(*state, &f, { 70, 8, NET_GUARD_ND });
	}
	nd(&f, OWN6, 136, "fd00:1::1", target_option, 8);	/* poisons */
	assert_verdict(*state, &f, NET_GUARD_ND);
	nd(&f, "::", 136, OWN6, target_option, 8);
	assert_verdict(*state, &f, NET_GUARD_ND);
}

static void test_nd_options(void **state)
{
	uint8_t many[48];
	struct frame f;

	for (size_t i = 0; i < sizeof(many); i += 8)
		memcpy(many + i, nonce_option, 8);
	for (size_t len = 0; len <= sizeof(many); len += 8) {
		nd(&f, OWN6, 135, "fd00:1::1", many, len);
		assert_verdict(*state, &f, len <= 32 ? PASSED : NET_GUARD_ND);
	}
	/* lengths: none, beyond the packet, an address of two units, half a unit at the end */
	nd(&f, OWN6, 135, "fd00:1::1", nonce_option, 8);
	f.bytes[79] = 0;
	assert_verdict(*state, &f, NET_GUARD_ND);
	f.bytes[79] = 2;
	assert_verdict(*state, &f, NET_GUARD_SHORT);
	nd(&f, OWN6, 135, "fd00:1::1", many, 16);
	f.bytes[78] = 1;
	f.bytes[79] = 2;
	assert_verdict(*state, &f, NET_GUARD_ND);
	nd(&f, OWN6, 135, "fd00:1::1", many, 12);
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

			nd(&f, from[i].source, (uint8_t)type, OWN6,
			   type == 133 ? nonce_option : NULL, 0);
			if (type == 133)	/* no target in it */
				nd(&f, from[i].source, 133, NULL, nonce_option, 8);
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
	nd(&f, OWN6_LINK, 133, NULL, source_option, 8);
	check_honest_ids(*state, &f, { 22, 16, NET_GUARD_IPV6 }, { 64, 6, NET_GUARD_ND });
}

/* ---- other rules -------------------------------------------------------------------------- */

/* One family or none: everything of the other is dropped, and the kernel takes the program. */
static void test_families(void **state)
{
	const struct guarded *all = *state;
	struct frame v4, v6;

	udp4(&v4, OWN4, 1, 2);
	ipv6(&v6, OWN6, 17, 8);
	ports(&v6, 1, 2, 0);
	assert_verdict(all, &v4, PASSED);
	for (int which = 0; which < 3; which++) {
		struct guarded g;

		begin(&g, 1);
		if (which < 2)
			add_own(&g.rules, which ? OWN6 : OWN4);
		assert_int_equal(load(&g), 0);
		assert_verdict(&g, &v4, which == 0 ? PASSED : NET_GUARD_IPV4);
		assert_verdict(&g, &v6, which == 1 ? PASSED : NET_GUARD_IPV6);
		dhcp(&v6);
		assert_verdict(&g, &v6, PASSED);
		ipv6(&v6, OWN6_SLAAC, 17, 8);
		ports(&v6, 1, 2, 0);
		assert_verdict(&g, &v6, NET_GUARD_IPV6);
		ipv6(&v6, OWN6, 17, 8);
		ports(&v6, 1, 2, 0);
		unload(&g);
	}
}

/*
 * With virtio headers: a frame that can be cut within its IP header is dropped (one of a test can,
 * it has no transport header), an ARP message is cut and whole again, with zeros behind.
 */
static void test_offloads(void **state)
{
	const struct guarded *all = *state;
	uint8_t out[512];
	size_t len = sizeof(out);
	struct err e = ERR_INIT;
	struct frame f, expected;
	struct guarded g;
	uint32_t result;

	udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	begin(&g, 2);
	add_own(&g.rules, OWN4);
	add_own(&g.rules, OWN6);
	g.rules.offloads = true;
	assert_int_equal(load(&g), 0);
	assert_verdict(&g, &f, NET_GUARD_CHECKSUM);
	ipv6(&f, OWN6, 17, 8);
	ports(&f, 1, 2, 0);
	assert_verdict(&g, &f, NET_GUARD_CHECKSUM);
	arp(&f, 1, OWN4, "10.1.2.1");
	expected = f;
	put_bytes(&f, 1, 2, 3, 4);
	put_bytes(&expected, 0, 0, 0, 0);
	assert_int_equal(net_bpf_run(g.prog, f.bytes, f.len, out, &len, 1, &result, NULL, &e), 0);
	assert_int_equal((int)result, TC_ACT_UNSPEC);
	assert_int_equal(len, expected.len);
	assert_memory_equal(out, expected.bytes, len);
	unload(&g);
}

/* Mode tc: what passes is redirected at once. The loopback's index is 1. */
static void test_redirect(void **state)
{
	const struct guarded *all = *state;
	struct guarded g;
	struct frame f;

	udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	begin(&g, 1);
	add_own(&g.rules, OWN4);
	g.redirect = 1;
	assert_int_equal(load(&g), 0);
	assert_verdict(&g, &f, PASSED);
	udp4(&f, OWN4_HIGH, 1, 2);
	assert_verdict(&g, &f, NET_GUARD_IPV4);
	unload(&g);
}

static void test_many(void **state)
{
	const struct guarded *all = *state;
	struct guarded g;
	struct frame f;
	char text[32];

	udp4(&f, OWN4, 1, 2);
	assert_verdict(all, &f, PASSED);
	begin(&g, 2 * NET_GUARD_ADDRS_MAX);
	for (int i = 0; i < NET_GUARD_ADDRS_MAX; i++) {
		snprintf(text, sizeof(text), "10.7.%d.%d", i >> 8, i & 255);
		add_own(&g.rules, text);
		snprintf(text, sizeof(text), "fd00:7::%x", (unsigned int)i);
		add_own(&g.rules, text);
	}
	assert_int_equal(load(&g), 0);
	for (int i = 0; i <= NET_GUARD_ADDRS_MAX; i += NET_GUARD_ADDRS_MAX / 8) {
		bool own = i < NET_GUARD_ADDRS_MAX;

		snprintf(text, sizeof(text), "10.7.%d.%d", i >> 8, i & 255);
		udp4(&f, text, 1, 2);
		assert_verdict(&g, &f, own ? PASSED : NET_GUARD_IPV4);
		snprintf(text, sizeof(text), "fd00:7::%x", (unsigned int)i);
		nd(&f, "fd00:7::1", 136, text, target_option, 8);
		assert_verdict(&g, &f, own ? PASSED : NET_GUARD_ND);
	}
	unload(&g);
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
	memcpy(p.ports[0].guest_mac, guest_mac, 6);
	p.ports[0].slaac = true;
	assert_int_equal(net_guard_rules(&p, 0, &r, &e), 0);
	/* One of the two alike, the other port's link-local one not, the EUI-64 one beside them. */
	assert_int_equal(r.nr_addrs, 4);
	assert_true(rules_have(&r, OWN4) && rules_have(&r, OWN6) && rules_have(&r, "fe80::1"));
	assert_true(rules_have(&r, OWN6_LINK) && r.slaac);
	assert_memory_equal(r.mac, guest_mac, 6);
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
	static const char *const bad[] = { "127.0.0.1", "127.255.255.255", "::1" };
	static const char *const good[] = { "126.255.255.255", "128.0.0.1", "10.9.9.9", "::2", "::",
					    "0:0:0:1::1", "0:1::1", "1::1", "0:0:1::1", "::1:1" };
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

	for (size_t i = 0; i < 13; i++) {
		bool dropped = i < 3;
		const char *text = dropped ? bad[i] : good[i - 3];
		bool six = strchr(text, ':');

		for (int destination = 0; destination < 2; destination++) {
			uint8_t got[512];
			struct frame f;

			if (six)
				nd(&f, OWN6, 128, NULL, NULL, 0);
			else
				udp4(&f, OWN4, 1, 2);
			f.len = six ? (destination ? 38 : 22) : (destination ? 30 : 26);
			put_ip(&f, six ? AF_INET6 : AF_INET, text);
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
	unload(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_ipv4), cmocka_unit_test(test_ipv4_header),
		cmocka_unit_test(test_icmp), cmocka_unit_test(test_igmp),
		cmocka_unit_test(test_dhcp), cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_extensions), cmocka_unit_test(test_fragments6),
		cmocka_unit_test(test_solicitations), cmocka_unit_test(test_advertisements),
		cmocka_unit_test(test_nd_options), cmocka_unit_test(test_icmp6),
		cmocka_unit_test(test_families), cmocka_unit_test(test_many),
		cmocka_unit_test(test_redirect), cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_rules), cmocka_unit_test(test_inbound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
