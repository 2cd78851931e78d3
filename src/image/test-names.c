/* SPDX-License-Identifier: GPL-2.0-only */
/* A walk by the names of last time finds what a walk that reads finds, whatever has changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/image.h"
#include "image/names.h"
#include "image/test-help.h"
#include "image/tree.h"

static const struct image_limits limits = { .max_files = 100000, .max_bytes = 1 << 30 };

static int open_tree_root(void)
{
	int root = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC);

	must(root);
	return root;
}

/* Whatever is written from now on has another ctime than what is there. */
static void next_tick(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static void make_tree(void)
{
	help_run("for a in a b c; do mkdir -p t/$a/x/y t/$a/e && echo 1 >t/$a/1 &&"
		 " echo 2 >t/$a/x/2 && echo 3 >t/$a/x/y/3; done; ln -s a t/link; mkdir t/empty");
}

/* The names in tree "t". Skips the test where the file system is not one to keep names of. */
static void read_them(struct names *names)
{
	struct buf read = BUF_INIT(NAMES_MAX_SIZE);
	struct tree_facts facts;
	struct err e = ERR_INIT;
	int root = open_tree_root();
	size_t len;
	char *data;

	next_tick();
	assert_int_equal(tree_fingerprint_by_names(root, &limits, NULL, &read, &facts, &e), 0);
	close(root);
	assert_int_equal(buf_error(&read), 0);
	data = buf_take(&read, &len);
	if (len == 0) {
		print_message("names of this file system are not kept\n");
		skip();
	}
	assert_int_equal(names_parse(data, len, names), 0);
}

/* Both walks of "t" come to the same. Gives the hash. */
static void same(const struct names *names, char hash[65])
{
	struct tree_facts plain, quick;
	struct err e = ERR_INIT, f = ERR_INIT;
	int root = open_tree_root();
	int a = tree_fingerprint(root, &limits, &plain, &e);
	int b = tree_fingerprint_by_names(root, &limits, names, NULL, &quick, &f);

	close(root);
	assert_int_equal(a, b);
	assert_string_equal(e.text, f.text);
	*hash = '\0';
	if (a < 0)
		return;
	assert_string_equal(plain.hash, quick.hash);
	assert_int_equal(plain.files, quick.files);
	assert_int_equal(plain.bytes, quick.bytes);
	strcpy(hash, plain.hash);
}

static void test_changes(void **state)
{
	static const char *const changes[] = {
		"echo 2 >t/a/1", "chmod 600 t/a/x/y/3", "chown 1 t/b/x/2", "touch -h -d @1 t/link",
		"echo new >t/a/x/y/new", "rm t/a/x/y/new", "mv t/a/x/y t/a/x/z",
		"mv t/a/x/z t/a/x/y",
		"mv t/a/x/2 t/a/x/y/2", "mv t/a t/tmp; mv t/b t/a; mv t/tmp t/b", "echo >t/.hidden",
		"rm -r t/c/x; ln -s ../a/x t/c/x", "rm -r t/b/x/y; : >t/b/x/y", "ln t/a/1 t/a/e/1",
		"rm t/c/x; cp -a t/a/x t/c/x", "mkdir t/empty/d", "rmdir t/empty/d", "rm -r t/c",
		"touch -d @1000000000 t/a/x; echo n >t/a/x/n; touch -d @1000000000 t/a/x",
	};
	_autonames_ struct names names = NAMES_INIT;
	char last[65], hash[65];

	(void)state;
	make_tree();
	read_them(&names);
	same(&names, last);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		next_tick();
		help_run("%s", changes[i]);
		same(&names, hash);
		if (strcmp(hash, last) == 0)
			fail_msg("not seen: %s", changes[i]);
		strcpy(last, hash);
		/* And from the names as they are now. */
		names_free(&names);
		read_them(&names);
		same(&names, hash);
		assert_string_equal(hash, last);
	}
}

