/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The containers whose guests share one network namespace (net/share.h), as far as they have one
 * root: found by the records in their states. Who comes learns from them what the namespace was
 * like before the first of them; who goes leaves that to be restored by the last one.
 */
#ifndef RUNNC_CONTAINER_TENANTS_H
#define RUNNC_CONTAINER_TENANTS_H

#include <stdbool.h>

#include "base/err.h"
#include "container/state.h"
#include "net/net.h"

/*
 * One at a time, of the containers of @root: lock until *@fd, which is close-on-exec and the
 * caller's, is closed. What a container does in a network namespace, from the survey to its saved
 * state, is done under it. The lock is @root itself and not the namespace, which others can open.
 * Returns 0 or -errno: -ETIMEDOUT after 30 seconds.
 */
int tenants_lock(const char *root, int *fd, struct err *e);

/* Tell @survey of all that are in its namespace but @own, a container's id or NULL. 0 or -errno. */
int tenants_adopt(const char *root, const char *own, struct net_survey *survey, struct err *e);

/*
 * What the containers of @root, but @s itself, have to do with the record of @s: *@others of them
 * share its interfaces, or one has got all of them since, as they were (*@over: there is nothing to
 * restore, NET_MEETING_OVER). Returns 0 or -errno.
 */
int tenants_remain(const char *root, const struct state *s, bool *others, bool *over,
		   struct err *e);

#endif
