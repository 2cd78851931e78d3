/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An overlay root becomes an image a layer, and what the guest stacks is what the host's overlay
 * shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "image/stack.h"
#include "image/test-help.h"

/* Docker's store, in the work directory: IDs of 64 digits that end in the layer's own. */
#define STORE "s/overlay2"
#define ID "000000000000000000000000000000000000000000000000000000000000000"
#define DIFF(n) STORE "/" ID #n "/diff"
#define OPTIONS_MAX 4096

static void mount_overlay(const char *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Skips the test where there is no overlayfs. */
static void mount_overlay(const char *at, const char *format, ...)
{
	char options[OPTIONS_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(options, sizeof(options), format, ap);
	va_end(ap);
	if (mkdir(at, 0755) < 0 && errno != EEXIST)
		fail_msg("mkdir %s: %s", at, strerror(errno));
	if (mount("overlay", at, "overlay", 0, options) == 0)
		return;
	if (errno != ENODEV)
		fail_msg("mount overlay %s: %s", options, strerror(errno));
	print_message("no overlayfs here: not tested\n");
	skip();
}

/* Layer 1 with files of many kinds; layer 2, made by changing it: whiteouts, opaque, hard links. */
static void make_store(void)
{
	char here[256];

	assert_non_null(getcwd(here, sizeof(here)));
	help_run("for n in 1 2 3; do mkdir -p " STORE "/" ID "$n/diff " STORE "/" ID "$n/work;"
		 " echo L$n >" STORE "/" ID "$n/link; done; mkdir -p s/up s/work");
	help_run("cd " DIFF(1) " && mkdir -p etc/deep/er usr/bin gone opq/old && echo a >etc/a &&"
		 " echo b >etc/deep/er/b && echo x >usr/bin/x && chmod 4755 usr/bin/x &&"
		 " ln usr/bin/x usr/bin/y && echo z >usr/bin/z &&"
		 " ln -s ../../outside usr/l && mknod usr/null c 1 3 &&"
		 " mkfifo usr/fifo && echo g >gone/g && echo o >opq/old/o && echo t >top");
	must(setxattr(DIFF(1) "/top", "user.mine", "yes", 3, 0));
	mount_overlay("s/m", "lowerdir=%s/" DIFF(1) ",upperdir=%s/" DIFF(2) ",workdir=%s/" STORE
		      "/" ID "2/work", here, here, here);
	help_run("cd s/m && rm -r gone etc/a top && rm -r opq && mkdir opq && echo n >opq/new &&"
		 " echo c >etc/deep/c && echo v2 >usr/bin/z && chown 1:2 usr/bin");
	must(umount("s/m"));
}

static void mount_store(const char *at, const char *upper)
{
	char here[256];

	assert_non_null(getcwd(here, sizeof(here)));
	if (upper)
		mount_overlay(at, "lowerdir=%s/" DIFF(2) ":%s/" DIFF(1) ",upperdir=%s/%s,"
			      "workdir=%s/s/work", here, here, here, upper, here);
	else
		mount_overlay(at, "lowerdir=%s/" DIFF(2) ":%s/" DIFF(1), here, here);
}

/* Whatever others have left beside it. */
static void get_beside(const char *root, struct image_stack *stack)
{
	struct err e = ERR_INIT;

	if (image_stack_get(root, "cache", NULL, stack, &e) != 0)
		fail_msg("%s: %s", root, e.text);
	assert_true(stack->count > 0);
	for (unsigned int i = 0; i < stack->count; i++) {
		struct stat st;

		must(fstat(stack->part[i].fd, &st));
		assert_int_equal(st.st_size, stack->part[i].size);
		assert_int_equal(st.st_nlink, !stack->part[i].own);
		assert_int_equal(fcntl(stack->part[i].fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fcntl(stack->part[i].fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_int_equal(strlen(stack->part[i].digest), 64);
	}
}

static void get(const char *root, struct image_stack *stack)
{
	get_beside(root, stack);
	assert_int_equal(help_count("cache/tmp"), 0);
}

static void assert_note(const struct image_stack *stack, const char *words)
{
	if (!words && stack->note)
		fail_msg("note: %s", stack->note);
	if (words && (!stack->note || !strstr(stack->note, words)))
		fail_msg("note '%s' does not say '%s'", stack->note ? stack->note : "", words);
}

/*
 * Stack the images as the guest does: they show what @root shows. (But for the root itself: its
 * mode and times are those of the uppermost layer, which may be empty, and in the guest is
 * another.)
 */
static void compare(const char *root, const struct image_stack *stack)
{
	char options[OPTIONS_MAX] = "lowerdir=";

	for (unsigned int i = stack->count; i-- > 0;) {
		char at[16];

		snprintf(at, sizeof(at), "i%u", i);
		if (!help_mount_at(stack->part[i].fd, at))
			return;
		snprintf(options + strlen(options), sizeof(options) - strlen(options), "%s%s", at,
			 i > 0 ? ":" : "");
	}
	if (stack->count == 1) {
		help_compare_below(root, "i0");
	} else {
		mount_overlay("stacked", "%s", options);
		help_compare_below(root, "stacked");
		must(umount("stacked"));
	}
	for (unsigned int i = 0; i < stack->count; i++)
		help_run("umount i%u && rmdir i%u && rm i%u.img", i, i, i);
}

static void check(const char *root, unsigned int count, const char *note)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;

	get(root, &stack);
	assert_note(&stack, note);
	assert_int_equal(stack.count, count);
	compare(root, &stack);
}

static void test_plain(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;
	char digest[65];

	(void)state;
	help_write("t/file", "x");
	close(help_get("t", digest));
	get("t", &stack);
	assert_int_equal(stack.count, 1);
	assert_note(&stack, NULL);
	assert_string_equal(stack.part[0].digest, digest);
	assert_string_equal(stack.part[0].source, "t");
	/* A directory inside of an overlay mount is a plain one, too. */
	make_store();
	mount_store("s/m", NULL);
	check("s/m/usr", 1, NULL);
}

static void test_layers(void **state)
{
	_autostack_ struct image_stack one = IMAGE_STACK_INIT, two = IMAGE_STACK_INIT;

	(void)state;
	make_store();
	mount_store("s/m", NULL);
	get("s/m", &one);
	assert_note(&one, NULL);
	assert_int_equal(one.count, 2);
	assert_non_null(strstr(one.part[0].source, DIFF(1)));
	assert_non_null(strstr(one.part[1].source, DIFF(2)));
	assert_false(one.part[0].own);
	assert_int_equal(help_count("cache/image"), 2);
	compare("s/m", &one);

	/* Another container of it, with another layer on top, whose upper directory is empty. */
	help_run("mkdir s/up2 s/work2; echo three >" DIFF(3) "/three");
	mount_overlay("s/m2", "lowerdir=" DIFF(3) ":" DIFF(2) ":" DIFF(1) ",upperdir=s/up2,"
		      "workdir=s/work2");
	get("s/m2", &two);
	assert_note(&two, NULL);
	assert_int_equal(two.count, 3);
	assert_int_equal(help_count("cache/image"), 3);
	for (int i = 0; i < 2; i++)
		assert_string_equal(one.part[i].digest, two.part[i].digest);
	compare("s/m2", &two);
}

/* The upper directory is an image of its own, which the cache does not keep. */
static void test_upper(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;

	(void)state;
	make_store();
	mount_store("s/m", "s/up");
	help_run("cd s/m && echo host >etc/hosts && rm usr/bin/x && mknod usr/tty c 5 0 &&"
		 " cp usr/bin/y usr/s && chmod 6755 usr/s && mkdir -p mnt/point &&"
		 " ln etc/hosts etc/hosts2 && ln -s /etc/passwd etc/esc && mv usr/fifo fifo");
	get("s/m", &stack);
	assert_note(&stack, NULL);
	assert_int_equal(stack.count, 3);
	assert_true(stack.part[2].own);
	assert_int_equal(help_count("cache/image"), 2);
	compare("s/m", &stack);

	/* A large one is kept: packing it again would cost more than the walk. */
	help_run("head -c 5000000 /dev/urandom >s/m/large");
	image_stack_free(&stack);
	get("s/m", &stack);
	assert_false(stack.part[2].own);
	assert_int_equal(help_count("cache/image"), 3);
	compare("s/m", &stack);
}

/* What Docker's daemon puts below the upper directory is one container's, as that is. */
static void test_docker_init(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;

	(void)state;
	make_store();
	help_run("mkdir -p " STORE "/" ID "4-init/diff/dev && echo L4 >" STORE "/" ID
		 "4-init/link && : >" STORE "/" ID "4-init/diff/dev/console");
	mount_overlay("s/m", "lowerdir=" STORE "/" ID "4-init/diff:" DIFF(2) ":" DIFF(1)
		      ",upperdir=s/up,workdir=s/work");
	get("s/m", &stack);
	assert_note(&stack, NULL);
	assert_int_equal(stack.count, 3);
	assert_true(stack.part[2].own);
	assert_int_equal(help_count("cache/image"), 2);
	compare("s/m", &stack);
}

/* Digests of the lower two layers, as @root has them now. */
static void digests(const char *root, char lower[2][65])
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;

	get(root, &stack);
	assert_note(&stack, NULL);
	for (int i = 0; i < 2; i++)
		strcpy(lower[i], stack.part[i].digest);
}

/* A layer in a store is taken at its word; what that cannot mean any more is read anew. */
static void test_identity(void **state)
{
	char was[2][65], now[2][65];

	(void)state;
	make_store();
	mount_store("s/m", NULL);
	digests("s/m", was);
	must(umount("s/m"));

	/* Deep inside, in a file that is there: nobody looks. */
	help_run("echo later >" DIFF(1) "/etc/deep/er/b");
	mount_store("s/m", NULL);
	digests("s/m", now);
	assert_string_equal(was[0], now[0]);
	must(umount("s/m"));

	/* The trip wire. */
	help_run("echo new >" DIFF(1) "/etc/new");
	mount_store("s/m", NULL);
	digests("s/m", now);
	assert_string_not_equal(was[0], now[0]);
	assert_string_equal(was[1], now[1]);
	check("s/m", 2, NULL);
	must(umount("s/m"));

	/* Removed and made anew, with the times and names of the old one. */
	strcpy(was[0], now[0]);
	help_run("mv " DIFF(1) " old && cp -a old " DIFF(1) " && rm -rf old && echo other >"
		 DIFF(1) "/etc/deep/er/b && touch -r " DIFF(2) " " DIFF(1) "/etc/deep/er/b");
	mount_store("s/m", NULL);
	digests("s/m", now);
	assert_string_not_equal(was[0], now[0]);
	check("s/m", 2, NULL);
}

/* Lower directories that are in no engine's store are walked. */
static void test_walked(void **state)
{
	char was[2][65], now[2][65];

	(void)state;
	make_store();
	help_run("rm s/overlay2/*/link");
	mount_store("s/m", NULL);
	digests("s/m", was);
	check("s/m", 2, NULL);
	help_run("echo later >" DIFF(1) "/etc/deep/er/b");
	digests("s/m", now);
	assert_string_not_equal(was[0], now[0]);
	assert_string_equal(was[1], now[1]);
}

/* Paths as an engine that has changed its directory writes them. */
static void test_relative(void **state)
{
	(void)state;
	make_store();
	/* Docker, Podman: in their home, by short links; the mount point is below it. */
	help_run("mkdir " STORE "/l " STORE "/merged && ln -s ../" ID "1/diff " STORE "/l/AAA &&"
		 " ln -s ../" ID "2/diff " STORE "/l/BBB && cd " STORE " && mkdir up work &&"
		 " mount -t overlay overlay -o lowerdir=l/BBB:l/AAA,upperdir=up,workdir=work"
		 " merged");
	check(STORE "/merged", 2, NULL);
	help_run("umount " STORE "/merged");
	/* containerd: in the folder of snapshots; upper directory and mount point are absolute. */
	help_run("mkdir -p c/snapshots/7 c/snapshots/9 c/snapshots/10/fs c/snapshots/10/work bundle"
		 " && mv " DIFF(1) " c/snapshots/7/fs && mv " DIFF(2) " c/snapshots/9/fs &&"
		 " : >c/metadata.db && D=$PWD && cd c/snapshots && mount -t overlay overlay -o"
		 " lowerdir=9/fs:7/fs,upperdir=$D/c/snapshots/10/fs,workdir=$D/c/snapshots/10/work"
		 " $D/bundle");
	check("bundle", 2, NULL);
	/* And from nowhere that can be known. */
	help_run("mkdir there && cd c/snapshots && mount -t overlay overlay -o lowerdir=9/fs:7/fs"
		 " ../../there");
	check("there", 1, "is not where the mount says");
}

/* The paths lead elsewhere than when the mount was made. */
static void test_replaced(void **state)
{
	(void)state;
	make_store();
	mount_store("s/m", NULL);
	help_run("mv " DIFF(2) " moved && cp -a moved " DIFF(2) " && echo evil >" DIFF(2)
		 "/etc/evil");
	check("s/m", 1, "does not show what its layers hold");
	help_run("rm -rf " DIFF(2) " && ln -s /etc " DIFF(2));
	check("s/m", 1, "does not show what its layers hold");
	help_run("rm " DIFF(2));
	check("s/m", 1, "is not where the mount says");
}

/* Layers that are not whole by themselves: the merged tree is packed, and is right. */
static void test_metacopy(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make_store();
	mount_overlay("s/m", "lowerdir=" DIFF(2) ":" DIFF(1) ",upperdir=" DIFF(3) ",workdir="
		      STORE "/" ID "3/work,metacopy=on,redirect_dir=on");
	help_run("chown 7 s/m/etc/deep/er/b");
	check("s/m", 1, "refers to other layers");
	must(umount("s/m"));
	/* As a lower layer; the second time by what the cache remembers. */
	mount_overlay("s/m", "lowerdir=" DIFF(3) ":" DIFF(2) ":" DIFF(1) ",metacopy=on");
	for (int i = 0; i < 2; i++)
		check("s/m", 1, "refers to other layers");
	assert_int_equal(image_stack_find("s/m", "cache", &stack, &e), 0);
	assert_note(&stack, "refers to other layers");
	assert_int_equal(image_prune("cache", UINT64_MAX, &e), 0);
	image_stack_free(&stack);
	assert_int_equal(image_stack_find("s/m", "cache", &stack, &e), 0);
	assert_note(&stack, "refers to other layers");
}

static void test_redirect(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make_store();
	mount_overlay("s/m", "lowerdir=" DIFF(2) ":" DIFF(1) ",upperdir=s/up,workdir=s/work,"
		      "redirect_dir=on");
	help_run("mv s/m/etc/deep s/m/etc/moved");
	assert_int_equal(image_stack_find("s/m", "cache", &stack, &e), 0);
	assert_note(&stack, "refers to other layers");
	check("s/m", 1, "refers to other layers");
}

static void test_mount_inside(void **state)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make_store();
	mount_store("s/m", NULL);
	must(mount("none", "s/m/etc", "tmpfs", 0, ""));
	assert_int_equal(image_stack_get("s/m", "cache", NULL, &stack, &e), -EXDEV);
	assert_non_null(strstr(e.text, "image of 's/m': '/etc' is a mount point"));
	image_stack_free(&stack);
	must(umount("s/m/etc"));
	/* On a lower directory it is no part of the overlay. */
	must(mount("none", DIFF(1) "/etc", "tmpfs", 0, ""));
	check("s/m", 1, "is a mount point");
}

static void test_many(void **state)
{
	char options[8192] = "lowerdir=", name[32];

	(void)state;
	make_store();
	for (int i = 0; i < 140; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		help_run("mkdir -p %s; [ %d -ge 40 ] || echo %d >%s/f%d", name, i, i, name, i);
		snprintf(options + strlen(options), sizeof(options) - strlen(options), "%s%s",
			 i ? ":" : "", name);
	}
	/* Empty layers are left out. */
	mount_overlay("s/m", "%s", options);
	check("s/m", 40, NULL);
	must(umount("s/m"));
	help_run("for i in $(seq 40 139); do echo $i >many/$i/f$i; done");
	mount_overlay("s/m", "%s", options);
	check("s/m", 1, "it has 140 layers, and a guest takes 128 images");
}

static void test_empty(void **state)
{
	(void)state;
	help_run("mkdir -p e1 e2 e3 w");
	mount_overlay("s", "lowerdir=e1:e2,upperdir=e3,workdir=w");
	check("s", 1, NULL);
}

static void test_find(void **state)
{
	_autostack_ struct image_stack found = IMAGE_STACK_INIT, got = IMAGE_STACK_INIT;
	struct err e = ERR_INIT;

	(void)state;
	make_store();
	mount_store("s/m", "s/up");
	help_run("echo x >s/m/x");
	assert_int_equal(image_stack_find("s/m", "cache", &found, &e), 0);
	assert_int_equal(help_count("cache"), -1);
	assert_int_equal(found.count, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(found.part[i].fd, -1);
	assert_true(found.part[2].own);
	image_stack_free(&found);

	get("s/m", &got);
	assert_int_equal(image_stack_find("s/m", "cache", &found, &e), 0);
	assert_int_equal(found.count, 3);
	for (int i = 0; i < 2; i++) {
		assert_true(found.part[i].fd >= 0);
		assert_int_equal(found.part[i].size, got.part[i].size);
		assert_string_equal(found.part[i].digest, got.part[i].digest);
	}
	image_stack_free(&found);
	assert_int_equal(image_stack_find("none", "cache", &found, &e), -ENOENT);
}

/* Two layers, eight containers at once: two builds. */
static void test_build_once(void **state)
{
	int status, go[2];

	(void)state;
	make_store();
	help_run("cd " DIFF(1) " && for i in $(seq 100); do head -c 5000 /dev/urandom >usr/$i;"
		 " done");
	mount_store("s/m", NULL);
	must(pipe(go));
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		must(pid);
		if (pid == 0) {
			struct image_stack stack = IMAGE_STACK_INIT;
			struct err e = ERR_INIT;
			char c;

			close(go[1]);
			_exit(read(go[0], &c, 1) != 0 ||
			      image_stack_get("s/m", "cache", NULL, &stack, &e) != 0 ||
			      stack.count != 2);
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < 8; i++) {
		must(wait(&status));
		assert_int_equal(status, 0);
	}
	assert_int_equal(help_count("cache/image"), 2);
	assert_int_equal(help_count("cache/tmp"), 0);
	/* One fingerprint and one identity each. */
	assert_int_equal(help_count("cache/tree"), 4);
	check("s/m", 2, NULL);
}

/* The lock of one that was killed with all done but that stays until somebody builds or prunes. */
static void check_killed(const char *root, unsigned int count)
{
	_autostack_ struct image_stack stack = IMAGE_STACK_INIT;
	struct err e = ERR_INIT;

	get_beside(root, &stack);
	assert_int_equal(stack.count, count);
	compare(root, &stack);
	assert_int_equal(image_prune("cache", 1 << 30, &e), 0);
	assert_int_equal(help_count("cache/tmp"), 0);
}

/* kill -9 at any moment: no half image under a name, and the next container's are right. */
static void test_killed(void **state)
{
	(void)state;
	/*
	 * What it has started may live a moment longer, with a lock on what it writes: wait for
	 * that.
	 */
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	make_store();
	help_run("cd " DIFF(1) " && for i in $(seq 50); do head -c 20000 /dev/urandom >usr/$i;"
		 " done");
	mount_store("s/m", "s/up");
	help_run("echo x >s/m/x");
	for (int i = 0; i < 15; i++) {
		pid_t pid;

		help_run("rm -rf cache");
		pid = fork();
		must(pid);
		if (pid == 0) {
			struct image_stack stack = IMAGE_STACK_INIT;
			struct err e = ERR_INIT;

			_exit(image_stack_get("s/m", "cache", NULL, &stack, &e) != 0);
		}
		nanosleep(&(struct timespec){ .tv_nsec = i * 8000000L }, NULL);
		must(kill(pid, SIGKILL));
		while (waitpid(-1, NULL, 0) > 0)
			;
		help_run("for f in cache/image/*; do [ ! -e $f ] || fsck.erofs $f >/dev/null ||"
			 " exit 1; done");
		if (i % 5 == 0)
			check_killed("s/m", 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, help_fresh),
		cmocka_unit_test_setup(test_layers, help_fresh),
		cmocka_unit_test_setup(test_upper, help_fresh),
		cmocka_unit_test_setup(test_docker_init, help_fresh),
		cmocka_unit_test_setup(test_identity, help_fresh),
		cmocka_unit_test_setup(test_walked, help_fresh),
		cmocka_unit_test_setup(test_relative, help_fresh),
		cmocka_unit_test_setup(test_replaced, help_fresh),
		cmocka_unit_test_setup(test_metacopy, help_fresh),
		cmocka_unit_test_setup(test_redirect, help_fresh),
		cmocka_unit_test_setup(test_mount_inside, help_fresh),
		cmocka_unit_test_setup(test_many, help_fresh),
		cmocka_unit_test_setup(test_empty, help_fresh),
		cmocka_unit_test_setup(test_find, help_fresh),
		cmocka_unit_test_setup(test_build_once, help_fresh),
		cmocka_unit_test_setup(test_killed, help_fresh),
	};

	return cmocka_run_group_tests_name("image stack", tests, help_enter, help_leave);
}
