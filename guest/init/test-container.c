// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole container on the test's own kernel: loop devices stand for the guest's images, a tmpfs
 * for the initramfs, namespaces for the guest. The program inside is test-probe.c. Needs root, loop
 * devices, EROFS and mkfs.erofs; says so and skips where one is missing.
 */
#include "guest/init/container.h"
#include "guest/init/test-build.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/loop.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define SKIPPED 77			/* meson's status for it */
#define IMAGES 3

/* Made once, used by every test: the folder of the tests, and a loop device per image. */
static char folder[] = "/tmp/rnc-init-XXXXXX";
static int loops[IMAGES] = { -1, -1, -1 };
static dev_t loop_devices[IMAGES];
static char *probe;

/* What the last container printed to both streams. */
static char printed[65536];

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int shell(const char *format, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command);
}

/* Attach @file to a free loop device, which goes away with its last user. */
static int open_loop(const char *file, dev_t *device)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int backing = open(file, O_RDONLY | O_CLOEXEC);
	int loop = -1;
	struct stat st;

	for (int i = 0; i < 16 && control >= 0 && backing >= 0; i++) {
		struct loop_config config = {
			.fd = (uint32_t)backing,
			.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY,
		};
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		char path[32];

		snprintf(path, sizeof(path), "/dev/loop%d", number);
		loop = open(path, O_RDONLY | O_CLOEXEC);
		/* Somebody else may have taken it in the meantime. */
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			break;
		if (loop >= 0)
			close(loop);
		loop = -1;
	}
	if (loop >= 0 && fstat(loop, &st) == 0)
		*device = st.st_rdev;
	close(control);
	close(backing);
	return loop;
}

/* Image 0 is the system, image 1 a layer upon it, image 2 a volume. */
static int make_images(void)
{
	return shell(
		"set -e; cd %s; mkdir -p 0/bin 0/sbin 0/etc 0/usr/bin 0/real 0/closed 1/etc 2/sub; "
		"cp %s 0/bin/probe; ln -s /real/deep 0/link; ln -s /nowhere/new 0/dangling; "
		"ln -s ../../../../etc 0/up; "
		"echo 'root:x:0:0::/root:\nuser:x:1000:1000::/home/user:' >0/etc/passwd; "
		"echo low >0/etc/which; echo high >1/etc/which; echo plain >0/bin/plain; "
		"echo kept >0/etc/kept; mknod 1/etc/gone c 0 0; echo x >0/etc/gone; "
		"printf '#!/bin/probe ids\\n' >0/bin/script; "
		"printf '#!/bin/nothing\\n' >0/bin/lost; echo junk >0/bin/junk; "
		"chmod 755 0/bin/script 0/bin/lost 0/bin/junk; chmod 700 0/closed; "
		"echo data >2/file; for i in 0 1 2; do mkfs.erofs -T0 --quiet image$i $i; "
		"done >/dev/null",
		folder, probe);
}

static int make_initramfs(int pts)
{
	char path[64];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "mode=755") < 0 || chdir(folder) < 0)
		return -errno;
	for (const char *const *name = (const char *const[]){ "dev", "files", "layer", "proc",
							      "root", "sys", "upper", NULL };
	     *name; name++)
		if (mkdir(*name, 0755) < 0)
			return -errno;
	umask(0);
	if (mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return -errno;
	for (int i = 0; i < IMAGES; i++) {
		snprintf(path, sizeof(path), "dev/nabla%d", i);
		if (mknod(path, S_IFBLK | 0600, loop_devices[i]) < 0)
			return -errno;
	}
	if (pts >= 0) {
		snprintf(path, sizeof(path), "/dev/pts/%d", pts);
		if (mknod("dev/hvc0", S_IFREG | 0600, 0) < 0 ||
		    mount(path, "dev/hvc0", NULL, MS_BIND, NULL) < 0)
			return -errno;
	}
	return chroot(".") < 0 ? -errno : 0;
}

