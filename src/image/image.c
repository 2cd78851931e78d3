/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images: from a tree to an image, once.
 *
 * An image appears under its name by rename(), complete, checked, read-only and on disk: fsync()
 * before, as an image outlives the boot and nobody reads it whole again.
 */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/erofs.h"
#include "image/store.h"
#include "image/tree.h"

#define ATTEMPTS		5
/* more than the coarsest tick of a kernel's clock, 10 ms */
#define TICK_NSEC		20000000L
/* the coarsest time of a file system, that of FAT */
#define COARSE_SEC		2

/*
 * A tree, its fingerprint and what to do with it. The fingerprint says "unchanged" only for changes
 * that come in a later tick of the clock than the newest ctime in the tree.
 */
struct source {
	int root;
	struct image_limits limits;
	struct tree_facts seen;
	bool remember;
};

/* Wait until the clock has left the tick of the last change, or else do not remember the tree. */
static void settle(struct source *s)
{
	struct timespec now, t = s->seen.newest;

	s->remember = false;
	for (int i = 0; i < 4; i++) {
		int64_t left;

		clock_gettime(CLOCK_REALTIME, &now);
		if (now.tv_sec - t.tv_sec > COARSE_SEC) {
			s->remember = true;
			return;
		}
		left = (t.tv_sec - now.tv_sec) * 1000000000LL + t.tv_nsec - now.tv_nsec + TICK_NSEC;
		if (!s->seen.fine || left > TICK_NSEC)
			return;
		if (left < 0) {
			s->remember = true;
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = left + 1 }, NULL);
	}
}

/* Nothing changed since the fingerprint was taken: 0, or -EAGAIN. */
static int still_same(struct source *s, struct err *e)
{
	struct tree_facts now;
	int rc = tree_fingerprint(s->root, &s->limits, &now, e);

	if (rc == 0 && strcmp(now.hash, s->seen.hash))
		return err_say(e, -EAGAIN, "the tree changes while it is read");
	return rc;
}

/* Write the image of @s into the locked temporary file @out and give it its name. */
static int fill_temp(const struct store *c, struct source *s, const struct tree_facts *digest,
		     int out, const char *temp, struct err *e)
{
	const struct erofs_job job = { .root = s->root, .out = out, .mount_point = c->mount_point,
				       .digest = digest->hash, .trusted = digest->trusted };
	int rc = erofs_build(&job, &s->limits, e);

	if (rc < 0 && rc != -EIO)
		return rc;
	if (rc < 0) {
		/* A file that went away under mkfs.erofs is no fault of it. */
		struct err changed = ERR_INIT;

		if (still_same(s, &changed) == -EAGAIN) {
			*e = changed;
			return -EAGAIN;
		}
		return rc;
	}
	rc = still_same(s, e);
	if (rc < 0)
		return rc;
	if (fchmod(out, 0400) < 0 || fsync(out) < 0)
		return err_set(e, -errno, "write '%s/tmp/%s'", c->path, temp);
	if (renameat(c->tmp, temp, c->image, digest->hash) < 0)
		return err_set(e, -errno, "make '%s/image/%s'", c->path, digest->hash);
	if (fsync(c->image) < 0)
		return err_set(e, -errno, "write '%s/image'", c->path);
	return 0;
}

/* Make sure that the image is there. Somebody else may make it meanwhile, then we wait. */
static int build_image(const struct store *c, struct source *s, const struct tree_facts *digest,
		       struct err *e)
{
	_autoclose_ int out = -1, image = -1;
	char temp[STORE_TEMP_SIZE];
	uint64_t size;
	int rc;

	snprintf(temp, sizeof(temp), "image-%s", digest->hash);
	rc = store_lock_temp(c, temp, &out, e);
	if (rc < 0)
		return rc;
	rc = store_open_image(c, digest->hash, &image, &size, e);
	if (rc == IMAGE_ABSENT)
		rc = fill_temp(c, s, digest, out, temp, e);
	/* Gone by then if it has become the image. */
	if (store_has_name(out, c->tmp, temp))
		unlinkat(c->tmp, temp, 0);
	return rc;
}

static int find_known(const struct store *c, const struct source *s, int *fd, uint64_t *size,
		      char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	if (!store_recall(c, s->seen.hash, digest))
		return IMAGE_ABSENT;
	return store_open_image(c, digest, fd, size, e);
}

