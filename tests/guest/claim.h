/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the programs here: claims about the system they run on, each checked in its own process.
 *
 *	claims_begin(argc, argv)	first of all
 *	claim("text", function)		fork and exec; it holds if the function returns in time
 *	need(condition)			in such a function: else say where, and the claim has failed
 *	need_is(got, wanted)		the same for two integers, and say what they are
 *	unable("reason")		the claim cannot be checked on this CPU or system
 *	dies(function)			fork; the signal that it dies by, or minus its status
 *
 * Output, for lib.sh: "ok - text", "not ok - text", "skip - text # reason" and "# ..." lines; the
 * last line is "done".
 */
#ifndef GUEST_CLAIM_H
#define GUEST_CLAIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLAIM_SECONDS	30
#define CLAIM_FAILED	97
#define CLAIM_UNABLE	98

static inline void claim_failed(const char *file, int line, const char *format, ...)
{
	int err = errno;
	va_list ap;

	dprintf(1, "# %s:%d: ", file, line);
	va_start(ap, format);
	vdprintf(1, format, ap);
	va_end(ap);
	dprintf(1, " (errno %d: %s)\n", err, strerror(err));
	_exit(CLAIM_FAILED);
}

#define need(condition) do { \
	if (!(condition)) \
		claim_failed(__FILE__, __LINE__, "%s", #condition); \
} while (0)

#define need_is(got, wanted) do { \
	long long got_ = (long long)(got), wanted_ = (long long)(wanted); \
	if (got_ != wanted_) \
		claim_failed(__FILE__, __LINE__, "%s: %lld (%llx), wanted %s: %lld (%llx)", #got, \
			     got_, got_, #wanted, wanted_, wanted_); \
} while (0)

static inline void unable(const char *reason)
{
	dprintf(1, "# unable: %s\n", reason);
	_exit(CLAIM_UNABLE);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int dies(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	need(pid > 0);
	need_is(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

/* Which of the claims this process is to check: its number, or 0 for the one that runs them all. */
static int claim_number, claim_mine;
static const char *claim_program;

static inline void claims_begin(int argc, char **argv)
{
	claim_program = argv[0];
	claim_mine = argc > 1 ? atoi(argv[1]) : 0;
}

static inline void claim_run(const char *text, void (*fn)(void))
{
	char number[12];

	/* Each in a program of its own: what one does to its address space must not help the next.
	 */
	if (!claim_mine) {
		snprintf(number, sizeof(number), "%d", claim_number);
		execl(claim_program, claim_program, number, NULL);
		dprintf(1, "# exec %s for '%s': %s\n", claim_program, text, strerror(errno));
		_exit(CLAIM_FAILED);
	}
	fn();
	_exit(0);
}

static inline void claim(const char *text, void (*fn)(void))
{
	struct timespec limit = { .tv_sec = CLAIM_SECONDS };
	sigset_t child, old;
	int status = 0;
	pid_t pid;

	claim_number++;
	if (claim_mine == claim_number)
		claim_run(text, fn);
	if (claim_mine)
		return;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &old);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		sigprocmask(SIG_SETMASK, &old, NULL);
		claim_run(text, fn);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (sigtimedwait(&child, NULL, &limit) < 0 && errno == EAGAIN) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			printf("# not finished after %d seconds\n", CLAIM_SECONDS);
			break;
		}
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (WIFSIGNALED(status))
		printf("# died by signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) && WEXITSTATUS(status) < CLAIM_FAILED)
		printf("# exited with %d\n", WEXITSTATUS(status));
	if (status == 0)
		printf("ok - %s\n", text);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == CLAIM_UNABLE)
		printf("skip - %s\n", text);
	else
		printf("not ok - %s\n", text);
	fflush(stdout);
}

/* After the claims: main() returns this. */
static inline int claims_done(void)
{
	printf("done\n");
	return 0;
}

#endif
