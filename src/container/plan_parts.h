/* SPDX-License-Identifier: GPL-2.0-only */
/* Between plan.c, plan_mounts.c and plan_solo5.c: the parts of one plan. */
#ifndef RUNNC_CONTAINER_PLAN_PARTS_H
#define RUNNC_CONTAINER_PLAN_PARTS_H

#include "container/plan.h"

/*
 * The guest kernel's command line. Without "console=" it is silent: messages would run into the
 * container's output. Consoles that it has: descriptor 2, or the container's terminal.
 */
#define PLAN_CMDLINE		"quiet"
#define PLAN_CMDLINE_DEBUG	"loglevel=7 console=nabla"
#define PLAN_CMDLINE_DEBUG_TTY	"loglevel=7 console=hvc0"
#define PLAN_CMDLINE_NO_POLL	" nabla_poll_us=0"

/* Add a line to the notes. Returns 0 or -ENOMEM. */
int plan_note(struct plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decide for each of the bundle's mounts. Returns 0, -EINVAL or -ENOMEM. */
int plan_set_mounts(const struct bundle *b, const struct facts *facts, struct plan *p,
		    struct err *e);

/*
 * plan_solo5.c: the unikernel's devices, and what its words are for. Returns 0, -EINVAL or -ENOMEM.
 */
int plan_set_solo5(const struct bundle *b, const struct facts *facts, struct plan *p,
		   struct err *e);

/*
 * Is there an interface for each of its network devices? Notes what it is not told. Returns 0,
 * -EINVAL or -ENOMEM.
 */
int plan_check_solo5_network(struct plan *p, struct err *e);

void plan_free_solo5(struct plan_solo5 *s);

#endif
