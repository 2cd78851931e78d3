/* SPDX-License-Identifier: GPL-2.0-only */
/* Between net.c and net_subject.c: whom `runnc net` is about. */
#ifndef RUNNC_CLI_NET_SUBJECT_H
#define RUNNC_CLI_NET_SUBJECT_H

#include <stdbool.h>

#include "base/err.h"
#include "container/lifecycle.h"
#include "container/plan.h"
#include "container/state.h"

struct net_subject {
	struct state state;		/* of the container, if there is one */
	bool has_container;
	bool alive;			/* its process runs */
	char *path;			/* of the network namespace */
	/* What the guest was given, by the record; or what one would get. Its plan.net. */
	struct plan plan;
};

#define NET_SUBJECT_INIT { .path = NULL }
void net_subject_free(struct net_subject *s);
#define _autosubject_ __attribute__((cleanup(net_subject_free)))

/*
 * @operand is the id of a container, or the path or the name (below /run/netns) of a network
 * namespace; a container that runs in that one is found. *@s is the caller's to free in either
 * case. Returns 0 or -errno: -ENOENT if it is neither.
 */
int net_subject_find(const struct lifecycle *l, const char *operand, struct net_subject *s,
		     struct err *e);

#endif
