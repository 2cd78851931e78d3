/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees: what the fingerprint and the digest take of an entry. The fingerprint is of what stat()
 * says; the digest is of all that an image keeps.
 */
#include "image/tree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * What the fingerprint takes of an entry. Of a directory only what its own change of mode, owner or
 * xattrs shows: its entries are there by themselves, and overlayfs makes up its inode and size. The
 * target of a symbolic link cannot change but with its inode.
 */
struct print {
	uint64_t ino, size;
	uint64_t dev, rdev;
	int64_t mtime, ctime;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t mode, uid, gid, reserved;
};

_Static_assert(sizeof(struct print) == 72, "no padding in what is hashed");

int tree_hash_fingerprint(struct tree_walk *w, int dir, const char *name, const struct statx *st)
{
	bool is_dir = S_ISDIR(st->stx_mode);
	struct print p = {
		.ino = is_dir ? 0 : st->stx_ino,
		.size = is_dir ? 0 : st->stx_size,
		.dev = w->pool->overlay ? 0 : makedev(st->stx_dev_major, st->stx_dev_minor),
		.rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor),
		.mtime = st->stx_mtime.tv_sec, .mtime_nsec = st->stx_mtime.tv_nsec,
		.ctime = st->stx_ctime.tv_sec, .ctime_nsec = st->stx_ctime.tv_nsec,
		.mode = st->stx_mode, .uid = st->stx_uid, .gid = st->stx_gid,
	};

	(void)dir;
	sha256_update(&w->hash, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(&w->hash, sizeof(p), (const uint8_t *)&p);
	return 0;
}

/*
 * The xattrs by which overlayfs keeps books of an upper directory say nothing in a lower one, and
 * "opaque" is understood by every kernel with the value "y". Whatever else there is refers to
 * something: see struct tree_facts.
 */
static bool refers_elsewhere(const char *name, const char *value, size_t len)
{
	static const char *const harmless[] = { "origin", "impure", "nlink", "uuid", "upper",
						"protattr" };
	const char prefix[] = "trusted.overlay.";

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	name += strlen(prefix);
	if (strcmp(name, "opaque") == 0)
		return len != 1 || *value != 'y';
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(name, harmless[i]) == 0)
			return false;
	return true;
}

/* Hash the xattrs of the file at @path (a link of /proc/self/fd). */
static int hash_xattrs(struct tree_walk *w, const char *path, const char *name)
{
	static const char *const kept[] = { "user.", "trusted.", "security.",
					    "system.posix_acl_access", "system.posix_acl_default" };
	struct tree_strings names = { .bytes = w->xnames };
	_autofree_ const char **sorted = NULL;
	ssize_t n = listxattr(path, w->xnames, TREE_XATTR_SIZE);
	size_t count = 0;
	uint64_t head;

	if (n < 0 && errno != EOPNOTSUPP)
		return tree_walk_fail(w, -errno, "list xattrs of", name);
	names.len = n < 0 ? 0 : (size_t)n;
	sorted = tree_strings_sort(&names, &count);
	if (!sorted)
		return tree_walk_fail(w, -ENOMEM, "list xattrs of", name);

	head = count;
	sha256_update(&w->hash, sizeof(head), (const uint8_t *)&head);
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < 5 && strncmp(sorted[i], kept[k], strlen(kept[k])))
			k++;
		if (k == 5)
			return tree_walk_refuse(w, -EOPNOTSUPP, name,
						"has an extended attribute that EROFS cannot"
						" store");
		w->facts.trusted |= k == 1;
		n = getxattr(path, sorted[i], w->xvalue, TREE_XATTR_SIZE);
		if (n < 0)
			return tree_walk_fail(w, errno == ENODATA ? -ENOENT : -errno,
					      "read an xattr of", name);
		w->facts.refers |= refers_elsewhere(sorted[i], w->xvalue, (size_t)n);
		head = (uint64_t)n;
		sha256_update(&w->hash, strlen(sorted[i]) + 1, (const uint8_t *)sorted[i]);
		sha256_update(&w->hash, sizeof(head), (const uint8_t *)&head);
		sha256_update(&w->hash, (size_t)n, (const uint8_t *)w->xvalue);
	}
	return 0;
}

