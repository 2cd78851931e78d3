/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names: what the directories of a tree held when they were last read.
 *
 * Reading directories is a third of what a walk costs, and needless while a directory has the
 * inode, mtime and ctime that it had: whatever adds, removes or renames an entry changes those
 * (the assumption of image.h, for directories). So the cache keeps the names of a tree beside its
 * fingerprint. They only save the reading: every entry is looked at all the same, and the
 * fingerprint that comes out is that of a walk that reads.
 *
 * Not on overlayfs, where a directory's times are those of one layer; and only on the local file
 * systems that are known to keep to it.
 */
#ifndef RUNNC_IMAGE_NAMES_H
#define RUNNC_IMAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"

#define NAMES_MAX_SIZE	(256u << 20)

/* Of a directory, when it was looked at before it was read. */
struct names_stamp {
	uint64_t ino;
	int64_t mtime, ctime;
	uint32_t mtime_nsec, ctime_nsec;
};

struct names_dir {
	const char *path;		/* from the tree's root, "" for that itself */
	struct names_stamp stamp;
	const char *names;		/* NUL-terminated, one after the other, in order of bytes */
	size_t len;
};

struct names {
	char *data;
	struct names_dir *dir;		/* in order of paths */
	size_t count;
};

#define NAMES_INIT { .data = NULL }

/* Directories of the file system of this type (statfs.f_type) can be trusted so far. */
bool names_can_be_kept(long type);

struct names_stamp names_stamp(const struct statx *st);

/* Begin a record of names in the empty @out, and add a directory to it; errors stick in @out. */
void names_begin(struct buf *out);
void names_add(struct buf *out, const char *path, const struct names_stamp *stamp,
	       const char *const *names, size_t count);

/*
 * Read such a record from @data of @len bytes, which it takes, also on failure. Returns 0 with
 * *@n the caller's for names_free(), -EINVAL or -ENOMEM. Names have no slash and are not "..".
 */
int names_parse(char *data, size_t len, struct names *n);

/* The directory at @path, if it is as it was at @stamp; else NULL. */
const struct names_dir *names_find(const struct names *n, const char *path,
				   const struct names_stamp *stamp);

void names_free(struct names *n);
#define _autonames_ __attribute__((cleanup(names_free)))

#endif
