/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups, their end: killing what is inside, removing the directories.
 *
 * Works from the list in the state file alone, on what is ours in it. Everything is done by path
 * below directories that only root can name; cgroupfs has no symlinks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/cgroup_internal.h"

#define FREEZE_MS	200	/* how long to wait for FROZEN before killing all the same */
#define FIRST_PAUSE_US	200	/* between two looks; doubles */
#define LAST_PAUSE_US	20000

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_us(unsigned int *us)
{
	struct timespec ts = { .tv_nsec = (long)*us * 1000 };

	nanosleep(&ts, NULL);
	if (*us < LAST_PAUSE_US)
		*us *= 2;
}

/* Call @visit for @dir and every cgroup below it, children first, until it returns non-zero. */
static int cgroup_walk(const char *dir, int depth, int (*visit)(const char *dir, void *arg),
		       void *arg)
{
	DIR *d = depth < CGROUP_MAX_DEPTH ? opendir(dir) : NULL;
	struct dirent *entry;
	int r = 0;

	while (d && r == 0 && (entry = readdir(d))) {
		_autofree_ char *child = NULL;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		child = path_join(dir, entry->d_name);
		r = child ? cgroup_walk(child, depth + 1, visit, arg) : -ENOMEM;
	}
	if (d)
		closedir(d);
	return r ? r : visit(dir, arg);
}

/*
 * Call @visit for each process in @dir. A process of another pid namespace shows as 0: never that.
 */
static int each_pid(const char *dir, int (*visit)(pid_t pid, void *arg), void *arg)
{
	_autofree_ char *text = NULL;
	struct err ignored = ERR_INIT;
	char *rest;
	char *line;
	int r = 0;

	if (cgroup_read(dir, "cgroup.procs", &text, &ignored) < 0)
		return 0;
	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		uint64_t pid;

		if (str_u64(line, INT32_MAX, &pid) == 0 && pid > 0)
			r = visit((pid_t)pid, arg);
	}
	return r;
}

static int visit_kill(pid_t pid, void *arg)
{
	(void)arg;
	kill(pid, SIGKILL);
	return 0;
}

static int visit_self(pid_t pid, void *arg)
{
	(void)arg;
	return pid == getpid();
}

static int visit_any(pid_t pid, void *arg)
{
	(void)pid;
	(void)arg;
	return 1;
}

struct pid_text {
	struct buf *out;
	int left;
};

static int visit_name(pid_t pid, void *arg)
{
	struct pid_text *t = arg;

	if (t->left-- == 0) {
		buf_add_str(t->out, " ...");
		return 1;
	}
	buf_printf(t->out, " %d", pid);
	return 0;
}

static int dir_kill(const char *dir, void *arg)
{
	return each_pid(dir, visit_kill, arg);
}

static int dir_self(const char *dir, void *arg)
{
	return each_pid(dir, visit_self, arg);
}

static int dir_any(const char *dir, void *arg)
{
	return each_pid(dir, visit_any, arg);
}

static int dir_names(const char *dir, void *arg)
{
	return each_pid(dir, visit_name, arg);
}

static int dir_thaw(const char *dir, void *arg)
{
	struct err ignored = ERR_INIT;

	(void)arg;
	cgroup_write(dir, "freezer.state", "THAWED", &ignored);
	return 0;
}

/* Visit every leaf of ours; true if a visit returned non-zero. */
static bool leaves_visit(const struct cgroup_list *list, uint32_t bits,
			 int (*visit)(const char *dir, void *arg), void *arg)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct cgroup_place *p = &list->v[i];

		if (!p->leaf || !p->ours || (bits && !(p->version == 1 && (p->controllers & bits))))
			continue;
		if (cgroup_walk(p->dir, 0, visit, arg) != 0)
			return true;
	}
	return false;
}

/* v1: the state FROZEN may need more than one order, as a fork on the way escapes it. */
static void freeze_v1(const struct cgroup_list *list)
{
	const struct cgroup_place *leaf = cgroup_leaf(list, CGROUP_FREEZER);
	int64_t end = now_ms() + FREEZE_MS;
	unsigned int us = FIRST_PAUSE_US;

	if (!leaf || !leaf->ours || leaf->version != 1)
		return;
	do {
		_autofree_ char *state = NULL;
		struct err ignored = ERR_INIT;

		if (cgroup_write(leaf->dir, "freezer.state", "FROZEN", &ignored) < 0 ||
		    cgroup_read(leaf->dir, "freezer.state", &state, &ignored) < 0 ||
		    strcmp(state, "FROZEN") == 0)
			return;
		pause_us(&us);
	} while (now_ms() < end);
}

