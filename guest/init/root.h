/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container's root file system: EROFS images stacked by overlayfs under a tmpfs.
 *
 * Three stages. init_root_build() makes it at /root of the initramfs. Then everything else is
 * mounted inside it, by descriptor, while init still sees its own devices. init_root_enter() at
 * last makes it read-only if asked for (so that missing mount points could be made before), moves
 * it onto / and makes it the root of the calling process.
 */
#ifndef NABLA_INIT_ROOT_H
#define NABLA_INIT_ROOT_H

#include "guest/init/config.h"

/*
 * Mount the layers and stack them. *@root becomes an O_PATH descriptor of the caller's. 0 or
 * -errno.
 */
int init_root_build(const struct init_config *config, int *root, struct err *e);

/* Mount the EROFS image @device, mapped (DAX) where that is possible. Returns 0 or -errno. */
int init_root_mount_image(const char *device, const char *target, unsigned long flags);

/*
 * Only the stack: @lowers as for overlayfs' lowerdir=, topmost first. Mounted on @target. 0 or
 * -errno.
 */
int init_root_stack(const char *lowers, const struct gcfg_root *options, const char *target,
		    struct err *e);

/* @root becomes "/" of this process, which needs a root of its own (no CLONE_FS). 0 or -errno. */
int init_root_enter(int root, const struct gcfg_root *options, struct err *e);

#endif
