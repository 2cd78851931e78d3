/* SPDX-License-Identifier: GPL-2.0-only */
/* urunc's words, plain and encoded, from annotations and from urunc.json. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "container/urunc.h"

static int parse(const char *json, struct urunc *u, struct err *e)
{
	memset(u, 0, sizeof(*u));
	e->text[0] = '\0';
	return urunc_from_json(json, strlen(json), u, e);
}

static void value_is(const char *text, const char *wanted)
{
	struct err e = ERR_INIT;
	struct urunc u;
	char json[256];

	snprintf(json, sizeof(json), "{\"com.urunc.unikernel.binary\":\"%s\"}", text);
	assert_int_equal(parse(json, &u, &e), 0);
	if (wanted)
		assert_string_equal(u.value[URUNC_BINARY], wanted);
	else
		assert_null(u.value[URUNC_BINARY]);
	urunc_free(&u);
}

static void test_values(void **state)
{
	(void)state;
	value_is("/unikernel/app.spt", "/unikernel/app.spt");
	/* Letters that could be base64, of something that is no text. */
	value_is("true", "true");
	value_is("qemu", "qemu");
	value_is("spt", "spt");
	value_is("mirage", "mirage");
	value_is("L3VuaWtlcm5lbC9hcHAuc3B0", "/unikernel/app.spt");
	value_is("c3B0", "spt");
	value_is("cnVtcHJ1bg==", "rumprun");
	value_is("b64:cnVtcHJ1bg==", "rumprun");
	/* Not base64 to the last letter. */
	value_is("cnVtcHJ1bg=", "cnVtcHJ1bg=");
	value_is("cnVt cHJ1bg==", "cnVt cHJ1bg==");
	/* Of "a\\0b" and of a byte that is not UTF-8. */
	value_is("YQBi", "YQBi");
	value_is("/w==", "/w==");
	value_is("", NULL);
	value_is("b64:w6Q=", "\303\244");
}

static void refused(const char *json, const char *text)
{
	struct err e = ERR_INIT;
	struct urunc u;

	assert_int_equal(parse(json, &u, &e), -EINVAL);
	if (strncmp(e.text, text, strlen(text)) != 0)
		fail_msg("'%s' does not begin with '%s'", e.text, text);
	urunc_free(&u);
}

static void test_refused(void **state)
{
	struct err e = ERR_INIT;
	struct urunc u = { .value = { NULL } };
	char *long_value = malloc(URUNC_FILE_MAX + 64);

	(void)state;
	refused("", "'/urunc.json': line ");
	refused("[]", "'/urunc.json': expected an object");
	refused("{\"com.urunc.unikernel.binary\":1}",
		"'/urunc.json': com.urunc.unikernel.binary: expected a string");
	refused("{\"com.urunc.unikernel.binary\":\"a\",\"com.urunc.unikernel.binary\":\"b\"}",
		"'/urunc.json': line 1: duplicate object key");
	refused("{\"com.urunc.unikernel.binary\":\"b64:%%\"}",
		"'/urunc.json': com.urunc.unikernel.binary: 'b64:%%' is not base64");
	assert_non_null(long_value);
	memset(long_value, ' ', URUNC_FILE_MAX + 1);
	assert_int_equal(urunc_from_json(long_value, URUNC_FILE_MAX + 1, &u, &e), -EINVAL);
	snprintf(long_value, 64, "{\"com.urunc.unikernel.cmdline\":\"");
	memset(long_value + strlen(long_value), 'x', URUNC_VALUE_MAX + 1);
	strcpy(long_value + 32 + URUNC_VALUE_MAX + 1, "\"}");
	refused(long_value, "'/urunc.json': com.urunc.unikernel.cmdline: longer than 8192 bytes");
	free(long_value);
}

static void test_file(void **state)
{
	struct err e = ERR_INIT;
	struct urunc u;

	(void)state;
	assert_int_equal(parse("{\"com.urunc.unikernel.unikernelType\":\"bWlyYWdl\","
			       "\"com.urunc.unikernel.hypervisor\":\"c3B0\","
			       "\"com.urunc.unikernel.mountRootfs\":\"dHJ1ZQ==\","
			       "\"com.urunc.unikernel.block\":null,"
			       "\"com.urunc.unikernel.other\":7,\"else\":{}}", &u, &e), 0);
	assert_string_equal(u.value[URUNC_TYPE], "mirage");
	assert_true(urunc_is_true(&u, URUNC_MOUNT_ROOTFS));
	assert_false(urunc_is_true(&u, URUNC_DM_BLOCK));
	assert_null(u.value[URUNC_BLOCK]);
	assert_false(urunc_complete(&u));
	u.value[URUNC_BINARY] = strdup("/x");
	assert_true(urunc_complete(&u));
	urunc_free(&u);
	urunc_free(&u);
}

static void test_annotations(void **state)
{
	static const char json[] =
		"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"annotations\":{"
		"\"com.urunc.unikernel.binary\":\"L2FwcC5zcHQ=\","
		"\"com.urunc.unikernel.cmdline\":\"one two\",\"com.urunc.unikernel.vAccel\":\"x\","
		"\"org.other\":\"y\"}}";
	struct urunc u = { .value = { NULL } };
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(bundle_parse(json, strlen(json), "/b", &b, &e), 0);
	assert_int_equal(urunc_from_annotations(b, &u, &e), 0);
	assert_string_equal(u.value[URUNC_BINARY], "/app.spt");
	assert_string_equal(u.value[URUNC_CMDLINE], "one two");
	urunc_free(&u);
	bundle_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
