/* SPDX-License-Identifier: GPL-2.0-only */
/* Images hold what the tree holds; what they cannot hold is refused; the host's files stay out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/erofs.h"
#include "image/image.h"
#include "image/test-help.h"
#include "image/tree.h"

static void refused(const char *tree, const struct image_limits *limits, int code,
		    const char *words)
{
	struct err e = ERR_INIT;
	uint64_t size;
	int fd = -1;

	assert_int_equal(image_get(tree, "cache", limits, &fd, &size, NULL, &e), code);
	assert_int_equal(fd, -1);
	if (!strstr(e.text, words) || strchr(e.text, '\n'))
		fail_msg("'%s' does not say '%s' in one line", e.text, words);
	assert_int_equal(help_count("cache/image"), 0);
	assert_int_equal(help_count("cache/tmp"), 0);
}

static void round_trip(const char *tree)
{
	char digest[65], again[65];
	int fd = help_get(tree, digest), fd2;

	if (help_mount(fd)) {
		help_compare(tree, "m");
		help_umount();
	}
	fd2 = help_get(tree, again);
	assert_string_equal(digest, again);
	assert_int_equal(help_count("cache/image"), 1);
	close(fd);
	close(fd2);
}

static void test_empty_root(void **state)
{
	(void)state;
	round_trip("t");
}

static void test_ordinary(void **state)
{
	(void)state;
	help_run("cd t && mkdir -p usr/bin etc && echo hello >etc/motd && : >empty &&"
		 " head -c 3000001 /dev/urandom >usr/bin/big && ln usr/bin/big usr/bin/same &&"
		 " ln -s ../../../../../../etc/shadow out && ln -s /etc/passwd abs && ln -s ."
		 " loop &&"
		 " chmod 4755 usr/bin/big && chown 1000:2000 etc/motd && chmod 000 etc/motd &&"
		 " touch -d '2001-02-03 04:05:06.789' etc/motd && touch -d '1960-01-01' empty &&"
		 " touch -d '2200-01-01' usr && touch -h -d '1999-01-01' out &&"
		 " truncate -s 20M sparse && printf x | dd of=sparse bs=1 seek=9999999"
		 " conv=notrunc 2>/dev/null &&"
		 " chown 100000:4000000000 sparse");
	round_trip("t");
}

static void test_nodes(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "t/socket" };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	must(s);
	must(bind(s, (struct sockaddr *)&sun, sizeof(sun)));
	close(s);
	must(mkfifo("t/fifo", 0600));
	must(mknod("t/whiteout", S_IFCHR, makedev(0, 0)));
	must(mknod("t/null", S_IFCHR | 0666, makedev(1, 3)));
	must(mknod("t/block", S_IFBLK | 0660, makedev(259, 70000)));
	must(link("t/fifo", "t/fifo2"));
	round_trip("t");
}

static void test_xattrs(void **state)
{
	static const char cap[20] = "\1\0\0\2\0\40";
	char big[3000];

	(void)state;
	memset(big, 'b', sizeof(big));
	help_write("t/file", "text");
	must(symlink("file", "t/link"));
	must(mkdir("t/opaque", 0755));
	must(setxattr("t/file", "security.capability", cap, sizeof(cap), 0));
	must(setxattr("t/file", "user.big", big, sizeof(big), 0));
	must(setxattr("t/file", "user.empty", "", 0, 0));
	must(setxattr("t/opaque", "trusted.overlay.opaque", "y", 1, 0));
	must(lsetxattr("t/link", "trusted.link", "1", 1, 0));
	must(setxattr("t", "user.root", "2", 1, 0));
	help_write("t/other", "text");
	must(setxattr("t/other", "user.empty", "", 0, 0));
	round_trip("t");
}

static void test_names(void **state)
{
	char name[300] = "t/", target[4096];

	(void)state;
	memset(name + 2, 'n', 254);
	help_write(name, "long");
	help_write("t/new\nline \xff\xfe\\", "bytes");
	help_write("t/-x", "option");
	help_write("t/ ", "space");
	help_write("t/\x01", "control");
	help_write("t/lost+foun", "close");
	memset(target, 'a', 4095);
	target[4095] = '\0';
	must(symlink(target, "t/longest"));
	must(mkdir("t/lost+found", 0700));
	round_trip("t");
}

static void test_deep(void **state)
{
	char path[4096] = "t";
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	must(here);
	for (int i = 0; i < 1000; i++) {
		strcat(path, "/d");
		must(mkdir(path, 0755));
	}
	strcat(path, "/file");
	help_write(path, "deep");
	round_trip("t");

	/* One path too many: 1000 levels of names with 4 letters. */
	help_run("rm -rf t/d cache");
	must(chdir("t"));
	for (int i = 0; i < 1000; i++) {
		must(mkdir("dddd", 0755));
		must(chdir("dddd"));
	}
	must(fchdir(here));
	close(here);
	refused("t", NULL, -ENAMETOOLONG, "has too long a path");
}

