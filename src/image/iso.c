/* SPDX-License-Identifier: GPL-2.0-only */
/* The root as an ISO 9660 image: iso.h. */
#include "image/iso.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/disk.h"
#include "image/erofs.h"
#include "image/store.h"

#define ISO_SECTOR	2048
/* The volume descriptors follow it: "\1CD001" is the first. */
#define ISO_START	32768

static int iso_check(int fd, struct err *e)
{
	struct stat st;
	char head[6];

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat the image");
	if (st.st_size % ISO_SECTOR != 0 ||
	    pread(fd, head, sizeof(head), ISO_START) != (ssize_t)sizeof(head) ||
	    memcmp(head, "\1CD001", sizeof(head)) != 0)
		return err_say(e, -EIO, "xorriso wrote no ISO 9660 image");
	return 0;
}

int image_iso_make(int root, const char *cachedir, int *fd, struct err *e)
{
	const struct image_limits limits = { .max_files = IMAGE_MAX_FILES,
					     .timeout_s = IMAGE_TIMEOUT_S,
					     .max_bytes = IMAGE_DISK_MAX };
	_autostore_ struct store c = STORE_INIT;
	_autoclose_ int out = -1;
	struct erofs_job job = { .root = root, .iso9660 = true, .digest = "" };
	int r = store_open(cachedir, true, &c, e);

	if (r < 0)
		return err_wrap(e, r, "image cache");
	r = image_disk_make(cachedir, &out, e);
	if (r < 0)
		return r;
	job.out = out;
	job.mount_point = c.mount_point;
	r = erofs_build(&job, &limits, e);
	if (r == 0)
		r = iso_check(out, e);
	if (r < 0)
		return err_wrap(e, r, "root as ISO 9660 image");
	*fd = take_fd(&out);
	return 0;
}
