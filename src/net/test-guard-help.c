/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guard's tests share: see the header. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/test-guard-help.h"

const uint8_t guard_guest_mac[6] = { GUEST_MAC };

/* ---- frames ------------------------------------------------------------------------------- */

void frame_put(struct frame *f, const void *bytes, size_t len)
{
	assert_true(f->len + len <= sizeof(f->bytes));
	if (len > 0)			/* else there may be nothing to point at */
		memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

void frame_put_ip(struct frame *f, int family, const char *text)
{
	uint8_t addr[16];

	assert_int_equal(inet_pton(family, text, addr), 1);
	frame_put(f, addr, family == AF_INET ? 4 : 16);
}

void frame_ethernet(struct frame *f, uint16_t type)
{
	f->len = 0;
	put_bytes(f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, GUEST_MAC, (uint8_t)(type >> 8),
		  (uint8_t)type);
}

void frame_arp(struct frame *f, uint8_t op, const char *sender, const char *target)
{
	frame_ethernet(f, 0x0806);
	put_bytes(f, 0, 1, 8, 0, 6, 4, 0, op, GUEST_MAC);
	frame_put_ip(f, AF_INET, sender);
	put_bytes(f, 0, 0, 0, 0, 0, 0);
	frame_put_ip(f, AF_INET, target);
}

void frame_ipv4(struct frame *f, const char *source, uint8_t protocol, uint16_t fragment,
		unsigned int words, size_t len)
{
	size_t total = 20 + words * 4 + len;

	frame_ethernet(f, 0x0800);
	put_bytes(f, (uint8_t)(0x45 + words), 0, (uint8_t)(total >> 8), (uint8_t)total, 0x12, 0x34,
		  (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, protocol, 0, 0);
	frame_put_ip(f, AF_INET, source);
	frame_put_ip(f, AF_INET, "10.1.2.1");
	for (unsigned int i = 0; i < words; i++)
		put_bytes(f, 0x94, 4, 0, 0);
}

void frame_ipv6(struct frame *f, const char *source, uint8_t next, size_t len)
{
	frame_ethernet(f, 0x86dd);
	put_bytes(f, 0x60, 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len, next, 255);
	frame_put_ip(f, AF_INET6, source);
	frame_put_ip(f, AF_INET6, "ff02::1");
}

void frame_ports(struct frame *f, uint16_t from, uint16_t to, size_t payload)
{
	put_bytes(f, (uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to, 0,
		  (uint8_t)(8 + payload), 0, 0);
}

void frame_udp4(struct frame *f, const char *source, uint16_t from, uint16_t to)
{
	frame_ipv4(f, source, 17, 0, 0, 12);
	frame_ports(f, from, to, 4);
	put_bytes(f, 'd', 'a', 't', 'a');
}

void frame_dhcp(struct frame *f)
{
	static const uint8_t rest[202];

	frame_ipv4(f, "0.0.0.0", 17, 0, 0, 8 + 34 + sizeof(rest));
	frame_ports(f, 68, 67, 34 + sizeof(rest));
	put_bytes(f, 1, 1, 6, 0, 1, 2, 3, 4);
	frame_put(f, rest, 20);
	put_bytes(f, GUEST_MAC);
	frame_put(f, rest, sizeof(rest));
}

void frame_nd(struct frame *f, const char *source, uint8_t type, const char *target,
	      const void *options, size_t len)
{
	frame_ipv6(f, source, 58, 8 + (target ? 16 : 0) + len);
	put_bytes(f, type, 0, 0, 0, 0, 0, 0, 0);
	if (target)
		frame_put_ip(f, AF_INET6, target);
	frame_put(f, options, len);
}

const uint8_t guard_source_option[8] = { 1, 1, GUEST_MAC };
const uint8_t guard_target_option[8] = { 2, 1, GUEST_MAC };
const uint8_t guard_nonce_option[8] = { 14, 1, 1, 2, 3, 4, 5, 6 };
/* ---- the guard ---------------------------------------------------------------------------- */

void guard_own(struct net_guard_rules *r, const char *text)
{
	struct net_guard_addr *a = &r->addrs[r->nr_addrs++];

	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(a->family, text, a->addr), 1);
}

int guard_load(struct guarded *g)
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

void guard_unload(struct guarded *g)
{
	fd_close(&g->prog);
	fd_close(&g->map);
	net_guard_rules_free(&g->rules);
}

void guard_begin(struct guarded *g, size_t room)
{
	memset(g, 0, sizeof(*g));
	g->map = g->prog = -1;
	memcpy(g->rules.mac, guard_guest_mac, sizeof(guard_guest_mac));
	g->rules.addrs = calloc(room, sizeof(*g->rules.addrs));
	assert_non_null(g->rules.addrs);
}

int guard_setup(void **state)
{
	static struct guarded g;

	guard_begin(&g, 8);
	guard_own(&g.rules, OWN4);
	guard_own(&g.rules, OWN4_HIGH);
	guard_own(&g.rules, OWN6);
	guard_own(&g.rules, OWN6_LINK);
	g.rules.slaac = g.rules.offloads = true;
	*state = &g;
	/* Where that is not allowed, each test skips itself. */
	guard_load(&g);
	return 0;
}

int guard_teardown(void **state)
{
	guard_unload(*state);
	return 0;
}

unsigned int guard_verdict_of(const struct guarded *g, const uint8_t *bytes, size_t len)
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

unsigned int guard_verdict(const struct guarded *g, const struct frame *f)
{
	return guard_verdict_of(g, f->bytes, f->len);
}

/* ---- mutations ---------------------------------------------------------------------------- */

static void check_changes(const struct guarded *g, const struct frame *f, const struct identity *id)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0x7f, 0xff };

	for (size_t at = id->from; at < id->from + id->len; at++)
		for (size_t i = 0; i < sizeof(changes); i++) {
			struct frame changed = *f;
			unsigned int got;

			changed.bytes[at] ^= changes[i];
			got = guard_verdict(g, &changed);
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

void guard_check_honest(const struct guarded *g, const struct frame *f,
			const struct identity *ids, size_t nr)
{
	static const struct identity mac = { 6, 6, NET_GUARD_MAC };
	struct frame padded = *f;

	assert_verdict(g, f, PASSED);
	put_bytes(&padded, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_verdict(g, &padded, PASSED);
	for (size_t len = shortest(f); len < f->len; len++)
		assert_int_equal(guard_verdict_of(g, f->bytes, len), NET_GUARD_SHORT);
	check_changes(g, f, &mac);
	for (size_t i = 0; i < nr; i++)
		check_changes(g, f, &ids[i]);
}
