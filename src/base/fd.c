/* SPDX-License-Identifier: GPL-2.0-only */
/* Owned descriptors and heap blocks. */
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void fd_free_ptr(void *ptr)
{
	free(*(void **)ptr);
}
