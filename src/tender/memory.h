/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: [SOLO5_MEM_START, mem_size) of the process, at these addresses.
 *
 *	0x10000		zero
 *	0x11000		boot information, manifest, command line
 *	0x100000	segments, each with its own protection; then zero pages: .bss, heap
 *	mem_size - 512K	guard page, if nothing but the heap's end is there
 *	mem_size	the stack's upper end
 */
#ifndef RUNNC_TENDER_MEMORY_H
#define RUNNC_TENDER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "solo5/elf.h"

#define TENDER_BOOT_INFO	0x11000u
#define TENDER_CMDLINE_MAX	8192u		/* with its NUL */
#define TENDER_STACK		0x80000u	/* what the ABI leaves free below the stack's end */

/* What the guest finds at TENDER_BOOT_INFO (spt ABI). */
struct tender_boot_info {
	uint64_t mem_size;
	uint64_t kernel_end;
	uint64_t cmdline;		/* an address */
	uint64_t manifest;		/* an address */
	int32_t epoll_fd;
	int32_t timer_fd;
};

_Static_assert(sizeof(struct tender_boot_info) == 40, "spt ABI");

/* Map guest memory, zero, readable and writable. Returns 0 or -errno with @e. */
int tender_memory_map(uint64_t mem_size, struct err *e);

/*
 * Fill in the segments of @elf from @fd (borrowed) and protect them. Whole pages that the file has
 * at the right offset are mapped from it, privately: several guests of one file share them.
 * Returns 0 or -errno with @e.
 */
int tender_memory_load(const struct solo5_elf *elf, int fd, struct err *e);

/* Write boot information, manifest and the joined @args. Returns 0 or -errno with @e. */
int tender_memory_boot_info(const struct solo5_elf *elf, uint64_t mem_size,
			    const char *const *args, int epoll_fd, int timer_fd, struct err *e);

/*
 * The guard page at the lower end of the stack's 512 KiB. Left out if there is less than twice that
 * between the guest's image and the end of memory: its heap may then begin above the page.
 * Returns 0 or -errno with @e.
 */
int tender_memory_guard(const struct solo5_elf *elf, uint64_t mem_size, struct err *e);

#endif
