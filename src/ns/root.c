/* SPDX-License-Identifier: GPL-2.0-only */
/* The empty root. */
#include "ns/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * glibc 2.36 declares these beside a <sys/mount.h> that clashes with <linux/mount.h> in older ones.
 */
static int fs_config(int fs, unsigned int command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

/* A detached mount of a tmpfs that holds one inode, its root, and can hold no other. */
static int root_make(int *mount_fd, struct err *e)
{
	static const unsigned int attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	_autoclose_ int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int made;

	if (fs < 0)
		return err_set(e, -errno, "open a tmpfs for the empty root");
	if (fs_config(fs, FSCONFIG_SET_STRING, "nr_inodes", "1") < 0 ||
	    fs_config(fs, FSCONFIG_SET_STRING, "size", "4096") < 0 ||
	    fs_config(fs, FSCONFIG_SET_STRING, "mode", "555") < 0 ||
	    fs_config(fs, FSCONFIG_SET_FLAG, "ro", NULL) < 0 ||
	    fs_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return err_set(e, -errno, "make a tmpfs for the empty root");
	made = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
	if (made < 0)
		return err_set(e, -errno, "mount a tmpfs for the empty root");
	*mount_fd = made;
	return 0;
}

int ns_root_empty(struct err *e)
{
	_autoclose_ int mount_fd = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, -errno, "make a mount namespace for the empty root");
	/* Before anything else: a shared mount would carry what follows to the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "make all mounts private");
	r = root_make(&mount_fd, e);
	if (r < 0)
		return r;

	/*
	 * Over "/", as no other directory is sure to exist. The process's own "/" stays below it,
	 * so the way in is the descriptor. pivot_root(".", ".") then puts the old root on top of
	 * the new one (pivot_root(2), NOTES), from where it is detached.
	 */
	if (syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, -errno, "attach the empty root");
	if (fchdir(mount_fd) < 0)
		return err_set(e, -errno, "enter the empty root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_set(e, -errno, "pivot to the empty root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_set(e, -errno, "detach the old root");
	if (chdir("/") < 0)
		return err_set(e, -errno, "change to the empty root");
	return 0;
}
