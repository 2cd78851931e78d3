/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of descriptors as a whole. */
#include "ns/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a;
	int y = *(const int *)b;

	return (x > y) - (x < y);
}

static int close_from_to(unsigned int first, unsigned int last, struct err *e)
{
	if (first > last)
		return 0;
	/* By number: glibc 2.33 and older have no wrapper. */
	if (syscall(SYS_close_range, first, last, 0u) < 0)
		return err_set(e, -errno, "close descriptors %u to %u", first, last);
	return 0;
}

int ns_fds_close_except(const int *keep, size_t n, struct err *e)
{
	_autofree_ int *sorted = n ? calloc(n, sizeof(*sorted)) : NULL;
	unsigned int next = 3;

	if (n && !sorted)
		return err_set(e, -ENOMEM, "close descriptors");
	if (n) {
		memcpy(sorted, keep, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), compare_ints);
	}
	for (size_t i = 0; i < n; i++) {
		int r;

		if (sorted[i] < (int)next)
			continue;
		r = close_from_to(next, (unsigned int)sorted[i] - 1, e);
		if (r < 0)
			return r;
		next = (unsigned int)sorted[i] + 1;
	}
	return close_from_to(next, UINT_MAX, e);
}

int ns_fds_ensure_stdio(struct err *e)
{
	for (int fd = 0; fd < 3; fd++) {
		int got;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* All below are open, so this one is the lowest free number. */
		got = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
		if (got < 0)
			return err_set(e, -errno, "open /dev/null as descriptor %d", fd);
		if (got != fd)
			return err_say(e, -EBADF, "descriptor %d: got %d instead", fd, got);
	}
	return 0;
}
