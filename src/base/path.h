/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths. Everything that returns a string returns a heap block that is the caller's. Only
 * path_open_beneath(), path_make_dirs() and path_remove_tree() touch the file system.
 */
#ifndef RUNNC_BASE_PATH_H
#define RUNNC_BASE_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * "@dir/@name" with one slash between them; an absolute @name is still put below @dir. NULL: no
 * memory.
 */
char *path_join(const char *dir, const char *name);

/*
 * @path by its letters only: no double or trailing slashes, no ".", and ".." takes away the
 * component before it. An absolute path stays one ("/.." is "/"); of a relative path nothing above
 * its start is left ("../a" is "a"); an empty result is "." or "/". Symlinks are not looked at.
 * NULL: no memory.
 */
char *path_clean(const char *path);

/* @path made absolute with the current directory, then cleaned. NULL with errno set. */
char *path_absolute(const char *path);

/* True if clean absolute @path is @dir or lies below it, by its letters. */
bool path_is_below(const char *path, const char *dir);

/* The part of @path behind its last slash; points into @path; "" if it ends in a slash. */
const char *path_basename(const char *path);

/*
 * Open @path as if @rootfd were "/": ".." and symlinks, also absolute ones, stay inside, and magic
 * links of /proc are refused (openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). O_CLOEXEC is
 * added to @flags. Returns the descriptor or -errno; no message, as ENOENT is often fine.
 */
int path_open_beneath(int rootfd, const char *path, uint64_t flags, mode_t mode);

/* mkdir -p: existing directories are fine and keep their mode. Returns 0 or -errno. */
int path_make_dirs(const char *path, mode_t mode, struct err *e);

/*
 * rm -rf of @name in @dirfd. Symlinks are removed, never followed; a mount point inside is not
 * entered and gives -EBUSY. A name that does not exist is fine. Depth is limited to 512 directories
 * (-ELOOP). Returns 0 or -errno.
 */
int path_remove_tree(int dirfd, const char *name, struct err *e);

#endif
