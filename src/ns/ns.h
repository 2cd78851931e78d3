/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Namespaces: making the container's process inside new and joined ones.
 *
 * ns_child_start() makes one child. Between the runtime and the child there is a socket, over which
 * they take turns: messages are one number each, may carry descriptors, and a failure of the child
 * travels as its own words. Needs Linux 5.9 (clone3, close_range, setns with a pidfd).
 *
 * The calling process must have one thread only. Nothing here changes the caller's own namespaces.
 */
#ifndef RUNNC_NS_NS_H
#define RUNNC_NS_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* One namespace of the child. At most one entry of each kind; a kind without entry is shared. */
struct ns_entry {
	/* CLONE_NEWNS, NEWPID, NEWIPC, NEWUTS, NEWNET, NEWUSER, NEWCGROUP, NEWTIME */
	int flag;
	const char *path;		/* absolute: join it; NULL: make a new one */
};

struct ns_id_map {
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

struct ns_child;

struct ns_request {
	const struct ns_entry *entries;
	size_t nr_entries;
	/* Names of a new UTS namespace, or NULL; one that is joined or shared keeps its own. */
	const char *hostname;
	const char *domainname;
	/* Only for a new user namespace; both lists must then have an entry. */
	const struct ns_id_map *uid_maps;
	size_t nr_uid_maps;
	const struct ns_id_map *gid_maps;
	size_t nr_gid_maps;
	/*
	 * Descriptors beside 0-2 that the child keeps; every other one is closed in it, before
	 * run().
	 */
	const int *keep;
	size_t nr_keep;
	/*
	 * Called in the runtime while the child stands still, before run(): the place to join it to
	 * its cgroups (a new cgroup namespace is made after this, so that it starts there), and to
	 * write its pid down. A negative return ends the child and is what ns_child_start()
	 * returns. May be NULL.
	 */
	int (*place)(const struct ns_child *child, void *arg, struct err *e);
	void *place_arg;
	/*
	 * Called in the child, inside all namespaces, as uid and gid 0 of a new or joined user
	 * namespace; otherwise with the runtime's identity. @sync is the child's end of the socket.
	 * On a negative return, what @e says is sent to the runtime and the child exits with status
	 * 125; otherwise it exits with what run() returned. Signals are unblocked and at their
	 * defaults; the session is new.
	 */
	int (*run)(int sync, void *arg, struct err *e);
	void *run_arg;
};

struct ns_child {
	/* in the caller's pid namespace; a child of the caller, who reaps it */
	pid_t pid;
	int pidfd;			/* close-on-exec, the caller's */
	/* the runtime's end of the socket: close-on-exec, the caller's */
	int sync;
};

#define NS_CHILD_INIT { .pid = -1, .pidfd = -1, .sync = -1 }

/*
 * Start the child and return when it stands at the beginning of run() (it has not taken a message
 * yet). On failure there is no child left and *@child is unchanged. Returns 0, or -errno; -EINVAL
 * if a path is no namespace of its kind, or an entry is twice there. Messages of EAGAIN and ENOSPC
 * name the limit that was met and its value.
 */
int ns_child_start(const struct ns_request *request, struct ns_child *child, struct err *e);

/* SIGKILL the child, reap it, close its descriptors. Fine for NS_CHILD_INIT and twice. */
void ns_child_end(struct ns_child *child);

/* Close both descriptors and leave the child alone: it is the engine's now. */
void ns_child_release(struct ns_child *child);

/*
 * Turn-taking, the same for both ends. @message is 1 or more; what it means is the callers'
 * business.
 */

#define NS_SYNC_MAX_FDS	200

/* Send @message with @n borrowed descriptors (at most NS_SYNC_MAX_FDS). Returns 0 or -errno. */
int ns_sync_send(int sync, uint32_t message, const int *fds, size_t n, struct err *e);

/* Send a failure: the other end's ns_sync_wait() returns @code with @e's words. Returns @code. */
int ns_sync_fail(int sync, int code, const struct err *e);

/*
 * Wait for exactly @message and @n descriptors, which are close-on-exec and the caller's.
 * @timeout_ms -1: for ever. Returns 0; the code of a failure sent by the other end; -ETIMEDOUT;
 * -EPIPE if the other end is gone (died); -EPROTO for anything else that came. On failure no
 * descriptor is left.
 */
int ns_sync_wait(int sync, uint32_t message, int *fds, size_t n, int timeout_ms, struct err *e);

/*
 * Move the calling process into those namespaces of @pid that @flags (CLONE_NEW*) names and that
 * are not its own already. For a pid namespace that is true of its later children only. Returns 0
 * or -errno (-ESRCH: no such process).
 */
int ns_enter(pid_t pid, int flags, struct err *e);

#define NS_HOSTNAME_MAX 64

/*
 * The host name in the UTS namespace at @path, NULL: the caller's own. The caller is in it for a
 * moment. Returns 0, -EINVAL if it is no UTS namespace, or another -errno; @name is set on success
 * only.
 */
int ns_hostname(const char *path, char name[NS_HOSTNAME_MAX + 1], struct err *e);

/*
 * "mnt", "pid", "ipc", "uts", "net", "user", "cgroup", "time": the names in /proc/PID/ns. NULL:
 * none.
 */
const char *ns_name(int flag);

#endif
