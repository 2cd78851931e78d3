/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes, one question each: asked on a link, or by a namespace's own kernel. Internal to
 * src/explain. Each enters a namespace and comes back.
 */
#ifndef RUNNC_EXPLAIN_PROBE_H
#define RUNNC_EXPLAIN_PROBE_H

#include "explain/frame.h"
#include "explain/path.h"

#define PROBE_TRIES	3
#define PROBE_WAIT_MS	500		/* for an answer, each try */
#define PROBE_MACS	4

/* Who answered. */
struct probe_answers {
	uint8_t macs[PROBE_MACS][6];	/* different ones */
	unsigned int nr;
};

/*
 * Ask @q by link @place, in a frame of @len bytes (0: as short as it is). Ends with the first
 * answer, or with @all set waits for others. A frame too long for the link itself counts as not
 * answered. Returns 0 or -errno.
 */
int probe_ask(const struct explain_facts *f, struct explain_place place,
	      const struct frame_question *q, size_t len, bool all, struct probe_answers *out,
	      struct err *e);

/*
 * Let the kernel of space @space ping @addr with a packet of @size bytes, which must not be
 * fragmented. *@answered tells. Returns 0 or -errno.
 */
int probe_ping(const struct explain_facts *f, size_t space, uint8_t family, const uint8_t *addr,
	       size_t size, bool *answered, struct err *e);

/*
 * Let the kernel of space @space send a UDP datagram and a TCP segment to a port of @addr where
 * nobody is expected to listen: the refusal tells that they arrived whole, as what has a wrong
 * checksum is dropped before it is refused. Returns 0 or -errno.
 */
int probe_segments(const struct explain_facts *f, size_t space, uint8_t family,
		   const uint8_t *addr, bool *udp, bool *tcp, struct err *e);

#endif
