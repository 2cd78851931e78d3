// SPDX-License-Identifier: GPL-2.0-only
/* The host calls of host.h. */
#include <linux/kernel.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/uio.h>
#include <linux/math64.h>
#include <linux/mman.h>
#include <linux/termios.h>
#include <asm/unistd.h>
#include "entry.h"
#include "host.h"

int nabla_memory_fd = -1, nabla_epoll_fd = -1, nabla_stdio_epoll_fd = -1;
long nabla_timer;				/* timer_create()'s number */
/* descriptors 0-2 that cannot be polled: always ready */
unsigned int nabla_stdio_always;

/* The host's vDSO: how the time is read without a system call. */
unsigned long nabla_vdso_start, nabla_vdso_end;
long (*nabla_vdso_clock_gettime)(int clock, struct __kernel_timespec *ts);

struct host_epoll_event {
	u32 events;
	u64 data;
} __packed;

#define POLL_RADIX	1000000000ULL

long host_map(unsigned long addr, unsigned long len, int prot, int fd, u64 offset)
{
	long flags = MAP_SHARED | MAP_FIXED;
	long ret;

	/* Guest memory has been touched by the kernel already: take all translations at once. */
	if (fd == nabla_memory_fd && len > PAGE_SIZE)
		flags |= MAP_POPULATE;
	ret = nabla_syscall6(__NR_mmap, addr, len, prot, flags, fd, offset);
	return ret < 0 && ret > -4096 ? ret : 0;
}

long host_unmap(unsigned long addr, unsigned long len)
{
	return nabla_syscall6(__NR_munmap, addr, len, 0, 0, 0, 0);
}

long host_discard(unsigned long addr, unsigned long len)
{
	return nabla_syscall6(__NR_madvise, addr, len, 9 /* MADV_REMOVE */, 0, 0, 0);
}

long host_populate(unsigned long addr, unsigned long len)
{
	return nabla_syscall6(__NR_madvise, addr, len, 23 /* MADV_POPULATE_WRITE */, 0, 0, 0);
}

/*
 * The vDSO is ordinary code of the host and may use SSE registers, which belong to the guest
 * program whose system call is being served: keep them aside. It does not use wider registers.
 */
u64 host_clock(int clock)
{
	struct __kernel_timespec ts;
	u8 sse[256] __aligned(16);
	long ret;

	nabla_in_host_clock++;
	asm volatile("movups %%xmm0, 0(%0)\n\tmovups %%xmm1, 16(%0)\n\t"
		     "movups %%xmm2, 32(%0)\n\tmovups %%xmm3, 48(%0)\n\t"
		     "movups %%xmm4, 64(%0)\n\tmovups %%xmm5, 80(%0)\n\t"
		     "movups %%xmm6, 96(%0)\n\tmovups %%xmm7, 112(%0)\n\t"
		     "movups %%xmm8, 128(%0)\n\tmovups %%xmm9, 144(%0)\n\t"
		     "movups %%xmm10, 160(%0)\n\tmovups %%xmm11, 176(%0)\n\t"
		     "movups %%xmm12, 192(%0)\n\tmovups %%xmm13, 208(%0)\n\t"
		     "movups %%xmm14, 224(%0)\n\tmovups %%xmm15, 240(%0)"
		     : : "r" (sse) : "memory");
	ret = nabla_vdso_clock_gettime(clock, &ts);
	asm volatile("movups 0(%0), %%xmm0\n\tmovups 16(%0), %%xmm1\n\t"
		     "movups 32(%0), %%xmm2\n\tmovups 48(%0), %%xmm3\n\t"
		     "movups 64(%0), %%xmm4\n\tmovups 80(%0), %%xmm5\n\t"
		     "movups 96(%0), %%xmm6\n\tmovups 112(%0), %%xmm7\n\t"
		     "movups 128(%0), %%xmm8\n\tmovups 144(%0), %%xmm9\n\t"
		     "movups 160(%0), %%xmm10\n\tmovups 176(%0), %%xmm11\n\t"
		     "movups 192(%0), %%xmm12\n\tmovups 208(%0), %%xmm13\n\t"
		     "movups 224(%0), %%xmm14\n\tmovups 240(%0), %%xmm15"
		     : : "r" (sse) : "memory");
	nabla_in_host_clock--;
	return ret ? 0 : ts.tv_sec * POLL_RADIX + ts.tv_nsec;
}

long host_timer_arm(u64 ns)
{
	struct __kernel_itimerspec its = { };

	its.it_value.tv_sec = div_u64_rem(ns, POLL_RADIX, (u32 *)&its.it_value.tv_nsec);
	return nabla_syscall6(__NR_timer_settime, nabla_timer, 0, (long)&its, 0, 0, 0);
}

long host_wait(u64 ns)
{
	struct host_epoll_event events[NABLA_NR_IRQS];
	struct __kernel_timespec ts = { };
	unsigned long flags;
	long n, i;

	if (ns == 0) {
		/*
		 * Not nabla_wait(): another pending interrupt must not hide the descriptors' news.
		 */
		n = nabla_syscall6(__NR_epoll_pwait2, nabla_epoll_fd, (long)events,
				   NABLA_NR_IRQS, (long)&ts, 0, 8);
	} else {
		if (ns != ~0ULL) {
			ts.tv_sec = ns / POLL_RADIX;
			ts.tv_nsec = ns % POLL_RADIX;
		}
		n = nabla_wait(nabla_epoll_fd, events, NABLA_NR_IRQS, ns == ~0ULL ? NULL : &ts);
	}
	if (n <= 0)
		return 0;
	if (in_hardirq()) {
		for (i = 0; i < n; i++)
			generic_handle_irq((unsigned int)events[i].data);
		return n;
	}
	/* From the idle loop: as interrupts, with what they have raised done at the end. */
	local_irq_save(flags);
	irq_enter();
	for (i = 0; i < n; i++)
		generic_handle_irq((unsigned int)events[i].data);
	irq_exit();
	local_irq_restore(flags);
	return n;
}

unsigned int host_stdio_ready(void)
{
	struct host_epoll_event events[3];
	struct __kernel_timespec now = { };
	unsigned int ready = nabla_stdio_always;
	long n;

	n = nabla_syscall6(__NR_epoll_pwait2, nabla_stdio_epoll_fd, (long)events, 3, (long)&now, 0,
			   8);
	while (n-- > 0)
		ready |= 1u << (events[n].data & 3);
	return ready;
}

long host_readv(int fd, const struct iovec *iov, int n)
{
	return nabla_syscall6(__NR_readv, fd, (long)iov, n, 0, 0, 0);
}

long host_writev(int fd, const struct iovec *iov, int n)
{
	return nabla_syscall6(__NR_writev, fd, (long)iov, n, 0, 0, 0);
}

long host_tty_size(struct winsize *size)
{
	return nabla_syscall6(__NR_ioctl, 0, TIOCGWINSZ, (long)size, 0, 0, 0);
}

long host_async(int fd, bool on)
{
	int value = on;

	return nabla_syscall6(__NR_ioctl, fd, FIOASYNC, (long)&value, 0, 0, 0);
}

long host_base(int option, unsigned long base)
{
	return nabla_syscall6(__NR_arch_prctl, option, base, 0, 0, 0, 0);
}

void host_exit(int status)
{
	for (;;)
		nabla_syscall6(__NR_exit_group, status & 255, 0, 0, 0, 0, 0);
}
