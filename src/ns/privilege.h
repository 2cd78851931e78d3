/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up privileges for good, and limits. */
#ifndef RUNNC_NS_PRIVILEGE_H
#define RUNNC_NS_PRIVILEGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The calling process (one thread) becomes @uid and @gid (as its user namespace calls them) with no
 * supplementary groups and no capability in any of the five sets, and cannot gain one again: the
 * securebits are locked and no_new_privs is set. It is not dumpable and has no parent-death signal.
 * The bounding set is emptied and the securebits are locked as far as CAP_SETPCAP is there. All the
 * rest is read back afterwards. Returns 0 or -errno (-EINVAL: the id has no meaning in this user
 * namespace). After a failure the process is in between: it must exit.
 *
 * execve() of a program that its caller may read makes the process dumpable again: the program has
 * to call prctl(PR_SET_DUMPABLE, 0) itself.
 */
int ns_privilege_drop(uid_t uid, gid_t gid, struct err *e);

/*
 * Set a resource limit of the calling process (RLIM_INFINITY: unlimited). The message of a failure
 * names the limit, the wanted and the present values. Returns 0 or -errno.
 */
int ns_limit_set(int resource, uint64_t soft, uint64_t hard, struct err *e);

/* "RLIMIT_NOFILE" and so on; NULL for an unknown one. */
const char *ns_limit_name(int resource);

#endif
