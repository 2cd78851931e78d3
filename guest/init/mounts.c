// SPDX-License-Identifier: GPL-2.0-only
/* The configured mounts, masked and read-only paths. */
#include "guest/init/mounts.h"

#include "base/fd.h"
#include "guest/init/path.h"
#include "guest/init/root.h"
#include "guest/init/tree.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* A read-only tmpfs: others are mounted inside it first, /dev above all. */
static bool sealed_later(const struct init_config_mount *m)
{
	return !strcmp(m->type, "tmpfs") && (m->flags & MS_RDONLY) && !(m->flags & MS_REMOUNT);
}

/* The mount point: a directory, but for a bind mount it is what the source is. */
static int make_target(const struct init_config_mount *m, int root, struct err *e)
{
	struct stat st;

	if ((m->flags & MS_BIND) && stat(m->source, &st) == 0 && !S_ISDIR(st.st_mode))
		return init_path_make_file(root, m->destination, e);
	return init_path_make_dir(root, m->destination, e);
}

/* mount(2) ignores every flag but MS_REC together with MS_BIND: the others need a second call. */
static int restrict_bind(const struct init_config_mount *m, int root)
{
	unsigned long flags = m->flags & ~(unsigned long)MS_REC;
	_autoclose_ int top = -1;

	if (!(m->flags & MS_BIND) || flags == MS_BIND)
		return 0;
	top = init_path_open(root, m->destination);
	if (top < 0)
		return top;
	if (mount(NULL, init_path_of_fd(top).text, NULL, flags | MS_REMOUNT, NULL) < 0)
		return -errno;
	return 0;
}

static int set_propagation(const struct init_config_mount *m, int root)
{
	_autoclose_ int top = -1;

	if (!m->propagation)
		return 0;
	top = init_path_open(root, m->destination);
	if (top < 0)
		return top;
	return mount(NULL, init_path_of_fd(top).text, NULL, m->propagation, NULL) < 0 ? -errno : 0;
}

static int attach(const struct init_config_mount *m, const char *target)
{
	unsigned long flags = m->flags;

	if (!strcmp(m->type, "erofs") && !m->data[0])
		return init_root_mount_image(m->source, target, flags);
	if (sealed_later(m))
		flags &= ~(unsigned long)MS_RDONLY;
	return mount(m->source, target, m->type, flags, m->data) < 0 ? -errno : 0;
}

static int make_mount(const struct init_config_mount *m, int root, struct err *e)
{
	_autoclose_ int target = make_target(m, root, e);
	int r;

	if (target < 0)
		return err_wrap(e, target, "mount %s on '%s'", m->type, m->destination);
	r = attach(m, init_path_of_fd(target).text);
	if (!r)
		r = restrict_bind(m, root);
	if (!r)
		r = set_propagation(m, root);
	if (r < 0)
		return err_set(e, r, "mount %s '%s' on '%s' (data '%s')", m->type, m->source,
			       m->destination, m->data);
	return 0;
}

int init_mounts_make(const struct init_config *config, int root, struct err *e)
{
	const struct gcfg_record *record = NULL;
	int r;

	while ((record = init_config_next(config, GCFG_MOUNT, record))) {
		struct init_config_mount m = init_config_mount(record);

		r = make_mount(&m, root, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Hide what is at @target: a directory behind an empty one, anything else behind /dev/null. */
static int mask(int target)
{
	_autoclose_ int null = -1;
	struct stat st;

	if (fstat(target, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return mount("tmpfs", init_path_of_fd(target).text, "tmpfs", MS_RDONLY,
			     "nr_blocks=1,nr_inodes=1") < 0 ? -errno : 0;
	null = init_tree_clone(-1, "/dev/null", 0);
	return null < 0 ? null : init_tree_attach(null, target);
}

/* Bind @target over itself and make that mount read-only; it keeps its other flags. */
static int set_readonly(int target)
{
	_autoclose_ int tree = init_tree_clone(target, "", 1);
	int r;

	if (tree < 0)
		return tree;
	r = init_tree_set_readonly(tree);
	return r < 0 ? r : init_tree_attach(tree, target);
}

/* Do @act with each path of @type that exists; a guest kernel lacks many that the engines list. */
static int for_each_path(const struct init_config *config, uint16_t type, int root,
			 int (*act)(int target), const char *what, struct err *e)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, type, record))) {
		const char *path = init_config_payload(record);
		_autoclose_ int target = init_path_open(root, path);
		int r = target < 0 ? target : act(target);

		if (r < 0 && target != -ENOENT && target != -ENOTDIR)
			return err_set(e, r, "%s '%s'", what, path);
	}
	return 0;
}

static int seal_tmpfs(const struct init_config *config, int root, struct err *e)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_MOUNT, record))) {
		struct init_config_mount m = init_config_mount(record);
		_autoclose_ int top = -1;
		int r;

		if (!sealed_later(&m))
			continue;
		top = init_path_open(root, m.destination);
		r = top < 0 ? top : init_tree_set_readonly(top);
		if (r < 0)
			return err_set(e, r, "make '%s' read-only", m.destination);
	}
	return 0;
}

int init_mounts_seal(const struct init_config *config, int root, struct err *e)
{
	int r;

	r = for_each_path(config, GCFG_READONLY_PATH, root, set_readonly, "make read-only", e);
	if (!r)
		r = for_each_path(config, GCFG_MASKED_PATH, root, mask, "mask", e);
	if (!r)
		r = seal_tmpfs(config, root, e);
	return r;
}
