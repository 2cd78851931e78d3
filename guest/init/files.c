// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that come with the configuration (resolv.conf, hosts, secrets) in place of bind mounts from
 * the host. They live on a tmpfs of the initramfs and are bound one by one over their destinations,
 * so that they can lie on a read-only root and be mount points of their own, as under any other
 * runtime.
 */
#include "guest/init/mounts.h"

#include "base/fd.h"
#include "guest/init/path.h"
#include "guest/init/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES "/files"			/* a directory of the initramfs */

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int create(const char *name, const struct gcfg_file *file, const void *contents)
{
	_autoclose_ int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, contents, file->size);
	/* The owner first: a change of it clears the set-user-ID bit. */
	if (!r && (fchown(fd, file->uid, file->gid) < 0 || fchmod(fd, file->mode) < 0))
		r = -errno;
	return r;
}

static int put(const char *name, const struct gcfg_file *file, int target)
{
	_autoclose_ int tree = init_tree_clone(-1, name, 0);
	int r = 0;

	if (tree < 0)
		return tree;
	if (file->flags & GCFG_FILE_READONLY)
		r = init_tree_set_readonly(tree);
	return r < 0 ? r : init_tree_attach(tree, target);
}

int init_files_make(const struct init_config *config, int root, struct err *e)
{
	const struct gcfg_record *record = NULL;
	unsigned int i = 0;

	while ((record = init_config_next(config, GCFG_FILE, record))) {
		const struct gcfg_file *file = init_config_payload(record);
		const char *path = init_config_file_path(record);
		_autoclose_ int target = init_path_make_file(root, path, e);
		char name[sizeof(FILES) + 12];
		int r;

		if (target < 0)
			return target;
		if (i == 0 && mount("tmpfs", FILES, "tmpfs", 0, "mode=755") < 0)
			return err_set(e, -errno, "mount tmpfs for files");
		snprintf(name, sizeof(name), FILES "/%u", i++);
		r = create(name, file, init_config_file_contents(record));
		if (!r)
			r = put(name, file, target);
		if (r < 0)
			return err_set(e, r, "put file '%s' in place", path);
	}
	return 0;
}
