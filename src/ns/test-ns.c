/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces, the empty root, giving up privileges, descriptors: on the real system. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "ns/fds.h"
#include "ns/ns.h"
#include "ns/privilege.h"
#include "ns/root.h"

#define HELLO	7u
#define BYE	8u

/* Run @test in a process of its own; it returns 0 if all is well, else the line that is not. */
static int in_process(int (*test)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(test());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("died by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* In a process: end with the number of the line. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			return __LINE__ & 0x7f ? __LINE__ & 0x7f : 1;                              \
		}                                                                                  \
	} while (0)

static ino_t ns_inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat st = { .st_ino = 0 };

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static const struct ns_entry all_new[] = {
	{ CLONE_NEWNS, NULL },	 { CLONE_NEWPID, NULL }, { CLONE_NEWIPC, NULL },
	{ CLONE_NEWUTS, NULL },	 { CLONE_NEWNET, NULL }, { CLONE_NEWCGROUP, NULL },
	{ CLONE_NEWTIME, NULL },
};

static int run_turns(int sync, void *arg, struct err *e)
{
	int fds[2] = { -1, -1 };
	int r = ns_sync_wait(sync, HELLO, fds, 2, -1, e);

	(void)arg;
	if (r < 0)
		return r;
	if (write(fds[0], "x", 1) != 1)
		return err_set(e, -errno, "write");
	r = ns_sync_send(sync, BYE, NULL, 0, e);
	return r < 0 ? r : 33;
}

static void test_all_new(void **state)
{
	struct ns_request q = { .entries = all_new, .nr_entries = 7, .run = run_turns };
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;
	int status = 0;
	int p[2];
	char ch;

	(void)state;
	if (ns_child_start(&q, &c, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < 7; i++)
		assert_int_not_equal(ns_inode(c.pid, ns_name(all_new[i].flag)),
				     ns_inode(getpid(), ns_name(all_new[i].flag)));
	assert_int_equal(ns_inode(c.pid, "user"), ns_inode(getpid(), "user"));
	assert_int_equal(getsid(c.pid), c.pid);

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(ns_sync_send(c.sync, HELLO, (int[]){ p[1], p[1] }, 2, &e), 0);
	assert_int_equal(ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e), 0);
	assert_int_equal(read(p[0], &ch, 1), 1);
	/* a child of ours, with its own exit status */
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 33);
	ns_child_release(&c);
	close(p[0]);
	close(p[1]);
}

static int run_wait(int sync, void *arg, struct err *e)
{
	(void)arg;
	return ns_sync_wait(sync, HELLO, NULL, 0, -1, e);
}

static void test_join(void **state)
{
	static const int flags[] = { CLONE_NEWPID,    CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWNET,
				     CLONE_NEWCGROUP, CLONE_NEWTIME, CLONE_NEWNS };
	struct ns_request q = { .entries = all_new, .nr_entries = 7, .run = run_wait };
	struct ns_child first = NS_CHILD_INIT;
	struct ns_child second = NS_CHILD_INIT;
	struct ns_entry joined[7];
	char paths[7][64];
	struct err e = ERR_INIT;

	(void)state;
	if (ns_child_start(&q, &first, &e) < 0)
		fail_msg("%s", e.text);
	for (int i = 0; i < 7; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/proc/%d/ns/%s", first.pid,
			 ns_name(flags[i]));
		joined[i] = (struct ns_entry){ flags[i], paths[i] };
	}
	q.entries = joined;
	if (ns_child_start(&q, &second, &e) < 0)
		fail_msg("%s", e.text);
	for (int i = 0; i < 7; i++)
		assert_int_equal(ns_inode(second.pid, ns_name(flags[i])),
				 ns_inode(first.pid, ns_name(flags[i])));
	/* the caller stayed where it was */
	assert_int_not_equal(ns_inode(getpid(), "net"), ns_inode(first.pid, "net"));
	ns_child_end(&second);
	ns_child_end(&first);
	ns_child_end(&first);
}

