/* SPDX-License-Identifier: GPL-2.0-only */
/* The launch stage (launch.c), as the rest of the port sees it. */
#ifndef NABLA_LAUNCH_STAGE_H
#define NABLA_LAUNCH_STAGE_H

#include <linux/types.h>

/* One line on descriptor 2, exit status NABLA_EXIT_LAUNCH. */
void nabla_launch_fail(const char *doing, long err) __attribute__((noreturn));

/* Called by entry.S: with the host's initial stack; then on the first kernel stack. */
void nabla_start(unsigned long *sp);
void nabla_start_kernel(void);

void nabla_memory_launch(void);
void nabla_memory_setup(void);
u64 nabla_memory_end(void);
#define NABLA_MEMORY_MAX	(64UL << 30)	/* largest physical address of guest memory */
void nabla_backing_setup(u64 start, u64 end);	/* this part of it is new */
u64 nabla_vmemmap_size(void);		/* bytes, from the end of memory or the initrd down */

#endif
