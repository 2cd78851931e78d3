/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mount trees by descriptor: open_tree(2), mount_setattr(2), move_mount(2). musl has no wrappers
 * for them, and the kernel's header with their flags does not go together with <sys/mount.h>.
 */
#ifndef NABLA_INIT_TREE_H
#define NABLA_INIT_TREE_H

/*
 * A detached copy of the mount at @path below @dir (with everything mounted below it if
 * @recursive); "" means @dir itself. Returns a descriptor or -errno; closing it before it was
 * attached undoes it.
 */
int init_tree_clone(int dir, const char *path, int recursive);

/* Make the mount that @tree stands on read-only (not those below it). Returns 0 or -errno. */
int init_tree_set_readonly(int tree);

/* Attach the detached @tree on top of @target, both descriptors. Returns 0 or -errno. */
int init_tree_attach(int tree, int target);

#endif
