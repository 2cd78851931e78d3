/* SPDX-License-Identifier: GPL-2.0-only */
/* The cache builds once, survives kill -9 and a full disk, and never removes an image in use. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "image/image.h"
#include "image/test-help.h"

#define BUILDERS	8

static int get_quietly(const char *tree, const char *cache, const struct image_limits *limits)
{
	struct err e = ERR_INIT;
	uint64_t size;
	int fd = -1;

	if (image_get(tree, cache, limits, &fd, &size, NULL, &e) == 0)
		return fd;
	fprintf(stderr, "%s\n", e.text);
	return -1;
}

static bool image_is_there(const char *digest)
{
	char path[128];

	snprintf(path, sizeof(path), "cache/image/%s", digest);
	return access(path, F_OK) == 0;
}

static void prune(uint64_t max_bytes)
{
	struct err e = ERR_INIT;

	if (image_prune("cache", max_bytes, &e) != 0)
		fail_msg("image_prune: %s", e.text);
}

/* Wait until the file has something in it, five seconds at most. */
static void wait_for(const char *path)
{
	struct stat st = { .st_size = 0 };

	for (int i = 0; i < 500 && st.st_size == 0; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		if (stat(path, &st) < 0)
			st.st_size = 0;
	}
	if (st.st_size == 0)
		fail_msg("no '%s'", path);
}

/* The image of @tree, whatever others have left beside it. */
static void get_whole(const char *tree)
{
	int fd = get_quietly(tree, "cache", NULL);

	must(fd);
	close(fd);
}

static void check_images(void)
{
	help_run("for f in cache/image/*; do [ ! -e $f ] || fsck.erofs $f >/dev/null || exit 1;"
		 " done");
}

static void test_find(void **state)
{
	char digest[65], again[65] = "";
	struct err e = ERR_INIT;
	uint64_t size = 0;
	int fd;

	(void)state;
	help_write("t/file", "x");
	assert_int_equal(image_find("t", "cache", &size, again, &e), IMAGE_ABSENT);
	assert_int_equal(help_count("cache"), -1);
	fd = help_get("t", digest);
	assert_int_equal(image_find("t", "cache", &size, again, &e), 0);
	assert_string_equal(digest, again);
	assert_int_equal(size, lseek(fd, 0, SEEK_END));
	close(fd);
	help_write("t/file", "y");
	assert_int_equal(image_find("t", "cache", &size, again, &e), IMAGE_ABSENT);
	assert_int_equal(image_find("none", "cache", &size, again, &e), -ENOENT);
}

