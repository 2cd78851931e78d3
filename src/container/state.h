/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of containers on disk: ROOT/ID/state.json, with a lock beside it.
 *
 * How it survives kill -9 at any point:
 *  - A new container's directory is made complete (lock taken, state.json written) under a name
 *    that no id can have, "~new.PID.START.N", and then renamed to ROOT/ID. So ROOT/ID appears at
 *    once and locked, or not at all.
 *  - state.json is replaced by rename.
 *  - Removal first renames ROOT/ID to "~old.PID.START.N", then takes that apart.
 *  - What is left under "~" names by a process that is dead is swept by the next state_create(),
 *    state_open() and state_list().
 * What outlives a command (link, cgroup, image reference, ...) is put into the state and saved
 * before it is made; `delete` undoes it from here.
 *
 * The lock is a flock() on ROOT/ID/lock. It dies with its holder. A descriptor of it must not reach
 * the container's process: ns_child_start() closes all but those that it is told to keep.
 */
#ifndef RUNNC_CONTAINER_STATE_H
#define RUNNC_CONTAINER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/err.h"
#include "base/timestamp.h"
#include "ns/cgroup.h"

#define STATE_DEFAULT_ROOT	"/run/runnc"
#define STATE_ID_MAX		1024		/* runc's rule; a file name ends at 255 */
#define STATE_LOCK_TIMEOUT_MS	30000
#define STATE_MAX_SIZE		(16u << 20)	/* longest state.json, in bytes */

/* Positive returns. */
#define STATE_EXISTS	1	/* state_create(): the id is taken */
#define STATE_NONE	2	/* there is no such container */
/* its directory is there, its state.json is missing or unreadable */
#define STATE_DAMAGED	3

enum state_status {		/* [runtime] "State" */
	STATE_CREATING,		/* `create` has not finished, and its process is alive */
	STATE_CREATED,		/* the process waits at the exec FIFO */
	STATE_RUNNING,
	STATE_STOPPED,		/* gone, a zombie, its pid another's; or `create` died on the way */
};

struct state_ns {
	char *type;		/* "network" and so on, as in config.json */
	char *path;		/* that was joined; NULL: a new one of this container */
};

/* What state.json holds. Strings are heap blocks of the state; NULL where nothing is known. */
struct state {
	char *id;
	char *oci_version;
	char *bundle;		/* absolute */
	char *rootfs;		/* absolute */
	json_t *annotations;	/* object of strings, or NULL */
	char created[TIMESTAMP_MAX];	/* RFC 3339; set by state_create() */
	uid_t owner;		/* set by state_create() */

	/* of the container's process; 0: none yet. Set by state_set_pid() */
	pid_t pid;
	uint64_t pid_start;	/* field 22 of its /proc/PID/stat */
	pid_t creator;		/* `create` itself; set by state_create() */
	uint64_t creator_start;
	bool complete;		/* `create` has finished: set and save it as its last act */

	char *exec_fifo;	/* absolute; exists until `start` removes it */
	struct cgroup_list cgroups;
	struct state_ns *namespaces;
	size_t nr_namespaces;
	char **images;		/* references into the image cache, NULL-terminated; NULL: none */
	json_t *net;		/* what src/net needs to restore the interfaces, or NULL */
	/* a delete has ended with an error because not all of @net could be restored */
	bool net_failed;
	/* object of whatever else later commands need (hooks, ...), or NULL */
	json_t *extra;
};

#define STATE_INIT { .id = NULL }
void state_free(struct state *s);	/* what is inside; fine for STATE_INIT and twice */
#define _autostate_ __attribute__((cleanup(state_free)))

/* A locked container. */
struct state_lock {
	int dir;		/* of ROOT/ID; for openat() of files beside state.json */
	int lock;
	char *root;
	char *id;
};

#define STATE_LOCK_INIT { .dir = -1, .lock = -1 }

/* Let go; fine for STATE_LOCK_INIT and twice. */
void state_unlock(struct state_lock *lock);
#define _autounlock_ __attribute__((cleanup(state_unlock)))

/*
 * 1 to STATE_ID_MAX letters, digits, "_", "+", "-", "."; not "." or "..". Returns 0 or -EINVAL; or
 * -ENAMETOOLONG above the 255 bytes that a file name can have.
 */
int state_check_id(const char *id, struct err *e);

/* ROOT/ID/@name (or ROOT/ID for NULL) as a heap block; NULL: no memory. */
char *state_path(const char *root, const char *id, const char *name);

/*
 * Make the container @s->id, whose other fields may be empty yet, write it down and lock it. @root
 * is made if it is missing. Fills in created, owner, creator. Returns 0 with *@lock the caller's;
 * STATE_EXISTS with @e saying so; or -errno.
 */
int state_create(const char *root, struct state *s, struct state_lock *lock, struct err *e);

/* Write @s under @lock, complete or not at all. Returns 0 or -errno. */
int state_save(const struct state_lock *lock, const struct state *s, struct err *e);

/*
 * Lock container @id, waiting up to @timeout_ms, and read it into *@s (empty before). Returns 0;
 * STATE_NONE, with nothing locked; STATE_DAMAGED, locked, with only id set in *@s; -ETIMEDOUT with
 * the holder's pid; or -errno. @e has words for the positive ones as well.
 */
int state_open(const char *root, const char *id, int timeout_ms, struct state_lock *lock,
	       struct state *s, struct err *e);

/* Read it without a lock: a moment's picture. Returns as state_open(). */
int state_read(const char *root, const char *id, struct state *s, struct err *e);

/*
 * Remove the directory of a locked container, and let go of it. Everything that it lists must have
 * been undone before. A damaged one too. Returns 0 or -errno.
 */
int state_remove(struct state_lock *lock, struct err *e);

/*
 * All ids, sorted, a NULL-terminated vector for str_vector_free(); an empty one if @root does not
 * exist. Returns 0 or -errno.
 */
int state_list(const char *root, char ***ids, struct err *e);

/* Record @pid and its start time. Returns 0, or -ESRCH. */
int state_set_pid(struct state *s, pid_t pid, struct err *e);

enum state_status state_status(const struct state *s);
const char *state_status_name(enum state_status status);	/* "creating" ... */

/*
 * True if the container's process runs (no zombie, not another's pid). Also asked of a container
 * whose `create` died: its state is "stopped", yet its process may be there and has to be killed.
 */
bool state_alive(const struct state *s);

/*
 * A pidfd of the container's process: never another's. *@pidfd is close-on-exec and the caller's.
 * Returns 0, -ESRCH if it is gone, or another -errno.
 */
int state_pidfd(const struct state *s, int *pidfd, struct err *e);

/*
 * The state as [runtime] "State" defines it, for hooks and `runnc state`: ociVersion, id, status,
 * pid (while there is one), bundle, annotations. The caller's; NULL: no memory.
 */
json_t *state_json(const struct state *s, enum state_status status);

#endif
