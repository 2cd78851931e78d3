/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names. The record is a magic, then for each directory a struct record_dir, its path and its
 * names, each with its NUL, and zeros up to a multiple of 8. It is in the order of whoever read
 * the directories, and sorted when it is read.
 */
#include "image/names.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC		"runnc names 1\n\n"	/* with its NUL: 16 bytes */
#define MAGIC_XFS	0x58465342		/* no header has it */

struct record_dir {
	struct names_stamp stamp;
	uint32_t path_len, names_len;	/* with their NULs */
};

_Static_assert(sizeof(MAGIC) == 16, "records are aligned");
_Static_assert(sizeof(struct record_dir) == 40, "no padding in what is written");

bool names_can_be_kept(long type)
{
	return type == EXT4_SUPER_MAGIC || type == MAGIC_XFS || type == BTRFS_SUPER_MAGIC ||
	       type == TMPFS_MAGIC || type == F2FS_SUPER_MAGIC;
}

struct names_stamp names_stamp(const struct statx *st)
{
	return (struct names_stamp){
		.ino = st->stx_ino,
		.mtime = st->stx_mtime.tv_sec, .mtime_nsec = st->stx_mtime.tv_nsec,
		.ctime = st->stx_ctime.tv_sec, .ctime_nsec = st->stx_ctime.tv_nsec,
	};
}

void names_begin(struct buf *out)
{
	buf_add(out, MAGIC, sizeof(MAGIC));
}

void names_add(struct buf *out, const char *path, const struct names_stamp *stamp,
	       const char *const *names, size_t count)
{
	struct record_dir d = { .stamp = *stamp, .path_len = (uint32_t)strlen(path) + 1 };
	size_t start = out->len;

	buf_add(out, &d, sizeof(d));
	buf_add_strz(out, path);
	for (size_t i = 0; i < count; i++)
		buf_add_strz(out, names[i]);
	if (buf_error(out))
		return;
	/* Bounded by the buffer's limit. */
	d.names_len = (uint32_t)(out->len - start - sizeof(d)) - d.path_len;
	memcpy(out->data + start, &d, sizeof(d));
	buf_align(out, 8);
}

void names_free(struct names *n)
{
	free(n->data);
	free(n->dir);
	memset(n, 0, sizeof(*n));
}

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* One directory at @at, of which @left bytes are there. Returns its bytes, or 0. */
static size_t parse_dir(const char *at, size_t left, struct names_dir *dir)
{
	struct record_dir d;
	size_t len;

	if (left < sizeof(d))
		return 0;
	memcpy(&d, at, sizeof(d));
	len = sizeof(d) + (size_t)d.path_len + d.names_len;
	if (d.path_len == 0 || len > left)
		return 0;
	dir->path = at + sizeof(d);
	dir->stamp = d.stamp;
	dir->names = dir->path + d.path_len;
	dir->len = d.names_len;
	if (strnlen(dir->path, d.path_len) != d.path_len - 1 ||
	    (dir->len > 0 && dir->names[dir->len - 1]))
		return 0;
	for (size_t i = 0; i < dir->len; i += strlen(dir->names + i) + 1)
		if (!is_name(dir->names + i))
			return 0;
	len = (len + 7) & ~(size_t)7;
	return len > left ? 0 : len;
}

static int compare_dirs(const void *a, const void *b)
{
	return strcmp(((const struct names_dir *)a)->path, ((const struct names_dir *)b)->path);
}

int names_parse(char *data, size_t len, struct names *n)
{
	size_t at = sizeof(MAGIC), room = 0;

	*n = (struct names){ .data = data };
	if (len < at || memcmp(data, MAGIC, sizeof(MAGIC)) != 0) {
		names_free(n);
		return -EINVAL;
	}
	while (at < len) {
		size_t size;

		if (n->count == room) {
			struct names_dir *grown;

			room = room * 2 + 256;
			grown = reallocarray(n->dir, room, sizeof(*grown));
			if (!grown) {
				names_free(n);
				return -ENOMEM;
			}
			n->dir = grown;
		}
		size = parse_dir(data + at, len - at, &n->dir[n->count]);
		if (size == 0) {
			names_free(n);
			return -EINVAL;
		}
		n->count++;
		at += size;
	}
	if (n->count > 1)
		qsort(n->dir, n->count, sizeof(*n->dir), compare_dirs);
	return 0;
}

const struct names_dir *names_find(const struct names *n, const char *path,
				   const struct names_stamp *stamp)
{
	const struct names_dir key = { .path = path };
	const struct names_dir *dir = NULL;

	if (n->count > 0)
		dir = bsearch(&key, n->dir, n->count, sizeof(key), compare_dirs);
	return dir && memcmp(&dir->stamp, stamp, sizeof(*stamp)) == 0 ? dir : NULL;
}
