// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the Linux guest.
 *
 * It reads /config, starts the process that becomes the user's (container.c), then waits: forwards
 * events, reaps, reports the end (control.c). The child shares init's memory and suspends it until
 * it execs (as vfork() does): nothing is copied, and init can say what went wrong in the child's
 * words.
 */
#include "guest/init/container.h"
#include "guest/init/control.h"

#include "abi/control.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACK_SIZE (256u << 10)		/* only what is touched of it takes memory */

struct start {
	struct init_config config;
	struct init_stdio stdio;
	struct err err;
};

/* One line to where errors go; nothing is to be done if that fails. */
static void say(int fd, const struct err *e)
{
	char line[sizeof(e->text) + 16];
	int len = snprintf(line, sizeof(line), "runnc: %s\n", e->text);

	if (write(fd, line, (size_t)len) < 0)
		return;
}

/*
 * A guest without a console starts init without descriptors: 0 to 2 must not become anything else.
 */
static void open_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static int read_config(void **data, size_t *size, struct err *e)
{
	_autoclose_ int fd = open(GCFG_PATH, O_RDONLY | O_CLOEXEC);
	_autofree_ char *bytes = NULL;
	size_t have = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "open '" GCFG_PATH "'");
	if (st.st_size < 0 || (uint64_t)st.st_size > GCFG_MAX_SIZE)
		return err_say(e, -EINVAL, "'" GCFG_PATH "' is too long");
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return err_set(e, -ENOMEM, "read '" GCFG_PATH "'");
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + have, (size_t)st.st_size - have);

		if (n < 0 && errno != EINTR)
			return err_set(e, -errno, "read '" GCFG_PATH "'");
		if (n == 0)
			return err_say(e, -EINVAL, "'" GCFG_PATH "' ends early");
		if (n > 0)
			have += (size_t)n;
	}
	/* It may hold secrets, and memory. */
	unlink(GCFG_PATH);
	*data = take_ptr(bytes);
	*size = have;
	return 0;
}

static int open_stdio(const struct init_config *config, struct init_stdio *stdio, struct err *e)
{
	if (config->flags & GCFG_FLAG_TERMINAL) {
		int tty = open(NABLA_DEV_TTY, O_RDWR | O_NOCTTY | O_CLOEXEC);

		if (tty < 0)
			return err_set(e, -errno, "open '" NABLA_DEV_TTY "'");
		*stdio = (struct init_stdio){ .in = tty, .out = tty, .err = tty, .terminal = 1 };
		return 0;
	}
	stdio->in = open(NABLA_DEV_STDIN, O_RDONLY | O_CLOEXEC);
	if (stdio->in < 0)
		return err_set(e, -errno, "open '" NABLA_DEV_STDIN "'");
	stdio->out = open(NABLA_DEV_STDOUT, O_WRONLY | O_CLOEXEC);
	if (stdio->out < 0)
		return err_set(e, -errno, "open '" NABLA_DEV_STDOUT "'");
	stdio->err = open(NABLA_DEV_STDERR, O_WRONLY | O_CLOEXEC);
	if (stdio->err < 0)
		return err_set(e, -errno, "open '" NABLA_DEV_STDERR "'");
	return 0;
}

/* The streams belong to the user's process alone: a reader waits for the last writer to close. */
static void close_stdio(struct init_stdio *stdio)
{
	if (stdio->terminal)
		return;
	fd_close(&stdio->in);
	fd_close(&stdio->out);
	fd_close(&stdio->err);
}

static int child_main(void *arg)
{
	struct start *start = arg;
	int status = init_container_run(&start->config, &start->stdio, &start->err);

	_exit(status);
}

static pid_t start_child(struct start *start)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	pid_t pid;

	if (stack == MAP_FAILED)
		return err_set(&start->err, -errno, "map a stack");
	pid = clone(child_main, (char *)stack + STACK_SIZE,
		    CLONE_VM | CLONE_VFORK | CLONE_NEWPID | SIGCHLD, start);
	if (pid < 0)
		err_set(&start->err, -errno, "start the container's process");
	munmap(stack, STACK_SIZE);
	return pid;
}

/* Everything up to the running program. Returns its pid, or -1 with start->err set. */
static pid_t start_container(struct start *start)
{
	_autofree_ void *data = NULL;
	size_t size = 0;
	pid_t pid;
	int r;

	r = read_config(&data, &size, &start->err);
	if (r < 0)
		return r;
	r = init_config_parse(data, size, &start->config, &start->err);
	if (r < 0)
		return err_wrap(&start->err, r, "configuration");
	r = open_stdio(&start->config, &start->stdio, &start->err);
	if (r < 0) {
		init_config_free(&start->config);
		return r;
	}
	init_control_prepare();
	pid = start_child(start);
	init_config_free(&start->config);
	return pid;
}

int main(void)
{
	struct start start = {
		.config = INIT_CONFIG_NONE,
		.stdio = { .in = -1, .out = -1, .err = -1 },
		.err = ERR_INIT,
	};
	int control = -1, tty;
	pid_t pid;

	if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=755") < 0 && errno != EBUSY)
		err_set(&start.err, -errno, "mount devtmpfs");
	open_streams();
	if (!start.err.text[0]) {
		control = open(NABLA_DEV_CONTROL, O_RDWR | O_CLOEXEC);
		if (control < 0)
			err_set(&start.err, -errno, "open '" NABLA_DEV_CONTROL "'");
	}
	pid = start.err.text[0] ? -1 : start_container(&start);
	if (start.err.text[0])
		say(start.stdio.err >= 0 ? start.stdio.err : 2, &start.err);
	if (pid < 0)
		init_control_exit(control, INIT_STATUS_FAILED);
	close_stdio(&start.stdio);
	tty = start.stdio.terminal ? start.stdio.in : -1;
	init_control_exit(control, init_control_wait(control, tty, pid));
}
