// SPDX-License-Identifier: GPL-2.0-only
/* The vDSO: clocks without a system call, and the same as the kernel's. */
#include "claim.h"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/time.h>

static uint64_t ns(const struct timespec *t)
{
	need(t->tv_nsec >= 0 && t->tv_nsec < 1000000000);
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static uint64_t here(clockid_t clock)
{
	struct timespec t;

	need(!clock_gettime(clock, &t));
	return ns(&t);
}

static uint64_t kernel(clockid_t clock)
{
	struct timespec t;

	need(!syscall(SYS_clock_gettime, clock, &t));
	return ns(&t);
}

static void announced(void)
{
	const ElfW(Ehdr) *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
	char line[512];
	int seen = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	need(ehdr && maps);
	need(!memcmp(ehdr->e_ident, ELFMAG, SELFMAG) && ehdr->e_type == ET_DYN);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start = strtoul(line, NULL, 16);

		if (strstr(line, "[vdso]")) {
			need(strstr(line, " r-xp "));
			need(start == (unsigned long)ehdr);
			seen |= 1;
		} else if (strstr(line, "[vvar]")) {
			need(strstr(line, " r--p "));
			seen |= 2;
		}
	}
	need_is(seen, 3);
}

static void same_clocks(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
					    CLOCK_MONOTONIC_RAW };
	size_t c;
	int i;

	for (c = 0; c < sizeof(clocks) / sizeof(clocks[0]); c++)
		for (i = 0; i < 20000; i++) {
			uint64_t before = here(clocks[c]), between = kernel(clocks[c]);

			need(before <= between && between <= here(clocks[c]));
		}
}

static void coarse_clocks(void)
{
	uint64_t exact = kernel(CLOCK_MONOTONIC), coarse = here(CLOCK_MONOTONIC_COARSE);

	need(coarse + 50000000 > exact && coarse < exact + 1000000000);
	exact = kernel(CLOCK_REALTIME);
	coarse = here(CLOCK_REALTIME_COARSE);
	need(coarse + 50000000 > exact && coarse < exact + 1000000000);
}

static void cpu_clocks(void)
{
	uint64_t before = here(CLOCK_PROCESS_CPUTIME_ID), thread = here(CLOCK_THREAD_CPUTIME_ID);
	uint64_t end = here(CLOCK_MONOTONIC) + 50000000;
	clockid_t own;

	while (here(CLOCK_MONOTONIC) < end)
		;
	need(here(CLOCK_PROCESS_CPUTIME_ID) > before);
	need(here(CLOCK_THREAD_CPUTIME_ID) > thread);
	need(!clock_getcpuclockid(0, &own));
	need(here(own) > before);
	usleep(100000);
	need(here(CLOCK_PROCESS_CPUTIME_ID) - before < 10000000000u);
}

static void others(void)
{
	struct timespec t;
	struct timeval tv;
	struct timezone zone = { 99, 99 };
	time_t now, out = 0;
	unsigned int cpu = 9, node = 9;
	clockid_t bad;

	for (bad = 12; bad < 40; bad++)
		need(clock_gettime(bad, &t) == -1 && errno == EINVAL);
	need(!clock_getres(CLOCK_MONOTONIC, &t) && t.tv_sec == 0 && t.tv_nsec == 1);
	need(!gettimeofday(&tv, &zone) && zone.tz_minuteswest == 0);
	need(!gettimeofday(&tv, NULL) && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	now = time(&out);
	need(now == out && now - tv.tv_sec <= 1);
	need(!getcpu(&cpu, &node) && cpu == 0 && node == 0);
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	static uint64_t last;
	uint64_t now = here(CLOCK_MONOTONIC);

	(void)sig;
	need(now >= last);
	last = now;
	signals++;
}

/* The signal comes into the host's code, which runs as a part of the program. */
static void interrupted(void)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	uint64_t last = here(CLOCK_MONOTONIC), end = last + 1500000000, now;

	need(signal(SIGALRM, on_signal) != SIG_ERR);
	need(!setitimer(ITIMER_REAL, &often, NULL));
	while ((now = here(CLOCK_MONOTONIC)) < end) {
		need(now >= last);
		last = now;
	}
	need(signals > 50);
}

static void *spin(void *end)
{
	uint64_t last = 0, now;

	while ((now = here(CLOCK_MONOTONIC)) < *(uint64_t *)end) {
		need(now >= last);
		last = now;
	}
	return NULL;
}

static void threads(void)
{
	uint64_t end = here(CLOCK_MONOTONIC) + 1000000000;
	pthread_t t[4];
	int i;

	for (i = 0; i < 4; i++)
		need(!pthread_create(&t[i], NULL, spin, &end));
	for (i = 0; i < 4; i++)
		need(!pthread_join(t[i], NULL));
}

static void after_fork(void)
{
	int i, status;

	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			same_clocks();
			_exit(0);
		}
		here(CLOCK_MONOTONIC);
		need(waitpid(pid, &status, 0) == pid && !status);
	}
}

static void write_data(void)
{
	*(volatile char *)(getauxval(AT_SYSINFO_EHDR) - 4096) = 0;
}

static void write_text(void)
{
	*(volatile char *)getauxval(AT_SYSINFO_EHDR) = 0;
}

static void not_writable(void)
{
	need_is(dies(write_data), SIGSEGV);
	need_is(dies(write_text), SIGSEGV);
	need(mprotect((void *)(getauxval(AT_SYSINFO_EHDR) - 4096), 4096, PROT_READ | PROT_WRITE) <
	     0);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("it is mapped and announced", announced);
	claim("its clocks are the kernel's", same_clocks);
	claim("coarse clocks are near", coarse_clocks);
	claim("CPU times come from the kernel", cpu_clocks);
	claim("bad clocks, resolution, zone, time, getcpu", others);
	claim("a program is interrupted while it reads the clock", interrupted);
	claim("threads take turns while they read the clock", threads);
	claim("the same after fork", after_fork);
	claim("programs cannot change it", not_writable);
	return claims_done();
}
