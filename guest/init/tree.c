// SPDX-License-Identifier: GPL-2.0-only
/* Mount trees by descriptor. */
#include "guest/init/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

int init_tree_clone(int dir, const char *path, int recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	long fd = syscall(SYS_open_tree, dir, path, flags | (recursive ? AT_RECURSIVE : 0));

	return fd < 0 ? -errno : (int)fd;
}

int init_tree_set_readonly(int tree)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int init_tree_attach(int tree, int target)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return syscall(SYS_move_mount, tree, "", target, "", flags) < 0 ? -errno : 0;
}
