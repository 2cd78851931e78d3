/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole-file input and output: bounds, odd files, replacing by rename. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"

static char test_dir[] = "/tmp/rnc-test-io-XXXXXX";
static int test_fd = -1;

static void test_round_trip(void **state)
{
	static char big[100000];
	_autofree_ char *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(io_write_atomic(test_fd, "big", big, sizeof(big), 0640, &e), 0);
	assert_int_equal(io_read_file(test_fd, "big", sizeof(big), &data, &len, &e), 0);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(data, big, len);
	assert_int_equal(data[len], 0);
}

static void test_bound(void **state)
{
	char *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(io_write_atomic(test_fd, "five", "12345", 5, 0600, &e), 0);
	assert_int_equal(io_read_file(test_fd, "five", 4, &data, &len, &e), -EFBIG);
	assert_string_equal(e.text, "read 'five': longer than 4 bytes");
	assert_null(data);
	assert_int_equal(io_read_file(test_fd, "five", 5, &data, NULL, &e), 0);
	assert_string_equal(data, "12345");
	free(take_ptr(data));
	assert_int_equal(io_write_atomic(test_fd, "none", "", 0, 0600, &e), 0);
	assert_int_equal(io_read_file(test_fd, "none", 0, &data, &len, &e), 0);
	assert_int_equal(len, 0);
	free(data);
}

static void test_odd_files(void **state)
{
	char *data = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkfifoat(test_fd, "fifo", 0600), 0);
	assert_int_equal(io_read_file(test_fd, "fifo", 9, &data, NULL, &e), -EINVAL);
	assert_string_equal(e.text, "open 'fifo': not a regular file");
	assert_int_equal(io_read_file(test_fd, ".", 9, &data, NULL, &e), -EINVAL);
	assert_int_equal(io_read_file(AT_FDCWD, "/dev/zero", 9, &data, NULL, &e), -EINVAL);
	assert_int_equal(io_read_file(test_fd, "missing", 9, &data, NULL, &e), -ENOENT);
	assert_string_equal(e.text, "open 'missing': No such file or directory");
	/* A file of proc says it has 0 bytes. */
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/status", 1 << 16, &data, NULL, &e), 0);
	assert_non_null(strstr(data, "Pid:"));
	free(data);
}

static void test_replace(void **state)
{
	_autofree_ char *data = NULL;
	struct err e = ERR_INIT;
	struct stat st;
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(io_write_atomic(test_fd, "f", "old", 3, 0600, &e), 0);
	assert_int_equal(io_write_atomic(test_fd, "f", "new!", 4, 0644, &e), 0);
	umask(old);
	assert_int_equal(io_read_file(test_fd, "f", 9, &data, NULL, &e), 0);
	assert_string_equal(data, "new!");
	assert_int_equal(fstatat(test_fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

/* A rename that cannot happen (a directory is in the way) leaves no temporary file. */
static void test_replace_fails(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mkdirat(test_fd, "d", 0700), 0);
	assert_int_equal(mkdirat(test_fd, "d/taken", 0700), 0);
	assert_int_equal(io_write_atomic(test_fd, "d/taken", "x", 1, 0600, &e), -EISDIR);
	assert_int_equal(unlinkat(test_fd, "d/taken", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(test_fd, "d", AT_REMOVEDIR), 0);	/* so it was empty */
	assert_int_equal(io_write_atomic(test_fd, "no/such", "x", 1, 0600, &e), -ENOENT);
}

static void test_write_existing(void **state)
{
	_autofree_ char *data = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(io_write_existing(test_fd, "absent", "1", 1, &e), -ENOENT);
	assert_int_equal(io_write_atomic(test_fd, "here", "abc", 3, 0600, &e), 0);
	assert_int_equal(io_write_existing(test_fd, "here", "1", 1, &e), 0);
	assert_int_equal(io_read_file(test_fd, "here", 9, &data, NULL, &e), 0);
	assert_string_equal(data, "1bc");
	assert_int_equal(io_write_existing(AT_FDCWD, "/dev/full", "1", 1, &e), -ENOSPC);
	assert_string_equal(e.text, "write '/dev/full': No space left on device");
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	test_fd = open(test_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return test_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fd_close(&test_fd);
	return path_remove_tree(AT_FDCWD, test_dir, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_fails),
		cmocka_unit_test(test_write_existing),
	};

	return cmocka_run_group_tests_name("base-io", tests, setup, teardown);
}
