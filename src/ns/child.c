/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container's child, in its namespaces.
 *
 * Three processes take part:
 *	runtime		opens the paths of the namespaces to join, forks the joiner, reads the
 *			child's pid, writes the id maps, calls place(), says go
 *	joiner		joins them (the runtime itself must stay where it is), clones the child into
 *			the new ones with CLONE_PARENT, so that it is the runtime's child, and ends
 *	child		waits for go; takes uid 0 of its user namespace; makes the cgroup namespace,
 *			which shows the cgroup it is in by now as its root; says ready; run()
 * The user namespace is made by the same clone3() as the others, which therefore belong to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/signals.h"
#include "base/str.h"
#include "ns/fds.h"
#include "ns/ns_internal.h"

#define CHILD_GO	1u
#define CHILD_READY	2u
#define CHILD_FAILED	125
#define MAP_MAX		(1u << 20)

/* What the child needs to know; filled in before the fork. */
struct child_work {
	const struct ns_request *request;
	struct ns_joins joins;
	int make;		/* CLONE_NEW* of new namespaces */
	bool user;		/* it will be in another user namespace */
	int sync[2];		/* runtime's end, child's end */
	int report[2];		/* the joiner writes the child's pid there */
};

static int work_plan(struct child_work *w, struct err *e)
{
	const struct ns_request *q = w->request;
	int seen = 0;

	for (size_t i = 0; i < q->nr_entries; i++) {
		const struct ns_entry *entry = &q->entries[i];

		if (!ns_name(entry->flag) || (seen & entry->flag) != 0)
			return err_say(e, -EINVAL, "namespace %#x is unknown or given twice",
				       (unsigned int)entry->flag);
		seen |= entry->flag;
		if (entry->path) {
			size_t before = w->joins.n;
			int r = ns_joins_add(&w->joins, entry->flag, entry->path, e);

			if (r < 0)
				return r;
			w->user |= entry->flag == CLONE_NEWUSER && w->joins.n > before;
		} else {
			w->make |= entry->flag;
			w->user |= entry->flag == CLONE_NEWUSER;
		}
	}
	if ((w->make & CLONE_NEWUSER) != 0 && (q->nr_uid_maps == 0 || q->nr_gid_maps == 0))
		return err_say(e, -EINVAL, "a new user namespace needs a uid map and a gid map");
	return 0;
}

static void read_number(const char *path, char *text, size_t size)
{
	_autofree_ char *data = NULL;
	struct err ignored = ERR_INIT;

	snprintf(text, size, "unknown");
	if (io_read_file(AT_FDCWD, path, 4096, &data, NULL, &ignored) == 0)
		snprintf(text, size, "%.*s", (int)strcspn(data, "\n"), data);
}

/* Which limit clone3() met, with its value: clone(2) lists what each errno stands for. */
static int clone_error(int error, int flags, struct err *e)
{
	struct rlimit nproc = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	char number[64];

	err_set(e, error, "make the container's process");
	if (error == -EAGAIN) {
		getrlimit(RLIMIT_NPROC, &nproc);
		read_number("/proc/sys/kernel/threads-max", number, sizeof(number));
		return err_wrap(e, error,
				"too many processes for RLIMIT_NPROC (soft %" PRIdMAX ", hard %"
				PRIdMAX ", -1 is unlimited), kernel.threads-max (%s) or pids.max "
				"of the runtime's cgroup",
				(intmax_t)nproc.rlim_cur, (intmax_t)nproc.rlim_max, number);
	}
	if (error == -ENOSPC || error == -EUSERS) {
		_autobuf_ struct buf list = BUF_INIT(4096);

		for (int bit = 0; bit < 31; bit++) {
			const char *name = (flags & (1 << bit)) != 0 ? ns_name(1 << bit) : NULL;
			char path[128];

			if (!name)
				continue;
			snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", name);
			read_number(path, number, sizeof(number));
			buf_printf(&list, " max_%s_namespaces (%s)", name, number);
		}
		return err_wrap(e, error, "a limit of /proc/sys/user, or 32 levels of nesting:%s",
				list.data ? list.data : "");
	}
	if (error == -EPERM && (flags & CLONE_NEWUSER) != 0)
		return err_wrap(
			e, error,
			"a new user namespace is refused in a chroot, and where "
			"kernel.unprivileged_userns_clone or user.max_user_namespaces is 0");
	return error;
}