int tree_hash_root(struct tree_walk *w)
{
	uint32_t head[3];
	char path[64];
	struct stat st;

	if (fstat(w->pool->root, &st) < 0)
		return tree_walk_fail(w, -errno, "stat", "");
	if (!S_ISDIR(st.st_mode))
		return err_set(&w->e, -ENOTDIR, "root");
	head[0] = st.st_mode;
	head[1] = st.st_uid;
	head[2] = st.st_gid;
	sha256_update(&w->hash, sizeof(head), (const uint8_t *)head);
	w->facts.files++;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->pool->root);
	return hash_xattrs(w, path, "");
}

/* A file with several links: found again by device and inode. */
struct link {
	uint64_t dev, ino;
	uint64_t file;			/* number of the entry that was seen first, from 1 */
};

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

/* The number of the entry of which this one is another link, 0 if it is the first; -ENOMEM. */
static int64_t find_link(struct tree_walk *w, const struct statx *st)
{
	struct link *new, **found;

	if (st->stx_nlink < 2 || S_ISDIR(st->stx_mode))
		return 0;
	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	new->ino = st->stx_ino;
	new->file = w->facts.files;
	found = tsearch(new, &w->links, compare_links);
	if (found && *found == new)
		return 0;
	free(new);
	return found ? (int64_t)(*found)->file : -ENOMEM;
}

static int hash_contents(struct tree_walk *w, const char *path, const char *name, uint64_t size)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint64_t done = 0;
	ssize_t n;

	if (fd < 0)
		return tree_walk_fail(w, -errno, "open", name);
	while ((n = read(fd, w->buf, TREE_READ_SIZE)) > 0) {
		sha256_update(&w->hash, (size_t)n, (const uint8_t *)w->buf);
		done += (uint64_t)n;
		if (done > size)
			break;
	}
	if (n < 0)
		return tree_walk_fail(w, -errno, "read", name);
	return done == size ? 0 : tree_walk_fail(w, -ESTALE, "read", name);
}

static int hash_target(struct tree_walk *w, int fd, const char *name, uint64_t size)
{
	ssize_t n = readlinkat(fd, "", w->buf, TREE_READ_SIZE);

	if (n < 0)
		return tree_walk_fail(w, -errno, "read link", name);
	if ((uint64_t)n != size)
		return tree_walk_fail(w, -ESTALE, "read link", name);
	sha256_update(&w->hash, (size_t)n, (const uint8_t *)w->buf);
	return 0;
}

/* What the digest takes of an entry; its xattrs and contents or target follow. */
struct record {
	uint64_t size;			/* regular files and symbolic links, else 0 */
	uint64_t link;			/* entry of which this is another link: nothing follows */
	uint64_t rdev;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t mode, uid, gid;
};

_Static_assert(sizeof(struct record) == 48, "no padding in what is hashed");

int tree_hash_digest(struct tree_walk *w, int dir, const char *name, const struct statx *st)
{
	bool sized = S_ISREG(st->stx_mode) || S_ISLNK(st->stx_mode);
	int64_t first = find_link(w, st);
	struct record r = {
		.size = sized ? st->stx_size : 0, .link = (uint64_t)first,
		.rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor),
		.mtime = st->stx_mtime.tv_sec, .mtime_nsec = st->stx_mtime.tv_nsec,
		.mode = st->stx_mode, .uid = st->stx_uid, .gid = st->stx_gid,
	};
	_autoclose_ int fd = -1;
	struct stat now;
	char path[64];
	int rc;

	if (first < 0)
		return tree_walk_fail(w, (int)first, "remember", name);
	sha256_update(&w->hash, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(&w->hash, sizeof(r), (const uint8_t *)&r);
	if (first > 0)
		return 0;

	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return tree_walk_fail(w, -errno, "open", name);
	if (now.st_ino != st->stx_ino || now.st_mode != st->stx_mode)
		return tree_walk_fail(w, -ESTALE, "open", name);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = hash_xattrs(w, path, name);
	if (rc == 0 && S_ISREG(st->stx_mode))
		rc = hash_contents(w, path, name, st->stx_size);
	else if (rc == 0 && S_ISLNK(st->stx_mode))
		rc = hash_target(w, fd, name, st->stx_size);
	return rc;
}
