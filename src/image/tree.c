// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees: the walk, the fingerprint and the digest.
 *
 * The walk keeps the paths of directories still to be read in a stack, and one directory open at a
 * time, so that depth costs neither descriptors nor stack. Entries are taken in the order of their
 * names' bytes: the hash does not depend on the file system's order.
 */
#include "image/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <nettle/sha2.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"

#define READ_SIZE	(128u << 10)
#define XATTR_SIZE	(64u << 10)	/* XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel */

/* A file with several links: found again by device and inode. */
struct link {
	uint64_t dev, ino;
	uint64_t file;			/* number of the entry that was seen first, from 1 */
};

struct strings {
	char *bytes;			/* NUL-terminated, one after the other */
	size_t len, size;
};

struct walk {
	int root;
	const struct image_limits *limits;
	struct tree_facts *facts;
	struct err *e;
	int (*visit)(struct walk *w, int dir, const char *name, const struct statx *st);
	struct sha256_ctx hash;
	bool overlay;
	struct strings dirs;		/* stack of directories to read */
	const char *dir;		/* path of the one being read, "" for the root */
	void *links;			/* tsearch() tree of struct link */
	char *buf;			/* READ_SIZE */
	char *xnames, *xvalue;		/* XATTR_SIZE each */
};

/* The path of @name in the directory being read, as one line for the user. */
static const char *walk_show(const struct walk *w, const char *name, char show[256])
{
	const char *parts[] = { "/", w->dir, *w->dir && *name ? "/" : "", name };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		for (const char *p = parts[i]; *p && n < 250; p++) {
			if (*p < ' ' || *p > '~' || *p == '\\')
				n += (size_t)sprintf(show + n, "\\x%02x", (unsigned char)*p);
			else
				show[n++] = *p;
		}
	}
	show[n] = '\0';
	return show;
}

static int walk_fail(struct walk *w, int code, const char *what, const char *name)
{
	char show[256];

	/* What was there a moment ago is gone or something else: the tree is being changed. */
	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP || code == -ESTALE)
		return err_say(w->e, -EAGAIN, "'%s' changes while it is read",
			       walk_show(w, name, show));
	return err_set(w->e, code, "%s '%s'", what, walk_show(w, name, show));
}

static int walk_refuse(struct walk *w, int code, const char *name, const char *why)
{
	char show[256];

	return err_say(w->e, code, "'%s' %s", walk_show(w, name, show), why);
}

static int strings_push(struct strings *s, const char *dir, const char *name)
{
	size_t dir_len = strlen(dir), name_len = strlen(name);
	size_t need = dir_len + name_len + 2;

	if (s->size - s->len < need) {
		size_t size = s->size * 2 + need + 4096;
		char *bytes = realloc(s->bytes, size);

		if (!bytes)
			return -ENOMEM;
		s->bytes = bytes;
		s->size = size;
	}
	if (dir_len) {
		memcpy(s->bytes + s->len, dir, dir_len);
		s->bytes[s->len + dir_len] = '/';
		s->len += dir_len + 1;
	}
	memcpy(s->bytes + s->len, name, name_len + 1);
	s->len += name_len + 1;
	return 0;
}

/* Take the last string off; it stays where it is until the next push. Returns its place. */
static const char *strings_pop(struct strings *s)
{
	size_t start = s->len - 1;

	while (start > 0 && s->bytes[start - 1])
		start--;
	s->len = start;
	return s->bytes + start;
}

/* The names in directory @dir, into @names. */
static int read_names(int dir, struct strings *names, char *buf, uint64_t max)
{
	uint64_t count = 0;
	ssize_t n;

	while ((n = syscall(SYS_getdents64, dir, buf, READ_SIZE)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buf + at);

			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (++count > max)
				return -E2BIG;
			if (strings_push(names, "", d->d_name) < 0)
				return -ENOMEM;
		}
	}
	return n < 0 ? -errno : 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An array of pointers to the strings of @s, sorted by bytes; NULL if out of memory. */