/* A new UTS namespace is named, and one that is joined keeps its name; the caller keeps its own. */
static void test_hostname(void **state)
{
	const struct ns_entry made = { CLONE_NEWUTS, NULL };
	struct ns_request q = { .entries = &made, .nr_entries = 1, .run = run_wait,
				.hostname = "inside", .domainname = "domain" };
	struct ns_child first = NS_CHILD_INIT;
	struct ns_child second = NS_CHILD_INIT;
	char name[NS_HOSTNAME_MAX + 1] = "as before";
	struct ns_entry joined;
	struct utsname own, now;
	struct err e = ERR_INIT;
	char path[64];

	(void)state;
	assert_int_equal(uname(&own), 0);
	if (ns_child_start(&q, &first, &e) < 0)
		fail_msg("%s", e.text);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", first.pid);
	joined = (struct ns_entry){ CLONE_NEWUTS, path };
	q.entries = &joined;
	q.hostname = "another";
	if (ns_child_start(&q, &second, &e) < 0)
		fail_msg("%s", e.text);

	assert_int_equal(ns_hostname("/proc/self/ns/net", name, &e), -EINVAL);
	assert_string_equal(name, "as before");
	assert_int_equal(ns_hostname(path, name, &e), 0);
	assert_string_equal(name, "inside");
	assert_int_equal(ns_hostname(NULL, name, &e), 0);
	assert_string_equal(name, own.nodename);
	assert_int_equal(uname(&now), 0);
	assert_memory_equal(&now, &own, sizeof(own));
	ns_child_end(&second);
	ns_child_end(&first);
}

