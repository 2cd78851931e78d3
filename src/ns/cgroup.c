/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups: making the planned directories, joining them, and their files. */
#include "ns/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/cgroup_internal.h"

#define CREATE_TRIES	20

int cgroup_read(const char *dir, const char *file, char **text, struct err *e)
{
	_autofree_ char *path = path_join(dir, file);
	size_t len;
	int r;

	if (!path)
		return err_set(e, -ENOMEM, "read '%s'", file);
	r = io_read_file(AT_FDCWD, path, CGROUP_MAX_FILE, text, &len, e);
	if (r < 0)
		return r;
	while (len > 0 && (*text)[len - 1] == '\n')
		(*text)[--len] = '\0';
	return 0;
}

int cgroup_write(const char *dir, const char *file, const char *value, struct err *e)
{
	_autofree_ char *path = path_join(dir, file);

	if (!path)
		return err_set(e, -ENOMEM, "write '%s'", file);
	return io_write_existing(AT_FDCWD, path, value, strlen(value), e);
}

int cgroup_set(const char *dir, const char *file, const char *value, struct err *e)
{
	_autofree_ char *now = NULL;
	struct err ignored = ERR_INIT;
	int r = cgroup_write(dir, file, value, &ignored);

	if (r == 0)
		return 0;
	if (r == -ENOENT)
		return err_say(e, -EOPNOTSUPP, "set %s to '%s': cgroup '%s' has no such file", file,
			       value, dir);
	if (cgroup_read(dir, file, &now, &ignored) < 0)
		return err_set(e, r, "set %s of cgroup '%s' to '%s'", file, dir, value);
	return err_set(e, r, "set %s of cgroup '%s' to '%s' (it is '%s')", file, dir, value, now);
}

const struct cgroup_place *cgroup_leaf(const struct cgroup_list *list, uint32_t bit)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].leaf && (list->v[i].controllers & bit) != 0)
			return &list->v[i];
	return NULL;
}

const struct cgroup_place *cgroup_leaf_v2(const struct cgroup_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].leaf && list->v[i].version == 2)
			return &list->v[i];
	return NULL;
}

/*
 * cpusets(7): a v1 cpuset starts with neither cpus nor mems, and takes no process until it has
 * both.
 */
static int cpuset_inherit(const char *parent, const char *dir, struct err *e)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < 2; i++) {
		_autofree_ char *own = NULL;
		_autofree_ char *above = NULL;
		int r = cgroup_read(dir, files[i], &own, e);

		if (r < 0)
			return r;
		if (own[0] != '\0')
			continue;
		r = cgroup_read(parent, files[i], &above, e);
		if (r == 0)
			r = cgroup_set(dir, files[i], above, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static int controller_switch_on(const char *dir, const char *name, struct err *e)
{
	_autofree_ char *order = str_printf("+%s", name);
	struct err why = ERR_INIT;
	int r;

	if (!order)
		return err_set(e, -ENOMEM, "switch on controller '%s'", name);
	r = cgroup_write(dir, "cgroup.subtree_control", order, &why);
	/* cgroup-v2.rst, "No Internal Process Constraint" */
	if (r == -EBUSY)
		return err_say(
			e, r,
			"switch on controller '%s' below cgroup '%s': it holds processes of its "
			"own; choose a cgroupsPath below one that holds none",
			name, dir);
	if (r < 0)
		return err_set(e, r, "switch on controller '%s' below cgroup '%s'", name, dir);
	return 0;
}

/* In v2, a cgroup has a controller's files if its parent has it switched on for its children. */
static int controllers_switch_on(const struct cgroup_place *place, uint32_t wanted, struct err *e)
{
	_autofree_ char *on = NULL;
	int r;

	wanted &= place->controllers;
	if (wanted == 0)
		return 0;
	r = cgroup_read(place->dir, "cgroup.subtree_control", &on, e);
	for (uint32_t bit = 1; r == 0 && bit != 0 && bit <= wanted; bit <<= 1) {
		const char *name = (wanted & bit) != 0 ? cgroup_controller_name(bit, 2) : NULL;

		if (name && !word_in(on, name))
			r = controller_switch_on(place->dir, name, e);
	}
	return r;
}

/* Make place @i, which has its parent in front of it. Returns -ENOENT if that has gone. */
static int create_place(const struct cgroup_list *list, size_t i, uint32_t controllers,
			struct err *e)
{
	const struct cgroup_place *place = &list->v[i];
	/* The first place of a hierarchy is its mount point. */
	bool top = i == 0 || list->v[i - 1].leaf;

	if (!top && mkdir(place->dir, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make cgroup '%s'", place->dir);
	if (!top && place->version == 1 && (place->controllers & CGROUP_CPUSET) != 0) {
		int r = cpuset_inherit(list->v[i - 1].dir, place->dir, e);

		if (r < 0)
			return r;
	}
	if (place->version == 2 && !place->leaf)
		return controllers_switch_on(place, controllers, e);
	return 0;
}

int cgroup_create(const struct cgroup_list *list, uint32_t controllers, struct err *e)
{
	int tries = CREATE_TRIES;

	for (size_t i = 0; i < list->n; i++) {
		int r = create_place(list, i, controllers, e);

		/* The delete of another container took the shared parent away, as it was empty. */
		if (r == -ENOENT && --tries > 0) {
			while (i > 0 && !list->v[i - 1].leaf)
				i--;
			i--;	/* and up again by the loop: wraps to 0 for the first hierarchy */
			continue;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_join(const struct cgroup_list *list, pid_t pid, struct err *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	for (size_t i = 0; i < list->n; i++) {
		int r;

		if (!list->v[i].leaf)
			continue;
		r = cgroup_write(list->v[i].dir, "cgroup.procs", number, e);
		/*
		 * cgroup-v2.rst, "Threads": cpu and pids may be switched on below processes, and
		 * make of the children cgroups that take none.
		 */
		if (r == -EOPNOTSUPP)
			return err_say(e, r,
				       "put process %d into cgroup '%s': the one above it holds "
				       "processes of its own; choose a cgroupsPath below one that "
				       "holds none",
				       pid, list->v[i].dir);
		if (r < 0)
			return err_wrap(e, r, "put process %d into cgroup '%s'", pid,
					list->v[i].dir);
	}
	return 0;
}
