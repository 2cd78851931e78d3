/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the image tests share. Mutable file-scope state: the work directory's name, for the
 * tear-down.
 */
#include "image/test-help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/path.h"
#include "image/image.h"

static char work[256];

int help_enter(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: the image builder needs root\n");
		exit(77);
	}
	umask(022);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		fprintf(stderr, "skipped: no mount namespace: %s\n", strerror(errno));
		exit(77);
	}
	snprintf(work, sizeof(work), "%s/rnc-image-%d-XXXXXX", tmp ? tmp : "/tmp",
		 getpid());
	return mkdtemp(work) && chdir(work) == 0 ? 0 : -1;
}

/* In a process of its own: what is mounted goes first, with everything below. */
static void clean(void)
{
	help_run("awk -v here=\"$PWD/\" 'index($2, here) == 1 { print $2 }' /proc/self/mounts |"
		 " tac | while read -r m; do umount -l \"$m\"; done; rm -rf ./*");
}

int help_leave(void **state)
{
	(void)state;
	clean();
	return chdir("/") == 0 && rmdir(work) == 0 ? 0 : -1;
}

int help_fresh(void **state)
{
	(void)state;
	clean();
	return mkdir("t", 0755);
}

void help_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void help_run(const char *format, ...)
{
	char command[4096];
	va_list ap;
	int rc;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	rc = system(command);
	if (rc != 0)
		fail_msg("status 0x%x: %s", rc, command);
}

int help_get(const char *tree, char digest[65])
{
	struct err e = ERR_INIT;
	uint64_t size = 0;
	struct stat st;
	int fd = -1;

	if (image_get(tree, "cache", NULL, &fd, &size, digest, &e) != 0)
		fail_msg("image_get: %s", e.text);
	must(fstat(fd, &st));
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(size % 4096, 0);
	assert_true(size > 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(help_count("cache/tmp"), 0);
	return fd;
}

static bool have_erofs(void)
{
	char line[128];
	bool found = false;
	FILE *f;

	/* It may be a module that nobody has asked for yet. */
	if (system("modprobe erofs 2>/dev/null") < 0)
		return false;
	f = fopen("/proc/filesystems", "r");
	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "\terofs\n") != NULL;
	if (f)
		fclose(f);
	return found;
}

bool help_mount_at(int fd, const char *at)
{
	/* fsck.erofs recurses. */
	help_run("ulimit -s unlimited; fsck.erofs /proc/%d/fd/%d >fsck.log 2>&1 || { cat"
		 " fsck.log; exit 1; }", getpid(), fd);
	if (!have_erofs()) {
		print_message("this kernel has no EROFS: the image is not compared by mounting"
			      " it\n");
		return false;
	}
	must(mkdir(at, 0755));
	/* A copy: the loop device would keep the descriptor's lock for a while. */
	help_run("cat /proc/%d/fd/%d >%s.img && mount -t erofs -o loop,ro %s.img %s", getpid(), fd,
		 at, at, at);
	return true;
}

bool help_mount(int fd)
{
	return help_mount_at(fd, "m");
}

void help_umount(void)
{
	help_run("umount m && rmdir m && rm m.img");
}

static void compare_xattrs(const char *a, const char *b)
{
	char names[4096], others[4096], va[4096], vb[4096];
	ssize_t n = llistxattr(a, names, sizeof(names)), m = llistxattr(b, others, sizeof(others));

	must(n);
	must(m);
	if (n != m)
		fail_msg("%s: xattrs of %zd bytes became %zd", a, n, m);
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		ssize_t la = lgetxattr(a, names + i, va, sizeof(va));
		ssize_t lb = lgetxattr(b, names + i, vb, sizeof(vb));

		if (la < 0 || la != lb || memcmp(va, vb, (size_t)la))
			fail_msg("%s: xattr %s differs", a, names + i);
	}
}

static void compare_contents(const char *a, const char *b)
{
	FILE *x = fopen(a, "r"), *y = fopen(b, "r");
	char p[65536], q[65536];
	size_t n, m;

	assert_non_null(x);
	assert_non_null(y);
	do {
		n = fread(p, 1, sizeof(p), x);
		m = fread(q, 1, sizeof(q), y);
		if (n != m || memcmp(p, q, n))
			fail_msg("%s: contents differ", a);
	} while (n > 0);
	fclose(x);
	fclose(y);
}

static void compare_entry(const char *a, const char *b)
{
	struct stat x, y;
	char p[5000], q[5000];

	must(lstat(a, &x));
	if (lstat(b, &y) < 0)
		fail_msg("%s: %s", b, strerror(errno));
	if (x.st_mode != y.st_mode || x.st_uid != y.st_uid || x.st_gid != y.st_gid ||
	    x.st_rdev != y.st_rdev || x.st_mtim.tv_sec != y.st_mtim.tv_sec ||
	    x.st_mtim.tv_nsec != y.st_mtim.tv_nsec)
		fail_msg("%s: mode, owner, device or mtime differ", a);
	if (!S_ISDIR(x.st_mode) && x.st_size != y.st_size)
		fail_msg("%s: size differs", a);
	/* Overlayfs makes its whiteouts as links of one in its work directory. */
	if (!S_ISDIR(x.st_mode) && x.st_nlink != y.st_nlink && !(S_ISCHR(x.st_mode) && !x.st_rdev))
		fail_msg("%s: %lu links became %lu", a, (unsigned long)x.st_nlink,
			 (unsigned long)y.st_nlink);
	compare_xattrs(a, b);
	if (S_ISREG(x.st_mode))
		compare_contents(a, b);
	if (S_ISLNK(x.st_mode)) {
		ssize_t n = readlink(a, p, sizeof(p));

		assert_int_equal(readlink(b, q, sizeof(q)), n);
		assert_memory_equal(p, q, n);
	}
}

/* Recursion a thousand levels deep: nothing large on the stack. */
void help_compare_below(const char *a, const char *b)
{
	const struct dirent *d;
	int count = 0;
	DIR *dir;

	dir = opendir(a);
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		char *pa, *pb;
		struct stat st;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") ||
		    !strcmp(d->d_name, "lost+found"))
			continue;
		count++;
		pa = path_join(a, d->d_name);
		pb = path_join(b, d->d_name);
		must(lstat(pa, &st));
		if (S_ISDIR(st.st_mode))
			help_compare(pa, pb);
		else
			compare_entry(pa, pb);
		free(pa);
		free(pb);
	}
	closedir(dir);
	if (help_count(b) != count)
		fail_msg("%s: %d entries became %d", a, count, help_count(b));
}

void help_compare(const char *a, const char *b)
{
	compare_entry(a, b);
	help_compare_below(a, b);
}

bool help_contains(int fd, const char *text)
{
	struct stat st;
	bool found;
	char *all;

	must(fstat(fd, &st));
	all = malloc((size_t)st.st_size + 1);
	assert_non_null(all);
	assert_int_equal(pread(fd, all, (size_t)st.st_size, 0), st.st_size);
	found = memmem(all, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(all);
	return found;
}

int help_count(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

const char *help_script(const char *body)
{
	static char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/mkfs", work);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	must(fchmod(fileno(f), 0755));
	fclose(f);
	return path;
}
