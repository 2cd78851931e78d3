/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the container's life and src/net: entering its network namespace and coming back.
 *
 * The calling process has one thread, is in the runtime's own network namespace, and is there again
 * afterwards; if it cannot get back, the process ends, as everything later would hit the wrong
 * links.
 */
#ifndef RUNNC_CONTAINER_NETWORK_H
#define RUNNC_CONTAINER_NETWORK_H

#include "abi/launch.h"
#include "base/err.h"
#include "container/plan.h"
#include "container/state.h"

/*
 * Survey the namespace of process @pid, complete the plan, write what is needed for restoring into
 * @s and save that, and apply the plan. Where the plan wants no network in a namespace of its own
 * (a pod's sandbox), only the bundle's net.* settings are written there; nothing at all is done
 * where the namespace is the runtime's own: the host's links are nobody's to take. @nets[0..*@nr-1]
 * have descriptors that are the caller's. Returns 0 or -errno.
 */
int network_prepare(pid_t pid, struct plan *p, struct state *s, const struct state_lock *lock,
		    struct nabla_net nets[NABLA_LAUNCH_NETS], unsigned int *nr, struct err *e);

/*
 * For `plan`: survey the namespace at @path, complete the plan, change nothing. @root is where
 * other containers' states are. 0 or -errno.
 */
int network_look(const char *path, const char *root, struct plan *p, struct err *e);

/*
 * Undo network_prepare() from the state. A namespace that was made for the container ends with it,
 * so only one that was joined by its path is restored; one that is gone needs nothing. Where other
 * guests share it, only what is this one's goes. On success the record is gone from @s, and that is
 * saved. 0, or -errno with all that is not as it was in @e; then as much as possible has been
 * restored.
 */
int network_restore(struct state *s, const struct state_lock *lock, struct err *e);

#endif
