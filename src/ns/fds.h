/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of descriptors as a whole. */
#ifndef RUNNC_NS_FDS_H
#define RUNNC_NS_FDS_H

#include <stddef.h>

#include "base/err.h"

/*
 * Close every descriptor but 0-2 and the @n in @keep (any order, duplicates and negative ones are
 * fine). Returns 0 or -errno.
 */
int ns_fds_close_except(const int *keep, size_t n, struct err *e);

/*
 * Open /dev/null on each of 0, 1 and 2 that is closed: for reading on 0, for writing on 1 and 2. To
 * be called first thing in main(), lest a later file becomes somebody's stderr. Returns 0 or
 * -errno.
 */
int ns_fds_ensure_stdio(struct err *e);

#endif
