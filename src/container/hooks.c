/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks: one process each, in a process group of its own.
 *
 * stdin is a memory file with the state, not a pipe: a hook that does not read it can neither block
 * nor kill the runtime. stdout and stderr are one pipe, of which the end is kept for the message.
 * What a hook leaves running in the background may hold that pipe; only the hook itself is waited
 * for.
 */
#include "container/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/signals.h"
#include "ns/fds.h"
#include "ns/ns.h"

#define HOOK_TAIL	400	/* bytes of output that a message shows */
/* in the hook, until it is executed: where to say that it cannot be */
#define HOOK_FAIL_FD	3

#define HOOK_ALL_NS                                                                                \
	(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWUSER |               \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)

static const struct {
	const char *name;
	int ns;			/* of the container that it runs in */
	bool warn;		/* a failure is only a warning */
} hook_kinds[BUNDLE_HOOK_KINDS] = {
	[BUNDLE_HOOK_PRESTART] = { "prestart", 0, false },
	[BUNDLE_HOOK_CREATE_RUNTIME] = { "createRuntime", 0, false },
	[BUNDLE_HOOK_CREATE_CONTAINER] = { "createContainer", HOOK_ALL_NS | CLONE_NEWNS, false },
	[BUNDLE_HOOK_START_CONTAINER] = { "startContainer", HOOK_ALL_NS, false },
	[BUNDLE_HOOK_POSTSTART] = { "poststart", 0, true },
	[BUNDLE_HOOK_POSTSTOP] = { "poststop", 0, true },
};

const char *hooks_name(enum bundle_hook_kind kind)
{
	return hook_kinds[kind].name;
}

struct hook_run {
	const struct bundle_hook *hook;
	int ns;
	pid_t container;
	int in;			/* the state */
	int out[2];		/* what it writes */
	int fail[2];		/* why it could not be executed */
	pid_t pid;
	int pidfd;
	char tail[HOOK_TAIL + 1];
	size_t tail_len;
};

static void hook_close(struct hook_run *h)
{
	fd_close(&h->in);
	fd_close(&h->pidfd);
	for (int i = 0; i < 2; i++) {
		fd_close(&h->out[i]);
		fd_close(&h->fail[i]);
	}
}

/* In the hook's process. */

/* 0-2 and HOOK_FAIL_FD in place, everything else closed. */
static int hook_descriptors(const struct hook_run *h, struct err *e)
{
	static const int keep[] = { HOOK_FAIL_FD };
	/* Out of the way of the numbers that they will have. */
	int in = fcntl(h->in, F_DUPFD_CLOEXEC, 10);
	int out = fcntl(h->out[1], F_DUPFD_CLOEXEC, 10);
	int fail = fcntl(h->fail[1], F_DUPFD_CLOEXEC, 10);

	if (in < 0 || out < 0 || fail < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0 || dup3(fail, HOOK_FAIL_FD, O_CLOEXEC) < 0)
		return err_set(e, -errno, "set up its descriptors");
	return ns_fds_close_except(keep, 1, e);
}

