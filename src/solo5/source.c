/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the bytes of a unikernel's file come from. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "solo5/elf.h"

static int read_fd(const struct solo5_source *s, uint64_t offset, void *to, size_t len)
{
	char *p = to;

	if (offset > s->size || len > s->size - offset)
		return -EIO;
	while (len > 0) {
		ssize_t n = pread(s->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;	/* it became shorter meanwhile */
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_memory(const struct solo5_source *s, uint64_t offset, void *to, size_t len)
{
	if (offset > s->size || len > s->size - offset)
		return -EIO;
	if (len > 0)
		memcpy(to, s->data + offset, len);
	return 0;
}

int solo5_source_fd(struct solo5_source *s, int fd, struct err *e)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "look at the file");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_say(e, -EINVAL, "not a regular file");
	size = st.st_size;
	if (S_ISBLK(st.st_mode))
		size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return err_set(e, -errno, "find its size");
	*s = (struct solo5_source){ .read = read_fd, .size = (uint64_t)size, .fd = fd };
	return 0;
}

void solo5_source_memory(struct solo5_source *s, const void *data, size_t len)
{
	*s = (struct solo5_source){ .read = read_memory, .size = len, .fd = -1, .data = data };
}
