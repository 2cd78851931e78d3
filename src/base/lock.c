// SPDX-License-Identifier: GPL-2.0-only
/* Locks of open files that are waited for, but not forever: flock(2) itself knows no limit. */
#include "base/lock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/file.h>
#include <time.h>

#define PAUSE_FIRST_NS 1000000L
#define PAUSE_MAX_NS 20000000L

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int lock_exclusive(int fd, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	struct timespec pause = { .tv_nsec = PAUSE_FIRST_NS };

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < PAUSE_MAX_NS)
			pause.tv_nsec *= 2;
	}
	return 0;
}
