/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owned descriptors and heap blocks: a local is declared with its clean-up and an empty value, and
 * leaves by take_fd() or take_ptr().
 */
#ifndef RUNNC_BASE_FD_H
#define RUNNC_BASE_FD_H

#include <stdlib.h>

/* Close @*fd unless it is negative, keep errno, set @*fd to -1. */
void fd_close(int *fd);

/* The clean-up of _autofree_: free @*(void **)ptr. */
void fd_free_ptr(void *ptr);

#define _autoclose_ __attribute__((cleanup(fd_close)))
#define _autofree_ __attribute__((cleanup(fd_free_ptr)))

/* Give up ownership: returns @*fd and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Give up ownership: returns @p and leaves NULL behind. */
#define take_ptr(p) __extension__ ({ __typeof__(p) _taken = (p); (p) = NULL; _taken; })

#endif
