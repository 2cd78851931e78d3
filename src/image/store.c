/* SPDX-License-Identifier: GPL-2.0-only */
/* The store: the image cache's directory, its locks and names. */
#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "image/erofs.h"
#include "image/names.h"
#include "image/tree.h"

#define FORGET_SEC	(30 * 86400)	/* image_prune(): fingerprints older than that */

void store_close(struct store *c)
{
	free(c->path);
	free(c->mount_point);
	fd_close(&c->image);
	fd_close(&c->tree);
	fd_close(&c->tmp);
	fd_close(&c->names);
}

static int open_folder(const struct store *c, int dir, const char *name, bool make, int *fd,
		       struct err *e)
{
	if (make && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make '%s/%s'", c->path, name);
	*fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return err_set(e, -errno, "open '%s/%s'", c->path, name);
	return 0;
}

/* Open the cache, making what is missing if @make. -ENOENT if it is not there. */
int store_open(const char *path, bool make, struct store *c, struct err *e)
{
	_autoclose_ int dir = -1, mnt = -1;
	struct stat st;
	int rc;

	path = path ? path : IMAGE_CACHE_DIR;
	if (make) {
		rc = path_make_dirs(path, 0755, e);
		if (rc < 0)
			return rc;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, -errno, "open '%s'", path);
	if (fstat(dir, &st) < 0)
		return err_set(e, -errno, "stat '%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_say(e, -EPERM, "'%s' belongs to somebody else or can be written by"
					  " others",
			       path);
	c->path = realpath(path, NULL);
	if (!c->path)
		return err_set(e, -errno, "resolve '%s'", path);
	c->mount_point = path_join(c->path, "mnt");
	if (!c->mount_point)
		return err_set(e, -ENOMEM, "open '%s'", path);
	if (strlen(c->mount_point) + 2 + TREE_PATH_MAX > PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "cache '%s'", path);
	rc = open_folder(c, dir, "image", make, &c->image, e);
	if (rc == 0)
		rc = open_folder(c, dir, "tree", make, &c->tree, e);
	if (rc == 0)
		rc = open_folder(c, dir, "tmp", make, &c->tmp, e);
	if (rc == 0)
		rc = open_folder(c, dir, "names", make, &c->names, e);
	if (rc == -ENOENT && !make && c->tmp >= 0)
		rc = 0;
	if (rc == 0 && make)
		rc = open_folder(c, dir, "mnt", make, &mnt, e);
	return rc;
}

static bool is_digest(const char *s)
{
	return strlen(s) == IMAGE_DIGEST_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == IMAGE_DIGEST_SIZE - 1;
}

bool store_recall(const struct store *c, const char *name, char digest[IMAGE_DIGEST_SIZE])
{
	char target[IMAGE_DIGEST_SIZE + 1];
	ssize_t n = readlinkat(c->tree, name, target, sizeof(target));

	if (n != IMAGE_DIGEST_SIZE - 1)
		return false;
	target[n] = '\0';
	if (!is_digest(target))
		return false;
	strcpy(digest, target);
	return true;
}

int store_remember(const struct store *c, const char *name, const char *digest, struct err *e)
{
	char temp[32];

	snprintf(temp, sizeof(temp), "link-%d", getpid());
	if (unlinkat(c->tmp, temp, 0) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove '%s/tmp/%s'", c->path, temp);
	if (symlinkat(digest, c->tmp, temp) < 0)
		return err_set(e, -errno, "make '%s/tmp/%s'", c->path, temp);
	if (renameat(c->tmp, temp, c->tree, name) < 0) {
		int rc = -errno;

		unlinkat(c->tmp, temp, 0);
		return err_set(e, rc, "make '%s/tree/%s'", c->path, name);
	}
	return 0;
}

void store_keep_names(const struct store *c, const char *name, const void *data, size_t len)
{
	struct err e = ERR_INIT;

	/* Not on disk before its time: a record that a crash cut off is not one (names_parse()). */
	if (c->names >= 0 && io_write_atomic(c->names, name, data, len, 0600, &e) < 0)
		log_debug("image cache: %s", e.text);
}

void store_get_names(const struct store *c, const char *name, char **data, size_t *len)
{
	struct err e = ERR_INIT;

	*data = NULL;
	if (c->names < 0 || io_read_file(c->names, name, NAMES_MAX_SIZE, data, len, &e) < 0)
		*data = NULL;
}

static int lock(int fd, int how)
{
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* True if @name in @dir is still the file that is open at @fd. */
bool store_has_name(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Open image @digest and hold it by a shared lock. Returns 0, or IMAGE_ABSENT; a file that is not
 * a whole image is as good as absent, and will be replaced by rename().
 */
int store_open_image(const struct store *c, const char *digest, int *fd, uint64_t *size,
		      struct err *e)
{
	for (;;) {
		_autoclose_ int image = openat(c->image, digest, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		struct err why = ERR_INIT;
		struct stat st;
		int rc;

		if (image < 0 && (errno == ENOENT || errno == ELOOP))
			return IMAGE_ABSENT;
		if (image < 0)
			return err_set(e, -errno, "open '%s/image/%s'", c->path, digest);
		rc = lock(image, LOCK_SH);
		if (rc < 0)
			return err_set(e, rc, "lock '%s/image/%s'", c->path, digest);
		/* Removed by image_prune() before we had the lock. */
		if (!store_has_name(image, c->image, digest))
			continue;
		if (erofs_check(image, false, &why) < 0)
			return IMAGE_ABSENT;
		if (fstat(image, &st) < 0)
			return err_set(e, -errno, "stat '%s/image/%s'", c->path, digest);
		*size = (uint64_t)st.st_size;
		*fd = take_fd(&image);
		return 0;
	}
}

/* Open tmp/@name, made if missing, and lock it alone, waiting for whoever has it. */
int store_lock_temp(const struct store *c, const char *name, int *fd, struct err *e)
{
	for (;;) {
		_autoclose_ int file = openat(c->tmp, name,
					      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int rc;

		if (file < 0)
			return err_set(e, -errno, "open '%s/tmp/%s'", c->path, name);
		rc = lock(file, LOCK_EX);
		if (rc < 0)
			return err_set(e, rc, "lock '%s/tmp/%s'", c->path, name);
		if (store_has_name(file, c->tmp, name)) {
			*fd = take_fd(&file);
			return 0;
		}
	}
}

int store_open_nameless(const struct store *c, int *out, int *image, struct err *e)
{
	_autoclose_ int writer = -1, reader = -1;
	char temp[32];
	int rc;

	snprintf(temp, sizeof(temp), "own-%d", getpid());
	/* Locked as long as it has a name: a sweep leaves it alone. */
	rc = store_lock_temp(c, temp, &writer, e);
	if (rc < 0)
		return rc;
	reader = openat(c->tmp, temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (reader < 0)
		rc = err_set(e, -errno, "open '%s/tmp/%s'", c->path, temp);
	if (unlinkat(c->tmp, temp, 0) < 0 && rc == 0)
		rc = err_set(e, -errno, "remove '%s/tmp/%s'", c->path, temp);
	if (rc < 0)
		return rc;
	*out = take_fd(&writer);
	*image = take_fd(&reader);
	return 0;
}

static DIR *read_folder(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir)
		fd_close(&copy);
	return dir;
}

/*
 * Remove from tmp/ what killed builders left: what nobody has locked, and links (never old for
 * long).
 */
int store_sweep(const struct store *c, struct err *e)
{
	DIR *dir = read_folder(c->tmp);
	const struct dirent *d;

	if (!dir)
		return err_set(e, -errno, "read '%s/tmp'", c->path);
	while ((d = readdir(dir))) {
		_autoclose_ int file = -1;
		struct stat st;

		if (d->d_name[0] == '.' || fstatat(c->tmp, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISLNK(st.st_mode)) {
			if (time(NULL) - st.st_mtime > 60)
				unlinkat(c->tmp, d->d_name, 0);
			continue;
		}
		file = openat(c->tmp, d->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 &&
		    store_has_name(file, c->tmp, d->d_name))
			unlinkat(c->tmp, d->d_name, 0);
	}
	closedir(dir);
	return 0;
}


/* An image, as image_prune() sees it. */
struct stored {
	char digest[IMAGE_DIGEST_SIZE];
	struct timespec used;
	uint64_t bytes;
};

static int compare_used(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->digest, y->digest);
}

/*
 * All images in *@list (the caller's to free), least recently used first, and their bytes on disk.
 */
static int list_images(const struct store *c, struct stored **list, size_t *count, uint64_t *total,
		       struct err *e)
{
	DIR *dir = read_folder(c->image);
	const struct dirent *d;
	size_t room = 0;

	if (!dir)
		return err_set(e, -errno, "read '%s/image'", c->path);
	while ((d = readdir(dir))) {
		struct stat st;

		if (!is_digest(d->d_name) ||
		    fstatat(c->image, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (*count == room) {
			struct stored *more = reallocarray(*list, room * 2 + 16, sizeof(*more));

			if (!more) {
				closedir(dir);
				return err_set(e, -ENOMEM, "list '%s/image'", c->path);
			}
			*list = more;
			room = room * 2 + 16;
		}
		strcpy((*list)[*count].digest, d->d_name);
		(*list)[*count].used = st.st_mtim;
		(*list)[*count].bytes = (uint64_t)st.st_blocks * 512;
		*total += (*list)[(*count)++].bytes;
	}
	closedir(dir);
	if (*count)
		qsort(*list, *count, sizeof(**list), compare_used);
	return 0;
}

/*
 * Remove an image unless somebody holds it. Returns 1 if it is gone, 0 if it is in use, or -errno.
 */
static int remove_unused(const struct store *c, const char *digest, struct err *e)
{
	_autoclose_ int image = openat(c->image, digest,
				       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (image < 0 && errno == ENOENT)
		return 1;
	if (image < 0)
		return err_set(e, -errno, "open '%s/image/%s'", c->path, digest);
	if (flock(image, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0
		       : err_set(e, -errno, "lock '%s/image/%s'", c->path, digest);
	if (store_has_name(image, c->image, digest) && unlinkat(c->image, digest, 0) < 0)
		return err_set(e, -errno, "remove '%s/image/%s'", c->path, digest);
	return 1;
}

/*
 * Forget fingerprints whose image is gone, and old ones: a tree still in use is only read once
 * more.
 */
static int forget_trees(const struct store *c, struct err *e)
{
	DIR *dir = read_folder(c->tree);
	const struct dirent *d;
	time_t now = time(NULL);

	if (!dir)
		return err_set(e, -errno, "read '%s/tree'", c->path);
	while ((d = readdir(dir))) {
		char digest[IMAGE_DIGEST_SIZE];
		struct stat st;

		if (d->d_name[0] == '.' ||
		    fstatat(c->tree, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!store_recall(c, d->d_name, digest) || now - st.st_mtime > FORGET_SEC ||
		    (strcmp(digest, STORE_UNFIT) != 0 &&
		     faccessat(c->image, digest, F_OK, AT_SYMLINK_NOFOLLOW) < 0))
			unlinkat(c->tree, d->d_name, 0);
	}
	closedir(dir);
	return 0;
}

/* Names cost a reading of directories to be had again: those not rewritten for long may go. */
static int forget_names(const struct store *c, bool all, struct err *e)
{
	DIR *dir = c->names < 0 ? NULL : read_folder(c->names);
	const struct dirent *d;
	time_t now = time(NULL);

	if (c->names < 0)
		return 0;
	if (!dir)
		return err_set(e, -errno, "read '%s/names'", c->path);
	while ((d = readdir(dir))) {
		struct stat st;

		if (fstatat(c->names, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISDIR(st.st_mode) && (all || now - st.st_mtime > FORGET_SEC))
			unlinkat(c->names, d->d_name, 0);
	}
	closedir(dir);
	return 0;
}

int image_prune(const char *cachedir, uint64_t max_bytes, struct err *e)
{
	_autostore_ struct store c = STORE_INIT;
	_autofree_ struct stored *list = NULL;
	uint64_t total = 0;
	size_t count = 0;
	int rc = store_open(cachedir, false, &c, e);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = store_sweep(&c, e);
	if (rc == 0)
		rc = list_images(&c, &list, &count, &total, e);
	for (size_t i = 0; i < count && total > max_bytes && rc >= 0; i++) {
		rc = remove_unused(&c, list[i].digest, e);
		if (rc > 0)
			total -= list[i].bytes;
	}
	if (rc >= 0)
		rc = forget_trees(&c, e);
	if (rc >= 0)
		rc = forget_names(&c, max_bytes == 0, e);
	return rc < 0 ? err_wrap(e, rc, "prune the image cache") : 0;
}
