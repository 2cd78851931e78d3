/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Launching a unikernel: the descriptors that its process needs, and the arguments of nabla-run,
 * which cross from the runtime to the container's process in a sealed memory file (they are known
 * only when the network is, and the process was born before).
 */
#ifndef RUNNC_CONTAINER_SOLO5_LAUNCH_H
#define RUNNC_CONTAINER_SOLO5_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "abi/launch.h"
#include "base/err.h"
#include "container/plan.h"
#include "solo5/manifest.h"

#define SOLO5_DISKS (SOLO5_MANIFEST_ENTRIES - 1)

/* Open, close-on-exec; -1: none. */
struct solo5_files {
	int kernel;			/* the unikernel's ELF file */
	int disks[SOLO5_DISKS];		/* in the order of the plan */
	unsigned int nr_disks;
	char *digest;			/* of the root's EROFS image, if a disk is that; or NULL */
};

#define SOLO5_FILES_INIT { .kernel = -1 }

/*
 * Open what @p says, making copies of the disks that the unikernel may write. @f is the caller's,
 * to be given to solo5_files_close() in either case. @cachedir as for image_get(). Returns 0 or
 * -errno.
 */
int solo5_files_open(const struct plan *p, const char *cachedir, struct solo5_files *f,
		     struct err *e);
void solo5_files_close(struct solo5_files *f);	/* fine twice */

/*
 * Write the arguments for @p into a new memory file, sealed; *@fd is close-on-exec and the
 * caller's. The numbers in them are those of child.h. Returns 0, or as solo5_argv().
 */
int solo5_launch_write(const struct plan *p, int *fd, struct err *e);

/*
 * In the container's process: read them from @fd. *@argv is for str_vector_free(), *@nr_nets the
 * number of network devices. Returns 0, -EPROTO for a file that is none, or another -errno.
 */
int solo5_launch_read(int fd, char ***argv, unsigned int *nr_nets, struct err *e);

#endif