/* True if the kernel does it: cgroup.kill reaches also what forks meanwhile. */
static bool kill_v2(const struct cgroup_list *list)
{
	const struct cgroup_place *leaf = cgroup_leaf_v2(list);
	struct err ignored = ERR_INIT;

	return leaf && leaf->ours && cgroup_write(leaf->dir, "cgroup.kill", "1", &ignored) == 0;
}

static int kill_message(const struct cgroup_list *list, struct err *e)
{
	_autobuf_ struct buf pids = BUF_INIT(4096);
	struct pid_text t = { .out = &pids, .left = 8 };

	for (size_t i = 0; i < list->n; i++) {
		if (!list->v[i].leaf || !list->v[i].ours)
			continue;
		cgroup_walk(list->v[i].dir, 0, dir_names, &t);
		if (pids.len > 0)
			return err_say(e, -ETIMEDOUT, "processes in cgroup '%s' outlive SIGKILL:%s",
				       list->v[i].dir, pids.data);
	}
	return 0;
}

int cgroup_kill(const struct cgroup_list *list, int timeout_ms, struct err *e)
{
	int64_t end = now_ms() + timeout_ms;
	unsigned int us = FIRST_PAUSE_US;

	if (leaves_visit(list, 0, dir_self, NULL))
		return err_say(e, -EBUSY, "the runtime itself is in the container's cgroup");
	if (!leaves_visit(list, 0, dir_any, NULL))
		return 0;
	if (!kill_v2(list))
		freeze_v1(list);
	for (;;) {
		/*
		 * Whoever is in one hierarchy only, or was missed. The signal waits for the thaw.
		 */
		leaves_visit(list, 0, dir_kill, NULL);
		leaves_visit(list, CGROUP_FREEZER, dir_thaw, NULL);
		if (!leaves_visit(list, 0, dir_any, NULL))
			return 0;
		if (now_ms() >= end)
			return kill_message(list, e);
		pause_us(&us);
	}
}

static int dir_remove(const char *dir, void *arg)
{
	(void)arg;
	return rmdir(dir) < 0 && errno != ENOENT ? -errno : 0;
}

static int remove_leaf(const char *dir, int64_t end, struct err *e)
{
	_autobuf_ struct buf pids = BUF_INIT(4096);
	struct pid_text t = { .out = &pids, .left = 8 };
	unsigned int us = FIRST_PAUSE_US;
	int r;

	/* A process that has just died keeps its cgroup busy for a moment. */
	while ((r = cgroup_walk(dir, 0, dir_remove, NULL)) == -EBUSY && now_ms() < end)
		pause_us(&us);
	if (r == 0)
		return 0;
	cgroup_walk(dir, 0, dir_names, &t);
	if (pids.len > 0)
		return err_set(e, r, "remove cgroup '%s' with processes%s", dir, pids.data);
	return err_set(e, r, "remove cgroup '%s'", dir);
}

static int remove_parent(const char *dir, struct err *e)
{
	if (rmdir(dir) == 0 || errno == ENOENT || errno == EBUSY || errno == ENOTEMPTY)
		return 0;
	return err_set(e, -errno, "remove cgroup '%s'", dir);
}

int cgroup_remove(const struct cgroup_list *list, int timeout_ms, struct err *e)
{
	int64_t end = now_ms() + timeout_ms;
	struct err first = ERR_INIT;
	int result = 0;

	for (size_t i = list->n; i-- > 0;) {
		const struct cgroup_place *p = &list->v[i];
		struct err own = ERR_INIT;
		int r;

		if (!p->ours)
			continue;
		r = p->leaf ? remove_leaf(p->dir, end, &own) : remove_parent(p->dir, &own);
		if (r < 0 && result == 0) {
			result = r;
			first = own;
		}
	}
	if (result < 0)
		*e = first;
	return result;
}
