/* SPDX-License-Identifier: GPL-2.0-only */
/* The log: what each format writes, and where. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"

static char test_dir[] = "/tmp/rnc-test-log-XXXXXX";
static char log_path[64], stderr_path[64];

/* Write the same four lines with descriptor 2 in a file; both files' contents are then compared. */
static void write_lines(const char *path, enum log_format format, bool debug)
{
	_autoclose_ int old = fcntl(2, F_DUPFD_CLOEXEC, 3);
	_autoclose_ int fd = open(stderr_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	struct err e = ERR_INIT;

	unlink(log_path);
	assert_true(old >= 0 && fd >= 0 && dup2(fd, 2) == 2);
	assert_int_equal(log_open(path, format, debug, &e), 0);
	log_debug("d");
	log_info("i");
	log_warning("w%d", 1);
	errno = 42;
	log_error("say \"%s\"\x1b", "hi");
	assert_int_equal(errno, 42);
	log_close();
	assert_int_equal(dup2(old, 2), 2);
}

static void check_file(const char *path, const char *expected)
{
	_autofree_ char *data = NULL;
	struct err e = ERR_INIT;
	char *at;

	assert_int_equal(io_read_file(AT_FDCWD, path, 4096, &data, NULL, &e), 0);
	/* The time is the only part that varies. */
	for (at = data; (at = strstr(at, "time")); at++) {
		char *year = strstr(at, "20");

		assert_non_null(year);
		assert_true(year[4] == '-' && year[7] == '-' && year[10] == 'T' && year[19] == 'Z');
		memcpy(year, "2000-00-00T00:00:00Z", 20);
	}
	assert_string_equal(data, expected);
}

static void test_plain(void **state)
{
	(void)state;
	write_lines(NULL, LOG_TEXT, false);
	check_file(stderr_path, "runnc: warning: w1\nrunnc: say \"hi\"?\n");
	write_lines("", LOG_TEXT, true);
	check_file(stderr_path,
		   "runnc: debug: d\nrunnc: info: i\nrunnc: warning: w1\nrunnc: say \"hi\"?\n");
}

static void test_json_on_stderr(void **state)
{
	(void)state;
	write_lines(NULL, LOG_JSON, false);
	check_file(stderr_path,
		   "{\"level\":\"warning\",\"msg\":\"w1\",\"time\":\"2000-00-00T00:00:00Z\"}\n"
		   "{\"level\":\"error\",\"msg\":\"say \\\"hi\\\"\\u001b\","
			"\"time\":\"2000-00-00T00:00:00Z\"}\n");
}

static void test_json_file(void **state)
{
	(void)state;
	write_lines(log_path, LOG_JSON, false);
	check_file(log_path,
		   "{\"level\":\"warning\",\"msg\":\"w1\",\"time\":\"2000-00-00T00:00:00Z\"}\n"
		   "{\"level\":\"error\",\"msg\":\"say \\\"hi\\\"\\u001b\","
			"\"time\":\"2000-00-00T00:00:00Z\"}\n");
	check_file(stderr_path, "runnc: say \"hi\"?\n");
}

static void test_text_file(void **state)
{
	(void)state;
	write_lines(log_path, LOG_TEXT, true);
	check_file(log_path,
		   "time=\"2000-00-00T00:00:00Z\" level=debug msg=\"d\"\n"
		   "time=\"2000-00-00T00:00:00Z\" level=info msg=\"i\"\n"
		   "time=\"2000-00-00T00:00:00Z\" level=warning msg=\"w1\"\n"
		   "time=\"2000-00-00T00:00:00Z\" level=error msg=\"say \\\"hi\\\"\\u001b\"\n");
	check_file(stderr_path, "runnc: say \"hi\"?\n");
}

static void test_cannot_open(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(log_open("/nonexistent/log", LOG_JSON, false, &e), -ENOENT);
	assert_string_equal(e.text, "open log '/nonexistent/log': No such file or directory");
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", test_dir);
	snprintf(stderr_path, sizeof(stderr_path), "%s/stderr", test_dir);
	return 0;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return path_remove_tree(AT_FDCWD, test_dir, &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_json_on_stderr),
		cmocka_unit_test(test_json_file),
		cmocka_unit_test(test_text_file),
		cmocka_unit_test(test_cannot_open),
	};

	return cmocka_run_group_tests_name("base-log", tests, setup, teardown);
}
