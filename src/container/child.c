/* SPDX-License-Identifier: GPL-2.0-only */
/* The container's process, until it becomes the guest. The stages are in child.h. */
#include "container/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "container/console.h"
#include "container/launch.h"
#include "container/solo5_launch.h"
#include "ns/fds.h"
#include "ns/ns.h"
#include "ns/privilege.h"
#include "ns/root.h"

/* Our own descriptors stay above those of the launch record until the guest is executed. */
#define CHILD_FD_OWN	CHILD_FD_IMAGE(NABLA_LAUNCH_IMAGES)
#define CHILD_FD_MAX	512

/*
 * A process that waits to be started must die of SIGTERM although it may be PID 1 of its namespace,
 * for which the kernel ignores signals without a handler. execve() puts the defaults back.
 */
static void child_on_signal(int signal)
{
	_exit(128 + signal);
}

static void child_catch_signals(void)
{
	static const int deadly[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGTERM,
				      SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE };
	struct sigaction action = { .sa_handler = child_on_signal };

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &action, NULL);
}

/* A copy of @fd that no later dup2() to a number of the launch record can hit. */
static int child_lift(int *fd, struct err *e)
{
	int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, CHILD_FD_OWN);

	if (lifted < 0)
		return err_set(e, -errno, "duplicate descriptor %d", *fd);
	*fd = lifted;
	return 0;
}

/* The kernel's descriptors move to the numbers that the record names, and survive execve(). */
static int child_place(int from, int to, struct err *e)
{
	if (dup3(from, to, 0) < 0)
		return err_set(e, -errno, "duplicate descriptor %d to %d", from, to);
	return 0;
}

static int child_read_record(int fd, struct nabla_launch *record, struct err *e)
{
	ssize_t n = pread(fd, record, sizeof(*record), 0);

	if (n < 0)
		return err_set(e, -errno, "read launch record");
	if ((size_t)n != sizeof(*record) || record->nr_nets > NABLA_LAUNCH_NETS)
		return err_say(e, -EPROTO, "launch record is damaged");
	return 0;
}

/* What to execute, and with which descriptors besides those of struct child. */
struct child_program {
	char **argv;
	unsigned int nr_nets;
};

static int child_read_launch(const struct child *c, int fd, struct child_program *program,
			     struct err *e)
{
	static char name[] = LAUNCH_KERNEL;
	static char *argv[] = { name, NULL };
	struct nabla_launch record;
	int r;

	if (c->unikernel >= 0)
		return solo5_launch_read(fd, &program->argv, &program->nr_nets, e);
	r = child_read_record(fd, &record, e);
	program->argv = argv;
	program->nr_nets = r == 0 ? record.nr_nets : 0;
	return r;
}

static int child_lift_all(struct child *c, int fds[CHILD_LAUNCH_FDS], int *images,
			  struct err *e)
{
	int *own[] = { &c->kernel, &c->exec_fifo, &c->status_fifo };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(own) / sizeof(own[0]); i++)
		r = child_lift(own[i], e);
	for (unsigned int i = 0; r == 0 && i < CHILD_LAUNCH_FDS; i++)
		r = child_lift(&fds[i], e);
	for (unsigned int i = 0; r == 0 && i < c->nr_images; i++)
		r = child_lift(&images[i], e);
	if (r == 0 && c->unikernel >= 0)
		r = child_lift(&c->unikernel, e);
	return r;
}

static int child_set_descriptors(struct child *c, int fds[CHILD_LAUNCH_FDS], int sync,
				 struct child_program *program, struct err *e)
{
	int keep[4 + CHILD_FD_OWN];
	int images[NABLA_LAUNCH_IMAGES];
	size_t n = 0;
	int r = child_read_launch(c, fds[0], program, e);

	if (r < 0)
		return r;
	memcpy(images, c->images, c->nr_images * sizeof(images[0]));
	r = child_lift_all(c, fds, images, e);
	if (r < 0)
		return r;

