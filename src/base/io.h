/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole-file input and output: every read has an upper bound, every write is complete or an error.
 * Interrupted calls (EINTR) are repeated. Paths may be relative to @dirfd (AT_FDCWD for the current
 * directory). The names in the messages are the paths as given.
 */
#ifndef RUNNC_BASE_IO_H
#define RUNNC_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Read @fd from where it stands to its end. *@data is the caller's to free, holds *@len bytes and a
 * NUL behind them which @len does not count. @name is what to call it in a message. @len may be
 * NULL. Returns 0, or -EFBIG if there are more than @max bytes, or another -errno.
 */
int io_read_fd(int fd, const char *name, size_t max, char **data, size_t *len, struct err *e);

/*
 * As io_read_fd() for the file @path. Only regular files (and those of proc, sysfs, cgroupfs) are
 * read: a FIFO, socket, device or directory gives -EINVAL and never blocks. Symlinks are followed.
 */
int io_read_file(int dirfd, const char *path, size_t max, char **data, size_t *len, struct err *e);

/* Write all @len bytes. Returns 0 or -errno; @name is what to call it in a message. */
int io_write_fd(int fd, const char *name, const void *data, size_t len, struct err *e);

/*
 * Write to a file that exists already (proc, sysfs, cgroupfs) in one write(2), without creating or
 * truncating it. Returns 0 or -errno; a short write is -EIO.
 */
int io_write_existing(int dirfd, const char *path, const void *data, size_t len, struct err *e);

/*
 * Make @path hold exactly these bytes with permissions @mode (umask does not apply), by a temporary
 * file ".NAME.<random>" in the same directory that is renamed into place: a reader sees the old or
 * the new contents, also after kill -9. Not fsync()ed: state does not outlive the boot.
 * Returns 0 or -errno; on failure the old file is untouched and the temporary file removed.
 */
int io_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		    struct err *e);

/* Fill @data with @len random bytes from the kernel. Returns 0 or -errno. */
int io_random(void *data, size_t len, struct err *e);

#endif