static void test_refused(void **state)
{
	char name[300] = "t/";

	(void)state;
	memset(name + 2, 'n', 255);
	help_write(name, "x");
	refused("t", NULL, -ENAMETOOLONG, "254 bytes");
	must(unlink(name));
	must(mkdir("t/d", 0755));
	must(mkdir("t/d/lost+found", 0755));
	refused("t", NULL, -EINVAL, "'/d/lost+found' has a name which mkfs.erofs leaves out");
	must(rmdir("t/d/lost+found"));
	help_write("t/lost+found\n", "x");
	refused("t", NULL, -EINVAL, "'/lost+found\\x0a'");
	must(unlink("t/lost+found\n"));

	refused("t/d/none", NULL, -ENOENT, "'t/d/none': No such file");
	help_write("t/file", "0123456789");
	refused("t/file", NULL, -ENOTDIR, "Not a directory");
	refused("t", &(struct image_limits){ .max_files = 2 }, -E2BIG, "more than 2 files");
	refused("t", &(struct image_limits){ .max_bytes = 9 }, -E2BIG, "more than 9 bytes");
	/* The files fit, the image does not. */
	refused("t", &(struct image_limits){ .max_bytes = 10 }, -E2BIG, "grows beyond 10 bytes");
}

static void test_mount_inside(void **state)
{
	(void)state;
	must(mkdir("t/sub", 0755));
	must(mount("tmpfs", "t/sub", "tmpfs", 0, NULL));
	refused("t", NULL, -EXDEV, "'/sub' is a mount point");
	must(umount("t/sub"));
	/* A bind mount is on the same device. */
	must(mkdir("t/data", 0755));
	must(mount("t/data", "t/sub", NULL, MS_BIND, NULL));
	refused("t", NULL, -EXDEV, "'/sub' is a mount point");
	must(umount("t/sub"));
	help_write("t/file", "x");
	must(mount("/etc/passwd", "t/file", NULL, MS_BIND, NULL));
	refused("t", NULL, -EXDEV, "'/file' is a mount point");
	must(umount("t/file"));
	/* The root itself may be one. */
	must(mount("t", "t", NULL, MS_BIND, NULL));
	round_trip("t");
	must(umount("t"));
}

static void test_link_to_root(void **state)
{
	char digest[65], again[65];

	(void)state;
	help_write("t/file", "x");
	must(symlink("t", "link"));
	close(help_get("link", digest));
	close(help_get("t", again));
	assert_string_equal(digest, again);
}