static const char **sort_strings(const struct strings *s, size_t *count)
{
	const char **sorted;
	size_t n = 0;

	for (size_t i = 0; i < s->len; i += strlen(s->bytes + i) + 1)
		n++;
	sorted = malloc((n + 1) * sizeof(*sorted));
	if (!sorted)
		return NULL;
	*count = n;
	n = 0;
	for (size_t i = 0; i < s->len; i += strlen(s->bytes + i) + 1)
		sorted[n++] = s->bytes + i;
	qsort(sorted, n, sizeof(*sorted), compare_strings);
	return sorted;
}

/*
 * What mkfs.erofs 1.5 cannot do: it cuts names of 255 bytes, and leaves out every name that begins
 * with "lost+found", in any directory. The one that mke2fs makes is no part of an image either way.
 */
static int check_name(struct walk *w, const char *name, const struct statx *st, bool *skip)
{
	*skip = false;
	if (strlen(name) > 254)
		return walk_refuse(w, -ENAMETOOLONG, name,
				   "has a name of more than 254 bytes, which mkfs.erofs cannot store");
	if (!strncmp(name, "lost+found", 10)) {
		if (*w->dir || name[10] || !S_ISDIR(st->stx_mode))
			return walk_refuse(w, -EINVAL, name,
					   "has a name which mkfs.erofs leaves out");
		*skip = true;
	}
	if (strlen(w->dir) + strlen(name) + 1 > TREE_PATH_MAX)
		return walk_refuse(w, -ENAMETOOLONG, name, "has too long a path");
	return 0;
}

static int check_limits(struct walk *w, const struct statx *st)
{
	struct tree_facts *f = w->facts;

	if (++f->files > w->limits->max_files)
		return err_say(w->e, -E2BIG, "more than %llu files",
			       (unsigned long long)w->limits->max_files);
	if (S_ISREG(st->stx_mode) && (__builtin_add_overflow(f->bytes, st->stx_size, &f->bytes) ||
				      f->bytes > w->limits->max_bytes))
		return err_say(w->e, -E2BIG, "more than %llu bytes of files",
			       (unsigned long long)w->limits->max_bytes);
	return 0;
}

static void note_ctime(struct tree_facts *f, const struct statx_timestamp *t)
{
	if (t->tv_sec > f->newest.tv_sec ||
	    (t->tv_sec == f->newest.tv_sec && (long)t->tv_nsec > f->newest.tv_nsec)) {
		f->newest.tv_sec = t->tv_sec;
		f->newest.tv_nsec = (long)t->tv_nsec;
	}
	f->fine |= t->tv_nsec != 0;
}

static int walk_entry(struct walk *w, int dir, const char *name)
{
	struct statx st;
	bool skip;
	int rc;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) < 0)
		return walk_fail(w, -errno, "stat", name);
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return walk_refuse(w, -EXDEV, name,
				   "is a mount point: what is mounted inside cannot go into the image");
	rc = check_name(w, name, &st, &skip);
	if (rc < 0 || skip)
		return rc;
	rc = check_limits(w, &st);
	if (rc < 0)
		return rc;
	note_ctime(w->facts, &st.stx_ctime);
	rc = w->visit(w, dir, name, &st);
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.stx_mode) && strings_push(&w->dirs, w->dir, name) < 0)
		return walk_fail(w, -ENOMEM, "remember", name);
	return 0;
}

static int walk_dir(struct walk *w)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	_autoclose_ int dir = -1;
	struct strings names = { 0 };
	const char **sorted = NULL;
	size_t count = 0;
	int rc;

	dir = (int)syscall(SYS_openat2, w->root, *w->dir ? w->dir : ".", &how, sizeof(how));
	if (dir < 0 && errno == EXDEV)
		return walk_refuse(w, -EXDEV, "", "is a mount point: what is mounted inside "
				   "cannot go into the image");
	if (dir < 0)
		return walk_fail(w, -errno, "open", "");

	rc = read_names(dir, &names, w->buf, w->limits->max_files);
	if (rc == -E2BIG)
		rc = err_say(w->e, rc, "more than %llu files",
			     (unsigned long long)w->limits->max_files);
	else if (rc < 0)
		rc = walk_fail(w, rc, "read", "");
	else if (!(sorted = sort_strings(&names, &count)))
		rc = walk_fail(w, -ENOMEM, "sort", "");
	sha256_update(&w->hash, strlen(w->dir) + 1, (const uint8_t *)w->dir);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = walk_entry(w, dir, sorted[i]);
	free(sorted);
	free(names.bytes);
	return rc;
}

