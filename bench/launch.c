/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run a program and print how long it took, in milliseconds on CLOCK_MONOTONIC: "FIRST END", from
 * before the fork to the first newline on its standard output ("-" without one), and to its end as
 * the parent sees it. Static, so that it runs inside a container as well as outside.
 *
 *	launch COUNT PROGRAM [ARGUMENT]...	COUNT times in a row, a line each
 *
 * The program's output is swallowed. If it ends with another status than 0, so does this one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The time of the first newline, or 0; returns at the end of the output. */
static double first_line(int fd)
{
	char buf[4096];
	double first = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (!first && memchr(buf, '\n', (size_t)n))
			first = now();
	}
	return first;
}

static int launch(char *argv[])
{
	double begin, first, end;
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return perror("launch: pipe"), 1;
	begin = now();
	pid = fork();
	if (pid < 0)
		return perror("launch: fork"), 1;
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		perror("launch: exec");
		_exit(127);
	}
	close(out[1]);
	first = first_line(out[0]);
	close(out[0]);
	if (waitpid(pid, &status, 0) != pid)
		return perror("launch: waitpid"), 1;
	end = now();
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "launch: %s ended with status %#x\n", argv[0],
			(unsigned int)status);
		return 1;
	}
	if (first)
		printf("%.3f %.3f\n", first - begin, end - begin);
	else
		printf("- %.3f\n", end - begin);
	return 0;
}

int main(int argc, char *argv[])
{
	int count = argc < 3 ? 0 : atoi(argv[1]);

	if (count < 1) {
		fprintf(stderr, "usage: launch COUNT PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	while (count--) {
		if (launch(argv + 2))
			return 1;
	}
	return 0;
}