static void test_join_user_and_host_net(void **state)
{
	static const struct ns_id_map map[] = { { 0, 100000, 65536 } };
	static const struct ns_entry user_net[] = { { CLONE_NEWUSER, NULL },
						    { CLONE_NEWNET, NULL } };
	struct ns_request q = { .entries = user_net,
				.nr_entries = 2,
				.run = run_wait,
				.uid_maps = map,
				.nr_uid_maps = 1,
				.gid_maps = map,
				.nr_gid_maps = 1 };
	struct ns_request net_only = { .entries = user_net + 1, .nr_entries = 1, .run = run_wait };
	struct ns_child userns = NS_CHILD_INIT;
	struct ns_child hostnet = NS_CHILD_INIT;
	struct ns_child both = NS_CHILD_INIT;
	struct ns_entry joined[3];
	char user_path[64];
	char net_path[64];
	struct stat st;
	struct err e = ERR_INIT;

	(void)state;
	if (ns_child_start(&q, &userns, &e) < 0 || ns_child_start(&net_only, &hostnet, &e) < 0)
		fail_msg("%s", e.text);
	snprintf(user_path, sizeof(user_path), "/proc/%d", userns.pid);
	assert_int_equal(stat(user_path, &st), 0);

	/* a net namespace of the host's and a user namespace: the order inside matters */
	snprintf(user_path, sizeof(user_path), "/proc/%d/ns/user", userns.pid);
	snprintf(net_path, sizeof(net_path), "/proc/%d/ns/net", hostnet.pid);
	joined[0] = (struct ns_entry){ CLONE_NEWUSER, user_path };
	joined[1] = (struct ns_entry){ CLONE_NEWNET, net_path };
	joined[2] = (struct ns_entry){ CLONE_NEWIPC, NULL };
	q.entries = joined;
	q.nr_entries = 3;
	if (ns_child_start(&q, &both, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(ns_inode(both.pid, "user"), ns_inode(userns.pid, "user"));
	assert_int_equal(ns_inode(both.pid, "net"), ns_inode(hostnet.pid, "net"));
	ns_child_end(&both);
	ns_child_end(&hostnet);
	ns_child_end(&userns);
}

static int run_user(int sync, void *arg, struct err *e)
{
	(void)sync;
	(void)arg;
	if (getuid() != 0 || getgid() != 0 || getgroups(0, NULL) != 0)
		return err_say(e, -EPERM, "uid %u gid %u", getuid(), getgid());
	if (sethostname("inside", 6) < 0)
		return err_set(e, -errno, "sethostname");
	if (ns_root_empty(e) < 0 || ns_privilege_drop(1000, 1000, e) < 0)
		return -EPERM;
	return 0;
}

static int place_check_map(const struct ns_child *c, void *arg, struct err *e)
{
	char path[64];
	char *text = NULL;

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", c->pid);
	if (io_read_file(AT_FDCWD, path, 4096, &text, NULL, e) < 0)
		return -EIO;
	if (!strstr(text, "100000") || !strstr(text, "65536"))
		err_say(e, -EPROTO, "map: %s", text);
	free(text);
	return e->text[0] ? -EPROTO : 0;
}

static void test_user(void **state)
{
	static const struct ns_id_map map[] = { { 0, 100000, 65536 } };
	static const struct ns_entry entries[] = { { CLONE_NEWUSER, NULL }, { CLONE_NEWUTS, NULL },
						   { CLONE_NEWNS, NULL }, { CLONE_NEWPID, NULL },
						   { CLONE_NEWCGROUP, NULL } };
	struct ns_request q = { .entries = entries,
				.nr_entries = 5,
				.run = run_user,
				.uid_maps = map,
				.nr_uid_maps = 1,
				.gid_maps = map,
				.nr_gid_maps = 1,
				.place = place_check_map };
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	(void)state;
	if (ns_child_start(&q, &c, &e) < 0)
		fail_msg("%s", e.text);
	if (ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e) != -EPIPE)
		fail_msg("%s", e.text);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_int_equal(status, 0);
	ns_child_release(&c);

	q.nr_gid_maps = 0;
	assert_int_equal(ns_child_start(&q, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "needs a uid map and a gid map"));
}

static int run_fail(int sync, void *arg, struct err *e)
{
	(void)sync;
	(void)arg;
	return err_say(e, -ENOTTY, "the words of the child");
}

static int place_fail(const struct ns_child *c, void *arg, struct err *e)
{
	*(pid_t *)arg = c->pid;
	return err_say(e, -EPIPE, "not placed");
}

static void test_failures(void **state)
{
	static const struct ns_entry twice[] = { { CLONE_NEWUTS, NULL }, { CLONE_NEWUTS, NULL } };
	static const struct ns_entry unknown[] = { { CLONE_VM, NULL } };
	static const struct ns_entry missing[] = { { CLONE_NEWNET, "/nonexistent/netns" } };
	static const struct ns_entry no_ns[] = { { CLONE_NEWNET, "/etc/passwd" } };
	static const struct ns_entry kind[] = { { CLONE_NEWNET, "/proc/self/ns/uts" } };
	static const struct {
		const struct ns_entry *entries;
		size_t n;
		int code;
		const char *words;
	} table[] = {
		{ twice, 2, -EINVAL, "given twice" },
		{ unknown, 1, -EINVAL, "is unknown" },
		{ missing, 1, -ENOENT, "open the net namespace '/nonexistent/netns'" },
		{ no_ns, 1, -EINVAL, "'/etc/passwd' is no namespace" },
		{ kind, 1, -EINVAL, "of another kind: uts instead of net" },
	};
	struct ns_request q = { .run = run_wait };
	struct ns_child c = NS_CHILD_INIT;
	pid_t placed = 0;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err e = ERR_INIT;

		q.entries = table[i].entries;
		q.nr_entries = table[i].n;
		assert_int_equal(ns_child_start(&q, &c, &e), table[i].code);
		if (!strstr(e.text, table[i].words))
			fail_msg("'%s' instead of '%s'", e.text, table[i].words);
	}
	assert_int_equal(c.pid, -1);

	q = (struct ns_request){ .run = run_fail };
	{
		struct err e = ERR_INIT;

		assert_int_equal(ns_child_start(&q, &c, &e), 0);
		r = ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e);
		assert_int_equal(r, -ENOTTY);
		assert_string_equal(e.text, "the words of the child");
		ns_child_end(&c);
	}
	q.place = place_fail;
	q.place_arg = &placed;
	{
		struct err e = ERR_INIT;

		assert_int_equal(ns_child_start(&q, &c, &e), -EPIPE);
		assert_string_equal(e.text, "not placed");
		assert_true(placed > 0);
		assert_int_equal(kill(placed, 0), -1);
		assert_int_equal(errno, ESRCH);
	}
}

static int run_die(int sync, void *arg, struct err *e)
{
	(void)sync;
	(void)arg;
	(void)e;
	kill(getpid(), SIGKILL);
	return 0;
}

static void test_sync_ends(void **state)
{
	struct ns_request q = { .run = run_die };
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;
	int fd = 99;

	(void)state;
	assert_int_equal(ns_child_start(&q, &c, &e), 0);
	assert_int_equal(ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e), -EPIPE);
	assert_string_equal(e.text, "the other process has died");
	ns_child_end(&c);

	q.run = run_wait;
	assert_int_equal(ns_child_start(&q, &c, &e), 0);
	assert_int_equal(ns_sync_wait(c.sync, BYE, NULL, 0, 20, &e), -ETIMEDOUT);
	ns_child_end(&c);

	/* another message, or another number of descriptors, is refused and closed */
	q.run = run_turns;
	assert_int_equal(ns_child_start(&q, &c, &e), 0);
	assert_int_equal(ns_sync_send(c.sync, HELLO, &fd, 1, &e), -EBADF);
	assert_int_equal(ns_sync_send(c.sync, HELLO, (int[]){ 0 }, 1, &e), 0);
	assert_int_equal(ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e), -EPROTO);
	assert_string_equal(e.text, "message 7 with 1 descriptors instead of 7 with 2");
	ns_child_end(&c);
}

