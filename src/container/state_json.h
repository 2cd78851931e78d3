/* SPDX-License-Identifier: GPL-2.0-only */
/* state.json: struct state as text and back. */
#ifndef RUNNC_CONTAINER_STATE_JSON_H
#define RUNNC_CONTAINER_STATE_JSON_H

#include "container/state.h"

/* *@text is the caller's to free. Returns 0 or -ENOMEM. */
int state_to_text(const struct state *s, char **text, struct err *e);

/*
 * Read @len bytes, which may be cut short or anything else, into *@s, which is the caller's also
 * after a failure. Returns 0; -EPROTO if it is no state of container @id; -ENOMEM.
 */
int state_from_text(const char *text, size_t len, const char *id, struct state *s, struct err *e);

#endif
