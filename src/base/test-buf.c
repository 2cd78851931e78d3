/* SPDX-License-Identifier: GPL-2.0-only */
/* The growing buffer: growth, its limit, sticking errors, JSON strings. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_grows(void **state)
{
	_autobuf_ struct buf b = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "%04d ", i);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len, 25000);
	assert_memory_equal(b.data + 24995, "4999 ", 6);
}

static void test_limit_sticks(void **state)
{
	_autobuf_ struct buf b = BUF_INIT(4);

	(void)state;
	buf_add_str(&b, "abcd");
	assert_int_equal(buf_error(&b), 0);
	buf_add(&b, "e", 1);
	assert_int_equal(buf_error(&b), -EFBIG);
	buf_add(&b, "", 0);
	assert_int_equal(buf_error(&b), -EFBIG);
	assert_string_equal(b.data, "abcd");
}

static void test_align(void **state)
{
	_autobuf_ struct buf b = BUF_INIT(64);

	(void)state;
	buf_add_strz(&b, "abc");
	buf_align(&b, 8);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "abc\0\0\0\0\0", 9);
	buf_align(&b, 8);
	assert_int_equal(b.len, 8);
}

static void test_json(void **state)
{
	_autobuf_ struct buf b = BUF_INIT(256);

	(void)state;
	buf_add_json(&b, "a\"b\\c\nd\te\x1b" "f\xc3\xa9g\xffh\x7f");
	assert_string_equal(b.data,
			    "\"a\\\"b\\\\c\\nd\\te\\u001bf\xc3\xa9g\\ufffdh\\u007f\"");
}

static void test_take(void **state)
{
	struct buf b = BUF_INIT(64);
	size_t len = 1;
	char *data;

	(void)state;
	assert_null(buf_take(&b, &len));
	assert_int_equal(len, 0);
	buf_add_str(&b, "xyz");
	data = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_string_equal(data, "xyz");
	free(data);
	assert_null(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_limit_sticks),
		cmocka_unit_test(test_align),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests_name("base-buf", tests, NULL, NULL);
}