/* PID 1 of the namespace: as main.c does it. */
static void be_container(struct build *b, int out, int pts)
{
	struct init_stdio stdio = { .in = -1, .out = out, .err = out };
	struct init_config c = INIT_CONFIG_NONE;
	struct err e = ERR_INIT;
	int status = 99;

	if (pts >= 0) {
		int tty = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);

		stdio = (struct init_stdio){ .in = tty, .out = tty, .err = tty, .terminal = 1 };
	} else {
		stdio.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (init_config_parse(b->bytes, b->size, &c, &e) == 0)
		status = init_container_run(&c, &stdio, &e);
	dprintf(out, "failed: %s\n", e.text);
	_exit(status);
}

/*
 * A kernel starts init with nothing open and no signal ignored. Whoever runs the tests may have
 * left some open, and many ignore SIGPIPE. The C library keeps signals 32 and 33 to itself, so not
 * by it.
 */
static void forget_caller(void)
{
	const struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} by_default = { .handler = SIG_DFL };

	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	for (int i = 1; i <= 64; i++)
		syscall(SYS_rt_sigaction, i, &by_default, NULL, 8);
}

/* In a process of its own: namespaces, initramfs, container. Its exit status is the program's. */
static void be_guest(struct build *b, int out, int pts)
{
	int r, status = 0;
	pid_t pid;

	forget_caller();
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) < 0)
		_exit(98);
	r = make_initramfs(pts);
	if (r < 0) {
		dprintf(out, "initramfs: %s\n", strerror(-r));
		_exit(98);
	}
	pid = fork();
	if (pid == 0)
		be_container(b, out, pts);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		_exit(98);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void read_all(int fd)
{
	size_t len = 0;
	ssize_t n;

	/* A pty's master gives EIO at the end, a pipe 0. */
	while ((n = read(fd, printed + len, sizeof(printed) - 1 - len)) > 0)
		len += (size_t)n;
	printed[len] = '\0';
}

