/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths. */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define PATH_TREE_DEPTH 512

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	while (len && dir[len - 1] == '/')
		len--;
	while (*name == '/')
		name++;
	if (!len && *dir != '/')
		return str_printf("%s", name);
	return str_printf("%.*s/%s", (int)len, dir, name);
}

char *path_clean(const char *path)
{
	size_t root = *path == '/', len = root, part;
	char *out = malloc(strlen(path) + 2);

	if (!out)
		return NULL;
	out[0] = '/';
	for (; *path; path += part) {
		path += strspn(path, "/");
		part = strcspn(path, "/");
		if (part == 0 || (part == 1 && path[0] == '.'))
			continue;
		if (part == 2 && path[0] == '.' && path[1] == '.') {
			while (len > root && out[len - 1] != '/')
				len--;
			if (len > root)		/* the slash, unless it is the root's */
				len--;
			continue;
		}
		if (len > root)
			out[len++] = '/';
		memcpy(out + len, path, part);
		len += part;
	}
	if (!len)
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

char *path_absolute(const char *path)
{
	_autofree_ char *cwd = NULL, *joined = NULL;

	if (*path == '/')
		return path_clean(path);
	cwd = getcwd(NULL, 0);
	if (!cwd)
		return NULL;
	joined = path_join(cwd, path);
	return joined ? path_clean(joined) : NULL;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return *path == '/';
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int path_open_beneath(int rootfd, const char *path, uint64_t flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: somebody renamed on the way, so ".." could not be trusted; just look again. */
	do
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : (int)fd;
}

int path_make_dirs(const char *path, mode_t mode, struct err *e)
{
	_autofree_ char *part = strdup(path);
	struct stat st;
	char *slash;

	if (!part)
		return err_set(e, -ENOMEM, "create directory '%s'", path);
	for (slash = part; slash; ) {
		slash = strchr(slash + strspn(slash, "/"), '/');
		if (slash)
			*slash = '\0';
		if (*part && mkdir(part, mode) < 0 && errno != EEXIST)
			return err_set(e, -errno, "create directory '%s'", part);
		if (slash)
			*slash = '/';
	}
	if (stat(path, &st) < 0)
		return err_set(e, -errno, "create directory '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "create directory '%s'", path);
	return 0;
}

static void path_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The next name that is not "." or ".."; NULL at the end or on failure, *@r being 0 or -errno. */
static const char *path_next_name(DIR *dir, int *r)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	*r = entry ? 0 : -errno;
	return entry ? entry->d_name : NULL;
}

static int path_open_subdir(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int path_remove_at(int parent, const char *name, unsigned int depth, struct err *e)
{
	__attribute__((cleanup(path_closedir))) DIR *dir = NULL;
	_autoclose_ int fd = -1;
	const char *inner;
	int r;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* EISDIR on Linux; EPERM is POSIX's word for it, which some file systems use. */
	if (errno != EISDIR && errno != EPERM)
		return err_set(e, -errno, "remove '%s'", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_set(e, -errno, "remove '%s'", name);
	if (depth == PATH_TREE_DEPTH)
		return err_set(e, -ELOOP, "remove '%s'", name);

	fd = path_open_subdir(parent, name);
	if (fd < 0)
		return err_set(e, fd == -EXDEV ? -EBUSY : fd, "remove '%s'", name);
	dir = fdopendir(fd);
	if (!dir)
		return err_set(e, -errno, "remove '%s'", name);
	fd = -1;
	while ((inner = path_next_name(dir, &r))) {
		r = path_remove_at(dirfd(dir), inner, depth + 1, e);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return err_set(e, r, "read directory '%s'", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(e, -errno, "remove '%s'", name);
	return 0;
}

int path_remove_tree(int dirfd, const char *name, struct err *e)
{
	return path_remove_at(dirfd, name, 0, e);
}
