/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees: the walk, the fingerprint and the digest.
 *
 * The paths of directories still to be read are kept in a stack, from which walkers take one at a
 * time and hold only that open: depth costs neither descriptors nor stack. Each directory gives a
 * hash over its path and its entries in the order of their names' bytes; the tree's is that over
 * all of them, sorted. So neither the file system's order nor the walkers' goes into it.
 *
 * The fingerprint is most of what a start from the cache costs (some 2.5 us of the kernel's time
 * for each file), so a tree with many directories has up to WALKERS threads. They have all
 * signals blocked and are gone when the function returns. The digest has one walker: links are
 * numbered as they come.
 */
#include "image/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

#define READ_SIZE	(128u << 10)
#define XATTR_SIZE	(64u << 10)	/* XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel */
#define WALKERS		4
/* directories waiting, before more walkers are worth their start */
#define WALKERS_FROM	32

/* A file with several links: found again by device and inode. */
struct link {
	uint64_t dev, ino;
	uint64_t file;			/* number of the entry that was seen first, from 1 */
};

struct walk;

struct strings {
	char *bytes;			/* NUL-terminated, one after the other */
	size_t len, size;
};

struct sums {
	uint8_t (*sum)[SHA256_DIGEST_SIZE];
	size_t count, room;
};

/* A directory that is still to be read. */
struct todo {
	char *path;			/* from the root, "" for the root; owned */
	struct names_stamp stamp;	/* when it was looked at */
	const struct names_dir *known;	/* what is in it; NULL: it must be read */
};

struct todos {
	struct todo *todo;
	size_t count, room;
};

/* What the walkers of one tree share; everything below @lock under that lock. */
struct pool {
	int root;
	const struct image_limits *limits;
	bool overlay;
	const struct names *known;	/* or NULL: read all directories */
	struct buf *read;		/* names that were read, or NULL */
	int (*visit)(struct walk *w, int dir, const char *name, const struct statx *st);
	unsigned int walkers;		/* at most */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct todos dirs;		/* a stack */
	unsigned int busy;		/* walkers with a directory in hand */
	unsigned int started;
	struct sums sums;
	struct tree_facts facts;
	int rc;				/* the first failure, and its message */
	struct err e;
};

struct walk {
	struct pool *pool;
	const struct image_limits *limits;
	/* of the directory in hand; of all so far with one walker */
	struct tree_facts facts;
	struct err e;
	struct sha256_ctx hash;
	struct todos found;		/* directories in the one in hand */
	struct buf names;		/* of the one in hand, for pool->read */
	const char *dir;		/* path of the one in hand, "" for the root */
	void *links;			/* tsearch() tree of struct link */
	char *buf;			/* READ_SIZE */
	char *xnames, *xvalue;		/* XATTR_SIZE each */
	pthread_t thread;
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
		return err_say(&w->e, -EAGAIN, "'%s' changes while it is read",
			       walk_show(w, name, show));
	return err_set(&w->e, code, "%s '%s'", what, walk_show(w, name, show));
}

static int walk_refuse(struct walk *w, int code, const char *name, const char *why)
{
	char show[256];

	return err_say(&w->e, code, "'%s' %s", walk_show(w, name, show), why);
}

static int strings_push(struct strings *s, const char *name)
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

/* Takes todo->path, also on failure. */
static int todos_push(struct todos *t, const struct todo *todo)
{
	if (todo->path && t->count == t->room) {
		struct todo *grown = reallocarray(t->todo, t->room * 2 + 64, sizeof(*grown));

		if (!grown) {
			free(todo->path);
			return -ENOMEM;
		}
		t->todo = grown;
		t->room = t->room * 2 + 64;
	}
	if (!todo->path)
		return -ENOMEM;
	t->todo[t->count++] = *todo;
	return 0;
}

static void todos_free(struct todos *t)
{
	while (t->count > 0)
		free(t->todo[--t->count].path);
	free(t->todo);
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
				   "has a name of more than 254 bytes, which mkfs.erofs cannot"
				   " store");
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

