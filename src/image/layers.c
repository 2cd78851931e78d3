/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layers: from an overlay mount to its directories.
 *
 * The kernel tells the paths with which a mount was made, not what lies there now, and not where a
 * relative path began. So what is found is compared with what the mount shows: every name in its
 * top directory must be there for one of the layers found, with the inode number that overlayfs
 * passes on (all layers on one file system; else only names can be compared, and the mount is taken
 * as a whole), and no name may be missing.
 */
#include "image/layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "image/overlay.h"

#define MOUNTINFO_MAX	(64u << 20)

struct entry {
	char *name;
	struct statx st;
};

/* A top directory and what is in it, sorted by name. */
struct listing {
	struct statx st;
	struct entry *entry;
	size_t count;
};

static void free_listing(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->entry[i].name);
	free(l->entry);
	memset(l, 0, sizeof(*l));
}

static void free_listings(struct listing **lists)
{
	for (size_t i = 0; *lists && (*lists)[i].st.stx_mask; i++)
		free_listing(&(*lists)[i]);
	free(*lists);
}

void layers_free(struct layers *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->layer[i].path);
		fd_close(&l->layer[i].dir);
	}
	free(l->layer);
	memset(l, 0, sizeof(*l));
}

/* ---- finding the directories ---------------------------------------------------------------- */

static int no_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "look at the layers");
}

static int gone(struct err *e, const char *path)
{
	return err_say(e, LAYERS_UNFIT, "layer '%s' is not where the mount says", path);
}

/* Where the open directory @fd is, as a heap block; NULL if it is nowhere, or no memory. */
static char *path_of(int fd)
{
	char link[32], target[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target));
	if (n <= 0 || (size_t)n >= sizeof(target) || target[0] != '/')
		return NULL;
	return strndup(target, (size_t)n);
}

/* Add the directory at @path, which may be relative to @base. Returns 0, LAYERS_UNFIT, -ENOMEM. */
static int add_layer(struct layers *l, int base, const char *path, struct err *e)
{
	struct layer *layer = &l->layer[l->count];

	layer->dir = openat(base, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (layer->dir < 0)
		return gone(e, path);
	layer->path = path_of(layer->dir);
	l->count++;
	return layer->path ? 0 : gone(e, path);
}

/* All layers, lowest first, with @base for what is relative. The last one is the upper. */
static int open_all(const struct overlay *o, int base, struct layers *l, struct err *e)
{
	int r = 0;

	l->layer = calloc(o->nr_lower + 1, sizeof(*l->layer));
	if (!l->layer)
		return no_memory(e);
	for (size_t i = o->nr_lower; i > 0 && r == 0; i--)
		r = add_layer(l, base, o->lower[i - 1], e);
	if (r == 0 && o->upper)
		r = add_layer(l, base, o->upper, e);
	if (r != 0)
		layers_free(l);
	return r;
}

/* Try each directory above @path for what is relative. Returns as open_all(). */
static int open_above(const struct overlay *o, const char *path, struct layers *l, struct err *e)
{
	_autofree_ char *dir = strdup(path);
	char *slash;
	int r = LAYERS_UNFIT;

	if (!dir)
		return no_memory(e);
	while (r == LAYERS_UNFIT && (slash = strrchr(dir, '/'))) {
		_autoclose_ int base = -1;

		*slash = '\0';
		base = open(*dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (base >= 0)
			r = open_all(o, base, l, e);
	}
	return r;
}

static bool is_relative(const struct overlay *o)
{
	for (size_t i = 0; i < o->nr_lower; i++)
		if (o->lower[i][0] != '/')
			return true;
	return o->upper && o->upper[0] != '/';
}

/*
 * Engines change into a directory to make a long list of layers fit into a page: containerd into
 * that of all snapshots, while the upper directory stays absolute; Docker and Podman into their
 * home, below which the mount point is too.
 */
static int open_layers(const struct overlay *o, struct layers *l, struct err *e)
{
	int r = LAYERS_UNFIT;

	if (!is_relative(o))
		return open_all(o, AT_FDCWD, l, e);
	if (o->upper && o->upper[0] == '/')
		r = open_above(o, o->upper, l, e);
	if (r == LAYERS_UNFIT)
		r = open_above(o, o->mount_point, l, e);
	return r == LAYERS_UNFIT ? gone(e, o->lower[0]) : r;
}

/* ---- what is in them ------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int add_entry(struct listing *l, int dir, const char *name)
{
	struct entry *grown, *entry;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if ((l->count & (l->count - 1)) == 0) {	/* a power of 2: full */
		grown = reallocarray(l->entry, l->count ? l->count * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->entry = grown;
	}
	entry = &l->entry[l->count];
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
		  &entry->st) < 0)
		return -errno;
	entry->name = strdup(name);
	if (!entry->name)
		return -ENOMEM;
	l->count++;
	return 0;
}