static void test_overlay(void **state)
{
	struct err e = ERR_INIT;
	char digest[65], again[65];
	uint64_t size;

	(void)state;
	help_run("mkdir -p ov/low/d ov/up1 ov/w1 ov/up2 ov/w2 ov/m1 ov/m2 && echo a >ov/low/a &&"
		 " echo gone >ov/low/d/gone && echo b >ov/low/d/b && ln -s b ov/low/d/l &&"
		 " ln ov/low/a ov/low/d/a");
	if (mount("overlay", "ov/m1", "overlay", 0,
		  "lowerdir=ov/low,upperdir=ov/up1,workdir=ov/w1") < 0 ||
	    mount("overlay", "ov/m2", "overlay", 0,
		  "lowerdir=ov/low,upperdir=ov/up2,workdir=ov/w2") < 0) {
		print_message("no overlayfs here (%s): not tested on it\n", strerror(errno));
		skip();
	}
	/* A second container of one image: a new mount, a new upper directory, the same files. */
	close(help_get("ov/m1", digest));
	assert_int_equal(image_find("ov/m2", "cache", &size, again, &e), 0);
	assert_string_equal(digest, again);

	help_run("rm ov/m1/d/gone && echo new >ov/m1/d/new && echo changed >ov/m1/d/b");
	help_run("rm -rf cache");
	round_trip("ov/m1");
	/* An upper directory by itself is a layer: its whiteout stays one. */
	help_run("rm -rf cache");
	round_trip("ov/up1");
}

/* Same input, same bytes, wherever it lies and in whichever order it was made. */
static void test_reproducible(void **state)
{
	char digest[65], again[65];

	(void)state;
	help_run("mkdir t/a t/b; for i in 1 2 3 4 5 6 7 8 9; do echo $i >t/a/$i; done; ln t/a/1"
		 " t/b/1;"
		 "mkdir -p u/b u/a && cp -a t/b u/ && for i in 9 8 7 6 5 4 3 2; do cp -a t/a/$i"
		 " u/a/$i; done;"
		 "ln u/b/1 u/a/1; touch -r t/a u/a; touch -r t/b u/b; touch -r t u");
	close(help_get("t", digest));
	help_run("mv cache cache1; sleep 1.1");
	close(help_get("u", again));
	assert_string_equal(digest, again);
	help_run("cmp cache/image/* cache1/image/*");

	help_run("chmod 600 u/a/2");
	close(help_get("u", again));
	assert_string_not_equal(digest, again);
}

/* Each kind of change gives another digest. */
static void test_digest_sees(void **state)
{
	static const char *const changes[] = {
		"echo X >t/f", "echo y >t/f", "chmod 600 t/f", "chown 1 t/f", "chgrp 1 t/f",
		"touch -d 2001-01-01 t/f", "mv t/f t/g", "mv t/g t/d/g", "ln t/d/g t/d/h",
		"cp -p t/d/g t/d/i", "ln -s a t/l", "ln -sfn b t/l", "rm t/l", "mkfifo t/l",
		"xattr 1", "xattr 2", "chmod 700 t",
		"mknod t/c c 1 3", "rm t/c; mknod t/c c 1 5", "touch -d 2001-01-01 t/d",
	};
	char last[65] = "", digest[65];

	(void)state;
	help_run("mkdir t/d; echo x >t/f");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (!strncmp(changes[i], "xattr ", 6))
			must(setxattr("t/d/i", "user.a", changes[i] + 6, 1, 0));
		else
			help_run("%s", changes[i]);
		close(help_get("t", digest));
		if (!strcmp(digest, last))
			fail_msg("not seen: %s", changes[i]);
		strcpy(last, digest);
	}
}

/* A change that keeps size and mtime, at once after the image was made, is seen. */
static void test_racy_change(void **state)
{
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	char last[65] = "", digest[65];

	(void)state;
	for (int i = 0; i < 40; i++) {
		help_write("t/file", i % 2 ? "one" : "two");
		must(utimensat(AT_FDCWD, "t/file", times, 0));
		close(help_get("t", digest));
		assert_string_not_equal(digest, last);
		strcpy(last, digest);
	}
}

static int scratch_file(void)
{
	int fd = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd);
	return fd;
}

/*
 * Run @body where mkfs.erofs runs, over tree "t"; what it writes to $out is in the returned file.
 */
