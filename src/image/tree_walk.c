/* SPDX-License-Identifier: GPL-2.0-only */
/* Trees: one directory: its names in order, what may be in it, and what each entry is. */
#include "image/tree_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

/* The path of @name in the directory being read, as one line for the user. */
static const char *walk_show(const struct tree_walk *w, const char *name, char show[256])
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

int tree_walk_fail(struct tree_walk *w, int code, const char *what, const char *name)
{
	char show[256];

	/* What was there a moment ago is gone or something else: the tree is being changed. */
	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP || code == -ESTALE)
		return err_say(&w->e, -EAGAIN, "'%s' changes while it is read",
			       walk_show(w, name, show));
	return err_set(&w->e, code, "%s '%s'", what, walk_show(w, name, show));
}

int tree_walk_refuse(struct tree_walk *w, int code, const char *name, const char *why)
{
	char show[256];

	return err_say(&w->e, code, "'%s' %s", walk_show(w, name, show), why);
}

static int strings_push(struct tree_strings *s, const char *name)
{
	size_t need = strlen(name) + 1;

	if (s->size - s->len < need) {
		size_t size = s->size * 2 + need + 4096;
		char *bytes = realloc(s->bytes, size);

		if (!bytes)
			return -ENOMEM;
		s->bytes = bytes;
		s->size = size;
	}
	memcpy(s->bytes + s->len, name, need);
	s->len += need;
	return 0;
}

/* The names in directory @dir, into @names. */
static int read_names(int dir, struct tree_strings *names, char *buf, uint64_t max)
{
	uint64_t count = 0;
	ssize_t n;

	while ((n = syscall(SYS_getdents64, dir, buf, TREE_READ_SIZE)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buf + at);

			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (++count > max)
				return -E2BIG;
			if (strings_push(names, d->d_name) < 0)
				return -ENOMEM;
		}
	}
	return n < 0 ? -errno : 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char **tree_strings_sort(const struct tree_strings *s, size_t *count)
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
static int check_name(struct tree_walk *w, const char *name, const struct statx *st, bool *skip)
{
	*skip = false;
	if (strlen(name) > 254)
		return tree_walk_refuse(w, -ENAMETOOLONG, name,
					"has a name of more than 254 bytes, which mkfs.erofs cannot"
					" store");
	if (!strncmp(name, "lost+found", 10)) {
		if (*w->dir || name[10] || !S_ISDIR(st->stx_mode))
			return tree_walk_refuse(w, -EINVAL, name,
						"has a name which mkfs.erofs leaves out");
		*skip = true;
	}
	if (strlen(w->dir) + strlen(name) + 1 > TREE_PATH_MAX)
		return tree_walk_refuse(w, -ENAMETOOLONG, name, "has too long a path");
	return 0;
}

int tree_walk_totals(struct tree_walk *w, const struct tree_facts *f)
{
	if (f->files > w->limits->max_files)
		return err_say(&w->e, -E2BIG, "more than %llu files",
			       (unsigned long long)w->limits->max_files);
	if (f->bytes > w->limits->max_bytes)
		return err_say(&w->e, -E2BIG, "more than %llu bytes of files",
			       (unsigned long long)w->limits->max_bytes);
	return 0;
}

static int check_limits(struct tree_walk *w, const struct statx *st)
{
	struct tree_facts *f = &w->facts;

	f->files++;
	if (S_ISREG(st->stx_mode) && __builtin_add_overflow(f->bytes, st->stx_size, &f->bytes))
		f->bytes = UINT64_MAX;
	return tree_walk_totals(w, f);
}

void tree_note_ctime(struct tree_facts *f, const struct statx_timestamp *t)
{
	if (t->tv_sec > f->newest.tv_sec ||
	    (t->tv_sec == f->newest.tv_sec && (long)t->tv_nsec > f->newest.tv_nsec)) {
		f->newest.tv_sec = t->tv_sec;
		f->newest.tv_nsec = (long)t->tv_nsec;
	}
	f->fine |= t->tv_nsec != 0;
}