/* All that has been seen so far is within the limits. */
static int check_totals(struct walk *w, const struct tree_facts *f)
{
	if (f->files > w->limits->max_files)
		return err_say(&w->e, -E2BIG, "more than %llu files",
			       (unsigned long long)w->limits->max_files);
	if (f->bytes > w->limits->max_bytes)
		return err_say(&w->e, -E2BIG, "more than %llu bytes of files",
			       (unsigned long long)w->limits->max_bytes);
	return 0;
}

static int check_limits(struct walk *w, const struct statx *st)
{
	struct tree_facts *f = &w->facts;

	f->files++;
	if (S_ISREG(st->stx_mode) && __builtin_add_overflow(f->bytes, st->stx_size, &f->bytes))
		f->bytes = UINT64_MAX;
	return check_totals(w, f);
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

static int walk_later(struct walk *w, const char *name, const struct statx *st)
{
	const struct names *known = w->pool->known;
	struct todo todo = { .stamp = names_stamp(st) };

	todo.path = *w->dir ? path_join(w->dir, name) : strdup(name);
	if (todo.path && known)
		todo.known = names_find(known, todo.path, &todo.stamp);
	return todos_push(&w->found, &todo) < 0 ? walk_fail(w, -ENOMEM, "remember", name) : 0;
}

/* Entry @name of the directory in hand, which is @path from @dir. */
static int walk_entry(struct walk *w, int dir, const char *path, const char *name)
{
	struct statx st;
	bool skip;
	int rc;

	if (statx(dir, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) < 0)
		return walk_fail(w, -errno, "stat", name);
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return walk_refuse(w, -EXDEV, name,
				   "is a mount point: what is mounted inside cannot go into the"
				   " image");
	rc = check_name(w, name, &st, &skip);
	if (rc < 0 || skip)
		return rc;
	rc = check_limits(w, &st);
	if (rc < 0)
		return rc;
	note_ctime(&w->facts, &st.stx_ctime);
	rc = w->pool->visit(w, dir, name, &st);
	if (rc < 0 || !S_ISDIR(st.stx_mode))
		return rc;
	return walk_later(w, name, &st);
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
		w->facts.trusted |= k == 1;
		n = getxattr(path, sorted[i], w->xvalue, XATTR_SIZE);
		if (n < 0)
			return walk_fail(w, errno == ENODATA ? -ENOENT : -errno,
					 "read an xattr of", name);
		w->facts.refers |= refers_elsewhere(sorted[i], w->xvalue, (size_t)n);
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

	if (fstat(w->pool->root, &st) < 0)
		return walk_fail(w, -errno, "stat", "");
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

static int begin_dir(struct walk *w)
{
	sha256_init(&w->hash);
	sha256_update(&w->hash, strlen(w->dir) + 1, (const uint8_t *)w->dir);
	return *w->dir ? 0 : hash_root(w);
}

/*
 * A directory that is as it was when its names were noted. Its entries are looked at by their
 * paths: who exchanges a directory above them this very moment shows us another tree's inodes and
 * times, which match no fingerprint; nothing is opened.
 */
static int walk_known(struct walk *w, const struct names_dir *known)
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
			return walk_fail(w, -ENAMETOOLONG, "look up", name);
		memcpy(path + dir_len, name, size);
		rc = walk_entry(w, w->pool->root, path, name);
		i += size;
	}
	return rc;
}

static int walk_dir(struct walk *w, const struct names_stamp *stamp)
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

	dir = (int)syscall(SYS_openat2, w->pool->root, *w->dir ? w->dir : ".", &how, sizeof(how));
	if (dir < 0 && errno == EXDEV)
		return walk_refuse(w, -EXDEV, "", "is a mount point: what is mounted inside "
				   "cannot go into the image");
	if (dir < 0)
		return walk_fail(w, -errno, "open", "");

	rc = read_names(dir, &names, w->buf, w->limits->max_files);
	if (rc == -E2BIG)
		rc = err_say(&w->e, rc, "more than %llu files",
			     (unsigned long long)w->limits->max_files);
	else if (rc < 0)
		rc = walk_fail(w, rc, "read", "");
	else if (!(sorted = sort_strings(&names, &count)))
		rc = walk_fail(w, -ENOMEM, "sort", "");
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