static int run_list_fds(int sync, void *arg, struct err *e)
{
	const int *keep = arg;
	int found = 0;

	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && ++found && fd != sync && fd != *keep)
			return err_say(e, -EBADF, "descriptor %d is open", fd);
	return found == 2 ? 0 : err_say(e, -EBADF, "%d descriptors", found);
}

static void test_child_descriptors(void **state)
{
	int kept = fcntl(0, F_DUPFD, 77);
	int other = fcntl(0, F_DUPFD, 78);
	struct ns_request q = {
		.run = run_list_fds, .run_arg = &kept, .keep = &kept, .nr_keep = 1
	};
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;
	int status = -1;

	(void)state;
	assert_true(kept >= 77 && other >= 78);
	assert_int_equal(ns_child_start(&q, &c, &e), 0);
	if (ns_sync_wait(c.sync, BYE, NULL, 0, 5000, &e) != -EPIPE)
		fail_msg("%s", e.text);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_int_equal(status, 0);
	ns_child_release(&c);
	close(kept);
	close(other);
}

static int process_enter(void)
{
	struct ns_request q = { .entries = all_new, .nr_entries = 7, .run = run_wait };
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;
	ino_t uts;

	CHECK(ns_child_start(&q, &c, &e) == 0);
	uts = ns_inode(c.pid, "uts");
	CHECK(ns_enter(c.pid, CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWUSER, &e) == 0);
	CHECK(ns_inode(getpid(), "uts") == uts);
	CHECK(ns_inode(getpid(), "net") == ns_inode(c.pid, "net"));
	CHECK(ns_inode(getpid(), "ipc") != ns_inode(c.pid, "ipc"));
	ns_child_end(&c);
	CHECK(ns_enter(INT32_MAX, CLONE_NEWUTS, &e) == -ESRCH);
	return 0;
}

static void test_enter(void **state)
{
	(void)state;
	assert_int_equal(in_process(process_enter), 0);
}

