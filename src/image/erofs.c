/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The EROFS writer: run mkfs.erofs, read what it says, fix the superblock.
 *
 * Its options, found with erofs-utils 1.5 on a Debian minbase tree (6,768 files, 206 MiB):
 * - -Enoinline_data: file data in blocks of its own, whole and contiguous, which is what FSDAX
 *   needs. 0.9 s and 213 MB; --chunksize=1M gives 211 MB in 2.5 s by way of a temporary file
 *   outside the cache; tails inline give 200 MB in 0.9 s, without DAX.
 * - -Eforce-inode-extended: the small inodes have no mtime.
 * - -x2147483647: all xattrs with their inodes. Otherwise a second pass over the tree collects
 *   those to share, in the order of readdir, which is not the same for the same input.
 * - --preserve-mtime, and not -T nor SOURCE_DATE_EPOCH: both change the files' times as well.
 * mkfs.erofs 1.5 goes on after some failed writes and exits with 0: a line of class <E> is a
 * failure.
 */
#include "image/erofs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/signals.h"

#define BLOCK		4096u
#define OUT_FD		3
/* mkfs.erofs recurses, with more than a PATH_MAX per level */
#define STACK_WANTED	(64u << 20)
#define SPOKEN_MAX	4096

/* ---- the child: everything up to execve() ends the process on failure, with one line ---- */

static void child_die(const char *what)
{
	dprintf(2, "<E> %s: %s\n", what, strerror(errno));
	_exit(127);
}

static void child_mounts(const struct erofs_job *job)
{
	struct mount_attr tree = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW,
		.propagation = MS_PRIVATE,
	};
	struct mount_attr host = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd;

	/* Before unshare(): a mount can be cloned only in the namespace that it is in. */
	fd = open_tree(job->root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		child_die("clone the mount of the root directory");
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &tree, sizeof(tree)) < 0)
		child_die("restrict the mount of the root directory");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_die("make a mount namespace");
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &host, sizeof(host)) < 0)
		child_die("make the host's mounts read-only");
	if (move_mount(fd, "", AT_FDCWD, job->mount_point, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		child_die("mount the root directory");
	if (chdir("/") < 0)
		child_die("change to /");
}

static void child_limit(int resource, rlim_t value)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0)
		child_die("read a resource limit");
	r.rlim_cur = value < r.rlim_max ? value : r.rlim_max;
	if (resource == RLIMIT_FSIZE)
		r.rlim_max = r.rlim_cur;
	if (setrlimit(resource, &r) < 0)
		child_die("set a resource limit");
}

static void child_capabilities(bool trusted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (cap == CAP_DAC_READ_SEARCH || (trusted && cap == CAP_SYS_ADMIN))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			child_die("drop a capability");
	}
	/* Root's execve() gains what is inheritable, too. */
	if (syscall(SYS_capget, &header, data) < 0)
		child_die("read the capabilities");
	data[0].inheritable = data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		child_die("set the capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		child_die("set no_new_privs");
}

/*
 * Standard error to @say, /dev/null for input, nothing else but the image: at OUT_FD, or as
 * standard output (xorriso refuses the symbolic links of /proc/self/fd).
 */
static void child_descriptors(int out, int say, bool to_stdout)
{
	int null;

	if (dup2(say, 2) < 0)
		_exit(127);
	/* Above what is overwritten next. */
	out = fcntl(out, F_DUPFD, OUT_FD + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(to_stdout ? out : null, 1) < 0 ||
	    dup2(out, OUT_FD) < 0 || close_range(OUT_FD + 1, ~0u, 0) < 0)
		child_die("arrange descriptors");
}

/* Its start-up files are in $HOME, which it does not have, and below /etc. */
static void child_exec_iso9660(const struct erofs_job *job)
{
	char *env[] = { NULL };
	const char *argv[] = { "xorriso", "-as", "mkisofs", "-quiet", "-R", "-iso-level", "3", "-V",
			       "ROOT", job->mount_point, NULL };

	execve("/usr/bin/xorriso", (char **)(uintptr_t)argv, env);
	child_die("run xorriso (package xorriso)");
}

static void child_exec(const struct erofs_job *job, const char *mkfs)
{
	static const char *const places[] = { "/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs",
					      "/sbin/mkfs.erofs", NULL };
	const char *const given[] = { mkfs, NULL };
	const char *const *place = mkfs ? given : places;
	const char *d = job->digest;
	char uuid[64], out[32], *env[] = { NULL };

	snprintf(uuid, sizeof(uuid), "-U%.8s-%.4s-%.4s-%.4s-%.12s",
		 d, d + 8, d + 12, d + 16, d + 20);
	snprintf(out, sizeof(out), "/proc/self/fd/%d", OUT_FD);

	const char *argv[] = { "mkfs.erofs", "--quiet", "-d1", "--preserve-mtime", "-x2147483647",
			       "-Enoinline_data,force-inode-extended", uuid, out,
			       job->mount_point, NULL };

	/* execve() does not write to its arguments; its prototype is older than const. */
	for (; *place; place++)
		execve(*place, (char **)(uintptr_t)argv, env);
	child_die("run mkfs.erofs (package erofs-utils)");
}

static void child(const struct erofs_job *job, const struct image_limits *limits, int say,
		  pid_t parent)
{
	signals_reset();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(127);
	if (dup2(say, 2) < 0)
		_exit(127);
	child_mounts(job);
	child_descriptors(job->out, say, job->iso9660);
	child_limit(RLIMIT_CORE, 0);
	child_limit(RLIMIT_FSIZE, limits->max_bytes);
	child_limit(RLIMIT_STACK, STACK_WANTED);
	child_capabilities(job->trusted);
	if (job->iso9660)
		child_exec_iso9660(job);
	child_exec(job, limits->mkfs);
}