static int run_as_builder(const char *body, int want, const char *words)
{
	char script[2048], point[600];
	struct image_limits limits = { .max_files = 1000, .max_bytes = 1 << 20, .timeout_s = 20 };
	struct erofs_job job = { .digest = "00112233445566778899aabbccddeeff" };
	struct err e = ERR_INIT;
	int rc;

	must(mkdir("mnt", 0700) == 0 || errno == EEXIST ? 0 : -1);
	snprintf(script, sizeof(script), "out=$7 tree=$8\n%s", body);
	limits.mkfs = help_script(script);
	assert_non_null(getcwd(point, 500));
	strcat(point, "/mnt");
	job.mount_point = point;
	job.root = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	job.out = scratch_file();
	rc = erofs_build(&job, &limits, &e);
	if (rc != want || !strstr(e.text, words))
		fail_msg("%d: '%s' is not %d: '%s'", rc, e.text, want, words);
	close(job.root);
	return job.out;
}

/* What the builder could do to the host if it were taken over, or if the tree changed under it. */
static void test_builder_is_confined(void **state)
{
	char here[512], script[1800];
	int out;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	help_write("secret", "SECRET-OF-THE-HOST\n");
	help_run("ln -s %s/secret t/link; ln -s %s t/dir; mkdir t/sub; mknod t/dev c 1 5; echo"
		 " in >t/in", here,
		 here);
	must(mount("tmpfs", "t/sub", "tmpfs", 0, NULL));
	help_write("t/sub/mounted", "x");
	snprintf(script, sizeof(script),
		 "{ echo begin; cat $tree/in; cat $tree/link; cat $tree/dir/secret; ls $tree/sub;"
		 " head -c1 $tree/dev && echo READ-DEVICE; echo >%s/written && echo WROTE;"
		 " echo >$tree/written && echo WROTE-TREE; mount -t tmpfs none /mnt && echo"
		 " MOUNTED;"
		 " grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status;"
		 " echo fds: $(ls /proc/self/fd); echo env: $(env | grep -v -e ^PWD= -e ^_= -e"
		 " ^SHLVL= -e ^OLDPWD=);"
		 " echo end; } >$out 2>/dev/null", here);
	out = run_as_builder(script, -EUCLEAN, "has no superblock");
	assert_true(help_contains(out, "begin\nin\n"));
	assert_true(help_contains(out, "CapEff:\t0000000000000004\n"));
	assert_true(help_contains(out, "NoNewPrivs:\t1\n"));
	assert_true(help_contains(out, "fds: 0 1 2 3 4\n"));	/* 4: that of ls itself */
	assert_true(help_contains(out, "env:\nend\n"));
	assert_false(help_contains(out, "SECRET"));
	assert_false(help_contains(out, "mounted"));
	assert_false(help_contains(out, "READ-DEVICE"));
	assert_false(help_contains(out, "WROTE"));
	assert_false(help_contains(out, "MOUNTED"));
	assert_int_equal(access("written", F_OK), -1);
	close(out);
	must(umount("t/sub"));
}

static void test_builder_failures(void **state)
{
	(void)state;
	help_write("t/file", "x");
	close(run_as_builder("echo '<E> erofs: it broke' >&2; exit 1", -EIO, "mkfs.erofs: it"
			     " broke"));
	/* mkfs.erofs 1.5 does not always give its failures in its status. */
	close(run_as_builder("echo '<E> erofs: write failed' >&2", -EIO, "mkfs.erofs: write"
			     " failed"));
	close(run_as_builder("exit 3", -EIO, "failed without a word"));
	close(run_as_builder("kill -SEGV $$", -EIO, "killed by signal 11"));
	close(run_as_builder("exec yes >$out", -E2BIG, "grows beyond 1048576 bytes"));
	close(run_as_builder("yes '<W> many words' | head -c 300000 >&2", -EUCLEAN, "no"
			     " superblock"));
	close(run_as_builder("head -c 8192 /dev/zero >$out", -EUCLEAN, "wrong superblock"));
}