static int child_become_root(struct err *e)
{
	/*
	 * "deny" in the namespace's setgroups file: nothing can be dropped, and nothing was gained.
	 */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_set(e, -errno, "drop the supplementary groups");
	if (setresgid(0, 0, 0) < 0)
		return err_set(e, -errno, "become gid 0 of the user namespace");
	if (setresuid(0, 0, 0) < 0)
		return err_set(e, -errno, "become uid 0 of the user namespace");
	return 0;
}

static int child_close_fds(const struct child_work *w, struct err *e)
{
	const struct ns_request *q = w->request;
	_autofree_ int *keep = calloc(q->nr_keep + 1, sizeof(*keep));

	if (!keep)
		return err_set(e, -ENOMEM, "close descriptors");
	if (q->nr_keep)
		memcpy(keep, q->keep, q->nr_keep * sizeof(*keep));
	keep[q->nr_keep] = w->sync[1];
	return ns_fds_close_except(keep, q->nr_keep + 1, e);
}

static int child_set_names(const struct ns_request *q, struct err *e)
{
	if (q->hostname && sethostname(q->hostname, strlen(q->hostname)) < 0)
		return err_set(e, -errno, "set the host name '%s'", q->hostname);
	if (q->domainname && setdomainname(q->domainname, strlen(q->domainname)) < 0)
		return err_set(e, -errno, "set the domain name '%s'", q->domainname);
	return 0;
}

static int child_prepare(const struct child_work *w, struct err *e)
{
	int r = child_close_fds(w, e);

	if (r == 0)
		r = ns_sync_wait(w->sync[1], CHILD_GO, NULL, 0, -1, e);
	if (r == 0 && w->user)
		r = child_become_root(e);
	if (r == 0 && (w->make & CLONE_NEWCGROUP) != 0 && unshare(CLONE_NEWCGROUP) < 0)
		r = err_set(e, -errno, "make the cgroup namespace");
	if (r == 0 && (w->make & CLONE_NEWUTS) != 0)
		r = child_set_names(w->request, e);
	if (r == 0 && setsid() < 0)
		r = err_set(e, -errno, "start a session");
	if (r == 0)
		r = ns_sync_send(w->sync[1], CHILD_READY, NULL, 0, e);
	return r;
}

__attribute__((noreturn)) static void child_main(const struct child_work *w)
{
	struct err e = ERR_INIT;
	int r;

	signals_reset();
	r = child_prepare(w, &e);
	if (r == 0)
		r = w->request->run(w->sync[1], w->request->run_arg, &e);
	if (r < 0) {
		ns_sync_fail(w->sync[1], r, &e);
		_exit(CHILD_FAILED);
	}
	_exit(r);
}

__attribute__((noreturn)) static void joiner_main(const struct child_work *w)
{
	/* CLONE_PARENT wants exit_signal 0: the child gets that of the joiner, SIGCHLD. */
	struct clone_args args = {
		.flags = CLONE_PARENT | (uint64_t)(unsigned int)(w->make & ~CLONE_NEWCGROUP),
	};
	struct err e = ERR_INIT;
	int32_t pid;
	int r;

	r = ns_joins_enter(&w->joins, &e);
	if (r == 0) {
		pid = (int32_t)syscall(SYS_clone3, &args, sizeof(args));
		if (pid == 0)
			child_main(w);
		if (pid < 0)
			r = clone_error(-errno, w->make, &e);
		else
			r = io_write_fd(w->report[1], "the child's pid", &pid, sizeof(pid), &e);
	}
	if (r < 0)
		ns_sync_fail(w->sync[1], r, &e);
	_exit(r < 0);
}