static void note_facts(struct tree_facts *all, const struct tree_facts *f)
{
	const struct statx_timestamp newest = { .tv_sec = f->newest.tv_sec,
						.tv_nsec = (uint32_t)f->newest.tv_nsec };

	all->files += f->files;
	if (__builtin_add_overflow(all->bytes, f->bytes, &all->bytes))
		all->bytes = UINT64_MAX;
	all->trusted |= f->trusted;
	all->refers |= f->refers;
	note_ctime(all, &newest);
	all->fine |= f->fine;
}

static int add_sum(struct sums *s, struct sha256_ctx *hash)
{
	if (s->count == s->room) {
		void *more = reallocarray(s->sum, s->room * 2 + 256, sizeof(*s->sum));

		if (!more)
			return -ENOMEM;
		s->sum = more;
		s->room = s->room * 2 + 256;
	}
	sha256_digest(hash, SHA256_DIGEST_SIZE, s->sum[s->count++]);
	return 0;
}

/* Hand in the directory that @w has read. Under the pool's lock. */
static void hand_in(struct walk *w, struct pool *p, int rc)
{
	/* In this order: by the order in which directories are read, links have their numbers. */
	for (size_t i = 0; i < w->found.count; i++)
		if (todos_push(&p->dirs, &w->found.todo[i]) < 0 && rc == 0)
			rc = walk_fail(w, -ENOMEM, "remember", "");
	w->found.count = 0;
	if (p->read && w->names.len > 0)
		buf_add(p->read, w->names.data, w->names.len);
	if (p->read && buf_error(&w->names))
		p->read->error = buf_error(&w->names);
	w->names.len = 0;
	if (rc == 0 && add_sum(&p->sums, &w->hash) < 0)
		rc = walk_fail(w, -ENOMEM, "remember", "");
	if (p->walkers == 1) {
		p->facts = w->facts;
	} else {
		note_facts(&p->facts, &w->facts);
		memset(&w->facts, 0, sizeof(w->facts));
	}
	if (rc == 0)
		rc = check_totals(w, &p->facts);
	if (rc < 0 && p->rc == 0) {
		p->rc = rc;
		p->e = w->e;
	}
}

static void start_walkers(struct walk *first, struct pool *p);

/* Take directories until there are none and nobody can find more, or somebody has failed. */
static void walk_all(struct walk *w)
{
	struct pool *p = w->pool;

	pthread_mutex_lock(&p->lock);
	while (p->rc == 0 && (p->dirs.count > 0 || p->busy > 0)) {
		struct todo now;
		int rc;

		if (p->dirs.count == 0) {
			pthread_cond_wait(&p->changed, &p->lock);
			continue;
		}
		now = p->dirs.todo[--p->dirs.count];
		p->busy++;
		if (p->started == 1 && p->walkers > 1 && p->dirs.count >= WALKERS_FROM)
			start_walkers(w, p);
		pthread_mutex_unlock(&p->lock);
		w->dir = now.path;
		rc = now.known ? walk_known(w, now.known) : walk_dir(w, &now.stamp);
		pthread_mutex_lock(&p->lock);
		hand_in(w, p, rc);
		p->busy--;
		w->dir = "";
		free(now.path);
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
}

static void *walk_thread(void *arg)
{
	walk_all(arg);
	return NULL;
}

static int walk_init(struct walk *w, struct pool *p)
{
	w->pool = p;
	w->limits = p->limits;
	w->dir = "";
	w->names = (struct buf)BUF_INIT(NAMES_MAX_SIZE);
	w->buf = malloc(READ_SIZE);
	w->xnames = malloc(XATTR_SIZE);
	w->xvalue = malloc(XATTR_SIZE);
	return w->buf && w->xnames && w->xvalue ? 0 : -ENOMEM;
}

static void walk_free(struct walk *w)
{
	tdestroy(w->links, free);
	todos_free(&w->found);
	buf_free(&w->names);
	free(w->buf);
	free(w->xnames);
	free(w->xvalue);
}

/* Fewer than wanted will do. @first is the first of an array of WALKERS. */
static void start_walkers(struct walk *first, struct pool *p)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->started < p->walkers) {
		struct walk *w = &first[p->started];

		if (walk_init(w, p) < 0 || pthread_create(&w->thread, NULL, walk_thread, w) != 0) {
			walk_free(w);
			p->walkers = p->started;	/* do not try again */
			break;
		}
		p->started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int compare_sums(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_DIGEST_SIZE);
}