/* Hash the xattrs of the file at @path (a link of /proc/self/fd). */
static int hash_xattrs(struct walk *w, const char *path, const char *name)
{
	static const char *const kept[] = { "user.", "trusted.", "security.",
					    "system.posix_acl_access", "system.posix_acl_default" };
	struct strings names = { .bytes = w->xnames };
	_autofree_ const char **sorted = NULL;
	ssize_t n = listxattr(path, w->xnames, XATTR_SIZE);
	size_t count = 0;
	uint64_t head;

	if (n < 0 && errno != EOPNOTSUPP)
		return walk_fail(w, -errno, "list xattrs of", name);
	names.len = n < 0 ? 0 : (size_t)n;
	sorted = sort_strings(&names, &count);
	if (!sorted)
		return walk_fail(w, -ENOMEM, "list xattrs of", name);

	head = count;
	sha256_update(&w->hash, sizeof(head), (const uint8_t *)&head);
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < 5 && strncmp(sorted[i], kept[k], strlen(kept[k])))
			k++;
		if (k == 5)
			return walk_refuse(w, -EOPNOTSUPP, name,
					   "has an extended attribute that EROFS cannot store");
		w->facts->trusted |= k == 1;
		n = getxattr(path, sorted[i], w->xvalue, XATTR_SIZE);
		if (n < 0)
			return walk_fail(w, errno == ENODATA ? -ENOENT : -errno,
					 "read an xattr of", name);
		head = (uint64_t)n;
		sha256_update(&w->hash, strlen(sorted[i]) + 1, (const uint8_t *)sorted[i]);
		sha256_update(&w->hash, sizeof(head), (const uint8_t *)&head);
		sha256_update(&w->hash, (size_t)n, (const uint8_t *)w->xvalue);
	}
	return 0;
}

/* The root: mode, owner and xattrs, and nothing that differs from one overlay mount to the next. */
static int hash_root(struct walk *w)
{
	uint32_t head[3];
	char path[64];
	struct stat st;

	if (fstat(w->root, &st) < 0)
		return walk_fail(w, -errno, "stat", "");
	if (!S_ISDIR(st.st_mode))
		return err_set(w->e, -ENOTDIR, "root");
	head[0] = st.st_mode;
	head[1] = st.st_uid;
	head[2] = st.st_gid;
	sha256_update(&w->hash, sizeof(head), (const uint8_t *)head);
	w->facts->files = 1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->root);
	return hash_xattrs(w, path, "");
}

static int walk_run(struct walk *w)
{
	struct statfs fs;
	int rc;

	memset(w->facts, 0, sizeof(*w->facts));
	w->dir = "";
	if (fstatfs(w->root, &fs) < 0)
		return walk_fail(w, -errno, "stat file system of", "");
	w->overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	rc = hash_root(w);
	if (rc == 0 && strings_push(&w->dirs, "", "") < 0)
		rc = walk_fail(w, -ENOMEM, "remember", "");
	while (rc == 0 && w->dirs.len > 0) {
		char path[TREE_PATH_MAX + 1];

		strcpy(path, strings_pop(&w->dirs));
		w->dir = path;
		rc = walk_dir(w);
		w->dir = "";
	}
	return rc;
}

