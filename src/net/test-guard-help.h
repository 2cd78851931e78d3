/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guard's tests share: frames of a guest, byte by byte; a guard loaded into the kernel,
 * and what it says of them.
 */
#ifndef RUNNC_NET_TEST_GUARD_HELP_H
#define RUNNC_NET_TEST_GUARD_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/bpf.h"
#include "net/guard.h"

/* ---- frames ------------------------------------------------------------------------------- */

struct frame {
	uint8_t bytes[512];
	size_t len;
};

#define GUEST_MAC 0x0a, 0x58, 0x0a, 0x01, 0x02, 0x03
#define OTHER_MAC 0x0a, 0x58, 0x0a, 0x01, 0x02, 0x04

extern const uint8_t guard_guest_mac[6];

/* Options of neighbour discovery, the first two with the guest's MAC. */
extern const uint8_t guard_source_option[8];
extern const uint8_t guard_target_option[8];
extern const uint8_t guard_nonce_option[8];

/* These append to the frame. */
void frame_put(struct frame *f, const void *bytes, size_t len);
#define put_bytes(f, ...) frame_put(f, (const uint8_t[]){ __VA_ARGS__ }, \
				    sizeof((const uint8_t[]){ __VA_ARGS__ }))
void frame_put_ip(struct frame *f, int family, const char *text);
void frame_ports(struct frame *f, uint16_t from, uint16_t to, size_t payload);

/* These begin a frame anew, from the guest's MAC. */
void frame_ethernet(struct frame *f, uint16_t type);
void frame_arp(struct frame *f, uint8_t op, const char *sender, const char *target);
/* An IPv4 header for @len bytes that the caller puts behind it; @words of options: router alert. */
void frame_ipv4(struct frame *f, const char *source, uint8_t protocol, uint16_t fragment,
		unsigned int words, size_t len);
void frame_ipv6(struct frame *f, const char *source, uint8_t next, size_t len);
void frame_udp4(struct frame *f, const char *source, uint16_t from, uint16_t to);
void frame_dhcp(struct frame *f);
/* ICMPv6 neighbour discovery: type, target (NULL: none), options. */
void frame_nd(struct frame *f, const char *source, uint8_t type, const char *target,
	      const void *options, size_t len);

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

/* Rules of a guest with room for that many addresses; guard_own() adds one. */
void guard_begin(struct guarded *g, size_t room);
void guard_own(struct net_guard_rules *r, const char *text);
/* Load the program of these rules: 0; -EPERM or -ENOSYS, said aloud, where that is not allowed. */
int guard_load(struct guarded *g);
void guard_unload(struct guarded *g);

/* Group set-up and tear-down: the guard of a guest that has all of OWN*, in *@state. */
int guard_setup(void **state);
int guard_teardown(void **state);

#define PASSED NET_GUARD_REASONS

/* The reason for which the frame is dropped, or PASSED; skips the test if no guard is loaded. */
unsigned int guard_verdict_of(const struct guarded *g, const uint8_t *bytes, size_t len);
unsigned int guard_verdict(const struct guarded *g, const struct frame *f);
#define assert_verdict(g, f, wanted) assert_int_equal(guard_verdict(g, f), wanted)

/* ---- mutations ---------------------------------------------------------------------------- */

/* Bytes of a frame each change of which must lead to @reason. */
struct identity {
	size_t from;
	size_t len;
	enum net_guard_reason reason;
};

/* The frame passes, with a trailer too; no part of it does; no changed identity does. */
void guard_check_honest(const struct guarded *g, const struct frame *f, const struct identity *ids,
			size_t nr);
#define check_honest_ids(g, f, ...) \
	guard_check_honest(g, f, (const struct identity[]){ __VA_ARGS__ }, \
		sizeof((const struct identity[]){ __VA_ARGS__ }) / sizeof(struct identity))

#endif
