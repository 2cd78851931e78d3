/* SPDX-License-Identifier: GPL-2.0-only */
/* The empty root: a process whose "/" has nothing in it and can get nothing into it. */
#ifndef RUNNC_NS_ROOT_H
#define RUNNC_NS_ROOT_H

#include "base/err.h"

/*
 * Move the calling process (one thread, CAP_SYS_ADMIN in the user namespace it is in) into a mount
 * namespace of its own whose only mount is an empty read-only tmpfs, nosuid, nodev and noexec. Root
 * and current directory are there afterwards. The mount namespace that it was in, new or joined or
 * the host's, does not change: the function leaves it first and sets every mount private.
 *
 * After this no path leads anywhere, /proc neither: open before what is needed later. Descriptors
 * stay valid and execveat(fd, "", ..., AT_EMPTY_PATH) of a static program works. Returns 0 or
 * -errno.
 */
int ns_root_empty(struct err *e);

#endif