/* Run the container; returns its exit status, with its output in printed. */
static int run(struct build *b)
{
	int fds[2], status = 0;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		be_guest(b, fds[1], -1);
	close(fds[1]);
	read_all(fds[0]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static int run_on_terminal(struct build *b)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), pts = -1, status = 0, zero = 0,
	    slave;
	char path[32];
	pid_t pid;

	assert_true(master >= 0);
	assert_int_equal(ioctl(master, TIOCSPTLCK, &zero), 0);
	assert_int_equal(ioctl(master, TIOCGPTN, &pts), 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", pts);
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid = fork();
	if (pid == 0)
		be_guest(b, slave, pts);
	close(slave);
	read_all(master);
	close(master);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void assert_printed(const char *part)
{
	if (!strstr(printed, part))
		fail_msg("'%s' is not in what was printed:\n%s", part, printed);
}

static void assert_not_printed(const char *part)
{
	if (strstr(printed, part))
		fail_msg("'%s' is in what was printed:\n%s", part, printed);
}

/* A container of image 0 that runs the probe with these words. */
static void start(struct build *b, const char *const *words)
{
	build_start(b);
	build_layer(b, 0);
	build_string(b, GCFG_ARG, "probe");
	for (; *words; words++)
		build_string(b, GCFG_ARG, *words);
	build_string(b, GCFG_ENV, "PATH=/usr/bin:/bin");
	build_mount(b, "proc", "proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

#define WORDS(...) ((const char *const []){ __VA_ARGS__, NULL })

static void add_root(struct build *b, uint32_t flags, uint64_t size)
{
	const struct gcfg_root root = { .flags = flags, .upper_size = size };

	build_add(b, GCFG_ROOT, &root, sizeof(root));
}

static void assert_runs(struct build *b)
{
	int status = run(b);

	if (status != 0)
		fail_msg("status %d:\n%s", status, printed);
}

static void test_plain(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("ids", "env", "host"));
	build_string(&b, GCFG_HOSTNAME, "inside");
	assert_runs(&b);
	assert_printed("uid=0 gid=0 groups= umask=022 pid=1 ppid=0 sid=1\n");
	assert_printed("env PATH=/usr/bin:/bin\nenv HOME=/root\n");
	assert_printed("host inside\n");
}

static void test_defaults(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("fds", "cwd", "status:Cap", "status:NoNewPrivs", "status:SigBlk",
			"status:SigIgn", "cat:/etc/which", "write:/etc/new", "cat:/etc/new",
			"write:/etc/which"));
	assert_runs(&b);
	/* Nothing of init's is left open. */
	assert_printed("fd 0\nfd 1\nfd 2\ncwd /\n");
	/* No capabilities were given. */
	assert_printed(
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
		"CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n");
	assert_printed("NoNewPrivs:\t0\n");
	assert_printed("SigBlk:\t0000000000000000\n");
	assert_printed("SigIgn:\t0000000000000000\n");
	assert_printed("/etc/which: low\n");
	assert_printed("write /etc/new: ok\n/etc/new: x\nwrite /etc/which: ok\n");
}

static void test_identity(void **state)
{
	const uint32_t groups[2] = { 4000000000u, 7 };
	const struct gcfg_user user = { .uid = 1000, .gid = 1001, .umask = 027, .nr_groups = 2 };
	const struct gcfg_caps caps = {
		/* CAP_KILL, CAP_NET_BIND_SERVICE; CAP_CHOWN in the bounding set only. */
		.bounding = 0x421, .effective = 0x400, .inheritable = 0x420, .permitted = 0x420,
		.ambient = 0x400,
	};
	const struct gcfg_flags flags = { .flags = GCFG_FLAG_NO_NEW_PRIVS };
	const struct gcfg_rlimit limit = { .resource = 7, .soft = 99, .hard = 111 };
	const struct gcfg_oom oom = { .adj = 321 };
	static struct build b;

	(void)state;
	start(&b,
	      WORDS("ids", "cwd", "env", "status:Cap", "status:NoNewPrivs", "limit:7",
		    "cat:/proc/self/oom_score_adj", "stat:/proc/self/fd/1", "stat:/made/for/me"));
	build_add2(&b, GCFG_USER, &user, sizeof(user), groups, sizeof(groups));
	build_add(&b, GCFG_CAPS, &caps, sizeof(caps));
	build_add(&b, GCFG_FLAGS, &flags, sizeof(flags));
	build_add(&b, GCFG_RLIMIT, &limit, sizeof(limit));
	build_add(&b, GCFG_OOM_SCORE_ADJ, &oom, sizeof(oom));
	build_string(&b, GCFG_CWD, "/made/for/me");
	assert_runs(&b);
	assert_printed("uid=1000 gid=1001 groups=7,4000000000 umask=027 pid=1");
	assert_printed("cwd /made/for/me\n");
	assert_printed("env HOME=/home/user\n");
	assert_printed(
		"CapInh:\t0000000000000420\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\n"
		"CapBnd:\t0000000000000421\nCapAmb:\t0000000000000400\n");
	assert_printed("NoNewPrivs:\t1\n");
	assert_printed("limit 7: 99 111\n");
	assert_printed("/proc/self/oom_score_adj: 321\n");
	assert_printed("/made/for/me: 040755 0:0");
}

static void test_no_caps_flag(void **state)
{
	const struct gcfg_caps caps = { .bounding = 1, .effective = 1, .permitted = 1 };
	const struct gcfg_flags none = { .flags = GCFG_FLAG_NO_CAPS };
	static struct build b;

	(void)state;
	start(&b, WORDS("status:CapEff"));
	build_add(&b, GCFG_CAPS, &caps, sizeof(caps));
	assert_runs(&b);
	assert_printed("CapEff:\t0000000000000001\n");
	build_add(&b, GCFG_FLAGS, &none, sizeof(none));
	assert_runs(&b);
	assert_printed("CapEff:\t0000000000000000\n");
}

static void test_home(void **state)
{
	const struct gcfg_user user = { .uid = 4711, .umask = UINT32_MAX };
	static struct build b;

	(void)state;
	start(&b, WORDS("env", "ids"));
	build_add(&b, GCFG_USER, &user, sizeof(user));
	assert_runs(&b);
	assert_printed("env HOME=/\n");
	assert_printed("umask=022");
	build_string(&b, GCFG_ENV, "HOME=");
	assert_runs(&b);
	assert_printed("env HOME=/\n");
	assert_not_printed("env HOME=\n");
	start(&b, WORDS("env"));
	build_string(&b, GCFG_ENV, "HOME=/given");
	assert_runs(&b);
	assert_printed("env HOME=/given\n");
	assert_not_printed("HOME=/root");
}

static void test_layers(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("cat:/etc/which", "cat:/etc/kept", "cat:/etc/gone", "stat:/bin/probe"));
	build_layer(&b, 1);
	assert_runs(&b);
	assert_printed("/etc/which: high\n");
	assert_printed("/etc/kept: kept\n");
	assert_printed("/etc/gone: No such file or directory\n");
}

static void test_readonly_root(void **state)
{
	static struct build b;

	(void)state;
	start(&b,
	      WORDS("write:/etc/new", "write:/etc/which", "write:/not/there/x", "cat:/not/there/x",
		    "cat:/etc/resolv.conf", "write:/etc/resolv.conf", "cwd", "stat:/dev/null"));
	add_root(&b, GCFG_ROOT_READONLY, 0);
	build_mount(&b, "tmpfs", "tmpfs", "/not/there", "size=64k", 0);
	build_file(&b, "/etc/resolv.conf", "nameserver 10.0.0.10\n", 0644, 0, 0);
	build_string(&b, GCFG_CWD, "/srv/here");
	assert_runs(&b);
	assert_printed("write /etc/new: Read-only file system\n");
	assert_printed("write /etc/which: Read-only file system\n");
	assert_printed("write /not/there/x: ok\n/not/there/x: x\n");
	assert_printed("/etc/resolv.conf: nameserver 10.0.0.10\n");
	assert_printed("write /etc/resolv.conf: ok\n");
	assert_printed("cwd /srv/here\n");
	assert_printed("/dev/null: 020666 0:0 0 dev 1:3\n");
}

static void test_upper_size(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("mounts"));
	add_root(&b, 0, 8 << 20);
	assert_runs(&b);
	assert_printed(" / / rw,");
	assert_printed("overlay");
	/* Nothing of the initramfs is in sight. */
	assert_not_printed(" /layer");
	assert_not_printed(" /upper");
}

