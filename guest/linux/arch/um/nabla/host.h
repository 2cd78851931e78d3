/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host seam: everything that the guest kernel may ask of its host, in one table.
 *
 * | call              | host system call   | for                                                  |
 * |-------------------|--------------------|------------------------------------------------------|
 * | host_map          | mmap               | show guest memory or an image to the user            |
 * | host_unmap        | munmap             | take them away again                                 |
 * | host_discard      | madvise            | give free guest memory back to the host              |
 * | host_populate     | madvise            | have the host's pages behind guest memory, in pieces |
 * | host_clock        | (vDSO)             | monotonic and wall clock                             |
 * | host_timer_arm    | timer_settime      | the one preemption timer                             |
 * | host_wait         | epoll_pwait2       | sleep until a descriptor is ready or a time is up    |
 * | host_stdio_ready  | epoll_pwait2       | which of descriptors 0-2 are ready now               |
 * | host_readv        | readv              | frames and console input                             |
 * | host_writev       | writev             | frames and console output                            |
 * | host_tty_size     | ioctl              | rows and columns of the container's terminal         |
 * | host_async        | ioctl              | SIGIO for a network device's frames, or none         |
 * | host_base         | arch_prctl         | FS and GS base, where the host has no FSGSBASE       |
 * | host_exit         | exit_group         | the end                                              |
 * | (signal return)   | rt_sigreturn       | leave a host signal handler                          |
 *
 * Nothing else in the guest reaches the host: there is no libc in the executable, and the seccomp
 * filter (confine.c) is built from the same list. All of these may be called with any signal state.
 * They return 0 or a count, or -errno. They do not sleep, but for host_wait().
 */
#ifndef NABLA_HOST_H
#define NABLA_HOST_H

#include <linux/types.h>
#include "abi/launch.h"

struct iovec;
struct winsize;

/*
 * User address space: map [addr, addr + len) to @offset of @fd (guest memory or an image), shared.
 */
long host_map(unsigned long addr, unsigned long len, int prot, int fd, u64 offset);
long host_unmap(unsigned long addr, unsigned long len);

/*
 * Guest memory, by the kernel's address of it. Discarded memory reads as zeros afterwards; of
 * populated memory the host brings all pages now instead of one by one.
 */
long host_discard(unsigned long addr, unsigned long len);
long host_populate(unsigned long addr, unsigned long len);

#define HOST_CLOCK_REALTIME	0
#define HOST_CLOCK_MONOTONIC	1
u64 host_clock(int clock);			/* nanoseconds */

/* One shot: SIGALRM in @ns nanoseconds from now; 0 disarms. */
long host_timer_arm(u64 ns);

/*
 * Sleep at most @ns nanoseconds (0: only look) until one of the descriptors with an interrupt
 * number has news, and raise the interrupts of those that have. Edge triggered: a driver reads or
 * writes until -EAGAIN. Returns how many were raised. Called by the idle loop and by the timer.
 */
long host_wait(u64 ns);

/*
 * Descriptors 0-2 are not ours alone, so they stay in blocking mode: look before each transfer, and
 * write at most HOST_STDIO_CHUNK bytes at a time. A bit N is set if descriptor N can be read (0) or
 * written (1, 2) without blocking, or has hung up.
 */
#define HOST_STDIO_CHUNK 4096
unsigned int host_stdio_ready(void);

long host_readv(int fd, const struct iovec *iov, int n);
long host_writev(int fd, const struct iovec *iov, int n);

/* Of descriptor 0; only where the launch record says that it is a terminal. */
long host_tty_size(struct winsize *size);

/* Of a network device: off is for a while in which the guest looks itself. */
long host_async(int fd, bool on);

/* @option: ARCH_SET_FS or ARCH_SET_GS. Only where nabla_has_fsgsbase is false. */
long host_base(int option, unsigned long base);

void host_exit(int status) __attribute__((noreturn));

/* Interrupt numbers: request_irq() works as everywhere. Edge triggered, never shared. */
#define NABLA_IRQ_TIMER		0
#define NABLA_IRQ_SIGNAL	1	/* a signal came from the host: see nabla_take_signals() */
#define NABLA_IRQ_STDIO		2	/* something changed about descriptors 0-2 */
#define NABLA_IRQ_NET(i)	(8 + (i))
#define NABLA_NR_IRQS		32

/*
 * Bits 1..64 of host signals that came since the last call (bit N - 1: signal N), and clears them.
 */
u64 nabla_take_signals(void);

/* tty.c: the host's terminal may have another size now. From interrupt context. */
void nabla_tty_resized(void);

/*
 * The launch record, copied, valid from setup_arch() on. Images are mapped read-only into the
 * kernel's address space at nabla_image_virt(i), page aligned, for the life of the process; __pa()
 * of such an address is a physical address without a struct page, which user mappings may use
 * (DAX).
 */
extern struct nabla_launch nabla_launch;
void *nabla_image_virt(unsigned int i);

#endif
