// SPDX-License-Identifier: GPL-2.0-only
/* /proc and /sys, as programs read them. */
#include "claim.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char text[1 << 20];

static const char *contents(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n, len = 0;

	if (fd < 0)
		claim_failed(__FILE__, __LINE__, "open %s", path);
	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	need(n == 0);
	text[len] = '\0';
	close(fd);
	return text;
}

static void has(const char *path, const char *part)
{
	if (!strstr(contents(path), part))
		claim_failed(__FILE__, __LINE__, "no '%s' in %s: %.300s", part, path, text);
}

static void itself(void)
{
	char link[256] = { 0 }, want[32], *p;

	snprintf(want, sizeof(want), "%d (proc) R ", getpid());
	need(!strncmp(contents("/proc/self/stat"), want, strlen(want)));
	need(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0);
	need(strstr(link, "proc"));
	contents("/proc/self/cmdline");
	need(strstr(text, "proc"));
	has("/proc/self/status", "Name:\tproc\n");
	has("/proc/self/status", "Threads:\t1\n");
	setenv("X", "y", 1);
	contents("/proc/self/environ");
	contents("/proc/self/limits");
	contents("/proc/self/mountinfo");
	p = strstr(contents("/proc/self/statm"), " ");
	need(p && atoi(text) > 0 && atoi(p) > 0);
	need(!access("/proc/self/fd/1", F_OK));
	contents("/proc/self/smaps");
	need(strstr(text, "Rss:"));
}

/* What the maps file says is what holds. */
static void maps(void)
{
	unsigned long start, end;
	char r, w, x, s, *line, *next;
	volatile char mine = 1;
	static volatile char data = 1;
	bool stack = false, code = false, writable = false;

	for (line = (char *)contents("/proc/self/maps"); *line; line = next + 1) {
		next = strchr(line, '\n');
		need(next);
		need_is(sscanf(line, "%lx-%lx %c%c%c%c", &start, &end, &r, &w, &x, &s), 6);
		need(start < end && start % 4096 == 0);
		need(w != 'w' || x != 'x');
		if ((uintptr_t)&mine >= start && (uintptr_t)&mine < end)
			stack = w == 'w' && strstr(line, "[stack]");
		if ((uintptr_t)maps >= start && (uintptr_t)maps < end)
			code = r == 'r' && w == '-' && x == 'x';
		if ((uintptr_t)&data >= start && (uintptr_t)&data < end)
			writable = r == 'r' && w == 'w' && x == '-';
	}
	need(stack && code && writable);
}

static void memory_of_a_process(void)
{
	volatile uint64_t value = 0x1122334455667788;
	int fd = open("/proc/self/mem", O_RDWR);
	uint64_t got = 0;

	need(fd >= 0);
	need(pread(fd, &got, 8, (off_t)(uintptr_t)&value) == 8 && got == value);
	got = 5;
	need(pwrite(fd, &got, 8, (off_t)(uintptr_t)&value) == 8 && value == 5);
	need(pread(fd, &got, 8, 0x1000) == -1 && errno == EIO);
	need(pread(fd, &got, 8, 0x60001000) == -1 && errno == EIO);
}

static void the_system(void)
{
	struct sysinfo si;
	struct utsname u;
	double up = 0;

	has("/proc/meminfo", "MemTotal:");
	has("/proc/meminfo", "MemAvailable:");
	has("/proc/cpuinfo", "processor\t: 0");
	has("/proc/cpuinfo", "sse2");
	has("/proc/version", "Linux version 6.");
	has("/proc/filesystems", "overlay");
	has("/proc/mounts", " / ");
	has("/proc/stat", "cpu0 ");
	has("/proc/net/dev", "lo:");
	has("/proc/sys/kernel/ostype", "Linux");
	contents("/proc/sys/kernel/random/uuid");
	need(strlen(text) == 37);
	contents("/proc/loadavg");
	contents("/proc/sys/kernel/random/boot_id");
	need(sscanf(contents("/proc/uptime"), "%lf", &up) == 1 && up >= 0);
	need(!sysinfo(&si) && si.totalram > 16 << 20 && si.procs >= 1);
	need(!uname(&u) && !strcmp(u.machine, "x86_64") && !strcmp(u.sysname, "Linux"));
	need_is(sysconf(_SC_NPROCESSORS_ONLN) >= 1, 1);
	need_is(sysconf(_SC_PAGESIZE), 4096);
	has("/sys/devices/system/cpu/online", "0");
}

static void devices(void)
{
	char buf[64] = { 1 };
	int fd = open("/dev/zero", O_RDWR), i;

	need(read(fd, buf, 64) == 64 && !buf[0]);
	fd = open("/dev/null", O_RDWR);
	need(write(fd, buf, 64) == 64 && read(fd, buf, 1) == 0);
	fd = open("/dev/full", O_RDWR);
	need(write(fd, buf, 1) == -1 && errno == ENOSPC);
	fd = open("/dev/urandom", O_RDONLY);
	need(read(fd, buf, 64) == 64);
	for (i = 0; i < 64 && !buf[i]; i++)
		;
	need(i < 64);
	need(syscall(SYS_getrandom, buf, 64, 0) == 64);
	need(open("/dev/mem", O_RDONLY) == -1);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("/proc/self", itself);
	claim("/proc/self/maps tells the truth, and nothing is writable and executable", maps);
	claim("/proc/self/mem", memory_of_a_process);
	claim("/proc and /sys about the system", the_system);
	claim("devices", devices);
	return claims_done();
}