static int walk(struct walk *w, const char *domain)
{
	uint8_t sum[SHA256_DIGEST_SIZE];
	int rc;

	sha256_init(&w->hash);
	sha256_update(&w->hash, strlen(domain) + 1, (const uint8_t *)domain);
	w->buf = malloc(READ_SIZE);
	w->xnames = malloc(XATTR_SIZE);
	w->xvalue = malloc(XATTR_SIZE);
	rc = w->buf && w->xnames && w->xvalue ? walk_run(w)
					      : err_set(w->e, -ENOMEM, "walk the tree");
	sha256_digest(&w->hash, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(w->facts->hash + 2 * i, "%02x", sum[i]);
	tdestroy(w->links, free);
	free(w->dirs.bytes);
	free(w->buf);
	free(w->xnames);
	free(w->xvalue);
	return rc;
}

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

static int visit_fingerprint(struct walk *w, int dir, const char *name, const struct statx *st)
{
	bool is_dir = S_ISDIR(st->stx_mode);
	struct print p = {
		.ino = is_dir ? 0 : st->stx_ino,
		.size = is_dir ? 0 : st->stx_size,
		.dev = w->overlay ? 0 : makedev(st->stx_dev_major, st->stx_dev_minor),
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

int tree_fingerprint(int root, const struct image_limits *limits, struct tree_facts *facts,
		     struct err *e)
{
	struct walk w = { .root = root, .limits = limits, .facts = facts, .e = e,
			  .visit = visit_fingerprint };

	return walk(&w, "runnc image fingerprint 1");
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

/* The number of the entry of which this one is another link, 0 if it is the first; -ENOMEM. */
static int64_t find_link(struct walk *w, const struct statx *st)
{
	struct link *new, **found;

	if (st->stx_nlink < 2 || S_ISDIR(st->stx_mode))
		return 0;
	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	new->ino = st->stx_ino;
	new->file = w->facts->files;
	found = tsearch(new, &w->links, compare_links);
	if (found && *found == new)
		return 0;
	free(new);
	return found ? (int64_t)(*found)->file : -ENOMEM;
}

static int hash_contents(struct walk *w, const char *path, const char *name, uint64_t size)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint64_t done = 0;
	ssize_t n;

	if (fd < 0)
		return walk_fail(w, -errno, "open", name);
	while ((n = read(fd, w->buf, READ_SIZE)) > 0) {
		sha256_update(&w->hash, (size_t)n, (const uint8_t *)w->buf);
		done += (uint64_t)n;
		if (done > size)
			break;
	}
	if (n < 0)
		return walk_fail(w, -errno, "read", name);
	return done == size ? 0 : walk_fail(w, -ESTALE, "read", name);
}

static int hash_target(struct walk *w, int fd, const char *name, uint64_t size)
{
	ssize_t n = readlinkat(fd, "", w->buf, READ_SIZE);

	if (n < 0)
		return walk_fail(w, -errno, "read link", name);
	if ((uint64_t)n != size)
		return walk_fail(w, -ESTALE, "read link", name);
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

static int visit_digest(struct walk *w, int dir, const char *name, const struct statx *st)
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
		return walk_fail(w, (int)first, "remember", name);
	sha256_update(&w->hash, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(&w->hash, sizeof(r), (const uint8_t *)&r);
	if (first > 0)
		return 0;

	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return walk_fail(w, -errno, "open", name);
	if (now.st_ino != st->stx_ino || now.st_mode != st->stx_mode)
		return walk_fail(w, -ESTALE, "open", name);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = hash_xattrs(w, path, name);
	if (rc == 0 && S_ISREG(st->stx_mode))
		rc = hash_contents(w, path, name, st->stx_size);
	else if (rc == 0 && S_ISLNK(st->stx_mode))
		rc = hash_target(w, fd, name, st->stx_size);
	return rc;
}

int tree_digest(int root, const struct image_limits *limits, struct tree_facts *facts,
		struct err *e)
{
	struct walk w = { .root = root, .limits = limits, .facts = facts, .e = e,
			  .visit = visit_digest };

	return walk(&w, "runnc image 1: erofs, flat, extended inodes, xattrs inline");
}
