/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks: copies that keep to themselves, and the root as ISO 9660 image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/disk.h"
#include "image/iso.h"
#include "image/test-help.h"

#define MIB (1 << 20)

static void copy(int from, uint32_t sector, int *to)
{
	struct err e = ERR_INIT;

	if (image_disk_copy(from, sector, "cache", to, &e) < 0)
		fail_msg("%s", e.text);
}

static void byte_is(int fd, off_t at, char wanted)
{
	char byte = 0;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	assert_int_equal(byte, wanted);
}

/* Data at both ends of 64 MiB, and a hole between them; then a write to the copy. */
static void test_copy(void **state)
{
	_autoclose_ int from = open("t/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	_autoclose_ int to = -1;
	struct stat st;

	(void)state;
	must(from);
	assert_int_equal(pwrite(from, "first", 5, 0), 5);
	assert_int_equal(pwrite(from, "last", 4, 64 * MIB - 4), 4);
	copy(from, 512, &to);
	must(fstat(to, &st));
	assert_int_equal(st.st_size, 64 * MIB);
	assert_true(st.st_blocks * 512 < MIB);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(fcntl(to, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(fcntl(to, F_GETFD) & FD_CLOEXEC);
	byte_is(to, 0, 'f');
	byte_is(to, MIB, '\0');
	byte_is(to, 64 * MIB - 1, 't');
	assert_int_equal(pwrite(to, "X", 1, 0), 1);
	byte_is(from, 0, 'f');
	assert_int_equal(help_count("cache/tmp"), 0);
}

static void test_sectors(void **state)
{
	_autoclose_ int from = open("t/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	_autoclose_ int to = -1;
	_autoclose_ int empty = -1;
	struct stat st;

	(void)state;
	must(from);
	assert_int_equal(pwrite(from, "x", 1, 4096), 1);
	copy(from, 4096, &to);
	must(fstat(to, &st));
	assert_int_equal(st.st_size, 8192);
	byte_is(to, 4096, 'x');
	byte_is(to, 8191, '\0');
	must(ftruncate(from, 0));
	copy(from, 512, &empty);
	must(fstat(empty, &st));
	assert_int_equal(st.st_size, 0);
}

static void test_too_large(void **state)
{
	_autoclose_ int from = open("t/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct err e = ERR_INIT;
	int to = -1;

	(void)state;
	must(from);
	if (ftruncate(from, (off_t)IMAGE_DISK_MAX + 1) < 0) {
		print_message("this file system has no files of 64 GiB\n");
		skip();
	}
	assert_int_equal(image_disk_copy(from, 512, "cache", &to, &e), -EFBIG);
	assert_string_equal(e.text, "the disk is larger than 64 GiB: make it read-only");
	assert_int_equal(to, -1);
}

/* Files by their contents and names; what a link leads to outside is not in it. */
static void test_iso(void **state)
{
	_autoclose_ int root = -1;
	_autoclose_ int iso = -1;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	help_write("secret", "a secret of the host");
	must(mkdir("t/dir", 0755));
	help_write("t/dir/A file with a Long Name", "contents of the file");
	help_run("ln -s ../../secret t/dir/link && ln -s \"$PWD/secret\" t/absolute");
	help_run("mknod t/null c 1 3 && mkfifo t/fifo");
	must(root = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (image_iso_make(root, "cache", &iso, &e) < 0)
		fail_msg("%s", e.text);
	must(fstat(iso, &st));
	assert_int_equal(st.st_size % 2048, 0);
	assert_true(help_contains(iso, "contents of the file"));
	assert_true(help_contains(iso, "A file with a Long Name"));
	assert_false(help_contains(iso, "a secret of the host"));
	assert_int_equal(help_count("cache/tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_copy, help_fresh),
		cmocka_unit_test_setup(test_sectors, help_fresh),
		cmocka_unit_test_setup(test_too_large, help_fresh),
		cmocka_unit_test_setup(test_iso, help_fresh),
	};

	return cmocka_run_group_tests(tests, help_enter, help_leave);
}
