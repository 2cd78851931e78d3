/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Confinement: what a guest's process may ask of its host, as one table a guest kind, and the
 * seccomp filter that is built from the same table.
 *
 * The code is freestanding: the guest kernel's launch stage (guest/linux) compiles it to install
 * the filter, `runnc features` and `runnc plan` to say what it is. The rules of confine_linux.c and
 * the rows of its table stand side by side; confine_linux_filter() refuses to build if one has no
 * row.
 */
#ifndef RUNNC_CONFINE_H
#define RUNNC_CONFINE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/filter.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
typedef uint32_t u32;
typedef uint64_t u64;
#endif

/* One allowed host system call. */
struct confine_call {
	const char *name;		/* as in the x86-64 system call table */
	unsigned int nr;
	const char *args;		/* what its arguments are pinned to */
	const char *made_by;		/* the function that makes it */
	const char *reason;
};

extern const struct confine_call confine_linux_calls[];
extern const size_t confine_linux_nr_calls;

/* The numbers that the Linux guest's filter pins. Addresses are those of the confined process. */
struct confine_linux {
	u64 gate_return;		/* the address behind the one host call instruction */
	u64 kernel_start, kernel_end;	/* the executable; both below 4 GiB */
	u64 vdso_start, vdso_end;	/* the host's vDSO; 0: none */
	u32 timer;			/* timer_create()'s number */
	u32 memory_fd;
	u32 epoll_fd, stdio_epoll_fd;
	u32 net_fd_first, nr_nets;	/* consecutive descriptors */
	u32 image_fd_first, nr_images;
	bool tty;			/* descriptor 0 is a terminal: its size may be asked for */
	bool set_base;			/* FS and GS base are the host's to set: no FSGSBASE */
};

#define CONFINE_LINUX_MAX 128		/* instructions, at most */

/*
 * Build the filter into @out (CONFINE_LINUX_MAX entries). Returns the number of instructions, or 0
 * if @c cannot be expressed (a bug of the caller). The filter's answers:
 *
 *	kill the process	another architecture; a host call from inside the executable that is
 *				not at the gate, or at the gate with other arguments than allowed
 *	trap (SIGSYS)		a call from any other address: a guest program's own system call
 *	allow			the calls of the table
 */
size_t confine_linux_filter(const struct confine_linux *c, struct sock_filter *out);

/* Guest address ranges that may be mapped; the same as guest/linux/arch/um/include/asm/layout.h. */
#define CONFINE_LINUX_LOW_START		0x10000u
#define CONFINE_LINUX_LOW_END		0x60000000u
#define CONFINE_LINUX_HIGH_START_HI	0x30u	/* upper 32 bits of the address */
#define CONFINE_LINUX_HIGH_END_HI	0x6000u
#define CONFINE_LINUX_HIGH_LEN_HI	0x1000u	/* upper 32 bits of the length are below this */

#endif