/* Images that are renamed into place while @BUILDERS processes want the same. */
static int builds_of(const char *const trees[2])
{
	_Alignas(struct inotify_event) char events[8192];
	int watch, built = 0, status, go[2];
	ssize_t n;

	help_run("mkdir -p cache/image");
	watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	must(watch);
	must(inotify_add_watch(watch, "cache/image", IN_MOVED_TO));
	must(pipe(go));
	for (int i = 0; i < BUILDERS; i++) {
		pid_t pid = fork();

		must(pid);
		if (pid == 0) {
			char c;

			close(go[1]);
			_exit(read(go[0], &c, 1) != 0 ||
			      get_quietly(trees[i % 2], "cache", NULL) < 0);
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < BUILDERS; i++) {
		must(wait(&status));
		assert_int_equal(status, 0);
	}
	while ((n = read(watch, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < n; built++) {
			const struct inotify_event *ev = (const void *)(events + at);

			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
	}
	close(watch);
	return built;
}

static void test_build_once(void **state)
{
	(void)state;
	help_run("for i in $(seq 300); do head -c 5000 /dev/urandom >t/$i; done; cp -a t u");
	assert_int_equal(builds_of((const char *[]){ "t", "t" }), 1);
	assert_int_equal(help_count("cache/image"), 1);
	assert_int_equal(help_count("cache/tmp"), 0);
	/* Two trees with the same contents. */
	help_run("rm -rf cache");
	assert_int_equal(builds_of((const char *[]){ "t", "u" }), 1);
	assert_int_equal(help_count("cache/image"), 1);
	assert_int_equal(help_count("cache/tmp"), 0);
}

static void test_killed_builder(void **state)
{
	struct image_limits limits = { .timeout_s = 60 };
	char digest[65];
	pid_t pid, mkfs;
	FILE *f;

	(void)state;
	help_write("t/file", "x");
	/* mkfs.erofs becomes our child when its parent dies. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	limits.mkfs = help_script("echo $$ >$7; exec sleep 50");
	pid = fork();
	must(pid);
	if (pid == 0)
		_exit(get_quietly("t", "cache", &limits) >= 0 ? 0 : 1);
	for (int i = 0; i < 500 && help_count("cache/tmp") < 2; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	help_run("ln cache/tmp/image-* half");
	wait_for("half");
	f = fopen("half", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &mkfs), 1);
	fclose(f);

	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
	must(waitpid(mkfs, NULL, 0));	/* it ends, long before its 50 s */
	assert_int_equal(help_count("cache/image"), 0);
	assert_int_equal(help_count("cache/tmp"), 2);

	/* The next one takes its place, and so does a prune. */
	help_run("cp -a cache cache2");
	close(help_get("t", digest));
	assert_int_equal(help_count("cache/image"), 1);
	help_run("rm -rf cache; mv cache2 cache");
	prune(1 << 30);
	assert_int_equal(help_count("cache/tmp"), 0);
	must(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
}

/* kill -9 at any moment: no half image under a name, and the next start gets a whole one. */
static void test_killed_anywhere(void **state)
{
	(void)state;
	/* mkfs.erofs may live a moment longer, with a lock on what it writes: wait for it too. */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	help_run("for i in $(seq 200); do head -c 20000 /dev/urandom >t/$i; done");
	for (int i = 0; i < 40; i++) {
		pid_t pid;

		help_run("rm -rf cache");
		pid = fork();
		must(pid);
		if (pid == 0)
			_exit(get_quietly("t", "cache", NULL) >= 0 ? 0 : 1);
		nanosleep(&(struct timespec){ .tv_nsec = i * 2500000L }, NULL);
		must(kill(pid, SIGKILL));
		while (waitpid(-1, NULL, 0) > 0)
			;
		check_images();
		if (i % 4 == 0) {
			get_whole("t");
			check_images();
			/* Its lock is still there if it was killed with all done but that. */
			prune(1 << 30);
			assert_int_equal(help_count("cache/tmp"), 0);
		}
	}
	must(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
}

/* Killed between the name of the tree and its lock: that stays until somebody builds or prunes. */
static void test_killed_at_the_end(void **state)
{
	char digest[65];

	(void)state;
	help_write("t/file", "x");
	close(help_get("t", digest));
	help_run("set -- cache/tree/*; [ $# = 1 ]; : >cache/tmp/tree-${1##*/}");
	get_whole("t");
	assert_int_equal(help_count("cache/tmp"), 1);
	help_write("t/file", "another");
	close(help_get("t", digest));		/* and finds nothing in tmp/ afterwards */
	assert_int_equal(help_count("cache/image"), 2);
}

static void test_full_disk(void **state)
{
	struct err e = ERR_INIT;
	uint64_t size;
	int fd = -1;

	(void)state;
	help_run("head -c 6000000 /dev/urandom >t/file; mkdir small");
	must(mount("tmpfs", "small", "tmpfs", 0, "size=3m,mode=700"));
	assert_int_equal(image_get("t", "small/cache", NULL, &fd, &size, NULL, &e), -ENOSPC);
	assert_string_equal(e.text, "image of 't': write the image: No space left on device");
	assert_int_equal(fd, -1);
	assert_int_equal(help_count("small/cache/image"), 0);
	assert_int_equal(help_count("small/cache/tmp"), 0);
	assert_int_equal(help_count("small/cache/tree"), 0);

	/* Room enough for the data, and not for all of it with its directories and inodes. */
	help_run("rm t/file; for i in $(seq 700); do echo x >t/$i; done");
	must(mount("tmpfs", "small", "tmpfs", MS_REMOUNT, "size=2840k"));
	assert_int_equal(image_get("t", "small/cache", NULL, &fd, &size, NULL, &e), -ENOSPC);
	must(mount("tmpfs", "small", "tmpfs", MS_REMOUNT, "size=8m"));
	assert_int_equal(image_get("t", "small/cache", NULL, &fd, &size, NULL, &e), 0);
	close(fd);
	must(umount("small"));
}

static int make(const char *text, char digest[65])
{
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

	help_write("t/file", text);
	must(utimensat(AT_FDCWD, "t/file", times, 0));
	return help_get("t", digest);
}

static void test_prune_spares_used(void **state)
{
	char a[65], b[65], c[65];
	int fd = make("a", a), copy, status;
	pid_t pid;

	(void)state;
	close(make("b", b));
	prune(0);
	assert_true(image_is_there(a));
	assert_false(image_is_there(b));
	assert_int_equal(help_count("cache/tree"), 1);

	/* A duplicate in another process holds it as well, until that is gone. */
	copy = dup(fd);
	pid = fork();
	must(pid);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	close(copy);
	prune(0);
	assert_true(image_is_there(a));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	prune(0);
	assert_false(image_is_there(a));
	assert_int_equal(help_count("cache/image"), 0);
	assert_int_equal(help_count("cache/tree"), 0);
	/* And it comes back. */
	close(make("a", c));
	assert_string_equal(a, c);
}

static void test_prune_order(void **state)
{
	static const char *const text[4] = { "one", "two", "three", "four" };
	char digest[4][65], again[65];
	struct stat st;

	(void)state;
	help_run("mkdir p && cd p && for i in 0 1 2 3; do mkdir $i; done");
	for (int i = 0; i < 4; i++) {
		char path[32];

		snprintf(path, sizeof(path), "p/%d/file", i);
		help_write(path, text[i]);
		path[3] = '\0';
		close(help_get(path, digest[i]));
	}
	/* Use the oldest once more: now the second is the oldest. */
	close(help_get("p/0", again));
	assert_string_equal(again, digest[0]);
	help_run("ls cache/image >list; stat cache/image/$(head -n1 list) >/dev/null");
	{
		char path[128];

		snprintf(path, sizeof(path), "cache/image/%s", digest[0]);
		must(stat(path, &st));
	}
	prune((uint64_t)st.st_blocks * 512 * 2);
	assert_true(image_is_there(digest[0]));
	assert_false(image_is_there(digest[1]));
	assert_false(image_is_there(digest[2]));
	assert_true(image_is_there(digest[3]));
	/* No cache, nothing to do. */
	help_run("rm -rf cache");
	prune(0);
	assert_int_equal(help_count("cache"), -1);
}

/* Starts and prunes against each other: nobody gets a descriptor of a removed image. */
static void test_prune_race(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	help_run("for i in 0 1 2; do mkdir t/$i; echo $i >t/$i/file; done");
	help_run("mkdir -p cache/image cache/tree cache/tmp");
	pid = fork();
	must(pid);
	if (pid == 0) {
		struct err e = ERR_INIT;

		for (;;)
			if (image_prune("cache", 0, &e) != 0)
				_exit(1);
	}
	for (int i = 0; i < 60; i++) {
		char path[16];
		struct stat st;
		int fd;

		snprintf(path, sizeof(path), "t/%d", i % 3);
		fd = get_quietly(path, "cache", NULL);
		must(fd);
		must(fstat(fd, &st));
		assert_int_equal(st.st_nlink, 1);
		close(fd);
	}
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
}

static void test_damaged_image(void **state)
{
	char digest[65], again[65];

	(void)state;
	help_write("t/file", "x");
	close(help_get("t", digest));
	help_run("truncate -s 0 cache/image/*");
	close(help_get("t", again));
	assert_string_equal(digest, again);
	help_run("truncate -s +4096 cache/image/*");
	close(help_get("t", again));
	help_run("fsck.erofs cache/image/%s >/dev/null", digest);
	/* What stands for it in the tree folder is no digest. */
	help_run("cd cache/tree; for f in *; do ln -sfn ../../t/file $f; done");
	close(help_get("t", again));
	assert_string_equal(digest, again);
}

static void test_foreign_cache(void **state)
{
	struct err e = ERR_INIT;
	uint64_t size;
	int fd = -1;

	(void)state;
	must(mkdir("cache", 0700));
	must(chmod("cache", 0777));
	assert_int_equal(image_get("t", "cache", NULL, &fd, &size, NULL, &e), -EPERM);
	assert_non_null(strstr(e.text, "can be written by others"));
	must(chmod("cache", 0755));
	must(chown("cache", 1000, 1000));
	assert_int_equal(image_get("t", "cache", NULL, &fd, &size, NULL, &e), -EPERM);
	must(chown("cache", 0, 0));
	must(symlink("/tmp", "cache/image"));
	assert_int_equal(image_get("t", "cache", NULL, &fd, &size, NULL, &e), -ENOTDIR);
	assert_int_equal(fd, -1);
}

/* Descriptors do not pile up, whichever way it goes. */
static void test_descriptors(void **state)
{
	struct image_limits limits = { .max_files = 1 };
	int before = help_count("/proc/self/fd");
	struct err e = ERR_INIT;
	char digest[65];
	uint64_t size;
	int fd = -1;

	(void)state;
	help_write("t/file", "x");
	for (int i = 0; i < 5; i++) {
		close(help_get("t", digest));
		assert_int_equal(image_get("t", "cache", &limits, &fd, &size, NULL, &e), -E2BIG);
		assert_int_equal(image_find("t", "cache", &size, digest, &e), 0);
		prune(i % 2 ? 0 : UINT64_MAX);
	}
	assert_int_equal(help_count("/proc/self/fd"), before);
}

/*
 * The digest and the bytes of a tree that never changes, as recorded in the file $GOLDEN: version
 * of mkfs.erofs, digest of the tree, SHA-256 of the image.
 */
static void test_golden(void **state)
{
	char version[64] = "", digest[65] = "", bytes[65] = "", now[65];
	FILE *f = fopen(getenv("GOLDEN") ? getenv("GOLDEN") : "", "r"), *v;
	char line[128] = "";

	(void)state;
	if (!f)
		fail_msg("cannot read $GOLDEN");
	assert_int_equal(fscanf(f, "mkfs.erofs %63s\ntree %64s\nimage"
				   " %64s\n", version, digest, bytes), 3);
	fclose(f);
	help_run("cd t && mkdir -p bin etc empty && seq 5000 >bin/seq && chmod 755 bin/seq &&"
		 " ln bin/seq bin/same && echo 'hello world' >etc/motd && ln -s ../bin/seq"
		 " etc/link &&"
		 " : >etc/nothing && truncate -s 10000 etc/hole && mknod null c 1 3 && mknod wh"
		 " c 0 0 &&"
		 " mkfifo fifo && chown 1000:1001 etc/motd && find . -exec touch -h -d"
		 " @1000000000.5 {} +");
	close(help_get("t", now));
	if (strcmp(now, digest))
		fail_msg("digest of the tree: %s", now);

	v = popen("mkfs.erofs -V 2>/dev/null", "r");
	assert_non_null(v);
	assert_non_null(fgets(line, sizeof(line), v));
	pclose(v);
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line + strlen("mkfs.erofs "), version)) {
		print_message("%s, and the recorded image is by version %s: its bytes are not"
			      " compared\n",
			      line, version);
		skip();
	}
	help_run("test \"$(sha256sum <cache/image/%s)\" = '%s  -' || { sha256sum"
		 " <cache/image/%s; exit 1; }",
		 digest, bytes, digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_find, help_fresh),
		cmocka_unit_test_setup(test_build_once, help_fresh),
		cmocka_unit_test_setup(test_killed_builder, help_fresh),
		cmocka_unit_test_setup(test_killed_anywhere, help_fresh),
		cmocka_unit_test_setup(test_killed_at_the_end, help_fresh),
		cmocka_unit_test_setup(test_full_disk, help_fresh),
		cmocka_unit_test_setup(test_prune_spares_used, help_fresh),
		cmocka_unit_test_setup(test_prune_order, help_fresh),
		cmocka_unit_test_setup(test_prune_race, help_fresh),
		cmocka_unit_test_setup(test_damaged_image, help_fresh),
		cmocka_unit_test_setup(test_foreign_cache, help_fresh),
		cmocka_unit_test_setup(test_descriptors, help_fresh),
		cmocka_unit_test_setup(test_golden, help_fresh),
	};

	return cmocka_run_group_tests_name("image cache", tests, help_enter, help_leave);
}