static void test_no_builder(void **state)
{
	(void)state;
	refused("t", &(struct image_limits){ .mkfs = "/none/mkfs" }, -ENOENT, "erofs-utils");
	refused("t", &(struct image_limits){ .mkfs = help_script("sleep"
		" 30"), .timeout_s = 1 }, -ETIMEDOUT,
		"did not end in 1 s");
}

/*
 * Exchange t/d with a link to the host's directory, and t/f with a link, and a FIFO, as fast as
 * it goes.
 */
static pid_t start_exchanger(void)
{
	pid_t pid = fork();

	must(pid);
	if (pid)
		return pid;
	for (;;) {
		renameat2(AT_FDCWD, "t/d", AT_FDCWD, "other/d", RENAME_EXCHANGE);
		renameat2(AT_FDCWD, "t/f", AT_FDCWD, "other/f", RENAME_EXCHANGE);
		renameat2(AT_FDCWD, "t/g", AT_FDCWD, "other/g", RENAME_EXCHANGE);
	}
}

/*
 * Neither hashing nor building follows a link that appears while they run. (The same race against
 * mkfs.erofs 1.5 alone puts the secret into its image within a few tries.)
 */
static void test_symlink_race(void **state)
{
	char here[512], point[600];
	struct image_limits limits = { .max_files = 1000, .max_bytes = 1 << 20, .timeout_s = 1 };
	struct erofs_job job = { .digest = "00112233445566778899aabbccddeeff",
				 .mount_point = point };
	int built = 0, hashed = 0;
	pid_t pid;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(point, sizeof(point), "%s/mnt", here);
	help_run("mkdir mnt secret other t/d && echo SECRET-OF-THE-HOST >secret/s && echo"
		 " inside >t/d/s &&"
		 " ln -s %s/secret other/d && echo inside >t/f && ln -s %s/secret/s other/f &&"
		 " echo inside >t/g && mkfifo other/g; for i in $(seq 200); do echo inside"
		 " >t/d/$i; done;"
		 " for i in $(seq 200); do echo SECRET-$i >secret/$i; done", here, here);
	job.root = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(job.root);
	pid = start_exchanger();
	for (int i = 0; i < 60; i++) {
		struct tree_facts facts;
		struct err e = ERR_INIT;
		int rc;

		job.out = scratch_file();
		/* The FIFO may have stopped it. */
		rc = erofs_build(&job, &limits, &e);
		built += rc == 0;
		if (help_contains(job.out, "SECRET")) {
			kill(pid, SIGKILL);
			fail_msg("the image holds the host's file (%d: %s)", rc, e.text);
		}
		close(job.out);
		if (rc == -ETIMEDOUT && i < 50)
			i += 10;
		hashed += tree_digest(job.root, &limits, &facts, &e) == 0;
	}
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
	close(job.root);
	print_message("of the tries, %d built and %d hashed a tree that nobody could tell from"
		      " a quiet one\n",
		      built, hashed);
}

/* A tree that never rests is given up, in words. */
static void test_restless_tree(void **state)
{
	struct err e = ERR_INIT;
	uint64_t size;
	int fd = -1, rc;
	pid_t pid;

	(void)state;
	help_run("for i in $(seq 500); do echo $i >t/$i; done");
	pid = fork();
	must(pid);
	if (pid == 0) {
		for (unsigned int i = 0;; i++) {
			char a[32], b[32];

			snprintf(a, sizeof(a), "t/%u", i % 500 + 1);
			snprintf(b, sizeof(b), "t/x%u", i % 500 + 1);
			rename(a, b);
			rename(b, a);
		}
	}
	rc = image_get("t", "cache", NULL, &fd, &size, NULL, &e);
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
	assert_int_equal(rc, -EAGAIN);
	assert_non_null(strstr(e.text, "while it is read"));
	assert_int_equal(fd, -1);
	assert_int_equal(help_count("cache/image"), 0);
	assert_int_equal(help_count("cache/tmp"), 0);
}

