/* SPDX-License-Identifier: GPL-2.0-only */
/* Images: one directory, one image. */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "image/source.h"
#include "image/store.h"

static int open_root(const char *rootfs, int *root, struct err *e)
{
	*root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*root < 0)
		return err_set(e, -errno, "open root directory '%s'", rootfs);
	return 0;
}

int image_get(const char *rootfs, const char *cachedir, const struct image_limits *limits, int *fd,
	      uint64_t *size, char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	char name[IMAGE_DIGEST_SIZE] = "";
	_autostore_ struct store c = STORE_INIT;
	_autoclose_ int root = -1;
	uint64_t bytes = 0;
	struct source s;
	int rc;

	rc = store_open(cachedir, true, &c, e);
	if (rc < 0)
		return err_wrap(e, rc, "image cache");
	rc = open_root(rootfs, &root, e);
	if (rc < 0)
		return rc;
	source_init(&s, root, limits);
	rc = source_get(&c, &s, fd, &bytes, name, e);
	if (rc < 0)
		return err_wrap(e, rc, "image of '%s'", rootfs);
	if (digest)
		strcpy(digest, name);
	*size = bytes;
	return 0;
}

int image_find(const char *rootfs, const char *cachedir, uint64_t *size,
	       char digest[IMAGE_DIGEST_SIZE], struct err *e)
{
	_autostore_ struct store c = STORE_INIT;
	_autoclose_ int image = -1, root = -1;
	struct source s;
	int rc;

	rc = open_root(rootfs, &root, e);
	if (rc < 0)
		return rc;
	source_init(&s, root, NULL);
	rc = store_open(cachedir, false, &c, e);
	if (rc == -ENOENT)
		rc = IMAGE_ABSENT;
	else if (rc < 0)
		rc = err_wrap(e, rc, "image cache");
	else
		rc = source_find(&c, &s, &image, size, digest, e);
	return rc < 0 ? err_wrap(e, rc, "image of '%s'", rootfs) : rc;
}
