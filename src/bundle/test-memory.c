/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bundle when memory runs out: each allocation of a parse fails once, in our own objects (by
 * the linker's --wrap) and in jansson (by its hooks). Every time the parse is refused with a
 * message, and nothing is left behind for the leak sanitizer.
 *
 * Mutable state of this file: how many allocations still succeed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/fd.h"
#include "base/io.h"
#include "bundle/bundle.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long allocations_left = -1;	/* negative: no limit */

static bool allocation_fails(void)
{
	if (allocations_left < 0)
		return false;
	return allocations_left == 0 || allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(block, size);
}

/* Where jansson cannot copy a string it says that it met a bad token: its words, not ours. */
static bool jansson_blames_text(const char *text)
{
	return strncmp(text, "config.json: line ", strlen("config.json: line ")) == 0;
}

static void test_every_allocation_fails(void **state)
{
	_autofree_ char *json = NULL;
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	size_t len;
	long n;
	int r;

	(void)state;
	assert_int_equal(io_read_file(AT_FDCWD, CORPUS_DIR "/full.json", BUNDLE_MAX_CONFIG, &json,
				      &len, &e), 0);
	for (n = 0; !b; n++) {
		assert_true(n < 100000);
		allocations_left = n;
		r = bundle_parse(json, len, "/bundle", &b, &e);
		allocations_left = -1;
		if (r == 0)
			break;
		assert_null(b);
		if (r == -EINVAL && jansson_blames_text(e.text))
			continue;
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(e.text, "read config.json: Cannot allocate memory");
	}
	assert_true(n > 500);		/* the tree alone has that many */
	assert_string_equal(b->hostname, "slartibartfast");
	bundle_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_fails),
	};

	json_set_alloc_funcs(__wrap_malloc, free);
	return cmocka_run_group_tests_name("bundle-memory", tests, NULL, NULL);
}
