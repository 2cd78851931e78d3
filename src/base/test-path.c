/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths by their letters and on disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "base/path.h"

static char test_dir[] = "/tmp/rnc-test-path-XXXXXX";

static void check(char *got, const char *expected)
{
	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void test_join(void **state)
{
	(void)state;
	check(path_join("/a", "b"), "/a/b");
	check(path_join("/a//", "//b"), "/a/b");
	check(path_join("/", "b"), "/b");
	check(path_join("", "b"), "b");
	check(path_join("a", ""), "a/");
}

static void test_clean(void **state)
{
	(void)state;
	check(path_clean("/"), "/");
	check(path_clean("//a///b//"), "/a/b");
	check(path_clean("/a/./b/."), "/a/b");
	check(path_clean("/a/b/.."), "/a");
	check(path_clean("/a/../.."), "/");
	check(path_clean("/../../etc/passwd"), "/etc/passwd");
	check(path_clean("/..a/...b"), "/..a/...b");
	check(path_clean(""), ".");
	check(path_clean("a/.."), ".");
	check(path_clean("../a"), "a");
	check(path_clean("./a/b/../c"), "a/c");
}

static void test_absolute(void **state)
{
	char cwd[PATH_MAX], expected[PATH_MAX + 8];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(expected, sizeof(expected), "%s/x", cwd);
	check(path_absolute("./y/../x"), expected);
	check(path_absolute("/x/"), "/x");
}

static void test_below(void **state)
{
	(void)state;
	assert_true(path_is_below("/a/b", "/a"));
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/", "/a"));
	assert_string_equal(path_basename("/a/b"), "b");
	assert_string_equal(path_basename("b"), "b");
	assert_string_equal(path_basename("b/"), "");
}

static int test_dirfd(void)
{
	int fd = open(test_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_open_beneath(void **state)
{
	_autoclose_ int root = test_dirfd();
	_autoclose_ int fd = -1;

	(void)state;
	assert_int_equal(mkdirat(root, "etc", 0755), 0);
	assert_int_equal(symlinkat("/etc/../../../etc", root, "link"), 0);
	fd = path_open_beneath(root, "link/mine", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(faccessat(root, "etc/mine", F_OK, 0), 0);
	assert_int_equal(path_open_beneath(root, "../../etc/passwd", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_beneath(root, "/etc/passwd", O_RDONLY, 0), -ENOENT);
}

static void test_make_and_remove(void **state)
{
	_autoclose_ int root = test_dirfd();
	_autoclose_ int fd = -1;
	struct err e = ERR_INIT;
	char path[PATH_MAX], expected[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s//x/y/z/", test_dir);
	assert_int_equal(path_make_dirs(path, 0700, &e), 0);
	assert_int_equal(path_make_dirs(path, 0700, &e), 0);
	fd = openat(root, "kept", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(symlinkat("../../kept", root, "x/y/l"), 0);
	assert_int_equal(symlinkat("/", root, "x/y/z/slash"), 0);
	assert_int_equal(mkfifoat(root, "x/f", 0600), 0);
	assert_int_equal(path_remove_tree(root, "x", &e), 0);
	assert_int_equal(faccessat(root, "x", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(root, "kept", F_OK, 0), 0);
	assert_int_equal(path_remove_tree(root, "x", &e), 0);

	snprintf(path, sizeof(path), "%s/kept/a", test_dir);
	assert_int_equal(path_make_dirs(path, 0700, &e), -ENOTDIR);
	snprintf(expected, sizeof(expected), "create directory '%s/kept/a': Not a directory",
		 test_dir);
	assert_string_equal(e.text, expected);
}

static void test_remove_deep(void **state)
{
	_autoclose_ int root = test_dirfd();
	_autoclose_ int at = dup(root);
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 520; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	assert_int_equal(path_remove_tree(root, "d", &e), -ELOOP);
	assert_string_equal(e.text, "remove 'd': Too many levels of symbolic links");
	/* Flatten it, so that nothing is left behind. */
	assert_int_equal(renameat(root, "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d", root, "half"), 0);
	assert_int_equal(path_remove_tree(root, "half", &e), 0);
	assert_int_equal(path_remove_tree(root, "d", &e), 0);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(test_dir) ? 0 : -1;
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
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_absolute),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_open_beneath),
		cmocka_unit_test(test_make_and_remove),
		cmocka_unit_test(test_remove_deep),
	};

	return cmocka_run_group_tests_name("base-path", tests, setup, teardown);
}
