/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A root directory as an ISO 9660 image with Rock Ridge, for unikernels that read no EROFS. Made
 * anew for each container, without a name (disk.h); by xorriso, as confined as mkfs.erofs is
 * (erofs.h).
 */
#ifndef RUNNC_IMAGE_ISO_H
#define RUNNC_IMAGE_ISO_H

#include "base/err.h"

/*
 * @root is a descriptor (any kind) of the directory, borrowed; @cachedir as for image_get(). *@fd
 * is the image, close-on-exec and the caller's; its size is a multiple of 2048. Returns 0; -ENOENT
 * if there is no xorriso; -EIO if it failed (the message has its words); or another -errno.
 */
int image_iso_make(int root, const char *cachedir, int *fd, struct err *e);

#endif