static void test_refusals(void **state)
{
	_autonames_ struct names names = NAMES_INIT;
	char hash[65];

	(void)state;
	make_tree();
	read_them(&names);
	must(mount("none", "t/a/x", "tmpfs", 0, ""));
	same(&names, hash);
	assert_string_equal(hash, "");
	must(umount("t/a/x"));
	same(&names, hash);
	assert_string_not_equal(hash, "");
	help_run(": >t/a/lost+found");
	same(&names, hash);
	assert_string_equal(hash, "");
}

/* A record with any byte wrong is refused or harmless: names stay names, memory stays ours. */
static void test_damage(void **state)
{
	struct buf record = BUF_INIT(NAMES_MAX_SIZE);
	const struct names_stamp stamp = { .ino = 7, .mtime = 1, .ctime = 2 };
	const char *const some[] = { "a", "bb", "ccc" };
	struct names names;

	(void)state;
	names_begin(&record);
	names_add(&record, "usr/lib", &stamp, some, 3);
	names_add(&record, "", &stamp, some, 2);
	names_add(&record, "empty", &stamp, NULL, 0);
	assert_int_equal(buf_error(&record), 0);
	for (size_t cut = 0; cut <= record.len; cut++) {
		for (int flip = 0; flip < 256; flip += cut == record.len ? 256 : 1) {
			/* Exactly as long as promised, so that a byte too far is seen. */
			char *copy = malloc(record.len);

			assert_non_null(copy);
			memcpy(copy, record.data, record.len);
			if (cut < record.len)
				copy[cut] = (char)flip;
			if (names_parse(copy, record.len, &names) != 0)
				continue;
			for (size_t i = 0; i < names.count; i++)
				for (size_t n = 0; n < names.dir[i].len;
				     n += strlen(names.dir[i].names + n) + 1)
					assert_null(strchr(names.dir[i].names + n, '/'));
			if (cut == record.len) {
				assert_int_equal(names.count, 3);
				assert_int_equal(names_find(&names, "usr/lib", &stamp)->len, 9);
				assert_int_equal(names_find(&names, "", &stamp)->len, 5);
				assert_int_equal(names_find(&names, "empty", &stamp)->len, 0);
				assert_null(names_find(&names, "usr", &stamp));
			}
			names_free(&names);
		}
	}
	for (size_t len = 0; len < record.len; len++) {
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, record.data, len);
		if (names_parse(copy, len, &names) == 0) {
			assert_true(names.count < 3);
			names_free(&names);
		}
	}
	buf_free(&record);
}

/* The cache keeps them, uses them, and is right with whatever it finds in their place. */
static void test_in_cache(void **state)
{
	char digest[65], again[65];

	(void)state;
	make_tree();
	next_tick();
	close(help_get("t", digest));
	if (help_count("cache/names") != 1) {
		print_message("names of this file system are not kept\n");
		skip();
	}
	help_run("cp -a cache/names kept");
	help_run("for f in cache/names/*; do head -c 100 /dev/zero >$f; done");
	close(help_get("t", again));
	assert_string_equal(digest, again);
	help_run("diff -r cache/names kept");
	help_run("echo more >t/a/more");
	next_tick();
	close(help_get("t", again));
	assert_string_not_equal(digest, again);
	help_run("rm t/a/more; ! diff -r cache/names kept >/dev/null");
	/* Those of before the change, which the last two changes made out of date. */
	help_run("rm -r cache/names; mkdir cache/names; cp kept/* cache/names/");
	next_tick();
	close(help_get("t", again));
	assert_string_not_equal(digest, again);
	help_run("rm -rf cache/names");
	close(help_get("t", digest));
	assert_string_equal(digest, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_changes, help_fresh),
		cmocka_unit_test_setup(test_refusals, help_fresh),
		cmocka_unit_test_setup(test_damage, help_fresh),
		cmocka_unit_test_setup(test_in_cache, help_fresh),
	};

	return cmocka_run_group_tests_name("image names", tests, help_enter, help_leave);
}
