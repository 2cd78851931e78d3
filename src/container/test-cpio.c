/* SPDX-License-Identifier: GPL-2.0-only */
/* The archive is read back by fields, and the bytes are the same every time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fd.h"
#include "container/cpio.h"

static unsigned long field(const char *header, unsigned int n)
{
	char text[9] = "";

	memcpy(text, header + 6 + n * 8, 8);
	return strtoul(text, NULL, 16);
}

enum { MODE = 1, SIZE = 6, NAME_SIZE = 11 };

static void test_one_file(void **state)
{
	struct err e = ERR_INIT;
	_autofree_ void *archive = NULL;
	const char *at, *trailer;
	size_t size;

	(void)state;
	assert_int_equal(cpio_pack_file("config", 0400, "hello", 5, &archive, &size, &e), 0);
	at = archive;
	assert_memory_equal(at, "070701", 6);
	assert_int_equal(field(at, MODE), 0100400);
	assert_int_equal(field(at, SIZE), 5);
	assert_int_equal(field(at, NAME_SIZE), 7);
	assert_string_equal(at + 110, "config");
	assert_memory_equal(at + 120, "hello\0\0\0", 8);	/* 110 + 7 -> 120; 5 -> 8 */

	trailer = at + 128;
	assert_memory_equal(trailer, "070701", 6);
	assert_int_equal(field(trailer, SIZE), 0);
	assert_string_equal(trailer + 110, "TRAILER!!!");
	assert_int_equal(size, 128 + 124);
}

static void test_empty_file(void **state)
{
	struct err e = ERR_INIT;
	_autofree_ void *archive = NULL;
	size_t size;

	(void)state;
	assert_int_equal(cpio_pack_file("abc", 0644, NULL, 0, &archive, &size, &e), 0);
	assert_int_equal(field(archive, SIZE), 0);
	assert_int_equal(size, 116 + 124);
}

static void test_same_bytes(void **state)
{
	struct err e = ERR_INIT;
	_autofree_ void *one = NULL;
	_autofree_ void *two = NULL;
	size_t size_one, size_two;

	(void)state;
	assert_int_equal(cpio_pack_file("f", 0600, "0123456789", 10, &one, &size_one, &e), 0);
	assert_int_equal(cpio_pack_file("f", 0600, "0123456789", 10, &two, &size_two, &e), 0);
	assert_int_equal(size_one, size_two);
	assert_memory_equal(one, two, size_one);
}

static void test_refused(void **state)
{
	struct err e = ERR_INIT;
	void *archive = NULL;
	char long_name[300];
	size_t size;

	(void)state;
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(cpio_pack_file("", 0600, "", 0, &archive, &size, &e), -EINVAL);
	assert_string_equal(e.text, "cpio: bad file name ''");
	assert_int_equal(cpio_pack_file("/x", 0600, "", 0, &archive, &size, &e), -EINVAL);
	assert_string_equal(e.text, "cpio: bad file name '/x'");
	assert_int_equal(cpio_pack_file(long_name, 0600, "", 0, &archive, &size, &e), -EINVAL);
	assert_int_equal(cpio_pack_file("x", 0600, "", 1ul << 32, &archive, &size, &e), -EFBIG);
	assert_null(archive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
