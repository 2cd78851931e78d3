/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of nabla-run, under the sanitizers; tests/solo5/options.sh has its messages. */
#include "tender/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tender_options o;
static struct err e;

#define PARSE(...) \
	tender_options_parse((const char *const[]){"nabla-run", __VA_ARGS__, NULL}, &o, &e)
#define REFUSES(...) assert_int_equal(PARSE(__VA_ARGS__), -EINVAL)

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("kernel"), 0);
	assert_true(o.mem_size == 512ull << 20 && o.error_status == 1 && o.stack_guard && !o.json);
	assert_string_equal(o.kernel, "kernel");
	assert_null(o.args[0]);
	assert_int_equal(o.nr_devices, 0);
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--mem=2", "--net-mac:a=02:aB:00:00:00:ff", "--net:a=@7",
			       "--net-mtu:a=1400", "--block-ro:B9=x", "--block-sector-size:B9=4096",
			       "--format", "json", "--error-status=125", "--no-stack-guard", "--",
			       "@4", "--mem=9", "x y"), 0);
	assert_true(o.mem_size == 2 << 20 && o.json && o.error_status == 125 && !o.stack_guard);
	assert_int_equal(o.nr_devices, 2);
	assert_string_equal(o.device[0].name, "a");
	assert_true(o.device[0].type == SOLO5_NET && o.device[0].fd == 7 && !o.device[0].path);
	assert_memory_equal(o.device[0].mac, "\2\xab\0\0\0\xff", 6);
	assert_true(o.device[0].has_mac && o.device[0].mtu == 1400);
	assert_true(o.device[1].type == SOLO5_BLOCK && o.device[1].read_only);
	assert_true(o.device[1].sector_size == 4096 && o.device[1].fd == -1);
	assert_string_equal(o.device[1].path, "x");
	assert_true(!o.kernel && o.kernel_fd == 4);
	assert_string_equal(o.args[0], "--mem=9");
	assert_string_equal(o.args[1], "x y");
	assert_null(o.args[2]);
}

static void test_refused(void **state)
{
	char longest[100];

	(void)state;
	REFUSES("--mem=0", "k");
	REFUSES("--mem=", "k");
	REFUSES("--mem=18446744073709551616", "k");
	REFUSES("--format");
	REFUSES("--");
	REFUSES("--net:", "k");
	REFUSES("--net:a", "k");
	REFUSES("--net:=x", "k");
	REFUSES("--net:a=@4294967296", "k");
	REFUSES("--net:a=x", "--net:a=y", "k");
	REFUSES("--net-mac:a=02:00:00:00:00:0", "k");
	REFUSES("--net-mac:a=", "k");
	REFUSES("--net-mac:a=02:00:00:00:00:01", "k");
	REFUSES("--block:a=x", "--net:a=y", "k");
	REFUSES("--x-exec-heap", "k");
	REFUSES("-h");
	snprintf(longest, sizeof(longest), "--net:%068d=x", 0);
	REFUSES(longest, "k");
	snprintf(longest, sizeof(longest), "--net:%067d=x", 0);
	assert_int_equal(PARSE(longest, "k"), 0);
	assert_int_equal(strlen(o.device[0].name), SOLO5_NAME_MAX);
}

static void test_most(void **state)
{
	static char words[TENDER_DEVICES + 1][24];
	const char *argv[TENDER_DEVICES + 4] = { "nabla-run" };
	size_t i;

	(void)state;
	for (i = 0; i <= TENDER_DEVICES; i++) {
		snprintf(words[i], sizeof(words[i]), "--block:d%zu=x", i);
		argv[1 + i] = words[i];
	}
	argv[1 + TENDER_DEVICES] = "k";
	assert_int_equal(tender_options_parse(argv, &o, &e), 0);
	assert_int_equal(o.nr_devices, TENDER_DEVICES);
	argv[1 + TENDER_DEVICES] = words[TENDER_DEVICES];
	argv[2 + TENDER_DEVICES] = "k";
	assert_int_equal(tender_options_parse(argv, &o, &e), -EINVAL);
	assert_non_null(strstr(e.text, "more than 63 devices"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_most),
	};

	return cmocka_run_group_tests_name("tender-options", tests, NULL, NULL);
}
