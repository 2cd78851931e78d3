/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks of config.json, "POSIX-platform Hooks" of the runtime-spec.
 *
 *	kind		when				where			a failure
 *	prestart	during create, namespaces made	runtime			fails create
 *	createRuntime	right after them		runtime			fails create
 *	createContainer	right after those		container		fails create
 *	startContainer	during start, before exec	container		fails start
 *	poststart	after exec			runtime			is a warning
 *	poststop	after delete			runtime			is a warning
 *
 * "Container" means all of the process's namespaces, entered by setns, and the path is looked up in
 * its mount namespace, in which the host's file system can still be seen during create. The
 * root file system of a Nabla container lives inside the guest, and no host process ever runs a
 * program of the untrusted image: so at start, when the process may already stand in an empty root,
 * startContainer hooks are entered into all namespaces but the mount namespace, and found on the
 * host.
 */
#ifndef RUNNC_CONTAINER_HOOKS_H
#define RUNNC_CONTAINER_HOOKS_H

#include <sys/types.h>

#include "base/err.h"
#include "bundle/bundle.h"

/*
 * Run the hooks of one list in order, each with @state (JSON text) on stdin and the environment
 * that it names and no other. @pid is the container's process; where @kind says "runtime" it is not
 * used.
 *
 * prestart, createRuntime, createContainer, startContainer: stops at the first that cannot be
 * started, exits with another status than 0, dies by a signal or runs longer than its timeout (its
 * process group is killed then). Returns 0 or a negative errno, -ETIMEDOUT or -EPROTO (it failed),
 * with the end of what it wrote to stdout and stderr in @e.
 * poststart, poststop: all are run; each failure is logged as a warning; returns 0.
 */
int hooks_run(enum bundle_hook_kind kind, const struct bundle_hooks *hooks, const char *state,
	      pid_t pid, struct err *e);

/* "prestart" ... */
const char *hooks_name(enum bundle_hook_kind kind);

#endif
