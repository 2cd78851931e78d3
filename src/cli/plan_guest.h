/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between plan_text.c, plan_json.c and plan_guest.c: which guest it is, and what only a unikernel
 * has.
 */
#ifndef RUNNC_CLI_PLAN_GUEST_H
#define RUNNC_CLI_PLAN_GUEST_H

#include <jansson.h>

#include "confine/confine.h"
#include "container/plan.h"

/* The table of host calls of the guest's kind. */
const struct confine_call *plan_guest_calls(const struct plan *p, size_t *nr);

void plan_guest_text(const struct plan *p);

/* Of a unikernel: file, type, command line, devices. NULL: no memory. */
json_t *plan_solo5_json(const struct plan *p);
void plan_solo5_text(const struct plan *p);

#endif
