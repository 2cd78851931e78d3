/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The EROFS writer: mkfs.erofs of erofs-utils as a child that can harm nothing.
 *
 * mkfs.erofs finds files by path, so whoever can exchange a directory for a symbolic link while it
 * runs would have it read the host's files, and it reads an untrusted tree as root. Therefore the
 * child sees the tree by a mount of its own, in a mount namespace of its own: without what is
 * mounted inside, without following symbolic links (MOUNT_ATTR_NOSYMFOLLOW), without devices; all
 * other mounts are read-only to it; of the capabilities it has the one to read everything; its
 * output cannot grow beyond the limit; it gets no environment and no descriptor but the output, its
 * standard error and /dev/null; it dies with its parent.
 */
#ifndef RUNNC_IMAGE_EROFS_H
#define RUNNC_IMAGE_EROFS_H

#include <stdbool.h>

#include "base/err.h"
#include "image/image.h"

struct erofs_job {
	int root;			/* descriptor of the tree's root directory, borrowed */
	int out;			/* regular file, O_RDWR, borrowed; what it held is lost */
	const char *mount_point;	/* absolute path of an empty directory */
	const char *digest;		/* the UUID is made of it */
	/* the tree has trusted.* xattrs: leave CAP_SYS_ADMIN, to read them */
	bool trusted;
	/* ISO 9660 with Rock Ridge, by xorriso, for a guest that reads no EROFS */
	bool iso9660;
};

/*
 * Write the image. An ISO 9660 image is not checked further. Returns 0 with a whole image in
 * job->out, or -errno with @e filled in and the file in any state: -E2BIG, -ETIMEDOUT, -ENOSPC,
 * -EIO, -ENOENT no mkfs.erofs.
 */
int erofs_build(const struct erofs_job *job, const struct image_limits *limits, struct err *e);

/*
 * Check the superblock of the image @fd against the file's size and the superblock's own checksum.
 * With @stamp, set its build time to 0 (mkfs.erofs cannot fix that without the files' times).
 * Returns 0, or -EUCLEAN with @e filled in if it is no whole image of ours, or another -errno.
 */
int erofs_check(int fd, bool stamp, struct err *e);

#endif
