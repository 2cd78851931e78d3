/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets for the tests of the programs of loopback.bpf.c. A failure ends the test. */
#ifndef RUNNC_NET_TEST_FORWARD_HELP_H
#define RUNNC_NET_TEST_FORWARD_HELP_H

#include <stddef.h>
#include <stdint.h>

struct help_frame {
	uint8_t bytes[128];
	size_t len;
};

/* A packet of @protocol (TCP or UDP) with ports and five bytes of data. */
struct help_frame help_packet(uint8_t protocol, const char *source, uint16_t sport,
			      const char *dest, uint16_t dport);

/* Run the program on @f, which becomes what it made of it. Returns TC_ACT_*. None: a skip. */
int help_run(int prog, struct help_frame *f);

/* What became of @f is a correct packet of these addresses and ports. */
void help_expect(const struct help_frame *f, const char *source, uint16_t sport, const char *dest,
		 uint16_t dport);

/* A socket of @type at the loopback address of @family. Returns its descriptor, and its port. */
int help_listening(int type, int family, uint16_t *port);

#endif
