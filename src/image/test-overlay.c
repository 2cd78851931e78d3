/* SPDX-License-Identifier: GPL-2.0-only */
/* Mountinfo of overlay mounts, as kernels from 5.10 on write it, and as they do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/overlay.h"

#define HEAD "47 27 0:39 / /run/b/rootfs rw,relatime shared:5 - overlay overlay rw"
#define OTHER "27 1 254:0 / / rw,relatime - ext4 /dev/root rw,discard\n"

static int parse(const char *text, struct overlay *o, struct err *e)
{
	return overlay_parse(text, strlen(text), 47, o, e);
}

static void gives(const char *text, const char *point, const char *upper,
		  const char *const *lower)
{
	struct err e = ERR_INIT;
	struct overlay o;
	size_t n = 0;

	if (parse(text, &o, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(o.mount_point, point);
	if (upper)
		assert_string_equal(o.upper, upper);
	else
		assert_null(o.upper);
	for (; lower[n]; n++)
		assert_string_equal(o.lower[n], lower[n]);
	assert_int_equal(o.nr_lower, n);
	assert_null(o.lower[n]);
	overlay_free(&o);
	overlay_free(&o);
}

#define LOWER(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_docker(void **state)
{
	(void)state;
	gives(OTHER HEAD ",lowerdir=/v/l/AA:/v/l/BB,upperdir=/v/1/diff,workdir=/v/1/work\n",
	      "/run/b/rootfs", "/v/1/diff", LOWER("/v/l/AA", "/v/l/BB"));
	/* no optional field, no newline at the end, more options, relative paths */
	gives("47 27 0:39 / /m rw - overlay overlay ro,seclabel,lowerdir=1/fs:2/fs,index=off",
	      "/m", NULL, LOWER("1/fs", "2/fs"));
	/* several optional fields; a mount point and a source with a space in them, or no source */
	gives("47 27 0:39 / /a\\040b rw shared:1 master:2 - overlay o\\040v rw,lowerdir=/x\n",
	      "/a b", NULL, LOWER("/x"));
	gives("47 27 0:39 / /m rw -" " overlay  rw,lowerdir=/x\n", "/m", NULL, LOWER("/x"));
}

static void test_dialects(void **state)
{
	(void)state;
	gives(HEAD ",lowerdir+=/a:b,lowerdir+=/c\\134d\\054e,upperdir=/u\n", "/run/b/rootfs", "/u",
	      LOWER("/a:b", "/c\\d,e"));
	gives(HEAD ",lowerdir=/a\\134:b:/c\\040d\n", "/run/b/rootfs", NULL,
	      LOWER("/a:b", "/c d"));
	gives(HEAD ",lowerdir=/a\\072b:/c\\011\\012\\054\\303\\251\n", "/run/b/rootfs", NULL,
	      LOWER("/a:b", "/c\t\n,\303\251"));
}

static void refuses(const char *text, int code, const char *words)
{
	struct err e = ERR_INIT;
	struct overlay o;
	int r = parse(text, &o, &e);

	if (r != code || (words && !strstr(e.text, words)))
		fail_msg("%d '%s' from %s", r, e.text, text);
	assert_null(o.lower);
	assert_null(o.upper);
	assert_null(o.mount_point);
}

static void test_unfit(void **state)
{
	(void)state;
	refuses(HEAD ",lowerdir=/a::/data\n", OVERLAY_UNFIT, "data-only");
	refuses(HEAD ",lowerdir=/a,datadir+=/data\n", OVERLAY_UNFIT, "data-only");
	refuses(HEAD ",lowerdir+=/a,datadir+=/data\n", OVERLAY_UNFIT, "data-only");
	refuses(HEAD ",lowerdir=/a,userxattr\n", OVERLAY_UNFIT, "user.overlay");
	refuses(HEAD ",lowerdir=/a\\134b\n", OVERLAY_UNFIT, "backslash");
	refuses(HEAD ",lowerdir=/a\\134\\134b\n", OVERLAY_UNFIT, "backslash");
	refuses(HEAD ",lowerdir=/a\\134\n", OVERLAY_UNFIT, "backslash");
	refuses(HEAD ",lowerdir=/a,upperdir=/u\\134b\n", OVERLAY_UNFIT, "backslash");
	refuses(HEAD ",lowerdir=/a\n48 47 0:40 / /run/b/rootfs/proc rw - proc proc rw\n",
		OVERLAY_UNFIT, "mounted inside");
	refuses("48 47 0:40 / /run/b/rootfs/proc rw - proc proc rw\n" HEAD ",lowerdir=/a\n",
		OVERLAY_UNFIT, "mounted inside");
}

static void test_many(void **state)
{
	char text[8192] = HEAD ",lowerdir=/0";
	struct err e = ERR_INIT;
	struct overlay o;

	(void)state;
	for (int i = 1; i < OVERLAY_LOWER_MAX; i++)
		strcat(text, ":/x");
	assert_int_equal(parse(text, &o, &e), 0);
	assert_int_equal(o.nr_lower, OVERLAY_LOWER_MAX);
	overlay_free(&o);
	strcat(text, ":/x");
	refuses(text, OVERLAY_UNFIT, "more than 500");
}

static void test_none(void **state)
{
	(void)state;
	refuses("", OVERLAY_NONE, NULL);
	refuses(OTHER, OVERLAY_NONE, NULL);
	refuses("47 27 254:0 / /m rw - ext4 /dev/vda rw,lowerdir=/a\n", OVERLAY_NONE, NULL);
	/* A bind mount of something inside an overlay. */
	refuses("47 27 0:39 /usr /m rw - overlay overlay rw,lowerdir=/a\n", OVERLAY_NONE, NULL);
}

static void test_malformed(void **state)
{
	static const char *const lines[] = {
		"x\n", "47\n", "47 \n", "47 27\n", "47 27 0:39\n", "47 27 0:39 / /m rw\n",
		"47 27 0:39 / /m rw -\n", "47 27 0:39 / /m rw - overlay\n",
		"47 27 0:39 / /m rw - overlay overlay\n", "-47 27 0:39 / /m rw - overlay o rw\n",
		"47 -27 0:39 / /m rw - overlay o rw,lowerdir=/a\n", "\n" HEAD ",lowerdir=/a\n",
		HEAD "\n", HEAD ",lowerdir=/a\\8\n", HEAD ",lowerdir=/a\\000\n",
		HEAD ",lowerdir=/a\\400\n", HEAD ",lowerdir=/a\\", HEAD ",lowerdir=/a\\04",
		HEAD ",lowerdir+=/a\\\n", HEAD ",lowerdir=/a,upperdir=\n",
		HEAD ",lowerdir=/a,upperdir=/u,upperdir=/v\n",
		"47 27 0:39 / /m\\x rw - overlay overlay rw,lowerdir=/a\n",
		"99999999999999999999999 27 0:39 / /m rw - overlay overlay rw,lowerdir=/a\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		refuses(lines[i], -EINVAL, "a line that the kernel does not write");
}

static void test_nul(void **state)
{
	static const char text[] = HEAD ",lowerdir=/a\n\0" "48 47 0:1 / /m rw - proc proc rw\n";
	struct err e = ERR_INIT;
	struct overlay o;

	(void)state;
	assert_int_equal(overlay_parse(text, sizeof(text) - 1, 47, &o, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
