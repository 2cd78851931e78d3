/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks: image files that a guest may write, one copy a container.
 *
 * The copy is a file without a name on the image cache's file system (O_TMPFILE): it lives as long
 * as the container's process has it open, so nothing remains after a kill -9 anywhere, and there is
 * nothing to record or to undo. Where the file system can share blocks (FICLONE: xfs, btrfs)
 * nothing is copied before it is written; elsewhere the data is copied and holes stay holes.
 */
#ifndef RUNNC_IMAGE_DISK_H
#define RUNNC_IMAGE_DISK_H

#include <stdint.h>

#include "base/err.h"

#define IMAGE_DISK_MAX	(64ull << 30)	/* largest file to be copied, in bytes */

/*
 * Copy the regular file @from (borrowed, open for reading) into a new one, its size rounded up to a
 * multiple of @sector with zeros. @cachedir as for image_get(). *@fd is open for reading and
 * writing, close-on-exec and the caller's. Returns 0, -EFBIG above IMAGE_DISK_MAX, or another
 * -errno.
 */
int image_disk_copy(int from, uint32_t sector, const char *cachedir, int *fd, struct err *e);

/* A new, empty file without a name on the cache's file system; *@fd as above. 0 or -errno. */
int image_disk_make(const char *cachedir, int *fd, struct err *e);

#endif
