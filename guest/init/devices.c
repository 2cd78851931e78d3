// SPDX-License-Identifier: GPL-2.0-only
/* /dev of the container: the nodes and links that the OCI runtime specification promises. */
#include "guest/init/mounts.h"

#include "abi/control.h"
#include "base/fd.h"
#include "guest/init/path.h"
#include "guest/init/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned int major;
	unsigned int minor;
} default_nodes[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

static const struct {
	const char *name;
	const char *target;
} default_links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

/* Make the node @name in @dir, or keep the same one; a file of another kind there is replaced. */
static int make_node(int dir, const char *name, mode_t mode, dev_t device)
{
	struct stat st;

	if (!mknodat(dir, name, mode, device))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) == (mode & S_IFMT) && (S_ISFIFO(mode) || st.st_rdev == device))
		return fchmodat(dir, name, mode & 07777, 0) < 0 ? -errno : 0;
	if (unlinkat(dir, name, 0) < 0 || mknodat(dir, name, mode, device) < 0)
		return -errno;
	return 0;
}

/* Somebody else's /dev is taken as it is. */
static bool dev_is_foreign(const struct init_config *config)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_MOUNT, record))) {
		struct init_config_mount m = init_config_mount(record);

		if (!strcmp(m.destination, "/dev") &&
		    ((m.flags & MS_BIND) || !strcmp(m.type, "erofs") ||
		     !strcmp(m.type, "devtmpfs")))
			return true;
	}
	return false;
}

/* With a devpts, its own ptmx is the right one: a node would open the first devpts ever mounted. */
static int make_ptmx(int dev)
{
	if (faccessat(dev, "pts/ptmx", F_OK, 0) < 0)
		return 0;
	if (unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT)
		return -errno;
	return symlinkat("pts/ptmx", dev, "ptmx") < 0 ? -errno : 0;
}

static int make_defaults(int dev, struct err *e)
{
	int r;

	for (size_t i = 0; i < sizeof(default_nodes) / sizeof(default_nodes[0]); i++) {
		r = make_node(dev, default_nodes[i].name, S_IFCHR | 0666,
			      makedev(default_nodes[i].major, default_nodes[i].minor));
		if (r < 0)
			return err_set(e, r, "make device '/dev/%s'", default_nodes[i].name);
	}
	for (size_t i = 0; i < sizeof(default_links) / sizeof(default_links[0]); i++)
		if (symlinkat(default_links[i].target, dev, default_links[i].name) < 0 &&
		    errno != EEXIST)
			return err_set(e, -errno, "make link '/dev/%s'", default_links[i].name);
	r = make_ptmx(dev);
	return r < 0 ? err_set(e, r, "make link '/dev/ptmx'") : 0;
}

/* The terminal under the name by which ttyname(3) can find it. */
static int bind_console(int root, struct err *e)
{
	_autoclose_ int target = init_path_make_file(root, "/dev/console", e);
	_autoclose_ int tree = -1;
	int r;

	if (target < 0)
		return target;
	tree = init_tree_clone(-1, NABLA_DEV_TTY, 0);
	r = tree < 0 ? tree : init_tree_attach(tree, target);
	return r < 0 ? err_set(e, r, "bind the terminal to '/dev/console'") : 0;
}

static int make_device(const struct gcfg_record *record, int root, struct err *e)
{
	const struct gcfg_device *device = init_config_payload(record);
	const char *path = init_config_device_path(record);
	const char *name;
	_autoclose_ int dir = init_path_make_parent(root, path, &name, e);
	int r;

	if (dir < 0)
		return err_wrap(e, dir, "make device '%s'", path);
	r = make_node(dir, name, device->mode, makedev(device->major, device->minor));
	if (!r && fchownat(dir, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r < 0 ? err_set(e, r, "make device '%s'", path) : 0;
}

int init_devices_make(const struct init_config *config, int root, struct err *e)
{
	const struct gcfg_record *record = NULL;
	int r = 0;

	if (!dev_is_foreign(config)) {
		_autoclose_ int dev = init_path_make_dir(root, "/dev", e);

		r = dev < 0 ? dev : make_defaults(dev, e);
	}
	if (!r && (config->flags & GCFG_FLAG_TERMINAL))
		r = bind_console(root, e);
	while (!r && (record = init_config_next(config, GCFG_DEVICE, record)))
		r = make_device(record, root, e);
	return r;
}