/* Fork the joiner, learn the child's pid from it. */
static int joiner_run(struct child_work *w, pid_t *pid, struct err *e)
{
	int32_t number = 0;
	sigset_t all;
	sigset_t before;
	pid_t joiner;
	ssize_t got;

	/* No handler of the runtime's may run in the copies. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	joiner = fork();
	if (joiner == 0)
		joiner_main(w);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (joiner < 0)
		return clone_error(-errno, 0, e);

	fd_close(&w->report[1]);
	fd_close(&w->sync[1]);
	do {
		got = read(w->report[0], &number, sizeof(number));
	} while (got < 0 && errno == EINTR);
	while (waitpid(joiner, NULL, 0) < 0 && errno == EINTR)
		;
	if (got == sizeof(number)) {
		*pid = number;
		return 0;
	}
	/* It left its words, or none: nobody else can have sent anything yet. */
	return ns_sync_wait(w->sync[0], 0, NULL, 0, 0, e);
}

static int map_write(pid_t pid, const char *file, const struct ns_id_map *maps, size_t n,
		     struct err *e)
{
	_autobuf_ struct buf text = BUF_INIT(MAP_MAX);
	char path[64];
	int r;

	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].count);
	if (buf_error(&text) < 0)
		return err_set(e, buf_error(&text), "write the %s of the user namespace", file);
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	r = io_write_existing(AT_FDCWD, path, text.data, text.len, e);
	if (r < 0)
		return err_wrap(e, r, "write the %s of the user namespace, '%.200s'", file,
				text.data);
	return 0;
}

static int maps_write(const struct child_work *w, pid_t pid, struct err *e)
{
	const struct ns_request *q = w->request;
	char path[64];
	int r;

	if ((w->make & CLONE_NEWUSER) == 0)
		return 0;
	/*
	 * user_namespaces(7): one's own id alone may be mapped by anybody, but then not with
	 * setgroups.
	 */
	if (geteuid() != 0) {
		snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
		r = io_write_existing(AT_FDCWD, path, "deny", strlen("deny"), e);
		if (r < 0)
			return r;
	}
	r = map_write(pid, "uid_map", q->uid_maps, q->nr_uid_maps, e);
	return r < 0 ? r : map_write(pid, "gid_map", q->gid_maps, q->nr_gid_maps, e);
}

/* The runtime's half of the beginning, from the moment that the child exists. */
static int child_bring_up(struct child_work *w, struct ns_child *c, struct err *e)
{
	const struct ns_request *q = w->request;
	int r;

	c->pidfd = ns_pidfd_open(c->pid);
	if (c->pidfd < 0)
		return err_set(e, -errno, "open the container's process");
	c->sync = take_fd(&w->sync[0]);
	r = maps_write(w, c->pid, e);
	if (r == 0 && q->place)
		r = q->place(c, q->place_arg, e);
	if (r < 0)
		return r;
	/* On EPIPE the child has failed already, and said why. */
	r = ns_sync_send(c->sync, CHILD_GO, NULL, 0, e);
	if (r < 0 && r != -EPIPE)
		return r;
	return ns_sync_wait(c->sync, CHILD_READY, NULL, 0, -1, e);
}

int ns_child_start(const struct ns_request *request, struct ns_child *child, struct err *e)
{
	struct child_work w = { .request = request, .sync = { -1, -1 }, .report = { -1, -1 } };
	struct ns_child c = NS_CHILD_INIT;
	int r;

	r = work_plan(&w, e);
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w.sync) < 0)
		r = err_set(e, -errno, "make a socket to the container's process");
	if (r == 0 && pipe2(w.report, O_CLOEXEC) < 0)
		r = err_set(e, -errno, "make a pipe to the container's process");
	if (r == 0)
		r = joiner_run(&w, &c.pid, e);
	if (r == 0)
		r = child_bring_up(&w, &c, e);

	if (r == 0)
		*child = c;
	else
		ns_child_end(&c);
	ns_joins_close(&w.joins);
	for (int i = 0; i < 2; i++) {
		fd_close(&w.sync[i]);
		fd_close(&w.report[i]);
	}
	return r;
}

void ns_child_end(struct ns_child *child)
{
	if (child->pid > 0) {
		/* Not reaped by anybody else, so the number is still its own. */
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	ns_child_release(child);
}

void ns_child_release(struct ns_child *child)
{
	child->pid = -1;
	fd_close(&child->pidfd);
	fd_close(&child->sync);
}
