/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start: wake the process that waits at the exec FIFO, and hear whether the guest was executed.
 *
 * The FIFO is removed after the process was woken. If this process is killed in between, the
 * container runs and is still called "created"; the next `start` finds nobody reading the FIFO and
 * puts that right. (Removed first, a container would be called "running" that nothing can ever
 * wake.)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "container/child.h"
#include "container/create.h"

#define START_EXEC_TIMEOUT_MS	60000

static int start_check_status(const struct state *s, struct err *e)
{
	switch (state_status(s)) {
	case STATE_CREATED:
		return 0;
	case STATE_RUNNING:
		return err_say(e, -EBUSY, "cannot start an already running container");
	case STATE_STOPPED:
		return err_say(e, -ESRCH, "cannot start a container that has stopped");
	case STATE_CREATING:
		break;
	}
	return err_say(e, -EBUSY, "cannot start a container that is being created");
}

/* The container is not "created" any more. */
static int start_write_down(struct state *s, const struct state_lock *lock, struct err *e)
{
	if (unlinkat(lock->dir, CHILD_EXEC_FIFO, 0) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove FIFO '%s'", CHILD_EXEC_FIFO);
	if (unlinkat(lock->dir, CHILD_STATUS_FIFO, 0) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove FIFO '%s'", CHILD_STATUS_FIFO);
	free(s->exec_fifo);
	s->exec_fifo = NULL;
	return state_save(lock, s, e);
}

/* Returns once the process has executed the guest (or died), or with the words of its failure. */
static int start_hear(int status, struct err *e)
{
	struct pollfd p = { .fd = status, .events = POLLIN };
	char text[ERR_TEXT_MAX / 2] = "";
	size_t len = 0;
	ssize_t n;

	for (;;) {
		int r = poll(&p, 1, START_EXEC_TIMEOUT_MS);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "wait for the guest");
		if (r == 0)
			return err_say(e, -ETIMEDOUT, "the guest was not executed within %d s",
				       START_EXEC_TIMEOUT_MS / 1000);
		n = read(status, text + len, sizeof(text) - 1 - len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_set(e, -errno, "wait for the guest");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return len > 0 ? err_say(e, -ENOEXEC, "%s", text) : 0;
}

static int start_wake(struct state *s, const struct state_lock *lock, struct err *e)
{
	_autoclose_ int status =
		openat(lock->dir, CHILD_STATUS_FIFO, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_autoclose_ int fifo = -1;
	int heard, r;

	if (status < 0)
		return err_set(e, -errno, "open FIFO '%s'", CHILD_STATUS_FIFO);
	fifo = openat(lock->dir, CHILD_EXEC_FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fifo < 0 && errno == ENXIO) {
		/* Nobody reads: it was woken by a `start` that was killed, or is dead. */
		r = start_write_down(s, lock, e);
		if (r < 0)
			return r;
		return err_say(e, -EBUSY, "cannot start an already running container");
	}
	if (fifo < 0)
		return err_set(e, -errno, "open FIFO '%s'", CHILD_EXEC_FIFO);
	if (write(fifo, "", 1) != 1)
		return err_set(e, -errno, "write to FIFO '%s'", CHILD_EXEC_FIFO);

	heard = start_hear(status, e);
	if (heard < 0) {
		struct err ignored = ERR_INIT;

		start_write_down(s, lock, &ignored);
		return heard;
	}
	return start_write_down(s, lock, e);
}

/* [runtime] "Lifecycle": a failed startContainer hook stops the container. */
static void start_give_up(const struct state *s)
{
	struct err e = ERR_INIT;
	_autoclose_ int pidfd = -1;

	if (state_pidfd(s, &pidfd, &e) == 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

int start_locked(struct state *s, const struct state_lock *lock, const struct bundle *b,
		 struct err *e)
{
	int r = start_check_status(s, e);

	if (r < 0)
		return r;
	r = creation_run_hooks(BUNDLE_HOOK_START_CONTAINER, b, s, STATE_CREATED, e);
	if (r < 0) {
		start_give_up(s);
		return r;
	}
	r = start_wake(s, lock, e);
	if (r < 0)
		return r;
	return creation_run_hooks(BUNDLE_HOOK_POSTSTART, b, s, STATE_RUNNING, e);
}

int lifecycle_start(const struct lifecycle *l, const char *id, struct err *e)
{
	_autounlock_ struct state_lock lock = STATE_LOCK_INIT;
	_autostate_ struct state s = STATE_INIT;
	_autobundle_ struct bundle *b = NULL;
	_autofree_ char *dir = NULL;
	int r = state_open(l->root, id, STATE_LOCK_TIMEOUT_MS, &lock, &s, e);

	if (r != 0)
		return r > 0 ? -ENOENT : r;
	dir = state_path(l->root, id, NULL);
	r = dir ? bundle_load(dir, &b, e) : err_set(e, -ENOMEM, "find its state");
	if (r == 0)
		r = start_locked(&s, &lock, b, e);
	return r < 0 ? err_wrap(e, r, "container %s", id) : 0;
}
