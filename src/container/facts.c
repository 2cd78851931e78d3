/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts about the host: its memory, the image, and what the sources of bind mounts are. */
#include "container/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* One tree being listed: symlinks are resolved with @root as "/", so that they stay inside. */
struct facts_walk {
	int root;
	struct facts_mount *mount;
};

static void facts_close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Takes @path. */
static int facts_add_file(struct facts_mount *m, char *path, const struct stat *st)
{
	struct facts_file *grown;

	grown = reallocarray(m->files, m->nr_files + 1, sizeof(*grown));
	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	m->files = grown;
	m->files[m->nr_files++] = (struct facts_file) {
		.path = path, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.size = (uint64_t)st->st_size,
	};
	return 0;
}

static int facts_walk_dir(struct facts_walk *w, const char *path, unsigned int depth);

/*
 * One entry of a directory. A symlink to a file stands for the file; a symlink to a directory (the
 * "..data" of a Kubernetes volume) is left out, as what it leads to is listed under its own name.
 * Returns 1 if the tree cannot be listed as files.
 */
static int facts_walk_entry(struct facts_walk *w, char *path, bool symlink, unsigned int depth)
{
	_autofree_ char *owned = path;
	_autoclose_ int fd = -1;
	struct stat st;

	fd = path_open_beneath(w->root, path, O_PATH, 0);
	if (fd < 0)
		return symlink ? 1 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return symlink ? 0 : facts_walk_dir(w, path, depth + 1);
	if (!S_ISREG(st.st_mode) || w->mount->nr_files == FACTS_TREE_MAX_FILES)
		return 1;
	return facts_add_file(w->mount, take_ptr(owned), &st);
}

static int facts_walk_dir(struct facts_walk *w, const char *path, unsigned int depth)
{
	__attribute__((cleanup(facts_close_dir))) DIR *dir = NULL;
	_autoclose_ int fd = -1;
	struct dirent *entry;

	if (depth > FACTS_TREE_MAX_DEPTH)
		return 1;
	fd = path_open_beneath(w->root, path[0] ? path : "/", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = -1;

	while ((errno = 0, entry = readdir(dir))) {
		char *child;
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		w->mount->empty = false;
		child = path[0] ? path_join(path, entry->d_name) : strdup(entry->d_name);
		if (!child)
			return -ENOMEM;
		r = facts_walk_entry(w, child, entry->d_type == DT_LNK, depth);
		if (r != 0)
			return r;
	}
	return -errno;
}

static int facts_by_path(const void *a, const void *b)
{
	return strcmp(((const struct facts_file *)a)->path, ((const struct facts_file *)b)->path);
}

static int facts_list_tree(int fd, struct facts_mount *m)
{
	struct facts_walk w = { .root = fd, .mount = m };
	int r = facts_walk_dir(&w, "", 0);

	if (r < 0)
		return r;
	m->listed = r == 0;
	if (m->nr_files > 0)
		qsort(m->files, m->nr_files, sizeof(m->files[0]), facts_by_path);
	return 0;
}

/* Is there any entry in the directory? */
static int facts_look_inside(int fd, struct facts_mount *m)
{
	__attribute__((cleanup(facts_close_dir))) DIR *dir = NULL;
	struct dirent *entry;
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own < 0)
		return -errno;
	dir = fdopendir(own);
	if (!dir) {
		close(own);
		return -ENOMEM;
	}
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			m->empty = false;
	return -errno;
}

static enum facts_kind facts_kind_of(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return FACTS_FILE;
	if (S_ISDIR(st->st_mode))
		return FACTS_DIR;
	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3))
		return FACTS_NULL;
	return FACTS_OTHER;
}

static int facts_mount_look(const struct bundle_mount *mount, bool trees, struct facts_mount *m,
			    struct err *e)
{
	_autoclose_ int fd = -1;
	struct stat st;
	int r = 0;

	if (!(mount->flags & MS_BIND))
		return 0;
	fd = open(mount->source, O_PATH | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		m->kind = FACTS_MISSING;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "look at '%s', to be mounted at '%s'", mount->source,
			       mount->destination);
	m->kind = facts_kind_of(&st);
	m->mode = st.st_mode & 07777;
	m->uid = st.st_uid;
	m->gid = st.st_gid;
	m->size = (uint64_t)st.st_size;
	if (m->kind == FACTS_DIR) {
		m->empty = true;
		r = trees ? facts_list_tree(fd, m) : facts_look_inside(fd, m);
	}
	if (r < 0)
		return err_set(e, r, "list '%s', to be mounted at '%s'", mount->source,
			       mount->destination);
	return 0;
}

/* That there is no root is for those to say who need one. */
static int facts_look_at_guest(const struct bundle *b, struct guest_facts *f, struct err *e)
{
	_autoclose_ int root = open(b->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? 0 : guest_look(b, root, f, e);
}

/* A namespace that is not there is an error of those who join it, not of those who look. */
static void facts_look_at_hostname(const struct bundle *b, struct facts *f)
{
	const struct bundle_ns *uts = &b->ns[BUNDLE_NS_UTS];
	struct err ignored = ERR_INIT;

	if (!b->hostname && (!uts->present || uts->path))
		ns_hostname(uts->path, f->hostname, &ignored);
}

int facts_gather(const struct bundle *b, bool trees, struct facts *f, struct err *e)
{
	struct sysinfo info;
	int r;

	memset(f, 0, sizeof(*f));
	if (sysinfo(&info) < 0)
		return err_set(e, -errno, "ask for the host's memory");
	f->host_memory = (uint64_t)info.totalram * info.mem_unit;
	facts_look_at_hostname(b, f);
	r = facts_look_at_guest(b, &f->guest, e);
	if (r < 0 || b->nr_mounts == 0)
		return r;

	f->mounts = calloc(b->nr_mounts, sizeof(f->mounts[0]));
	if (!f->mounts)
		return err_set(e, -ENOMEM, "look at the mounts");
	f->nr_mounts = b->nr_mounts;
	for (size_t i = 0; i < b->nr_mounts; i++) {
		r = facts_mount_look(&b->mounts[i], trees, &f->mounts[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int facts_set_cgroups(struct facts *f, const struct cgroup_list *cgroups, struct err *e)
{
	uint64_t limit = UINT64_MAX;
	int r = cgroup_memory_limit(cgroups, &limit, e);

	if (r < 0)
		return r;
	f->memory_limit = limit == UINT64_MAX ? 0 : limit;
	return 0;
}

void facts_free(struct facts *f)
{
	for (size_t i = 0; i < f->nr_mounts; i++) {
		for (size_t j = 0; j < f->mounts[i].nr_files; j++)
			free(f->mounts[i].files[j].path);
		free(f->mounts[i].files);
	}
	free(f->mounts);
	guest_facts_free(&f->guest);
	memset(f, 0, sizeof(*f));
}
