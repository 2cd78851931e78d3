/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a container: create, start, run, kill, delete, one function each. What the stages are
 * and in which order they come is told in create.c; what undoes them in delete.c.
 *
 * The messages of all of these name the container.
 */
#ifndef RUNNC_CONTAINER_LIFECYCLE_H
#define RUNNC_CONTAINER_LIFECYCLE_H

#include <stdbool.h>

#include "base/err.h"

/* What holds for every command. Everything is borrowed. */
struct lifecycle {
	const char *root;		/* of the state: STATE_DEFAULT_ROOT or --root */
	const char *image_cache;	/* NULL: IMAGE_CACHE_DIR */
	const char *net_mode;		/* --net-mode, or NULL */
	bool allow_spoofing;		/* --allow-spoofing, or the operator's file */
	bool systemd_cgroup;
	bool no_cgroup;			/* --cgroup-manager disabled */
	bool debug;
};

struct lifecycle_request {
	const char *id;
	const char *bundle;		/* directory */
	const char *pid_file;		/* NULL: none */
	const char *console_socket;	/* NULL: none */
	bool detach;			/* run: do not wait for the end */
};

/*
 * Make the container and its process, which then waits for lifecycle_start(). Whatever fails is
 * undone. Returns 0 or a negative errno (-EEXIST: the id is taken).
 */
int lifecycle_create(const struct lifecycle *l, const struct lifecycle_request *r, struct err *e);

/* Let a created container run; returns when the guest was executed: 0 or a negative errno. */
int lifecycle_start(const struct lifecycle *l, const char *id, struct err *e);

/*
 * Create, start and, unless @r->detach, pass signals on, wait for the end, and delete. *@status is
 * the container's exit status, or 128 + N for a death by signal N; 0 with @r->detach.
 */
int lifecycle_run(const struct lifecycle *l, const struct lifecycle_request *r, int *status,
		  struct err *e);

/*
 * Send @signal to the container's process. @all: to whatever is left of it, and no error if nothing
 * is. Returns 0 or a negative errno (-ESRCH: not running, or no such container).
 */
int lifecycle_kill(const struct lifecycle *l, const char *id, int signal, bool all, struct err *e);

/*
 * Undo all that is left of a stopped container; with @force also of one that is not, or half made,
 * or damaged, or not there at all (then 0). Returns 0 or a negative errno (-EBUSY: it is not
 * stopped). That the network could not be restored is an error once, without @force: the container
 * stays, and the next call has a warning for what is still missing, and removes it.
 */
int lifecycle_delete(const struct lifecycle *l, const char *id, bool force, struct err *e);

#endif
