// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs call in the vDSO. The host's vDSO lies in the same address space and reads the
 * clock without any system call; the guest's clocks are its monotonic clock plus numbers that the
 * kernel keeps in the data page (clocks.c). What cannot be answered so goes to the guest kernel, by
 * its entry for rewritten system calls: there is no system call instruction here.
 */
#include "vdso.h"

#define SECOND	1000000000UL

#define NR_gettimeofday		96
#define NR_time			201
#define NR_clock_gettime	228
#define NR_clock_getres		229

struct timespec {
	long tv_sec;
	long tv_nsec;
};

struct timeval {
	long tv_sec;
	long tv_usec;
};

/* The linker script puts it before the object. */
extern const struct nabla_vdso_data data __attribute__((visibility("hidden")));

static long ask_kernel(long nr, long a, long b)
{
	register void *entry asm("r11") = data.syscall_entry;
	long ret;

	asm volatile("lea 1f(%%rip), %%rcx\n\tjmp *%%r11\n1:"
		     : "=a" (ret), "+r" (entry)
		     : "0" (nr), "D" (a), "S" (b)
		     : "rcx", "cc", "memory");
	return ret;
}

/* Nanoseconds of clock @id (below NABLA_VDSO_CLOCKS); 0 if only the kernel knows. */
static unsigned long read_clock(unsigned int id)
{
	struct timespec host;

	if (!(NABLA_VDSO_MASK >> id & 1) || !data.host_clock || data.host_clock(1, &host))
		return 0;
	return (unsigned long)host.tv_sec * SECOND + (unsigned long)host.tv_nsec +
	       (unsigned long)data.offset[id];
}

int __vdso_clock_gettime(unsigned int id, struct timespec *ts)
{
	unsigned long ns = id < NABLA_VDSO_CLOCKS ? read_clock(id) : 0;

	if (!ns)
		return (int)ask_kernel(NR_clock_gettime, (int)id, (long)ts);
	ts->tv_sec = (long)(ns / SECOND);
	ts->tv_nsec = (long)(ns % SECOND);
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, void *zone)
{
	unsigned long ns = zone ? 0 : read_clock(0);

	if (!ns || !tv)
		return (int)ask_kernel(NR_gettimeofday, (long)tv, (long)zone);
	tv->tv_sec = (long)(ns / SECOND);
	tv->tv_usec = (long)(ns % SECOND / 1000);
	return 0;
}

long __vdso_time(long *t)
{
	unsigned long ns = read_clock(0);

	if (!ns)
		return ask_kernel(NR_time, (long)t, 0);
	if (t)
		*t = (long)(ns / SECOND);
	return (long)(ns / SECOND);
}

int __vdso_clock_getres(int id, struct timespec *ts)
{
	return (int)ask_kernel(NR_clock_getres, id, (long)ts);
}

/* One CPU, one node. */
long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	(void)unused;
	if (cpu)
		*cpu = 0;
	if (node)
		*node = 0;
	return 0;
}

#define WEAK(name) __attribute__((weak, alias("__vdso_" #name)))
int clock_gettime(unsigned int id, struct timespec *ts) WEAK(clock_gettime);
int gettimeofday(struct timeval *tv, void *zone) WEAK(gettimeofday);
long time(long *t) WEAK(time);
int clock_getres(int id, struct timespec *ts) WEAK(clock_getres);
long getcpu(unsigned int *cpu, unsigned int *node, void *unused) WEAK(getcpu);
