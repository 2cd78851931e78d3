// SPDX-License-Identifier: GPL-2.0-only
/*
 * Init's life after the start of the user's process.
 *
 * SIGCHLD stays blocked but inside ppoll(), which therefore cannot miss one: no timer, no second
 * thread, no descriptor for signals.
 *
 * A signal from here reaches the user's process from the parent of its pid namespace. As under
 * runc, the kernel then drops what that process, as PID 1, has no handler for, but for SIGKILL and
 * SIGSTOP.
 */
#include "guest/init/control.h"

#include "abi/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void on_child(int signal)
{
	/* Only there so that ppoll() is interrupted: an ignored signal would not do it. */
	(void)signal;
}

static void mask_child(int how)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(how, &child, NULL);
}

void init_control_prepare(void)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };

	mask_child(SIG_BLOCK);
	sigaction(SIGCHLD, &action, NULL);
}

void init_control_forget(void)
{
	sigset_t none;

	/* The handler goes with exec, and nothing was ignored: PID 1 starts with defaults. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void handle(const struct nabla_event *event, pid_t pid)
{
	/* 0 would only ask, and above it are no signals: nothing to forward. */
	if (event->type == NABLA_EVENT_SIGNAL && event->value > 0 && event->value < _NSIG)
		kill(pid, (int)event->value);
}

/* Reap all that ended. Returns the exit status of @pid, or -1 if it lives. */
static int reap(pid_t pid)
{
	int found = -1, status;
	pid_t child;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0)
		if (child == pid)
			found = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	/* It cannot have vanished without being reaped here; if it did, do not wait for ever. */
	return child < 0 && errno == ECHILD && found < 0 ? 255 : found;
}

int init_control_wait(int control, int tty, pid_t pid)
{
	struct pollfd poll_control = { .fd = control, .events = POLLIN };
	sigset_t none;
	int status;

	sigemptyset(&none);
	while ((status = reap(pid)) < 0) {
		struct nabla_event event;
		ssize_t n;

		if (ppoll(&poll_control, 1, NULL, &none) <= 0)
			continue;
		n = read(control, &event, sizeof(event));
		if (n == (ssize_t)sizeof(event))
			handle(&event, pid);
		else if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			poll_control.fd = -1;	/* broken: wait for the child's end alone */
	}
	/* What the terminal has not sent yet would be lost with the guest. */
	if (tty >= 0)
		tcdrain(tty);
	return status;
}

void init_control_exit(int control, int status)
{
	const struct nabla_command command = {
		.type = NABLA_COMMAND_EXIT, .value = (uint32_t)status & 0xff,
	};

	/* Does not return where there is such a device. */
	if (write(control, &command, sizeof(command)) != (ssize_t)sizeof(command))
		status = 255;
	reboot(RB_POWER_OFF);
	_exit(status);
}
