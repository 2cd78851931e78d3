/* SPDX-License-Identifier: GPL-2.0-only */
/* What several commands print. */
#ifndef RUNNC_CLI_SHOW_H
#define RUNNC_CLI_SHOW_H

#include <jansson.h>

#include "base/err.h"
#include "container/state.h"

/* Print @json (taken; NULL is -ENOMEM) to stdout, indented, with a newline. Returns 0 or -errno. */
int show_json(json_t *json, struct err *e);

/*
 * The state with runc's additional members rootfs, created and owner, and pid 0 for a container
 * without a process, for engines that decode it into runc's structure. The caller's; NULL: no
 * memory.
 */
json_t *show_state(const struct state *s);

/* @text as a JSON string, empty if it is not UTF-8. The caller's; NULL: no memory. */
json_t *show_text(const char *text);

/* The name of user @uid, or "#UID". @name is the caller's buffer. */
#define SHOW_OWNER_MAX 64
const char *show_owner(uid_t uid, char name[SHOW_OWNER_MAX]);

/* Append @value (taken) to @array. Either may be NULL: -ENOMEM. Returns 0 or -ENOMEM. */
int show_append(json_t *array, json_t *value);

#endif
