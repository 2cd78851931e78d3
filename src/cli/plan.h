/* SPDX-License-Identifier: GPL-2.0-only */
/* Between plan.c, plan_text.c and plan_json.c: what `runnc plan` found out. */
#ifndef RUNNC_CLI_PLAN_H
#define RUNNC_CLI_PLAN_H

#include <jansson.h>

#include "container/plan.h"
#include "image/stack.h"

struct plan_view {
	const struct plan *plan;
	struct image_stack images;	/* as far as they are in the cache; a Linux guest's */
};

/* An address as text. @family is AF_INET or AF_INET6. @text is the caller's buffer. */
#define PLAN_ADDRESS_MAX 64
const char *plan_address(uint8_t family, const uint8_t address[16], char text[PLAN_ADDRESS_MAX]);
const char *plan_mac(const uint8_t mac[6], char text[PLAN_ADDRESS_MAX]);

/* "default", or "10.0.0.0/8". */
const char *plan_destination(const struct gcfg_route *route, char text[PLAN_ADDRESS_MAX]);

/* "surveyed", "later" or "none". */
const char *plan_network_name(enum plan_network network);

void plan_print_text(const struct plan_view *v);
json_t *plan_to_json(const struct plan_view *v);

#endif
