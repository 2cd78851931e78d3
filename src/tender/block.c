/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk: a file by name, or a descriptor that somebody opened already. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "tender/device.h"

static int check_descriptor(const struct tender_device *d, struct err *e)
{
	int flags = fcntl(d->fd, F_GETFL);

	if (flags < 0)
		return err_set(e, -errno, "descriptor %d", d->fd);
	if ((flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
		return err_say(e, -EINVAL, "descriptor %d is not open for reading", d->fd);
	if (!d->read_only && (flags & O_ACCMODE) != O_RDWR)
		return err_say(e, -EINVAL, "descriptor %d is not open for writing; --block-ro:%s= "
					   "attaches it read-only", d->fd, d->name);
	/* Linux appends whatever offset pwrite() names: the disk would grow. */
	if (!d->read_only && (flags & O_APPEND))
		return err_say(e, -EINVAL, "descriptor %d is open for appending (O_APPEND)", d->fd);
	return 0;
}

static int size_of(int fd, uint64_t *size, struct err *e)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "look at it");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_say(e, -EINVAL, "neither a regular file nor a block device");
	end = S_ISBLK(st.st_mode) ? lseek(fd, 0, SEEK_END) : st.st_size;
	if (end < 0)
		return err_set(e, -errno, "find its size");
	*size = (uint64_t)end;
	return 0;
}

int tender_block_open(const struct tender_device *d, int *fd, struct solo5_manifest_block *block,
		      struct err *e)
{
	_autoclose_ int own = -1;
	uint64_t size = 0;
	int ret;

	if (d->path) {
		/* O_NONBLOCK: a FIFO is refused, not waited for. */
		own = open(d->path, (d->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY |
			   O_NONBLOCK);
		if (own < 0)
			return err_set(e, -errno, "open '%s'", d->path);
		ret = size_of(own, &size, e);
	} else {
		ret = check_descriptor(d, e);
		if (ret < 0)
			return ret;
		ret = size_of(d->fd, &size, e);
	}
	if (ret < 0)
		return d->path ? err_wrap(e, ret, "'%s'", d->path)
			       : err_wrap(e, ret, "descriptor %d", d->fd);
	if (size == 0 || size % d->sector_size)
		return err_say(e, -EINVAL, "its size, %llu bytes, is not a multiple of the sector "
					   "size, %u, or nothing",
			       (unsigned long long)size, d->sector_size);
	block->capacity = size;
	block->sector_size = (uint16_t)d->sector_size;
	*fd = d->path ? take_fd(&own) : d->fd;
	return 0;
}
