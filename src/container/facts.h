/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the plan must know about the host and cannot read from config.json: how much memory there
 * is, what the image is, what the sources of bind mounts are, and the pod's host name. Gathering
 * only looks (openat2, fstat, readdir): it opens no device or FIFO and changes nothing.
 */
#ifndef RUNNC_CONTAINER_FACTS_H
#define RUNNC_CONTAINER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle/bundle.h"
#include "container/guest.h"
#include "ns/cgroup.h"
#include "ns/ns.h"

#define FACTS_TREE_MAX_FILES	1024	/* a larger tree is not listed further */
#define FACTS_TREE_MAX_DEPTH	16

enum facts_kind {
	FACTS_NOT_BIND,			/* not a bind mount: nothing was looked at */
	FACTS_MISSING,
	FACTS_FILE,
	FACTS_DIR,
	FACTS_NULL,			/* the character device 1:3 */
	FACTS_OTHER			/* any other device, a socket, a FIFO */
};

/* A regular file in a bind-mounted directory, also one to which a symlink inside leads. */
struct facts_file {
	char *path;			/* below the mount's source, without a leading slash */
	uint32_t mode;			/* permission bits */
	uint32_t uid;
	uint32_t gid;
	uint64_t size;
};

struct facts_mount {
	enum facts_kind kind;
	uint32_t mode;			/* permission bits of the source */
	uint32_t uid;
	uint32_t gid;
	uint64_t size;			/* FACTS_FILE: bytes */
	bool empty;			/* FACTS_DIR: no entries at all */
	bool listed;			/* FACTS_DIR: @files is all there is: files, directories and
					 * symlinks that stay inside, within the limits above */
	struct facts_file *files;
	size_t nr_files;
};

struct facts {
	uint64_t host_memory;		/* bytes */
	/* The smallest memory limit in the cgroups above the container's; 0: none, or not known. */
	uint64_t memory_limit;
	/*
	 * The host name in the UTS namespace that the container shares or joins, if config.json has
	 * none: that of its pod. Empty: none.
	 */
	char hostname[NS_HOSTNAME_MAX + 1];
	struct guest_facts guest;	/* what the image says; nothing if there is no root */
	struct facts_mount *mounts;	/* as many as the bundle's mounts, in their order */
	size_t nr_mounts;
};

/*
 * Gather the facts for @b; @trees: also list the files of bind-mounted directories. @f is filled in
 * and the caller's, to be given to facts_free() in either case. Returns 0 or -errno: a source that
 * is missing is a fact, not an error. memory_limit is left to facts_set_cgroups().
 */
int facts_gather(const struct bundle *b, bool trees, struct facts *f, struct err *e);

/* Look at the limits of the cgroups that were planned for the container. Returns 0 or -errno. */
int facts_set_cgroups(struct facts *f, const struct cgroup_list *cgroups, struct err *e);

void facts_free(struct facts *f);
#define _autofacts_ __attribute__((cleanup(facts_free)))

#endif