/* The slow way: read all files, build if that content is new. The caller holds the tree's lock. */
static int get_by_content(const struct store *c, struct source *s, int *fd, uint64_t *size,
			  char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	struct tree_facts content;
	int rc;

	settle(s);
	rc = tree_digest(s->root, &s->limits, &content, e);
	if (rc < 0)
		return rc;
	rc = store_open_image(c, content.hash, fd, size, e);
	if (rc == 0)
		rc = still_same(s, e);
	else if (rc == IMAGE_ABSENT) {
		rc = build_image(c, s, &content, e);
		if (rc == 0)
			rc = store_open_image(c, content.hash, fd, size, e);
	}
	if (rc == IMAGE_ABSENT)
		return err_say(e, -EAGAIN, "image %s is removed as soon as it is built",
			       content.hash);
	if (rc == 0 && s->remember)
		rc = store_remember(c, s->seen.hash, content.hash, e);
	if (rc < 0)
		fd_close(fd);
	else
		strcpy(digest, content.hash);
	return rc;
}

static int get_once(const struct store *c, struct source *s, int *fd, uint64_t *size,
		    char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	char temp[STORE_TEMP_SIZE];
	_autoclose_ int mine = -1;
	int rc = tree_fingerprint(s->root, &s->limits, &s->seen, e);

	if (rc < 0)
		return rc;
	rc = find_known(c, s, fd, size, digest, e);
	if (rc != IMAGE_ABSENT)
		return rc;

	rc = store_sweep(c, e);
	if (rc < 0)
		return rc;
	snprintf(temp, sizeof(temp), "tree-%s", s->seen.hash);
	rc = store_lock_temp(c, temp, &mine, e);
	if (rc < 0)
		return rc;
	rc = find_known(c, s, fd, size, digest, e);
	if (rc == IMAGE_ABSENT)
		rc = get_by_content(c, s, fd, size, digest, e);
	unlinkat(c->tmp, temp, 0);
	return rc;
}

static int open_source(const char *rootfs, const struct image_limits *limits, struct source *s,
		       struct err *e)
{
	memset(s, 0, sizeof(*s));
	if (limits)
		s->limits = *limits;
	if (!s->limits.max_files)
		s->limits.max_files = IMAGE_MAX_FILES;
	if (!s->limits.max_bytes)
		s->limits.max_bytes = IMAGE_MAX_BYTES;
	if (!s->limits.timeout_s)
		s->limits.timeout_s = IMAGE_TIMEOUT_S;
	s->root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return err_set(e, -errno, "open root directory '%s'", rootfs);
	return 0;
}

int image_get(const char *rootfs, const char *cachedir, const struct image_limits *limits, int *fd,
	      uint64_t *size, char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	char name[IMAGE_DIGEST_SIZE] = "";
	_autostore_ struct store c = STORE_INIT;
	_autoclose_ int image = -1;
	uint64_t bytes = 0;
	struct source s;
	int rc;

	rc = store_open(cachedir, true, &c, e);
	if (rc < 0)
		return err_wrap(e, rc, "image cache");
	rc = open_source(rootfs, limits, &s, e);
	if (rc < 0)
		return rc;
	for (int i = 0; i < ATTEMPTS; i++) {
		rc = get_once(&c, &s, &image, &bytes, name, e);
		if (rc != -EAGAIN)
			break;
	}
	fd_close(&s.root);
	if (rc < 0)
		return err_wrap(e, rc, "image of '%s'", rootfs);
	/* Its mtime is the time of last use. */
	if (futimens(image, NULL) < 0)
		return err_set(e, -errno, "touch '%s/image/%s'", c.path, name);
	if (digest)
		strcpy(digest, name);
	*size = bytes;
	*fd = take_fd(&image);
	return 0;
}

int image_find(const char *rootfs, const char *cachedir, uint64_t *size,
	       char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	_autostore_ struct store c = STORE_INIT;
	_autoclose_ int image = -1;
	struct source s;
	int rc;

	rc = open_source(rootfs, NULL, &s, e);
	if (rc < 0)
		return rc;
	rc = store_open(cachedir, false, &c, e);
	if (rc == -ENOENT)
		rc = IMAGE_ABSENT;
	else if (rc < 0)
		rc = err_wrap(e, rc, "image cache");
	else
		rc = tree_fingerprint(s.root, &s.limits, &s.seen, e);
	if (rc == 0)
		rc = find_known(&c, &s, &image, size, digest, e);
	fd_close(&s.root);
	return rc < 0 ? err_wrap(e, rc, "image of '%s'", rootfs) : rc;
}
