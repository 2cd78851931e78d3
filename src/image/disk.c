/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks that a guest may write: disk.h. */
#include "image/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/store.h"

/* Where O_TMPFILE is not known, a name for the moment: a kill in between leaves an empty file. */
static int disk_by_name(int tmp, struct err *e)
{
	char name[64];
	int fd;

	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "disk-%d-%u", (int)getpid(), i);
		fd = openat(tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			unlinkat(tmp, name, 0);
			return fd;
		}
		if (errno != EEXIST)
			break;
	}
	return err_set(e, -errno, "create a disk's copy");
}

int image_disk_make(const char *cachedir, int *fd, struct err *e)
{
	_autostore_ struct store c = STORE_INIT;
	int made, r = store_open(cachedir, true, &c, e);

	if (r < 0)
		return err_wrap(e, r, "image cache");
	made = openat(c.tmp, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (made < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return err_set(e, -errno, "create a disk's copy in '%s'", c.path);
	if (made < 0)
		made = disk_by_name(c.tmp, e);
	if (made < 0)
		return made;
	*fd = made;
	return 0;
}

/* One run of data. Returns 0 or -errno. */
static int disk_copy_range(int from, int to, off_t at, off_t end)
{
	off_t out = at;

	while (at < end) {
		ssize_t n = copy_file_range(from, &at, to, &out, (size_t)(end - at), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	return 0;
}

/* The data without the holes. Returns 0 or -errno. */
static int disk_copy_data(int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), end;
		int r;

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0)
			return -errno;
		end = lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		r = disk_copy_range(from, to, data, end < size ? end : size);
		if (r < 0)
			return r;
		at = end;
	}
	return 0;
}

int image_disk_copy(int from, uint32_t sector, const char *cachedir, int *fd, struct err *e)
{
	_autoclose_ int to = -1;
	struct stat st;
	off_t size;
	int r;

	if (fstat(from, &st) < 0)
		return err_set(e, -errno, "stat the disk");
	if ((uint64_t)st.st_size > IMAGE_DISK_MAX)
		return err_say(e, -EFBIG, "the disk is larger than %llu GiB: make it read-only",
			       IMAGE_DISK_MAX >> 30);
	r = image_disk_make(cachedir, &to, e);
	if (r < 0)
		return r;
	r = ioctl(to, FICLONE, from) < 0 ? disk_copy_data(from, to, st.st_size) : 0;
	if (r < 0)
		return err_set(e, r, "copy the disk");
	size = (st.st_size + (off_t)sector - 1) & ~((off_t)sector - 1);
	if (ftruncate(to, size) < 0)
		return err_set(e, -errno, "size the disk's copy");
	*fd = take_fd(&to);
	return 0;
}
