// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program that the container tests run: it does what its arguments say and prints what it
 * found, one line each. Built statically, because the test images hold nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;

static void show_ids(void)
{
	gid_t groups[64];
	int n = getgroups(64, groups);
	mode_t mask = umask(0);

	umask(mask);
	printf("uid=%u gid=%u groups=", getuid(), getgid());
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	printf(" umask=%03o pid=%d ppid=%d sid=%d\n", mask, getpid(), getppid(), getsid(0));
}

static void show_stat(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		printf("%s: %s\n", path, strerror(errno));
	else
		printf("%s: %06o %u:%u %ld dev %u:%u\n", path, st.st_mode, st.st_uid, st.st_gid,
		       S_ISREG(st.st_mode) ? (long)st.st_size : 0, major(st.st_rdev),
		       minor(st.st_rdev));
}

static void show_link(const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	printf("%s -> %s\n", path, n < 0 ? strerror(errno) : target);
}

static void show_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		printf("%s: %s\n", path, strerror(errno));
	else
		printf("%s: %.*s\n", path, (int)n, text);
	if (fd >= 0)
		close(fd);
}

static void try_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	printf("write %s: %s\n", path,
	       fd < 0			? strerror(errno)
	       : write(fd, "x", 1) == 1 ? "ok"
					: "short");
	if (fd >= 0)
		close(fd);
}

/* The lines of /proc/self/@file that start with @word, or all of them. */
static void show_lines(const char *file, const char *word)
{
	char path[64], line[4096];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	f = fopen(path, "r");
	if (!f) {
		printf("%s: %s\n", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word)))
			fputs(line, stdout);
	fclose(f);
}

static void show_fds(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd %d\n", fd);
}

static void show_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit((__typeof__(RLIMIT_NOFILE))resource, &limit) == 0)
		printf("limit %d: %llu %llu\n", resource, (unsigned long long)limit.rlim_cur,
		       (unsigned long long)limit.rlim_max);
}

static void on_signal(int number)
{
	_exit(40 + number);
}

static void do_word(const char *word)
{
	const char *value = strchr(word, ':');
	char cwd[4096], host[256];

	value = value ? value + 1 : "";
	if (!strcmp(word, "ids"))
		show_ids();
	else if (!strncmp(word, "stat:", 5))
		show_stat(value);
	else if (!strncmp(word, "link:", 5))
		show_link(value);
	else if (!strncmp(word, "cat:", 4))
		show_file(value);
	else if (!strncmp(word, "write:", 6))
		try_write(value);
	else if (!strncmp(word, "status:", 7))
		show_lines("status", value);
	else if (!strcmp(word, "mounts"))
		show_lines("mountinfo", "");
	else if (!strcmp(word, "fds"))
		show_fds();
	else if (!strncmp(word, "limit:", 6))
		show_limit(atoi(value));
	else if (!strcmp(word, "cwd"))
		printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
	else if (!strcmp(word, "host"))
		printf("host %s\n", gethostname(host, sizeof(host)) ? strerror(errno) : host);
	else if (!strcmp(word, "tty"))
		printf("tty %s\n", ttyname(0) ? ttyname(0) : strerror(errno));
	else if (!strcmp(word, "env"))
		for (char **e = environ; *e; e++)
			printf("env %s\n", *e);
	else if (!strncmp(word, "exit:", 5))
		exit(atoi(value));
	else if (!strncmp(word, "kill:", 5))
		kill(getpid(), atoi(value));
	else if (!strncmp(word, "trap:", 5))
		signal(atoi(value), on_signal);
	else if (!strcmp(word, "wait"))
		pause();
	else
		printf("unknown word %s\n", word);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		do_word(argv[i]);
	return 0;
}
