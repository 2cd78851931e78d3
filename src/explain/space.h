/* SPDX-License-Identifier: GPL-2.0-only */
/* Entering namespaces and reading them. Internal to src/explain. */
#ifndef RUNNC_EXPLAIN_SPACE_H
#define RUNNC_EXPLAIN_SPACE_H

#include "explain/facts.h"

/* The calling thread's own network namespace, to come back to. */
struct space_home {
	int fd;
};

#define SPACE_HOME_INIT { .fd = -1 }

/* Back to where it was opened; the process ends if that fails. Fine for SPACE_HOME_INIT. */
void space_return(struct space_home *home);
#define _autohome_ __attribute__((cleanup(space_return)))

/* Remember where we are. Returns 0 or -errno. */
int space_leave(struct space_home *home, struct err *e);

/* Go into the namespace of descriptor @fd; @name is for the message. Returns 0 or -errno. */
int space_enter(int fd, const char *name, struct err *e);

/*
 * Fill in @x, of which name, fd and inode are set and the rest is empty, from the namespace that
 * the calling thread is in. Returns 0 or -errno; @x is to be freed either way.
 */
int space_read(struct explain_space *x, struct err *e);

/*
 * The number by which the current namespace knows the one of descriptor @fd, in *@id; -1: it has
 * none, so no link leads there. Returns 0 or -errno.
 */
int space_number(int fd, int32_t *id, struct err *e);

#endif
