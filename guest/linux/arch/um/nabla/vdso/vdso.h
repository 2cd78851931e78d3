/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's vDSO: the page of data [vvar], which the kernel writes, and the shared object [vdso]
 * behind it, which every program has mapped. Used by both.
 */
#ifndef NABLA_VDSO_H
#define NABLA_VDSO_H

#define NABLA_VDSO_CLOCKS	8	/* clock ids 0 .. 7 */

/* Those that are the host's monotonic clock plus a number: all but CPU times. */
#define NABLA_VDSO_MASK		0xf3u

struct nabla_vdso_data {
	/* The host's own vDSO function, or NULL while clocks must be asked of the guest kernel. */
	int (*host_clock)(int clock, void *timespec);
	/* Where a rewritten system call goes: return address in rcx, r11 lost (entry.S). */
	void *syscall_entry;
	/* Nanoseconds to add to the host's monotonic clock. */
	long offset[NABLA_VDSO_CLOCKS];
};

#endif