static void sum_up(struct pool *p, const char *domain)
{
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;

	qsort(p->sums.sum, p->sums.count, sizeof(*p->sums.sum), compare_sums);
	sha256_init(&hash);
	sha256_update(&hash, strlen(domain) + 1, (const uint8_t *)domain);
	sha256_update(&hash, p->sums.count * sizeof(*p->sums.sum), p->sums.sum[0]);
	sha256_digest(&hash, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(p->facts.hash + 2 * i, "%02x", sum[i]);
}

static unsigned int walkers_here(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n > WALKERS ? WALKERS : n < 1 ? 1 : (unsigned int)n;
}

static int push_root(struct pool *p)
{
	struct todo todo = { .path = strdup("") };
	struct statx st;

	if (statx(p->root, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0) {
		free(todo.path);
		p->rc = err_set(&p->e, -errno, "stat the root directory");
		return p->rc;
	}
	todo.stamp = names_stamp(&st);
	if (p->known)
		todo.known = names_find(p->known, "", &todo.stamp);
	if (todos_push(&p->dirs, &todo) < 0)
		p->rc = err_set(&p->e, -ENOMEM, "walk the tree");
	return p->rc;
}

static int walk(struct pool *p, const char *domain, struct tree_facts *facts, struct err *e)
{
	struct walk w[WALKERS] = { 0 };
	struct statfs fs;

	if (fstatfs(p->root, &fs) < 0)
		return err_set(e, -errno, "stat the file system of the root directory");
	p->overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	if (!names_can_be_kept(fs.f_type)) {
		p->known = NULL;
		p->read = NULL;
	}
	if (p->read)
		names_begin(p->read);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->started = 1;
	if (walk_init(&w[0], p) < 0)
		p->rc = err_set(&p->e, -ENOMEM, "walk the tree");
	else if (push_root(p) == 0)
		walk_all(&w[0]);
	for (unsigned int i = 1; i < p->started; i++)
		pthread_join(w[i].thread, NULL);
	for (unsigned int i = 0; i < p->started; i++)
		walk_free(&w[i]);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);

	if (p->rc == 0)
		sum_up(p, domain);
	else
		*e = p->e;
	*facts = p->facts;
	todos_free(&p->dirs);
	free(p->sums.sum);
	return p->rc;
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

int tree_fingerprint_by_names(int root, const struct image_limits *limits,
			      const struct names *known, struct buf *read,
			      struct tree_facts *facts, struct err *e)
{
	struct pool p = { .root = root, .limits = limits, .visit = visit_fingerprint,
			  .walkers = walkers_here(), .known = known, .read = read };

	return walk(&p, "runnc image fingerprint 1", facts, e);
}

int tree_fingerprint(int root, const struct image_limits *limits, struct tree_facts *facts,
		     struct err *e)
{
	return tree_fingerprint_by_names(root, limits, NULL, NULL, facts, e);
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
	new->file = w->facts.files;
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
	struct pool p = { .root = root, .limits = limits, .visit = visit_digest, .walkers = 1 };

	return walk(&p, "runnc image 1: erofs, flat, extended inodes, xattrs inline", facts, e);
}
