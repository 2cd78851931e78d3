/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, MACs and places as text. Internal to src/explain. */
#ifndef RUNNC_EXPLAIN_WORDS_H
#define RUNNC_EXPLAIN_WORDS_H

#include "explain/path.h"

#define WORDS_MAX 160

/* A text in the caller's frame, so that a call can be an argument: words_mac(mac).text. */
struct words {
	char text[WORDS_MAX];
};

struct words words_mac(const uint8_t mac[6]);
struct words words_ip(uint8_t family, const uint8_t *addr);
struct words words_addr(const struct gcfg_addr *a);	/* with its prefix */

/* "eth0 of router", "eth0 of the pod"; "?" for link 0. */
struct words words_place(const struct explain_facts *f, struct explain_place place);

/* "permanent", "reachable", ... */
const char *words_nud(uint16_t state);

#endif
