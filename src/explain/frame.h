/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frames of the probes, and what comes back, which is anybody's: bytes from the wire. Pure.
 * Internal to src/explain; fuzzed by tests/fuzz/fuzz-explain.c.
 */
#ifndef RUNNC_EXPLAIN_FRAME_H
#define RUNNC_EXPLAIN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD	14		/* Ethernet */
#define FRAME_MAX	(65535 + FRAME_HEAD)

/* A question for the MAC of an address: ARP for IPv4, a neighbour solicitation for IPv6. */
struct frame_question {
	uint8_t family;			/* AF_INET or AF_INET6 */
	uint8_t mac[6];			/* of who asks */
	/*
	 * Its address; zeros: a probe after RFC 5227 or RFC 4862, which is answered like any other
	 * question, and from which nobody learns anything.
	 */
	uint8_t sender[16];
	uint8_t target[16];
};

/*
 * Write the question into @out, padded with zeros behind the packet to @len bytes or to what it
 * needs: receivers pass padding over, so that any question is also a probe for the longest frame.
 * @out has room for FRAME_MAX. Returns the frame's length.
 */
size_t frame_ask(const struct frame_question *q, size_t len, uint8_t *out);

/* Is @frame an answer to the question? Then *@mac is whom it names. */
bool frame_is_answer(const struct frame_question *q, const uint8_t *frame, size_t len,
		     uint8_t mac[6]);

#endif