static void test_symlinks(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("write:/real/deep/x", "stat:/nowhere/new/y", "write:/nowhere/new/y",
			"cat:/etc/inner/hosts", "link:/link"));
	/* A link to a missing place, to nowhere, and out of the root. */
	build_mount(&b, "tmpfs", "tmpfs", "/link", "size=64k", 0);
	build_mount(&b, "tmpfs", "tmpfs", "/dangling/../new", "size=64k", 0);
	build_file(&b, "/up/inner/hosts", "here\n", 0600, 0, 0);
	assert_runs(&b);
	assert_printed("write /real/deep/x: ok\n");
	assert_printed("write /nowhere/new/y: ok\n");
	assert_printed("/etc/inner/hosts: here\n");
	assert_printed("/link -> /real/deep\n");
}

static void test_files(void **state)
{
	static struct build b;

	(void)state;
	start(&b,
	      WORDS("stat:/etc/secret", "cat:/etc/secret", "write:/etc/secret", "stat:/etc/empty",
		    "cat:/etc/which", "write:/etc/which", "cat:/run/a/b/c", "stat:/run/a"));
	build_file(&b, "/etc/secret", "hush\n", 04666, 12, GCFG_FILE_READONLY);
	build_file(&b, "/etc/empty", "", 0600, 0, 0);
	build_file(&b, "/etc/which", "mine\n", 0644, 0, 0);
	build_file(&b, "/run/a/b/c", "inside a mount\n", 0644, 0, 0);
	build_mount(&b, "tmpfs", "tmpfs", "/run", "mode=755", 0);
	assert_runs(&b);
	assert_printed("/etc/secret: 104666 12:12 5 dev 0:0\n/etc/secret: hush\n");
	assert_printed("write /etc/secret: Read-only file system\n");
	assert_printed("/etc/empty: 100600 0:0 0");
	assert_printed("/etc/which: mine\n");
	assert_printed("write /etc/which: ok\n");
	assert_printed("/run/a/b/c: inside a mount\n");
	assert_printed("/run/a: 040755 0:0");
}

