/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places inside the container's root, found while init's own root is still the initramfs.
 *
 * Every path is resolved by openat2(RESOLVE_IN_ROOT): a symlink in the image, absolute or full of
 * "..", ends inside the image. What is missing is made on the way, as runc does for mount points:
 * directories 0755, files 0644, of root; a dangling symlink gets its target made.
 */
#ifndef NABLA_INIT_PATH_H
#define NABLA_INIT_PATH_H

#include "base/err.h"

#include <sys/types.h>

/* Open @path inside @root with O_PATH, following symlinks. Returns a descriptor or -errno. */
int init_path_open(int root, const char *path);

/* As init_path_open(), after making the directory and those above it if missing. */
int init_path_make_dir(int root, const char *path, struct err *e);

/*
 * As init_path_open(), after making an empty regular file, and the directories above it, if there
 * is nothing yet. What is there already may be of any type.
 */
int init_path_make_file(int root, const char *path, struct err *e);

/*
 * Open the directory that holds @path, made if missing; *@name is the last component, inside @path.
 * The last component itself is not looked at. Returns a descriptor or -errno.
 */
int init_path_make_parent(int root, const char *path, const char **name, struct err *e);

/* "/proc/self/fd/N", for calls that want a path. Valid while init's own /proc is in sight. */
struct init_path_name {
	char text[32];
};

struct init_path_name init_path_of_fd(int fd);

#endif