	r = child_place(c->unikernel >= 0 ? c->unikernel : fds[0], NABLA_LAUNCH_FD, e);
	keep[n++] = NABLA_LAUNCH_FD;
	for (unsigned int i = 0; r == 0 && i < program->nr_nets; i++) {
		r = child_place(fds[1 + i], CHILD_FD_NET(i), e);
		keep[n++] = CHILD_FD_NET(i);
	}
	for (unsigned int i = 0; r == 0 && i < c->nr_images; i++) {
		r = child_place(images[i], CHILD_FD_IMAGE(i), e);
		keep[n++] = CHILD_FD_IMAGE(i);
	}
	if (r < 0)
		return r;
	keep[n++] = c->kernel;
	keep[n++] = c->exec_fifo;
	keep[n++] = c->status_fifo;
	keep[n++] = sync;
	return ns_fds_close_except(keep, n, e);
}

/* Bytes: of the guest's process, whose launch stage has a stack of its own. */
#define CHILD_STACK	(1u << 20)

static void __attribute__((noreturn))
child_become_guest(const struct child *c, const struct child_program *program)
{
	char *envp[] = { NULL };
	struct err e = ERR_INIT;
	ssize_t n;
	char go;

	do {
		n = read(c->exec_fifo, &go, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1) {
		execveat(c->kernel, "", program->argv, envp, AT_EMPTY_PATH);
		err_set(&e, -errno, "execute %s", program->argv[0]);
	} else {
		err_set(&e, -errno, "wait for the start");
	}
	/* Nobody is left to hear of a failure here. */
	if (write(c->status_fifo, e.text, strlen(e.text)) < 0)
		_exit(NABLA_EXIT_LAUNCH);
	_exit(NABLA_EXIT_LAUNCH);
}

/* The numbers of the launch record, and ours above them, must be possible. */
static int child_raise_files(struct err *e)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(e, -errno, "get RLIMIT_NOFILE");
	if (limit.rlim_cur >= CHILD_FD_MAX)
		return 0;
	return ns_limit_set(RLIMIT_NOFILE, CHILD_FD_MAX,
			    limit.rlim_max > CHILD_FD_MAX ? limit.rlim_max : CHILD_FD_MAX, e);
}

/* All that may fail, up to the point where the guest could be executed at once. */
static int child_prepare(struct child *c, int sync, struct child_program *program, struct err *e)
{
	const struct rlimit no_core = { 0, 0 };
	/* Unlimited, the host would lay out its mappings, the vDSO too, from the bottom up. */
	const struct rlimit stack = { CHILD_STACK, CHILD_STACK };
	int fds[CHILD_LAUNCH_FDS];
	int r;

	r = ns_sync_wait(sync, CHILD_LAUNCH, fds, CHILD_LAUNCH_FDS, -1, e);
	if (r < 0)
		return r;
	/* A core dump of the guest's memory must not land on the host. */
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return err_set(e, -errno, "forbid core dumps");
	if (setrlimit(RLIMIT_STACK, &stack) < 0)
		return err_set(e, -errno, "limit the stack");
	if (c->tty >= 0) {
		r = console_become_take_fd(c->tty, e);
		if (r < 0)
			return r;
	}
	r = child_set_descriptors(c, fds, sync, program, e);
	if (r < 0)
		return r;
	umask(022);
	r = ns_root_empty(e);
	if (r < 0)
		return r;
	return ns_privilege_drop(c->uid, c->uid, e);
}

int child_run(int sync, void *arg, struct err *e)
{
	struct child c = *(struct child *)arg;
	struct child_program program = { .argv = NULL };
	int r;

	child_catch_signals();
	r = child_raise_files(e);
	if (r == 0)
		r = child_lift(&sync, e);
	if (r < 0)
		return r;
	r = child_prepare(&c, sync, &program, e);
	if (r == 0)
		r = ns_sync_send(sync, CHILD_READY, NULL, 0, e);
	if (r < 0) {
		/* Not by returning: the number that our caller knows is somebody else's by now. */
		ns_sync_fail(sync, r, e);
		_exit(NABLA_EXIT_LAUNCH);
	}
	close(sync);
	child_become_guest(&c, &program);
}