static void test_dev(void **state)
{
	const struct gcfg_caps caps = { .bounding = 1, .effective = 1, .permitted = 1 };
	static struct build b;

	(void)state;
	start(&b,
	      WORDS("stat:/dev/null", "stat:/dev/zero", "stat:/dev/full", "stat:/dev/random",
		    "stat:/dev/urandom", "stat:/dev/tty", "link:/dev/fd", "link:/dev/stdin",
		    "link:/dev/stdout", "link:/dev/stderr", "link:/dev/ptmx", "stat:/dev/pts/ptmx",
		    "stat:/dev/own", "stat:/dev/sub/fifo", "write:/dev/null", "write:/dev/x",
		    "write:/dev/shm/x", "stat:/dev/console", "stat:/dev/mqueue"));
	build_add(&b, GCFG_CAPS, &caps, sizeof(caps));
	build_mount(&b, "tmpfs", "tmpfs", "/dev", "mode=755,size=65536k", MS_NOSUID | MS_RDONLY);
	build_mount(&b, "devpts", "devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
		    MS_NOSUID | MS_NOEXEC);
	build_mount(&b, "tmpfs", "shm", "/dev/shm", "mode=1777,size=64k", MS_NOSUID | MS_NODEV);
	build_mount(&b, "mqueue", "mqueue", "/dev/mqueue", "", MS_NOSUID | MS_NODEV);
	build_device(&b, "/dev/own", S_IFCHR | 0640, 10, 229);
	build_device(&b, "/dev/sub/fifo", S_IFIFO | 0600, 0, 0);
	assert_runs(&b);
	assert_printed("/dev/null: 020666 0:0 0 dev 1:3\n/dev/zero: 020666 0:0 0 dev 1:5\n"
		       "/dev/full: 020666 0:0 0 dev 1:7\n/dev/random: 020666 0:0 0 dev 1:8\n"
		       "/dev/urandom: 020666 0:0 0 dev 1:9\n/dev/tty: 020666 0:0 0 dev 5:0\n");
	assert_printed("/dev/fd -> /proc/self/fd\n/dev/stdin -> /proc/self/fd/0\n"
		       "/dev/stdout -> /proc/self/fd/1\n/dev/stderr -> /proc/self/fd/2\n"
		       "/dev/ptmx -> pts/ptmx\n");
	assert_printed("/dev/pts/ptmx: 020666 0:0 0 dev 5:2\n");
	assert_printed("/dev/own: 020640 0:0 0 dev 10:229\n");
	assert_printed("/dev/sub/fifo: 010600 0:0");
	assert_printed(
		"write /dev/null: ok\nwrite /dev/x: Read-only file system\nwrite /dev/shm/x: ok\n");
	assert_printed("/dev/console: No such file or directory\n");
	assert_printed("/dev/mqueue: 041777 0:0");
}

