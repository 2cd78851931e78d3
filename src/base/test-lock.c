// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/lock.h"

static int opened(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_nobody_has_it(void **state)
{
	_autoclose_ int fd = opened();

	(void)state;
	assert_int_equal(lock_exclusive(fd, 0), 0);
	/* Its own lock is no obstacle. */
	assert_int_equal(lock_exclusive(fd, 0), 0);
}

static void test_another_has_it(void **state)
{
	struct timespec begin, end;
	int owner = opened();
	_autoclose_ int other = opened();

	(void)state;
	assert_int_equal(lock_exclusive(owner, 0), 0);
	assert_int_equal(lock_exclusive(other, 0), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(lock_exclusive(other, 50), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 >=
		    50);
	fd_close(&owner);
	assert_int_equal(lock_exclusive(other, 0), 0);
}

/* Given back by a process that ends, however it does. */
static void test_waits(void **state)
{
	_autoclose_ int fd = opened();
	int ready[2];
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int own = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (lock_exclusive(own, 0) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		usleep(30000);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(lock_exclusive(fd, 10000), 0);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void test_errors(void **state)
{
	(void)state;
	assert_int_equal(lock_exclusive(-1, 1000), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_has_it), cmocka_unit_test(test_another_has_it),
		cmocka_unit_test(test_waits), cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