static int list_dir(int dir, struct listing *l, struct err *e)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *d;
	int r = 0;

	if (!stream) {
		fd_close(&copy);
		return err_set(e, -errno, "list a layer");
	}
	while (r == 0 && (errno = 0, d = readdir(stream)))
		r = add_entry(l, dirfd(stream), d->d_name);
	if (r == 0)
		r = -errno;
	closedir(stream);
	if (r < 0)
		return err_set(e, r, "list a layer");
	if (l->count > 1)
		qsort(l->entry, l->count, sizeof(*l->entry), compare_entries);
	return 0;
}

static int list_top(int dir, struct listing *l, struct err *e)
{
	if (statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &l->st) < 0)
		return err_set(e, -errno, "stat a layer");
	return list_dir(dir, l, e);
}

/* *@lists: one listing for each layer, and one without a mask behind them. */
static int list_layers(const struct layers *l, struct listing **lists, struct err *e)
{
	*lists = calloc(l->count + 1, sizeof(**lists));
	if (!*lists)
		return no_memory(e);
	for (size_t i = 0; i < l->count; i++) {
		int r = list_top(l->layer[i].dir, &(*lists)[i], e);

		if (r < 0)
			return err_wrap(e, r, "'%s'", l->layer[i].path);
	}
	return 0;
}

/* ---- are they what the mount shows? ---------------------------------------------------------- */

static const struct entry *find_entry(const struct listing *l, const char *name)
{
	const struct entry key = { .name = (char *)(uintptr_t)name };

	return l->count ? bsearch(&key, l->entry, l->count, sizeof(key), compare_entries) : NULL;
}

static bool is_whiteout(const struct entry *entry)
{
	return S_ISCHR(entry->st.stx_mode) && entry->st.stx_rdev_major == 0 &&
	       entry->st.stx_rdev_minor == 0;
}

static bool same_device(const struct listing *lists, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (lists[i].st.stx_dev_major != lists[0].st.stx_dev_major ||
		    lists[i].st.stx_dev_minor != lists[0].st.stx_dev_minor)
			return false;
	return true;
}

/*
 * The entry that the mount shows is in one of the layers, and not whited out above that. A file
 * that was copied to the upper directory and renamed there has the number of another name's.
 */
static bool is_shown(const struct entry *entry, const struct listing *lists, size_t count,
		     const struct listing *upper)
{
	while (count-- > 0) {
		const struct entry *found = find_entry(&lists[count], entry->name);
		bool moved = &lists[count] == upper && !S_ISDIR(entry->st.stx_mode);

		if (found && is_whiteout(found))
			return false;
		if (found && (found->st.stx_mode & S_IFMT) == (entry->st.stx_mode & S_IFMT) &&
		    (moved || found->st.stx_ino == entry->st.stx_ino))
			return true;
	}
	return false;
}

/* The topmost layer that has @name shows it. */
static bool is_visible(const char *name, const struct listing *lists, size_t count)
{
	while (count-- > 0) {
		const struct entry *found = find_entry(&lists[count], name);

		if (found)
			return !is_whiteout(found);
	}
	return false;
}