static void test_sealed(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("cat:/proc/version", "stat:/proc/irq", "write:/proc/sys/kernel/domainname",
			"stat:/proc/irq/0", "cat:/etc/kept", "write:/real/x", "write:/real/sub/x",
			"mounts"));
	build_string(&b, GCFG_MASKED_PATH, "/proc/version");
	build_string(&b, GCFG_MASKED_PATH, "/proc/irq");
	build_string(&b, GCFG_MASKED_PATH, "/proc/is/not/there");
	build_string(&b, GCFG_MASKED_PATH, "/etc/kept/below/a/file");
	build_string(&b, GCFG_READONLY_PATH, "/proc/sys");
	build_string(&b, GCFG_READONLY_PATH, "/real");
	build_string(&b, GCFG_READONLY_PATH, "/neither");
	build_mount(&b, "tmpfs", "tmpfs", "/real/sub", "size=64k", MS_NOSUID | MS_NODEV);
	assert_runs(&b);
	assert_printed("/proc/version: \n");
	assert_printed("/proc/irq: 041777 0:0");
	assert_printed("/proc/irq/0: No such file or directory\n");
	assert_printed("write /proc/sys/kernel/domainname: Read-only file system\n");
	assert_printed("/etc/kept: kept\n");
	assert_printed("write /real/x: Read-only file system\n");
	/* As under runc, what is mounted below stays as it was. */
	assert_printed("write /real/sub/x: ok\n");
	assert_printed("/proc/sys ro,nosuid,nodev,noexec,");
}

static void test_volume(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("cat:/data/file", "write:/data/file", "mounts"));
	build_mount(&b, "erofs", "/dev/nabla2", "/data", "", MS_NOSUID | MS_RDONLY);
	assert_runs(&b);
	assert_printed("/data/file: data\n");
	assert_printed("write /data/file: Read-only file system\n");
	assert_printed("/data ro,nosuid,");
}

static void test_sysctl(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("cat:/proc/sys/net/ipv4/ip_forward",
			"cat:/proc/sys/net/ipv4/conf/lo/forwarding",
			"cat:/proc/sys/net/ipv4/conf/lo/accept_local",
			"cat:/proc/sys/kernel/domainname"));
	build_string(&b, GCFG_SYSCTL, "net.ipv4.conf.lo.accept_local=1");
	build_string(&b, GCFG_SYSCTL, "net/ipv4/ip_forward=1");
	build_string(&b, GCFG_SYSCTL, "-net.not.there=1");
	build_string(&b, GCFG_DOMAINNAME, "example.org");
	assert_runs(&b);
	assert_printed("/ip_forward: 1\n");
	assert_printed("/accept_local: 1\n");
	assert_printed("domainname: example.org\n");

	build_string(&b, GCFG_SYSCTL, "net.not.there=1");
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed,
			    "failed: set sysctl 'net.not.there=1': No such file or directory\n");
	start(&b, WORDS("ids"));
	build_string(&b, GCFG_SYSCTL, "net//../../x=1");
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed, "failed: set sysctl 'net//../../x=1': Invalid argument\n");
}

static void test_terminal(void **state)
{
	const struct gcfg_flags flags = { .flags = GCFG_FLAG_TERMINAL };
	static struct build b;

	(void)state;
	start(&b, WORDS("tty", "ids", "link:/proc/self/fd/0", "write:/dev/tty", "fds", "cwd"));
	build_mount(&b, "tmpfs", "tmpfs", "/dev", "mode=755", MS_NOSUID);
	build_add(&b, GCFG_FLAGS, &flags, sizeof(flags));
	if (run_on_terminal(&b) != 0)
		fail_msg("%s", printed);
	assert_printed("tty /dev/console\r\n");
	assert_printed("/proc/self/fd/0 -> /dev/console\r\n");
	/* Only a controlling terminal can be opened as /dev/tty. */
	assert_printed("write /dev/tty: ok\r\n");
	assert_printed("fd 0\r\nfd 1\r\nfd 2\r\ncwd /\r\n");
}

static void try_program(const char *name, int status, const char *says)
{
	static struct build b;

	build_start(&b);
	build_layer(&b, 0);
	build_string(&b, GCFG_ARG, name);
	build_string(&b, GCFG_ENV, "PATH=/usr/bin:/sbin:/bin");
	assert_int_equal(run(&b), status);
	assert_string_equal(printed, says);
}