static int process_empty_root(void)
{
	struct err e = ERR_INIT;
	struct statvfs fs;
	DIR *d;
	int entries = 0;
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char mounts[4096];
	ssize_t len;
	int fd;

	CHECK(proc >= 0);
	if (ns_root_empty(&e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	d = opendir("/");
	CHECK(d);
	while (readdir(d))
		entries++;
	closedir(d);
	CHECK(entries == 2);
	CHECK(statvfs("/", &fs) == 0);
	CHECK((fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
	      (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
	CHECK(mkdir("/x", 0700) < 0 && errno == EROFS);
	CHECK(open("/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
	CHECK(open("/proc/self/exe", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(open("../../../../etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
	/* made writable again by root itself, it has no room for anything */
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT, NULL) == 0);
	CHECK(open("/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == ENOSPC);

	/* one mount is left, and no other propagates here */
	fd = openat(proc, "mountinfo", O_RDONLY);
	CHECK(fd >= 0);
	len = read(fd, mounts, sizeof(mounts) - 1);
	CHECK(len > 0);
	mounts[len] = '\0';
	CHECK(strchr(mounts, '\n') == mounts + len - 1);
	CHECK(strstr(mounts, " / / ") && strstr(mounts, "- tmpfs ") && !strstr(mounts, "shared:"));
	return 0;
}

static void test_empty_root(void **state)
{
	struct stat before;
	struct stat after;

	(void)state;
	assert_int_equal(stat("/", &before), 0);
	assert_int_equal(in_process(process_empty_root), 0);
	assert_int_equal(stat("/", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(access("/proc/self/exe", F_OK), 0);
}

static int process_drop(void)
{
	static const char *const wanted[] = {
		"Uid:\t1234\t1234\t1234\t1234\n",
		"Gid:\t2345\t2345\t2345\t2345\n",
		"Groups:\t \n",
		"CapInh:\t0000000000000000\n",
		"CapPrm:\t0000000000000000\n",
		"CapEff:\t0000000000000000\n",
		"CapBnd:\t0000000000000000\n",
		"CapAmb:\t0000000000000000\n",
		"NoNewPrivs:\t1\n",
	};
	static const gid_t groups[] = { 5, 6 };
	/* Opened before: afterwards the process's own files are root's. */
	int status = open("/proc/self/status", O_RDONLY);
	struct err e = ERR_INIT;
	char text[8192];
	ssize_t len;

	CHECK(setgroups(2, groups) == 0);
	CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
	if (ns_privilege_drop(1234, 2345, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	len = pread(status, text, sizeof(text) - 1, 0);
	CHECK(len > 0);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i])) {
			fprintf(stderr, "no %s in %s\n", wanted[i], text);
			return 2;
		}
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	CHECK(prctl(PR_GET_PDEATHSIG, &len) == 0);
	/* all but KEEP_CAPS and NO_SETUID_FIXUP, and every lock */
	CHECK(prctl(PR_GET_SECUREBITS) == 0xeb);
	CHECK(setuid(0) < 0 && errno == EPERM);
	CHECK(setgid(0) < 0 && errno == EPERM);
	CHECK(open("/proc/self/environ", O_RDONLY) < 0 && errno == EACCES);
	CHECK(kill(1, 0) < 0 && errno == EPERM);
	return 0;
}

static int process_drop_keeps_uid_0(void)
{
	struct err e = ERR_INIT;

	CHECK(ns_privilege_drop(0, 0, &e) == 0);
	CHECK(getuid() == 0);
	CHECK(unshare(CLONE_NEWNS) < 0 && errno == EPERM);
	CHECK(setgroups(0, NULL) < 0 && errno == EPERM);
	/*
	 * no way back by executing something as uid 0: the securebits say that 0 is nobody special
	 */
	execl("/bin/sh", "sh", "-c", "grep -q '^CapEff:.0000000000000000$' /proc/self/status",
	      (char *)NULL);
	return 1;
}

static void test_drop(void **state)
{
	(void)state;
	assert_int_equal(in_process(process_drop), 0);
	assert_int_equal(in_process(process_drop_keeps_uid_0), 0);
}

static int process_limits(void)
{
	struct rlimit now;
	struct err e = ERR_INIT;
	char words[64];

	CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0);
	CHECK(ns_limit_set(RLIMIT_NOFILE, 100, now.rlim_max, &e) == 0);
	CHECK(ns_limit_set(12345, 1, 1, &e) == -EINVAL);
	/* without CAP_SYS_RESOURCE, whoever runs the test */
	CHECK(ns_privilege_drop(1000, 1000, &e) == 0);
	CHECK(ns_limit_set(RLIMIT_NOFILE, now.rlim_max + 1, now.rlim_max + 1, &e) == -EPERM);
	snprintf(words, sizeof(words), "hard %llu (it is soft 100, hard %llu)",
		 (unsigned long long)now.rlim_max + 1, (unsigned long long)now.rlim_max);
	CHECK(strstr(e.text, "CAP_SYS_RESOURCE") && strstr(e.text, "RLIMIT_NOFILE") &&
	      strstr(e.text, words));
	return 0;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(in_process(process_limits), 0);
}

static int process_stdio(void)
{
	struct err e = ERR_INIT;
	char c;

	close(0);
	close(2);
	CHECK(ns_fds_ensure_stdio(&e) == 0);
	CHECK(read(0, &c, 1) == 0);
	CHECK(write(2, "x", 1) == 1);
	CHECK((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK((fcntl(2, F_GETFL) & O_ACCMODE) == O_WRONLY);
	CHECK(fcntl(3, F_GETFD) < 0 || ns_fds_close_except(NULL, 0, &e) == 0);
	return 0;
}

static int process_close(void)
{
	static const int keep[] = { 50, -1, 3, 50, 60, 1 };
	struct err e = ERR_INIT;

	for (int fd = 3; fd < 70; fd++)
		CHECK(dup2(1, fd) == fd);
	CHECK(ns_fds_close_except(keep, 6, &e) == 0);
	for (int fd = 0; fd < 70; fd++)
		CHECK((fcntl(fd, F_GETFD) >= 0) == (fd < 4 || fd == 50 || fd == 60));
	return 0;
}

static void test_descriptors(void **state)
{
	(void)state;
	assert_int_equal(in_process(process_stdio), 0);
	assert_int_equal(in_process(process_close), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_new),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_join_user_and_host_net),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_sync_ends),
		cmocka_unit_test(test_child_descriptors),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_empty_root),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_descriptors),
	};

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
