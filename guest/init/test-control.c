// SPDX-License-Identifier: GPL-2.0-only
/*
 * Init's wait: events from a socket that stands for the control device, real children, real
 * signals.
 */
#include "guest/init/control.h"

#include "abi/control.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* pair[0] is what init has open, pair[1] the guest kernel's end. */
static int pair[2];

static int open_pair(void **state)
{
	(void)state;
	init_control_prepare();
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void send_event(uint32_t type, uint32_t value)
{
	const struct nabla_event event = { .type = type, .value = value };

	assert_int_equal(send(pair[1], &event, sizeof(event), 0), sizeof(event));
}

static void on_signal(int number)
{
	_exit(number);
}

/* A child that ends by signal @number with status @number; ready when this returns. */
static pid_t start_catcher(int number)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		init_control_forget();
		signal(number, on_signal);
		if (write(ready[1], "r", 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static pid_t start_exit(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(init_control_wait(pair[0], -1, start_exit(0)), 0);
	assert_int_equal(init_control_wait(pair[0], -1, start_exit(3)), 3);
	assert_int_equal(init_control_wait(pair[0], -1, start_exit(255)), 255);
}

static void test_signal_status(void **state)
{
	pid_t pid = start_catcher(SIGUSR1);

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(init_control_wait(pair[0], -1, pid), 128 + SIGKILL);
}

static void test_forward(void **state)
{
	(void)state;
	send_event(NABLA_EVENT_SIGNAL, SIGTERM);
	assert_int_equal(init_control_wait(pair[0], -1, start_catcher(SIGTERM)), SIGTERM);
	send_event(NABLA_EVENT_SIGNAL, (uint32_t)SIGRTMIN + 3);
	assert_int_equal(init_control_wait(pair[0], -1, start_catcher(SIGRTMIN + 3)), SIGRTMIN + 3);
}

/* What is no signal, and events of other types, are passed over: the last one ends the wait. */
static void test_odd_events(void **state)
{
	(void)state;
	send_event(NABLA_EVENT_SIGNAL, 0);
	send_event(NABLA_EVENT_SIGNAL, 65);
	send_event(NABLA_EVENT_SIGNAL, UINT32_MAX);
	send_event(77, SIGKILL);
	send_event(NABLA_EVENT_SIGNAL, SIGHUP);
	assert_int_equal(init_control_wait(pair[0], -1, start_catcher(SIGHUP)), SIGHUP);
}

/* Other children end before and beside it: none stays behind, none is taken for it. */
static void test_reaps_others(void **state)
{
	pid_t pid;

	(void)state;
	for (int i = 0; i < 20; i++)
		start_exit(50 + i);
	pid = start_catcher(SIGUSR2);
	send_event(NABLA_EVENT_SIGNAL, SIGUSR2);
	assert_int_equal(init_control_wait(pair[0], -1, pid), SIGUSR2);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	assert_int_equal(errno, ECHILD);
}

/*
 * The device broken or gone: the end of the process is still noticed, without a busy loop before
 * it.
 */
static void test_no_device(void **state)
{
	(void)state;
	shutdown(pair[1], SHUT_RDWR);
	assert_int_equal(init_control_wait(pair[0], -1, start_exit(4)), 4);
	assert_int_equal(init_control_wait(-1, -1, start_exit(5)), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_signal_status, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_forward, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_odd_events, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_reaps_others, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_no_device, open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