static void test_program_errors(void **state)
{
	(void)state;
	try_program("foo", 127, "failed: exec: \"foo\": executable file not found in $PATH\n");
	try_program("", 127, "failed: exec: \"\": executable file not found in $PATH\n");
	try_program("/bin/foo", 127, "failed: exec: \"/bin/foo\": stat /bin/foo: "
		    "no such file or directory\n");
	try_program("/bin/probe/foo", 127, "failed: exec: \"/bin/probe/foo\": stat /bin/probe/foo: "
		    "not a directory\n");
	try_program("plain", 126, "failed: exec: \"plain\": permission denied\n");
	try_program("/bin/plain", 126, "failed: exec: \"/bin/plain\": permission denied\n");
	try_program("/etc", 126, "failed: exec: \"/etc\": is a directory\n");
	try_program("junk", 126, "failed: exec /bin/junk: exec format error\n");
	try_program("lost", 127,
		    "failed: exec /bin/lost: the interpreter that it names is missing: "
		    "No such file or directory\n");
}

static void test_path(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("exit:7"));
	assert_int_equal(run(&b), 7);
	/* Without PATH, the usual one. */
	build_start(&b);
	build_layer(&b, 0);
	build_string(&b, GCFG_ARG, "script");
	assert_int_equal(run(&b), 0);
	assert_printed("uid=0 gid=0");
}

static void test_mount_errors(void **state)
{
	static struct build b;

	(void)state;
	start(&b, WORDS("ids"));
	build_mount(&b, "nofs", "x", "/mnt", "a=b", 0);
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed,
			    "failed: mount nofs 'x' on '/mnt' (data 'a=b'): No such device\n");
	start(&b, WORDS("ids"));
	build_layer(&b, 99);
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed,
			    "failed: mount image '/dev/nabla99': No such file or directory\n");
	start(&b, WORDS("ids"));
	build_mount(&b, "tmpfs", "tmpfs", "/etc/kept/sub", "", 0);
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed, "failed: mount tmpfs on '/etc/kept/sub': make directory "
			    "'/etc/kept/sub': Not a directory\n");
	start(&b, WORDS("ids"));
	build_string(&b, GCFG_CWD, "/etc/kept");
	assert_int_equal(run(&b), 125);
	assert_string_equal(printed, "failed: change to directory '/etc/kept': Not a directory\n");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int clean_up(void **state)
{
	(void)state;
	for (int i = 0; i < IMAGES; i++)
		if (loops[i] >= 0)
			close(loops[i]);
	free(probe);
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Returns NULL, or what this machine lacks. */
static const char *missing_here(void)
{
	if (geteuid() != 0)
		return "needs root";
	if (shell("grep -qw erofs /proc/filesystems") != 0)
		return "this kernel has no EROFS";
	if (shell("command -v mkfs.erofs >/dev/null") != 0)
		return "needs mkfs.erofs";
	if (access("/dev/loop-control", R_OK | W_OK) < 0)
		return "needs loop devices";
	return NULL;
}

static int prepare(void **state)
{
	char path[64];

	(void)state;
	if (!mkdtemp(folder) || make_images() != 0)
		return -1;
	for (int i = 0; i < IMAGES; i++) {
		snprintf(path, sizeof(path), "%s/image%d", folder, i);
		loops[i] = open_loop(path, &loop_devices[i]);
		if (loops[i] < 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_no_caps_flag),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_readonly_root),
		cmocka_unit_test(test_upper_size),
		cmocka_unit_test(test_symlinks),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_dev),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_sysctl),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_program_errors),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_mount_errors),
	};
	const char *missing = missing_here();

	probe = argc == 2 ? realpath(argv[1], NULL) : NULL;
	if (!probe) {
		fputs("usage: test-init-container PROBE\n", stderr);
		return 1;
	}
	if (missing) {
		puts(missing);
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, prepare, clean_up);
}