/* However many walk the tree, its fingerprint is one. */
static void test_many_directories(void **state)
{
	struct image_limits limits = { .max_files = 100000, .max_bytes = 1 << 30 };
	struct tree_facts one, many;
	struct err e = ERR_INIT;
	cpu_set_t all, first;
	int root;

	(void)state;
	help_run("for a in $(seq 30); do mkdir -p t/$a/1/2 && for b in $(seq 30); do mkdir"
		 " t/$a/$b.d &&"
		 " echo $a $b >t/$a/$b.d/file; done; done");
	root = open("t", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(root);
	must(sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&first);
	for (int cpu = 0; CPU_COUNT(&first) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &first);
	must(sched_setaffinity(0, sizeof(first), &first));
	assert_int_equal(tree_fingerprint(root, &limits, &one, &e), 0);
	must(sched_setaffinity(0, sizeof(all), &all));
	if (CPU_COUNT(&all) < 2)
		print_message("one processor: one walker only\n");
	assert_int_equal(one.files, 1 + 30 * (1 + 2 + 30 * 2));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(tree_fingerprint(root, &limits, &many, &e), 0);
		assert_string_equal(one.hash, many.hash);
		assert_int_equal(one.files, many.files);
		assert_int_equal(one.bytes, many.bytes);
		assert_int_equal(one.newest.tv_nsec, many.newest.tv_nsec);
	}
	limits.max_files = one.files - 1;
	assert_int_equal(tree_fingerprint(root, &limits, &many, &e), -E2BIG);
	limits.max_files = one.files;
	limits.max_bytes = one.bytes - 1;
	assert_int_equal(tree_fingerprint(root, &limits, &many, &e), -E2BIG);
	limits.max_bytes = one.bytes;
	assert_int_equal(tree_fingerprint(root, &limits, &many, &e), 0);
	close(root);
	round_trip("t");
}

/* File data lies in blocks of its own: FSDAX. */
static void test_layout(void **state)
{
	char digest[65];
	int fd;

	(void)state;
	help_run("echo tail >t/tail; head -c 100000 /dev/urandom >t/big");
	fd = help_get("t", digest);
	help_run("for f in tail big; do dump.erofs --path=/$f /proc/%d/fd/%d | grep -q 'Layout:"
		 " 0 ' || exit 1;"
		 " dump.erofs -e --path=/$f /proc/%d/fd/%d | grep -q ': 1 extents found' ||"
		 " exit 1; done;"
		 " dump.erofs -s /proc/%d/fd/%d | grep -q 'created:  *Thu Jan  1 00:00:00 1970'",
		 getpid(), fd, getpid(), fd, getpid(), fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty_root, help_fresh),
		cmocka_unit_test_setup(test_ordinary, help_fresh),
		cmocka_unit_test_setup(test_nodes, help_fresh),
		cmocka_unit_test_setup(test_xattrs, help_fresh),
		cmocka_unit_test_setup(test_names, help_fresh),
		cmocka_unit_test_setup(test_deep, help_fresh),
		cmocka_unit_test_setup(test_refused, help_fresh),
		cmocka_unit_test_setup(test_mount_inside, help_fresh),
		cmocka_unit_test_setup(test_link_to_root, help_fresh),
		cmocka_unit_test_setup(test_overlay, help_fresh),
		cmocka_unit_test_setup(test_reproducible, help_fresh),
		cmocka_unit_test_setup(test_digest_sees, help_fresh),
		cmocka_unit_test_setup(test_racy_change, help_fresh),
		cmocka_unit_test_setup(test_builder_is_confined, help_fresh),
		cmocka_unit_test_setup(test_builder_failures, help_fresh),
		cmocka_unit_test_setup(test_no_builder, help_fresh),
		cmocka_unit_test_setup(test_symlink_race, help_fresh),
		cmocka_unit_test_setup(test_restless_tree, help_fresh),
		cmocka_unit_test_setup(test_many_directories, help_fresh),
		cmocka_unit_test_setup(test_layout, help_fresh),
	};

	return cmocka_run_group_tests_name("image", tests, help_enter, help_leave);
}
