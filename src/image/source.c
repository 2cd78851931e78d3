/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources: from a directory to an image, once.
 *
 * An image appears under its name by rename(), complete, checked, read-only and on disk: fsync()
 * before, as an image outlives the boot and nobody reads it whole again. One that is a single
 * container's has no name, and ends with its descriptors.
 *
 * What the cache remembers of a tree is under its fingerprint. Of a layer there is another name,
 * FINGERPRINT.layer, under which STORE_UNFIT may stand for a digest, and one more, the identity.
 */
#include "image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/erofs.h"

#define ATTEMPTS		5
/* more than the coarsest tick of a kernel's clock, 10 ms */
#define TICK_NSEC		20000000L
/* the coarsest time of a file system, that of FAT */
#define COARSE_SEC		2

/* One tree, one record of names: the newest. */
static void name_names(struct source *s)
{
	struct statfs fs;
	struct stat st;
	uint64_t id = 0;

	if (fstatfs(s->root, &fs) < 0 || !names_can_be_kept(fs.f_type) || fstat(s->root, &st) < 0)
		return;
	_Static_assert(sizeof(fs.f_fsid) <= sizeof(id), "the id has room");
	memcpy(&id, &fs.f_fsid, sizeof(fs.f_fsid));
	snprintf(s->names, sizeof(s->names), "%016llx-%llx",
		 (unsigned long long)(id ? id : st.st_dev), (unsigned long long)st.st_ino);
}

void source_init(struct source *s, int root, const struct image_limits *limits)
{
	memset(s, 0, sizeof(*s));
	s->root = root;
	if (limits)
		s->limits = *limits;
	if (!s->limits.max_files)
		s->limits.max_files = IMAGE_MAX_FILES;
	if (!s->limits.max_bytes)
		s->limits.max_bytes = IMAGE_MAX_BYTES;
	if (!s->limits.timeout_s)
		s->limits.timeout_s = IMAGE_TIMEOUT_S;
	name_names(s);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/*
 * The fingerprint says "unchanged" only for changes that come in a later tick of the clock than the
 * newest ctime in the tree. Wait until the clock has left that tick, or do not remember the tree.
 */
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

/* Write the image of @s into @out. */
static int fill_file(const struct store *c, struct source *s, const struct tree_facts *digest,
		     int out, struct err *e)
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
	if (fchmod(out, 0400) < 0)
		return err_set(e, -errno, "make the image read-only");
	return 0;
}

/* Write the image of @s into the locked temporary file @out and give it its name. */
static int fill_temp(const struct store *c, struct source *s, const struct tree_facts *digest,
		     int out, const char *temp, struct err *e)
{
	int rc = fill_file(c, s, digest, out, e);

	if (rc < 0)
		return rc;
	if (fsync(out) < 0)
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
	char temp[STORE_NAME_SIZE];
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

/* ---- what is remembered ---------------------------------------------------------------------- */

static void name_tree(const struct source *s, char name[STORE_NAME_SIZE])
{
	snprintf(name, STORE_NAME_SIZE, "%s%s", s->seen.hash, s->layer ? ".layer" : "");
}

static int find_by_name(const struct store *c, const char *name, int *fd, uint64_t *size,
			char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	if (!store_recall(c, name, digest))
		return IMAGE_ABSENT;
	if (strcmp(digest, STORE_UNFIT) == 0)
		return SOURCE_UNFIT;
	return store_open_image(c, digest, fd, size, e);
}

static int find_known(const struct store *c, const struct source *s, int *fd, uint64_t *size,
		      char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	char name[STORE_NAME_SIZE];

	name_tree(s, name);
	return find_by_name(c, name, fd, size, digest, e);
}

/* Both names stand for @digest from here on, as long as the clock allows it. */
static int remember(const struct store *c, const struct source *s, const char *digest,
		    struct err *e)
{
	char name[STORE_NAME_SIZE];
	int rc;

	if (!s->remember)
		return 0;
	name_tree(s, name);
	rc = store_remember(c, name, digest, e);
	if (rc == 0 && s->identity)
		rc = store_remember(c, s->identity, digest, e);
	return rc;
}

/* ---- getting it ------------------------------------------------------------------------------ */

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
	if (s->layer && content.refers) {
		rc = still_same(s, e);
		if (rc == 0)
			rc = remember(c, s, STORE_UNFIT, e);
		return rc < 0 ? rc : SOURCE_UNFIT;
	}
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
	if (rc == 0)
		rc = remember(c, s, content.hash, e);
	if (rc < 0)
		fd_close(fd);
	else
		strcpy(digest, content.hash);
	return rc;
}

/* Found by its walk, and not yet by its identity: that is due unless the tree is too new. */
static int get_known(const struct store *c, struct source *s, int *fd, uint64_t *size,
		     char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	int rc = find_known(c, s, fd, size, digest, e), r;

	if (!s->identity || (rc != 0 && rc != SOURCE_UNFIT))
		return rc;
	settle(s);
	r = remember(c, s, digest, e);
	if (r < 0)
		fd_close(fd);
	return r < 0 ? r : rc;
}

/*
 * The quick way, by the names of last time. It can only find: whatever else comes out, the tree is
 * walked again without them.
 */
static int find_by_names(const struct store *c, struct source *s, int *fd, uint64_t *size,
			 char digest[IMAGE_DIGEST_SIZE])
{
	_autonames_ struct names known = NAMES_INIT;
	struct err e = ERR_INIT;
	char *data = NULL;
	size_t len = 0;
	int rc;

	if (*s->names)
		store_get_names(c, s->names, &data, &len);
	if (!data || names_parse(data, len, &known) < 0 ||
	    tree_fingerprint_by_names(s->root, &s->limits, &known, NULL, &s->seen, &e) < 0)
		return IMAGE_ABSENT;
	rc = find_known(c, s, fd, size, digest, &e);
	return rc < 0 ? IMAGE_ABSENT : rc;
}

