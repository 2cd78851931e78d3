/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole-file input and output. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define IO_FIRST_SIZE 4096

static ssize_t io_read_some(int fd, void *data, size_t len)
{
	ssize_t got;

	do
		got = read(fd, data, len);
	while (got < 0 && errno == EINTR);
	return got;
}

int io_read_fd(int fd, const char *name, size_t max, char **data, size_t *len, struct err *e)
{
	_autofree_ char *buf = NULL;
	size_t size = 0, used = 0;
	ssize_t got;
	char *grown;

	if (max > SIZE_MAX / 4)
		max = SIZE_MAX / 4;
	/* One byte more than @max tells a file that is too long; the last byte is for the NUL. */
	for (;;) {
		if (size - used < 2) {
			size = size ? size * 2 : IO_FIRST_SIZE;
			if (size > max + 2)
				size = max + 2;
			grown = realloc(buf, size);
			if (!grown)
				return err_set(e, -ENOMEM, "read '%s'", name);
			buf = grown;
		}
		got = io_read_some(fd, buf + used, size - used - 1);
		if (got < 0)
			return err_set(e, -errno, "read '%s'", name);
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > max)
			return err_say(e, -EFBIG, "read '%s': longer than %zu bytes", name, max);
	}
	buf[used] = '\0';
	if (len)
		*len = used;
	*data = take_ptr(buf);
	return 0;
}

int io_read_file(int dirfd, const char *path, size_t max, char **data, size_t *len, struct err *e)
{
	_autoclose_ int fd = -1;
	struct stat st;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(e, -errno, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_say(e, -EINVAL, "open '%s': not a regular file", path);
	return io_read_fd(fd, path, max, data, len, e);
}

int io_write_fd(int fd, const char *name, const void *data, size_t len, struct err *e)
{
	const char *at = data;
	ssize_t put;

	while (len) {
		put = write(fd, at, len);
		if (put < 0) {
			if (errno == EINTR)
				continue;
			return err_set(e, -errno, "write '%s'", name);
		}
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

int io_write_existing(int dirfd, const char *path, const void *data, size_t len, struct err *e)
{
	_autoclose_ int fd = -1;
	ssize_t put;

	fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(e, -errno, "open '%s'", path);
	do
		put = write(fd, data, len);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return err_set(e, -errno, "write '%s'", path);
	if ((size_t)put != len)
		return err_set(e, -EIO, "write '%s'", path);
	return 0;
}

int io_random(void *data, size_t len, struct err *e)
{
	unsigned char *at = data;
	ssize_t got;

	while (len) {
		got = getrandom(at, len, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			return err_set(e, -errno, "read random bytes");
		}
		at += got;
		len -= (size_t)got;
	}
	return 0;
}

/* A name for a temporary file beside @path that no other writer takes. */
static int io_temporary_name(const char *path, char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	uint64_t random;
	int r;

	r = io_random(&random, sizeof(random), e);
	if (r < 0)
		return r;
	*name = str_printf("%.*s.%s.%016llx", (int)(base - path), path, base,
			   (unsigned long long)random);
	if (!*name)
		return err_set(e, -ENOMEM, "write '%s'", path);
	return 0;
}

static int io_write_new(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
			struct err *e)
{
	_autoclose_ int fd = -1;

	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, -errno, "create '%s'", path);
	if (fchmod(fd, mode) < 0)
		return err_set(e, -errno, "set the mode of '%s'", path);
	return io_write_fd(fd, path, data, len, e);
}

int io_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		    struct err *e)
{
	_autofree_ char *temporary = NULL;
	int r;

	r = io_temporary_name(path, &temporary, e);
	if (r < 0)
		return r;
	r = io_write_new(dirfd, temporary, data, len, mode, e);
	if (r == 0 && renameat(dirfd, temporary, dirfd, path) < 0)
		r = err_set(e, -errno, "rename '%s' to '%s'", temporary, path);
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}
