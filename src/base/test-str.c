/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings, arenas and timestamps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/timestamp.h"

static void test_u64(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(str_u64("0", 0, &n), 0);
	assert_true(n == 0);
	assert_int_equal(str_u64("18446744073709551615", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	n = 7;
	assert_int_equal(str_u64("18446744073709551616", UINT64_MAX, &n), -ERANGE);
	assert_int_equal(str_u64("99999999999999999999999999", UINT64_MAX, &n), -ERANGE);
	assert_int_equal(str_u64("65", 64, &n), -ERANGE);
	assert_int_equal(str_u64("", 9, &n), -EINVAL);
	assert_int_equal(str_u64("-1", 9, &n), -EINVAL);
	assert_int_equal(str_u64("+1", 9, &n), -EINVAL);
	assert_int_equal(str_u64(" 1", 9, &n), -EINVAL);
	assert_int_equal(str_u64("99999999999999999999999x", 9, &n), -EINVAL);
	assert_true(n == 7);
}

static void test_utf8(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_step("a", 1), 1);
	assert_int_equal(str_utf8_step("\xc3\xa9", 2), 2);
	assert_int_equal(str_utf8_step("\xe2\x82\xac", 3), 3);
	assert_int_equal(str_utf8_step("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(str_utf8_step("\xf0\x9f\x98", 3), 0);		/* cut short */
	assert_int_equal(str_utf8_step("\xc0\xaf", 2), 0);		/* overlong '/' */
	assert_int_equal(str_utf8_step("\xed\xa0\x80", 3), 0);		/* surrogate */
	assert_int_equal(str_utf8_step("\xf4\x90\x80\x80", 4), 0);	/* above U+10FFFF */
	assert_int_equal(str_utf8_step("\x80", 1), 0);
	assert_int_equal(str_utf8_step("\xff", 1), 0);
	assert_int_equal(str_utf8_step("", 0), 0);
}

static void test_starts_ends(void **state)
{
	(void)state;
	assert_true(str_starts("org.runnc.x", "org.runnc."));
	assert_false(str_starts("org", "org.runnc."));
	assert_true(str_ends("a.img", ".img"));
	assert_false(str_ends("img", ".img"));
}

static void test_arena(void **state)
{
	struct arena a = { 0 };
	uint64_t *numbers;

	(void)state;
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 4));
	assert_null(arena_alloc(&a, SIZE_MAX, 1));
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	numbers = arena_alloc(&a, 3, sizeof(*numbers));
	assert_non_null(numbers);
	assert_true(numbers[0] == 0 && numbers[2] == 0);
	assert_string_equal(arena_strndup(&a, "hello", 4), "hell");
	assert_non_null(arena_alloc(&a, 0, 8));
	arena_free(&a);
	assert_null(a.newest);
}

static void test_timestamp(void **state)
{
	char text[TIMESTAMP_MAX];

	(void)state;
	timestamp_now(text);
	assert_int_equal(strlen(text), strlen("2026-11-24T14:31:53.123456789Z"));
	assert_true(text[4] == '-' && text[10] == 'T' && text[19] == '.' && text[29] == 'Z');
	timestamp_now_seconds(text);
	assert_int_equal(strlen(text), strlen("2026-11-24T14:31:53Z"));
	assert_true(text[13] == ':' && text[19] == 'Z');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_starts_ends),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_timestamp),
	};

	return cmocka_run_group_tests_name("base-str", tests, NULL, NULL);
}