/*
 * Keep what a walk that began at @began has read, if all that it saw had been changed in an earlier
 * tick of the clock.
 */
static void keep_names(const struct store *c, const struct source *s, const struct timespec *began,
		       const struct buf *read)
{
	struct timespec newest = s->seen.newest;
	struct stat st;

	if (!*s->names || !s->seen.fine || buf_error(read) || read->len == 0 ||
	    fstat(s->root, &st) < 0)
		return;
	if (is_later(&st.st_ctim, &newest))
		newest = st.st_ctim;
	newest.tv_nsec += TICK_NSEC;
	if (newest.tv_nsec >= 1000000000L) {
		newest.tv_nsec -= 1000000000L;
		newest.tv_sec++;
	}
	if (is_later(began, &newest))
		store_keep_names(c, s->names, read->data, read->len);
}

static int get_by_walk(const struct store *c, struct source *s, int *fd, uint64_t *size,
		       char digest[IMAGE_DIGEST_SIZE], struct buf *read, struct err *e)
{
	char temp[STORE_NAME_SIZE];
	_autoclose_ int mine = -1;
	int rc = tree_fingerprint_by_names(s->root, &s->limits, NULL, read, &s->seen, e);

	if (rc < 0)
		return rc;
	rc = get_known(c, s, fd, size, digest, e);
	if (rc != IMAGE_ABSENT)
		return rc;

	rc = store_sweep(c, e);
	if (rc < 0)
		return rc;
	snprintf(temp, sizeof(temp), "tree-%s", s->seen.hash);
	rc = store_lock_temp(c, temp, &mine, e);
	if (rc < 0)
		return rc;
	rc = get_known(c, s, fd, size, digest, e);
	if (rc == IMAGE_ABSENT)
		rc = get_by_content(c, s, fd, size, digest, e);
	unlinkat(c->tmp, temp, 0);
	return rc;
}

static int get_once(const struct store *c, struct source *s, int *fd, uint64_t *size,
		    char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	_autobuf_ struct buf read = BUF_INIT(NAMES_MAX_SIZE);
	struct timespec began;
	int rc;

	clock_gettime(CLOCK_REALTIME, &began);
	rc = get_by_walk(c, s, fd, size, digest, &read, e);
	if (rc >= 0)
		keep_names(c, s, &began, &read);
	return rc;
}

/* Its mtime is the time of last use. */
static int touch(const struct store *c, int fd, const char *digest, struct err *e)
{
	if (futimens(fd, NULL) < 0)
		return err_set(e, -errno, "touch '%s/image/%s'", c->path, digest);
	return 0;
}

int source_get(const struct store *c, struct source *s, int *fd, uint64_t *size,
	       char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	_autoclose_ int image = -1;
	int rc = IMAGE_ABSENT;

	if (s->identity)
		rc = find_by_name(c, s->identity, &image, size, digest, e);
	else
		rc = find_by_names(c, s, &image, size, digest);
	for (int i = 0; i < ATTEMPTS && (rc == IMAGE_ABSENT || rc == -EAGAIN); i++)
		rc = get_once(c, s, &image, size, digest, e);
	if (rc == 0)
		rc = touch(c, image, digest, e);
	if (rc == 0)
		*fd = take_fd(&image);
	return rc;
}

int source_find(const struct store *c, struct source *s, int *fd, uint64_t *size,
		char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	int rc;

	if (s->identity)
		return find_by_name(c, s->identity, fd, size, digest, e);
	rc = find_by_names(c, s, fd, size, digest);
	if (rc != IMAGE_ABSENT)
		return rc;
	rc = tree_fingerprint(s->root, &s->limits, &s->seen, e);
	return rc < 0 ? rc : find_known(c, s, fd, size, digest, e);
}

/* ---- one container's own --------------------------------------------------------------------- */

/* It is small, and by itself: reads all of it. Returns as source_find_own(). */
static int check_own(struct source *s, struct tree_facts *content, struct err *e)
{
	struct image_limits small = s->limits;
	int rc;

	if (small.max_files > SOURCE_OWN_FILES)
		small.max_files = SOURCE_OWN_FILES;
	if (small.max_bytes > SOURCE_OWN_BYTES)
		small.max_bytes = SOURCE_OWN_BYTES;
	rc = tree_fingerprint(s->root, &small, &s->seen, e);
	if (rc == 0)
		rc = tree_digest(s->root, &small, content, e);
	return rc == 0 && content->refers ? SOURCE_UNFIT : rc;
}

int source_find_own(struct source *s, struct err *e)
{
	struct tree_facts content;

	return check_own(s, &content, e);
}

static int build_own_once(const struct store *c, struct source *s, int *fd, uint64_t *size,
			  char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	_autoclose_ int out = -1, image = -1;
	struct tree_facts content;
	struct stat st;
	int rc = check_own(s, &content, e);

	if (rc != 0)
		return rc;
	rc = store_open_nameless(c, &out, &image, e);
	if (rc == 0)
		rc = fill_file(c, s, &content, out, e);
	if (rc < 0)
		return rc;
	if (fstat(image, &st) < 0)
		return err_set(e, -errno, "stat the image");
	*size = (uint64_t)st.st_size;
	strcpy(digest, content.hash);
	*fd = take_fd(&image);
	return 0;
}

int source_build_own(const struct store *c, struct source *s, int *fd, uint64_t *size,
		     char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	int rc = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && rc == -EAGAIN; i++)
		rc = build_own_once(c, s, fd, size, digest, e);
	return rc;
}
