/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into the guest: from here on there is no way back, and no C of ours.
 *
 * The last instructions that are not the guest's run from a page of their own (enter_x86_64.S):
 * they unmap everything above guest memory but that page (the tender with its libc, heap and stack,
 * the vDSO), install the filter, which they have in the guest's stack, wipe it, and jump. So the
 * guest finds nothing of the tender in its address space but that page, which is neither writable
 * nor secret: its calls are the guest's under the filter.
 */
#ifndef RUNNC_TENDER_ENTER_H
#define RUNNC_TENDER_ENTER_H

/* The offsets are enter_x86_64.S's. */
#define ENTER_FILTER		0
#define ENTER_FILTER_BYTES	8
#define ENTER_ENTRY		16
#define ENTER_MEM_SIZE		24
#define ENTER_PAGE		32
#define ENTER_ERROR_STATUS	40

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "confine/confine_solo5.h"

struct tender_enter {
	uint64_t filter;		/* address of a struct sock_fprog in guest memory */
	uint64_t filter_bytes;		/* of it and the instructions behind it: to be wiped */
	uint64_t entry;
	uint64_t mem_size;
	uint64_t page;			/* where the instructions were copied to */
	uint64_t error_status;
};

_Static_assert(offsetof(struct tender_enter, filter) == ENTER_FILTER, "enter_x86_64.S");
_Static_assert(offsetof(struct tender_enter, filter_bytes) == ENTER_FILTER_BYTES, "");
_Static_assert(offsetof(struct tender_enter, entry) == ENTER_ENTRY, "enter_x86_64.S");
_Static_assert(offsetof(struct tender_enter, mem_size) == ENTER_MEM_SIZE, "enter_x86_64.S");
_Static_assert(offsetof(struct tender_enter, page) == ENTER_PAGE, "enter_x86_64.S");
_Static_assert(offsetof(struct tender_enter, error_status) == ENTER_ERROR_STATUS, "");

/*
 * Confine the process as @c says and run the guest at @entry, with its memory up to @mem_size.
 * Guest memory and descriptors must be complete. Returns only if it fails: -errno with @e; what
 * fails in the last page ends the process with @error_status.
 */
int tender_enter_guest(const struct confine_solo5 *c, uint64_t entry, uint64_t mem_size,
		       int error_status, struct err *e);

#endif
#endif