static bool lists_match(const struct listing *shown, const struct listing *lists, size_t count,
			const struct listing *upper)
{
	for (size_t i = 0; i < shown->count; i++)
		if (!is_shown(&shown->entry[i], lists, count, upper))
			return false;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lists[i].count; j++)
			if (is_visible(lists[i].entry[j].name, lists, count) !=
			    (find_entry(shown, lists[i].entry[j].name) != NULL))
				return false;
	return true;
}

static int compare_with_mount(int root, const struct listing *lists, size_t count,
			      const struct listing *upper, struct err *e)
{
	struct listing shown = { .count = 0 };
	bool match;
	int r;

	if (!same_device(lists, count))
		return err_say(e, LAYERS_UNFIT, "its layers are on several file systems");
	r = list_dir(root, &shown, e);
	match = r == 0 && lists_match(&shown, lists, count, upper);
	free_listing(&shown);
	if (r < 0)
		return r;
	return match ? 0 : err_say(e, LAYERS_UNFIT, "it does not show what its layers hold");
}

/* ---- whose they are -------------------------------------------------------------------------- */

/* Cut the last component off the path of @len bytes at @path, and give it. */
static const char *pop_name(const char *path, size_t *len, size_t *name_len)
{
	size_t start = *len;

	while (start > 0 && path[start - 1] != '/')
		start--;
	*name_len = *len - start;
	*len = start > 0 ? start - 1 : 0;
	return path + start;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static bool all_of(const char *name, size_t len, const char *letters)
{
	return len > 0 && strspn(name, letters) >= len;
}

static bool is_there(int dir, const char *path, mode_t type)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type;
}

/*
 * The engines' stores:
 *
 *	Docker		HOME/overlay2/ID/{diff,link}; ID-init: the daemon's part of a container
 *	Podman, CRI-O	HOME/overlay/ID/{diff,link}
 *	containerd	HOME/{metadata.db,snapshots/NUMBER/fs}
 */
static enum layer_kind layer_kind(const struct layer *layer)
{
	const char *path = layer->path, *last, *id, *folder;
	size_t len = strlen(path), last_len, id_len, folder_len;

	last = pop_name(path, &len, &last_len);
	id = pop_name(path, &len, &id_len);
	folder = pop_name(path, &len, &folder_len);
	if (is_name(last, last_len, "fs") && all_of(id, id_len, "0123456789") &&
	    is_name(folder, folder_len, "snapshots") &&
	    is_there(layer->dir, "../../../metadata.db", S_IFREG))
		return LAYER_STORED;
	if (!is_name(last, last_len, "diff") || !is_there(layer->dir, "../link", S_IFREG) ||
	    !(is_name(folder, folder_len, "overlay") || is_name(folder, folder_len, "overlay2")))
		return LAYER_WALKED;
	if (id_len > 5 && is_name(id + id_len - 5, 5, "-init"))
		return LAYER_OWN;
	return id_len >= 20 && all_of(id, id_len, "0123456789abcdefghijklmnopqrstuvwxyz") ?
		LAYER_STORED : LAYER_WALKED;
}

/* ---- the identity ---------------------------------------------------------------------------- */

struct print {
	uint64_t ino, size, dev;
	int64_t mtime, ctime, btime;
	uint32_t mtime_nsec, ctime_nsec, btime_nsec;
	uint32_t mode, uid, gid;
};

_Static_assert(sizeof(struct print) == 72, "no padding in what is hashed");

