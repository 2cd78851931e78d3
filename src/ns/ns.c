/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces: their names, and joining those that exist. */
#include "ns/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ns/ns_internal.h"

static const struct {
	int flag;
	const char *name;
} ns_kinds[NS_KINDS] = {
	{ CLONE_NEWNS, "mnt" },
	{ CLONE_NEWPID, "pid" },
	{ CLONE_NEWIPC, "ipc" },
	{ CLONE_NEWUTS, "uts" },
	{ CLONE_NEWNET, "net" },
	{ CLONE_NEWUSER, "user" },
	{ CLONE_NEWCGROUP, "cgroup" },
	{ CLONE_NEWTIME, "time" },
};

const char *ns_name(int flag)
{
	for (size_t i = 0; i < NS_KINDS; i++)
		if (ns_kinds[i].flag == flag)
			return ns_kinds[i].name;
	return NULL;
}

int ns_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * True if the caller is in the namespace @st, and its children will be. Joining one's own user
 * namespace is an error to the kernel (setns(2)), the others are only work.
 */
static bool ns_is_own(int flag, const struct stat *st)
{
	bool apart = flag == CLONE_NEWPID || flag == CLONE_NEWTIME;
	char path[64];
	struct stat own;

	snprintf(path, sizeof(path), "/proc/self/ns/%s%s", ns_name(flag),
		 apart ? "_for_children" : "");
	return stat(path, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

int ns_joins_add(struct ns_joins *j, int flag, const char *path, struct err *e)
{
	/* O_NONBLOCK: not to wait at a FIFO that somebody put there. */
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int kind;

	if (fd < 0)
		return err_set(e, -errno, "open the %s namespace '%s'", ns_name(flag), path);
	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "look at the %s namespace '%s'", ns_name(flag), path);
	kind = ioctl(fd, NS_GET_NSTYPE);
	if (kind < 0)
		return err_say(e, -EINVAL, "'%s' is no namespace", path);
	if (kind != flag)
		return err_say(e, -EINVAL, "'%s' is a namespace of another kind: %s instead of %s",
			       path, ns_name(kind) ? ns_name(kind) : "unknown", ns_name(flag));
	if (ns_is_own(flag, &st))
		return 0;
	j->v[j->n++] = (struct ns_join){ .flag = flag, .fd = take_fd(&fd) };
	return 0;
}

void ns_joins_close(struct ns_joins *j)
{
	for (size_t i = 0; i < j->n; i++)
		fd_close(&j->v[i].fd);
	j->n = 0;
}

static int join_one(const struct ns_join *join, struct err *e)
{
	if (setns(join->fd, join->flag) < 0)
		return err_set(e, -errno, "join the %s namespace", ns_name(join->flag));
	return 0;
}

/*
 * The user namespace comes between: some of the others may be joined only with the privileges that
 * the caller has before (they are the host's), and some only with those that it has after.
 */
int ns_joins_enter(const struct ns_joins *j, struct err *e)
{
	const struct ns_join *user = NULL;
	bool later[NS_KINDS] = { false };
	int r = 0;

	for (size_t i = 0; i < j->n; i++)
		if (j->v[i].flag == CLONE_NEWUSER)
			user = &j->v[i];
	for (size_t i = 0; i < j->n && r == 0; i++) {
		if (&j->v[i] == user)
			continue;
		r = join_one(&j->v[i], e);
		if (r == -EPERM && user) {
			later[i] = true;
			r = 0;
		}
	}
	if (r == 0 && user)
		r = join_one(user, e);
	for (size_t i = 0; i < j->n && r == 0; i++)
		if (later[i])
			r = join_one(&j->v[i], e);
	return r;
}

int ns_enter(pid_t pid, int flags, struct err *e)
{
	_autoclose_ int pidfd = ns_pidfd_open(pid);
	struct ns_joins joins = { .n = 0 };
	int r = 0;

	if (pidfd < 0)
		return err_set(e, -errno, "enter the namespaces of process %d", pid);
	for (size_t i = 0; i < NS_KINDS && r == 0; i++) {
		char path[64];

		if ((flags & ns_kinds[i].flag) == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, ns_kinds[i].name);
		r = ns_joins_add(&joins, ns_kinds[i].flag, path, e);
	}
	/*
	 * It is there still, so the paths were its own and not those of a later process of that
	 * number.
	 */
	if (r == 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		r = err_set(e, -errno, "enter the namespaces of process %d", pid);
	if (r == 0)
		r = ns_joins_enter(&joins, e);
	ns_joins_close(&joins);
	return r;
}

int ns_hostname(const char *path, char name[NS_HOSTNAME_MAX + 1], struct err *e)
{
	_autoclose_ int home = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	struct ns_joins joins = { .n = 0 };
	struct utsname uts;
	int r = 0;

	_Static_assert(sizeof(uts.nodename) == NS_HOSTNAME_MAX + 1, "the kernel's own limit");
	if (home < 0)
		return err_set(e, -errno, "open the runtime's UTS namespace");
	if (path)
		r = ns_joins_add(&joins, CLONE_NEWUTS, path, e);
	if (r == 0)
		r = ns_joins_enter(&joins, e);
	if (r == 0)
		uname(&uts);
	if (r == 0 && joins.n && setns(home, CLONE_NEWUTS) < 0) {
		log_error("return to the runtime's UTS namespace: %s", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	ns_joins_close(&joins);
	if (r == 0)
		strcpy(name, uts.nodename);
	return r;
}