static int hook_enter(const struct hook_run *h, struct err *e)
{
	int r;

	if (h->ns == 0)
		return 0;
	r = ns_enter(h->container, h->ns, e);
	if (r < 0)
		return r;
	/*
	 * Root of the user namespace that was entered; the same as before if that is the runtime's.
	 */
	if (geteuid() != 0 && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_set(e, -errno, "become root of the user namespace");
	return 0;
}

/* Entering a pid namespace is for children only: wait for that child and end as it does. */
static int hook_step_down(struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_set(e, -errno, "fork into the pid namespace");
	if (pid == 0)
		return 0;
	close(HOOK_FAIL_FD);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

__attribute__((noreturn)) static void hook_main(const struct hook_run *h)
{
	static char *const no_env[] = { NULL };
	struct err e = ERR_INIT;
	struct err ignored = ERR_INIT;
	int r;

	setpgid(0, 0);
	signals_reset();
	r = hook_descriptors(h, &e);
	if (r == 0)
		r = hook_enter(h, &e);
	if (r == 0 && (h->ns & CLONE_NEWPID) != 0)
		r = hook_step_down(&e);
	if (r == 0) {
		execve(h->hook->path, h->hook->args.v, h->hook->env.v ? h->hook->env.v : no_env);
		err_set(&e, -errno, "execute it");
	}
	io_write_fd(HOOK_FAIL_FD, "the reason", e.text, strlen(e.text), &ignored);
	_exit(127);
}

/* In the runtime. */

static int hook_start(struct hook_run *h, const char *state, struct err *e)
{
	sigset_t all;
	sigset_t before;

	h->in = memfd_create("hook-state", MFD_CLOEXEC);
	if (h->in < 0 || pipe2(h->out, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    pipe2(h->fail, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(e, -errno, "make its descriptors");
	/* Only our end must not block; the other is a program's stdout. */
	if (fcntl(h->out[1], F_SETFL, 0) < 0)
		return err_set(e, -errno, "make its descriptors");
	if (io_write_fd(h->in, "the state for a hook", state, strlen(state), e) < 0)
		return -EIO;
	if (lseek(h->in, 0, SEEK_SET) < 0)
		return err_set(e, -errno, "rewind the state");

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	h->pid = fork();
	if (h->pid == 0)
		hook_main(h);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (h->pid < 0)
		return err_set(e, -errno, "fork");
	setpgid(h->pid, h->pid);	/* whoever of the two comes first */
	fd_close(&h->out[1]);
	fd_close(&h->fail[1]);
	h->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	return h->pidfd < 0 ? err_set(e, -errno, "open its process") : 0;
}

static void tail_add(struct hook_run *h, const char *data, size_t len)
{
	if (len >= HOOK_TAIL) {
		data += len - HOOK_TAIL;
		len = HOOK_TAIL;
	}
	if (h->tail_len + len > HOOK_TAIL) {
		size_t drop = h->tail_len + len - HOOK_TAIL;

		memmove(h->tail, h->tail + drop, h->tail_len - drop);
		h->tail_len -= drop;
	}
	memcpy(h->tail + h->tail_len, data, len);
	h->tail_len += len;
	h->tail[h->tail_len] = '\0';
}

/* Read what is there. False at the end of the pipe. */
static bool hook_drain(struct hook_run *h)
{
	char data[4096];
	ssize_t len;

	/* Bounded: a background process that never stops writing must not hold us here. */
	for (int i = 0; i < 64; i++) {
		len = read(h->out[0], data, sizeof(data));
		if (len > 0)
			tail_add(h, data, (size_t)len);
		else if (len == 0)
			return false;
		else if (errno != EINTR)
			return true;
	}
	return true;
}

static int64_t hook_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Wait until it ends. Returns 0 with *@status of waitpid(), or -ETIMEDOUT with it killed. */
static int hook_wait(struct hook_run *h, int *status, struct err *e)
{
	int64_t end = hook_now_ms() + (int64_t)h->hook->timeout * 1000;
	struct pollfd p[2] = {
		{ .fd = h->pidfd, .events = POLLIN },
		{ .fd = h->out[0], .events = POLLIN },
	};
	bool late = false;

	while ((p[0].revents & POLLIN) == 0 && !late) {
		int64_t left = h->hook->timeout ? end - hook_now_ms() : INT32_MAX;

		late = left <= 0;
		if (late || poll(p, 2, left > INT32_MAX ? INT32_MAX : (int)left) < 0)
			continue;
		if (p[1].revents && !hook_drain(h))
			p[1].fd = -1;
	}
	if (late)
		kill(-h->pid, SIGKILL);
	while (waitpid(h->pid, status, 0) < 0 && errno == EINTR)
		;
	h->pid = -1;
	hook_drain(h);
	return late ? err_say(e, -ETIMEDOUT, "not finished within its timeout of %u s, killed",
			      h->hook->timeout) : 0;
}

/* The tail of what it wrote as one line: control characters become spaces. */
static void tail_flatten(struct hook_run *h)
{
	while (h->tail_len > 0 && strchr(" \n\r\t", h->tail[h->tail_len - 1]))
		h->tail[--h->tail_len] = '\0';
	for (size_t i = 0; i < h->tail_len; i++)
		if ((unsigned char)h->tail[i] < ' ' || h->tail[i] == 127)
			h->tail[i] = ' ';
}

static int hook_judge(struct hook_run *h, int status, struct err *e)
{
	char reason[ERR_TEXT_MAX / 2];
	ssize_t len = read(h->fail[0], reason, sizeof(reason) - 1);

	if (len > 0)
		return err_say(e, -EPROTO, "%.*s", (int)len, reason);
	if (WIFSIGNALED(status))
		return err_say(e, -EPROTO, "killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_say(e, -EPROTO, "exit status %d", WEXITSTATUS(status));
	return 0;
}

static int hook_run_one(const struct bundle_hook *hook, int ns, pid_t container, const char *state,
			struct err *e)
{
	struct hook_run h = { .hook = hook, .ns = ns, .container = container, .in = -1,
			      .out = { -1, -1 }, .fail = { -1, -1 }, .pid = -1, .pidfd = -1 };
	int status = 0;
	int r;

	r = hook_start(&h, state, e);
	if (r < 0 && h.pid > 0) {
		kill(-h.pid, SIGKILL);
		waitpid(h.pid, &status, 0);
	}
	if (r == 0)
		r = hook_wait(&h, &status, e);
	if (r == 0)
		r = hook_judge(&h, status, e);
	hook_close(&h);
	tail_flatten(&h);
	if (r < 0 && h.tail_len > 0) {
		struct err why = *e;

		err_say(e, r, "%.500s: it wrote: %s", why.text, h.tail);
	}
	return r;
}

int hooks_run(enum bundle_hook_kind kind, const struct bundle_hooks *hooks, const char *state,
	      pid_t pid, struct err *e)
{
	for (size_t i = 0; i < hooks->n; i++) {
		const struct bundle_hook *hook = &hooks->v[i];
		struct err why = ERR_INIT;
		int r = hook_run_one(hook, hook_kinds[kind].ns, pid, state, &why);

		if (r == 0)
			continue;
		err_wrap(&why, r, "%s hook %zu '%.200s'", hook_kinds[kind].name, i, hook->path);
		if (!hook_kinds[kind].warn) {
			*e = why;
			return r;
		}
		log_warning("%s", why.text);
	}
	return 0;
}
