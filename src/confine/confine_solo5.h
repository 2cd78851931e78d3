/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Confinement of a Solo5 unikernel (spt ABI): the table of its host calls and the filter, as
 * confine.h has them for the Linux guest. Freestanding.
 */
#ifndef RUNNC_CONFINE_SOLO5_H
#define RUNNC_CONFINE_SOLO5_H

#include "confine/confine.h"

extern const struct confine_call confine_solo5_calls[];
extern const size_t confine_solo5_nr_calls;

/* One disk. */
struct confine_solo5_block {
	u32 fd;
	u32 sector_size;		/* each transfer has exactly this length */
	u64 capacity;			/* bytes; at least one sector */
	bool writable;			/* if not, pwrite64 fails with EROFS */
};

/* The numbers that the filter pins. */
struct confine_solo5 {
	u32 epoll_fd, timer_fd;
	u32 net_fd_first, nr_nets;	/* consecutive descriptors */
	u32 nr_blocks;
	const struct confine_solo5_block *block;
};

#define CONFINE_SOLO5_MAX 1024		/* instructions, at most: for 63 disks */

/*
 * Build the filter into @out (CONFINE_SOLO5_MAX entries). Returns the number of instructions, or 0
 * if @c cannot be expressed (a bug of the caller). A call that is not in the table, or has other
 * arguments, from whatever address or architecture, kills the process (SIGSYS).
 */
size_t confine_solo5_filter(const struct confine_solo5 *c, struct sock_filter *out);

#endif