static int walk_later(struct tree_walk *w, const char *name, const struct statx *st)
{
	const struct names *known = w->pool->known;
	struct tree_todo todo = { .stamp = names_stamp(st) };

	todo.path = *w->dir ? path_join(w->dir, name) : strdup(name);
	if (todo.path && known)
		todo.known = names_find(known, todo.path, &todo.stamp);
	return tree_todos_push(&w->found, &todo) < 0 ?
	       tree_walk_fail(w, -ENOMEM, "remember", name) : 0;
}

/* Entry @name of the directory in hand, which is @path from @dir. */
static int walk_entry(struct tree_walk *w, int dir, const char *path, const char *name)
{
	struct statx st;
	bool skip;
	int rc;

	if (statx(dir, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) < 0)
		return tree_walk_fail(w, -errno, "stat", name);
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return tree_walk_refuse(w, -EXDEV, name,
					"is a mount point: what is mounted inside cannot go into"
					" the image");
	rc = check_name(w, name, &st, &skip);
	if (rc < 0 || skip)
		return rc;
	rc = check_limits(w, &st);
	if (rc < 0)
		return rc;
	tree_note_ctime(&w->facts, &st.stx_ctime);
	rc = w->pool->visit(w, dir, name, &st);
	if (rc < 0 || !S_ISDIR(st.stx_mode))
		return rc;
	return walk_later(w, name, &st);
}

static int begin_dir(struct tree_walk *w)
{
	sha256_init(&w->hash);
	sha256_update(&w->hash, strlen(w->dir) + 1, (const uint8_t *)w->dir);
	return *w->dir ? 0 : tree_hash_root(w);
}

/*
 * A directory that is as it was when its names were noted. Its entries are looked at by their
 * paths: who exchanges a directory above them this very moment shows us another tree's inodes and
 * times, which match no fingerprint; nothing is opened.
 */
int tree_walk_known(struct tree_walk *w, const struct names_dir *known)
{
	char path[TREE_PATH_MAX + NAME_MAX + 2];
	size_t dir_len = strlen(w->dir);
	int rc = begin_dir(w);

	memcpy(path, w->dir, dir_len);
	if (dir_len)
		path[dir_len++] = '/';
	for (size_t i = 0; i < known->len && rc == 0;) {
		const char *name = known->names + i;
		size_t size = strlen(name) + 1;

		if (size > NAME_MAX + 1)
			return tree_walk_fail(w, -ENAMETOOLONG, "look up", name);
		memcpy(path + dir_len, name, size);
		rc = walk_entry(w, w->pool->root, path, name);
		i += size;
	}
	return rc;
}

int tree_walk_dir(struct tree_walk *w, const struct names_stamp *stamp)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	_autoclose_ int dir = -1;
	struct tree_strings names = { 0 };
	const char **sorted = NULL;
	size_t count = 0;
	int rc;

	dir = (int)syscall(SYS_openat2, w->pool->root, *w->dir ? w->dir : ".", &how, sizeof(how));
	if (dir < 0 && errno == EXDEV)
		return tree_walk_refuse(w, -EXDEV, "", "is a mount point: what is mounted inside "
					"cannot go into the image");
	if (dir < 0)
		return tree_walk_fail(w, -errno, "open", "");

	rc = read_names(dir, &names, w->buf, w->limits->max_files);
	if (rc == -E2BIG)
		rc = err_say(&w->e, rc, "more than %llu files",
			     (unsigned long long)w->limits->max_files);
	else if (rc < 0)
		rc = tree_walk_fail(w, rc, "read", "");
	else if (!(sorted = tree_strings_sort(&names, &count)))
		rc = tree_walk_fail(w, -ENOMEM, "sort", "");
	if (rc == 0)
		rc = begin_dir(w);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = walk_entry(w, dir, sorted[i], sorted[i]);
	if (rc == 0 && w->pool->read)
		names_add(&w->names, w->dir, stamp, sorted, count);
	free(sorted);
	free(names.bytes);
	return rc;
}