/* ---- the parent ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Read @say to its end; keep the first bytes. Returns 0, -ETIMEDOUT or -errno. */
static int listen_to(int say, char spoken[SPOKEN_MAX], uint32_t timeout_s)
{
	int64_t end = now_ms() + (int64_t)timeout_s * 1000;
	char scratch[512];
	size_t len = 0;

	spoken[0] = '\0';
	for (;;) {
		struct pollfd p = { .fd = say, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t n;
		int rc;

		if (left <= 0)
			return -ETIMEDOUT;
		rc = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (rc <= 0)
			continue;
		n = read(say, scratch, sizeof(scratch));
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((size_t)n > SPOKEN_MAX - 1 - len)
			n = (ssize_t)(SPOKEN_MAX - 1 - len);
		memcpy(spoken + len, scratch, (size_t)n);
		len += (size_t)n;
		spoken[len] = '\0';
	}
}

/* The first complaint in @spoken, printable and without the tool's decoration; NULL if none. */
static const char *complaint(char *spoken)
{
	static const char failure[] = "xorriso : FAILURE : ";
	char *line = strstr(spoken, "<E>"), *end;
	size_t mark = 3;

	if (!line) {
		line = strstr(spoken, failure);
		mark = strlen(failure);
	}
	if (!line)
		return NULL;
	line += mark;
	if (!strncmp(line, " erofs:", 7))
		line += 7;
	line += strspn(line, " \t");
	end = line + strcspn(line, "\n");
	*end = '\0';
	for (char *p = line; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return line;
}

static bool out_of_space(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < (1u << 20);
}

static int judge(const struct erofs_job *job, const struct image_limits *limits, int status,
		 char *spoken, struct err *e)
{
	const char *why = complaint(spoken);
	const char *program = job->iso9660 ? "xorriso" : "mkfs.erofs";

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return err_say(e, -E2BIG, "the image grows beyond %llu bytes",
			       (unsigned long long)limits->max_bytes);
	if (WIFSIGNALED(status))
		return err_say(e, -EIO, "%s: killed by signal %d", program, WTERMSIG(status));
	if (WEXITSTATUS(status) == 0 && !why)
		return 0;
	if (out_of_space(job->out) || (why && strstr(why, strerror(ENOSPC))))
		return err_set(e, -ENOSPC, "write the image");
	if (WEXITSTATUS(status) == 127 && why)
		return err_say(e, strstr(why, strerror(ENOENT)) ? -ENOENT : -EIO, "%s", why);
	return err_say(e, -EIO, "%s: %s", program, why ? why : "failed without a word");
}

int erofs_build(const struct erofs_job *job, const struct image_limits *limits, struct err *e)
{
	_autoclose_ int hear = -1;
	char spoken[SPOKEN_MAX];
	int rc, status, ends[2];
	pid_t parent = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, -errno, "make a pipe");
	hear = ends[0];
	pid = fork();
	if (pid == 0) {
		child(job, limits, ends[1], parent);
		_exit(127);
	}
	rc = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (rc < 0)
		return err_set(e, rc, "fork");

	rc = listen_to(hear, spoken, limits->timeout_s);
	if (rc < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, -errno, "wait for mkfs.erofs");
	if (rc == -ETIMEDOUT)
		return err_say(e, rc, "mkfs.erofs did not end in %u s", limits->timeout_s);
	if (rc < 0)
		return err_set(e, rc, "listen to mkfs.erofs");
	rc = judge(job, limits, status, spoken, e);
	return rc < 0 || job->iso9660 ? rc : erofs_check(job->out, true, e);
}

/*
 * ---- the superblock (include/linux/erofs_fs.h of the kernel; ours is little-endian, as x86-64
 * is) ----
 */

#define SB_OFFSET	1024u
#define SB_MAGIC	0xe0f5e1e2u
#define SB_COMPAT_CSUM	0x1u

struct superblock {
	uint32_t magic;
	/* crc32c of the block from here's SB_OFFSET on, this field as 0 */
	uint32_t checksum;
	uint32_t feature_compat;
	uint8_t block_bits;
	uint8_t slots;
	uint16_t root_nid;
	uint64_t inodes;
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
};

_Static_assert(sizeof(struct superblock) == 40, "EROFS on disk");

static uint32_t crc32c(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static uint32_t superblock_checksum(uint8_t block[BLOCK])
{
	memset(block + SB_OFFSET + offsetof(struct superblock, checksum), 0, sizeof(uint32_t));
	return crc32c(~0u, block + SB_OFFSET, BLOCK - SB_OFFSET);
}

int erofs_check(int fd, bool stamp, struct err *e)
{
	struct superblock sb;
	uint8_t block[BLOCK];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat the image");
	if (!S_ISREG(st.st_mode) || st.st_size < BLOCK ||
	    pread(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
		return err_say(e, -EUCLEAN, "the image has no superblock");
	memcpy(&sb, block + SB_OFFSET, sizeof(sb));
	if (sb.magic != SB_MAGIC || sb.block_bits != 12 || !(sb.feature_compat & SB_COMPAT_CSUM) ||
	    (uint64_t)sb.blocks * BLOCK != (uint64_t)st.st_size ||
	    superblock_checksum(block) != sb.checksum)
		return err_say(e, -EUCLEAN, "the image has a wrong superblock");
	if (!stamp)
		return 0;

	sb.build_time = 0;
	sb.build_time_nsec = 0;
	memcpy(block + SB_OFFSET, &sb, sizeof(sb));
	sb.checksum = superblock_checksum(block);
	memcpy(block + SB_OFFSET, &sb, sizeof(sb));
	if (pwrite(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
		return err_set(e, errno ? -errno : -EIO, "stamp the image");
	return 0;
}