static void hash_entry(struct sha256_ctx *hash, const char *name, const struct statx *st)
{
	const struct print p = {
		.ino = st->stx_ino, .size = S_ISDIR(st->stx_mode) ? 0 : st->stx_size,
		.dev = makedev(st->stx_rdev_major, st->stx_rdev_minor),
		.mtime = st->stx_mtime.tv_sec, .mtime_nsec = st->stx_mtime.tv_nsec,
		.ctime = st->stx_ctime.tv_sec, .ctime_nsec = st->stx_ctime.tv_nsec,
		.btime = st->stx_btime.tv_sec, .btime_nsec = st->stx_btime.tv_nsec,
		.mode = st->stx_mode, .uid = st->stx_uid, .gid = st->stx_gid,
	};

	sha256_update(hash, strlen(name) + 1, (const uint8_t *)name);
	sha256_update(hash, sizeof(p), (const uint8_t *)&p);
}

static int identify(struct layer *layer, const struct listing *list, struct err *e)
{
	static const char domain[] = "runnc image layer 1";
	uint64_t system[3] = { 0 };
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;
	struct statfs fs;

	if (fstatfs(layer->dir, &fs) < 0)
		return err_set(e, -errno, "stat the file system of '%s'", layer->path);
	/* A number of a device may be another one's after a boot; the id is the file system's. */
	system[0] = (uint64_t)fs.f_type;
	_Static_assert(sizeof(fs.f_fsid) <= sizeof(system[1]), "the id has room");
	memcpy(&system[1], &fs.f_fsid, sizeof(fs.f_fsid));
	if (system[1] == 0)
		system[2] = makedev(list->st.stx_dev_major, list->st.stx_dev_minor);

	sha256_init(&hash);
	sha256_update(&hash, sizeof(domain), (const uint8_t *)domain);
	sha256_update(&hash, sizeof(system), (const uint8_t *)system);
	hash_entry(&hash, layer->path, &list->st);
	for (size_t i = 0; i < list->count; i++)
		hash_entry(&hash, list->entry[i].name, &list->entry[i].st);
	sha256_digest(&hash, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(layer->identity + 2 * i, "%02x", sum[i]);
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int name_layers(const struct overlay *o, struct layers *l, const struct listing *lists,
		       struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		struct layer *layer = &l->layer[i];
		int r = 0;

		layer->empty = lists[i].count == 0;
		layer->kind = o->upper && i == l->count - 1 ? LAYER_OWN : layer_kind(layer);
		if (layer->kind == LAYER_STORED)
			r = identify(layer, &lists[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int survey_overlay(int root, const struct overlay *o, struct layers *l, struct err *e)
{
	__attribute__((cleanup(free_listings))) struct listing *lists = NULL;
	int r = open_layers(o, l, e);

	if (r == 0)
		r = list_layers(l, &lists, e);
	if (r == 0)
		r = compare_with_mount(root, lists, l->count,
				       o->upper ? &lists[l->count - 1] : NULL, e);
	if (r == 0)
		r = name_layers(o, l, lists, e);
	return r;
}

/* The id of the mount of which @root is the root; LAYERS_NONE if it is of none, or no overlay. */
static int find_mount(int root, uint64_t *id, struct err *e)
{
	struct statfs fs;
	struct statx st;

	if (fstatfs(root, &fs) < 0)
		return err_set(e, -errno, "stat the file system of the root directory");
	if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return LAYERS_NONE;
	if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return err_set(e, -errno, "stat the root directory");
	if (!(st.stx_mask & STATX_MNT_ID) || !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return LAYERS_NONE;
	*id = st.stx_mnt_id;
	return 0;
}

int layers_survey(int root, struct layers *l, struct err *e)
{
	_autooverlay_ struct overlay o = { .upper = NULL };
	_autofree_ char *text = NULL;
	uint64_t id = 0;
	size_t len;
	int r = find_mount(root, &id, e);

	memset(l, 0, sizeof(*l));
	if (r != 0)
		return r;
	r = io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, e);
	if (r < 0)
		return r;
	r = overlay_parse(text, len, id, &o, e);
	if (r != 0)
		return r == OVERLAY_NONE ? LAYERS_NONE : r == OVERLAY_UNFIT ? LAYERS_UNFIT : r;
	r = survey_overlay(root, &o, l, e);
	if (r != 0)
		layers_free(l);
	return r;
}
