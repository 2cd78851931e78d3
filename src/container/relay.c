/* SPDX-License-Identifier: GPL-2.0-only */
/* `run` in the foreground: signals, and a console's bytes, between the user and the container. */
#include "container/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

#define RELAY_EOT	'\004'

/* Passed on. Job control (SIGTSTP and its like) stays the terminal's business with us. */
static const int relay_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH,
};

int relay_block_signals(sigset_t *old, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(relay_signals) / sizeof(relay_signals[0]); i++)
		sigaddset(&set, relay_signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, old) < 0)
		return err_set(e, -errno, "block signals");
	return 0;
}

/* One direction of the console. Reads only when everything read before has been written. */
struct relay_flow {
	int from;			/* -1: at its end */
	int to;
	size_t len;
	size_t done;
	char data[4096];
};

struct relay {
	int pidfd;
	int signals;
	int master;
	struct relay_flow in;		/* from the user to the container */
	struct relay_flow out;
};

static struct pollfd relay_flow_poll(const struct relay_flow *f)
{
	if (f->done < f->len)
		return (struct pollfd){ .fd = f->to, .events = POLLOUT };
	return (struct pollfd){ .fd = f->from, .events = POLLIN };
}

static void relay_flow_read(struct relay_flow *f)
{
	ssize_t n = read(f->from, f->data, sizeof(f->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	f->done = 0;
	f->len = n > 0 ? (size_t)n : 0;
	if (n <= 0)		/* EIO: the other end of the pseudoterminal is closed */
		f->from = -1;
}

static void relay_flow_step(struct relay_flow *f)
{
	ssize_t n;

	if (f->done == f->len) {
		relay_flow_read(f);
		return;
	}
	n = write(f->to, f->data + f->done, f->len - f->done);
	if (n > 0)
		f->done += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		f->done = f->len;	/* nobody is there to read it */
}

/* The end of our stdin is an end of file for the terminal's reader, as when a user types ^D. */
static void relay_step_in(struct relay_flow *f)
{
	bool was_open = f->from >= 0;

	relay_flow_step(f);
	if (was_open && f->from < 0) {
		f->data[0] = RELAY_EOT;
		f->len = 1;
		f->done = 0;
	}
}

static void relay_resize(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(r->master, TIOCSWINSZ, &size);
}

static void relay_signal(const struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		relay_resize(r);
	else
		syscall(SYS_pidfd_send_signal, r->pidfd, (int)info.ssi_signo, NULL, 0);
}

/* Returns 1 when the process has ended, 0, or -errno. */
static int relay_turn(struct relay *r)
{
	struct pollfd p[] = {
		{ .fd = r->pidfd, .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN },
		relay_flow_poll(&r->in),
		relay_flow_poll(&r->out),
	};

	if (poll(p, sizeof(p) / sizeof(p[0]), -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[1].revents)
		relay_signal(r);
	if (p[2].revents)
		relay_step_in(&r->in);
	if (p[3].revents)
		relay_flow_step(&r->out);
	return p[0].revents != 0;
}

/* What the container wrote last is still in the pseudoterminal. The master does not block. */
static void relay_drain(struct relay *r)
{
	struct pollfd p = { .events = POLLIN };

	while (r->out.from >= 0 || r->out.done < r->out.len) {
		p.fd = r->out.from;
		if (r->out.done == r->out.len && poll(&p, 1, 0) <= 0)
			break;
		relay_flow_step(&r->out);
	}
}

static int relay_loop(struct relay *r, struct err *e)
{
	int done;

	do {
		done = relay_turn(r);
	} while (done == 0);
	if (done < 0)
		return err_set(e, done, "wait for the container");
	relay_drain(r);
	return 0;
}

int relay_run(int pidfd, int master, struct err *e)
{
	_autoclose_ int signals = -1;
	struct relay r = {
		.pidfd = pidfd, .master = master,
		.in = { .from = master >= 0 ? STDIN_FILENO : -1, .to = master },
		.out = { .from = master, .to = STDOUT_FILENO },
	};
	struct termios raw, saved;
	bool terminal;
	sigset_t set;
	int result;

	/* Nobody reads our stdout any more: that is no reason to leave the container alone. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(relay_signals) / sizeof(relay_signals[0]); i++)
		sigaddset(&set, relay_signals[i]);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return err_set(e, -errno, "wait for signals");
	r.signals = signals;
	if (master >= 0 && fcntl(master, F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, -errno, "set the console to non-blocking mode");

	terminal = master >= 0 && tcgetattr(STDIN_FILENO, &saved) == 0;
	if (terminal) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		relay_resize(&r);
	}
	result = relay_loop(&r, e);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	return result;
}
