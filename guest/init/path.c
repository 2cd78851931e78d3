// SPDX-License-Identifier: GPL-2.0-only
/* Places inside the container's root. */
#include "guest/init/path.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As many symlinks as the kernel follows. */
#define LINKS_MAX 40

static int open_in_root(int root, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int init_path_open(int root, const char *path)
{
	return open_in_root(root, path, O_PATH);
}

struct init_path_name init_path_of_fd(int fd)
{
	struct init_path_name name;

	snprintf(name.text, sizeof(name.text), "/proc/self/fd/%d", fd);
	return name;
}

/* A path being walked: @done is resolved and exists, @rest is still to come. */
struct walk {
	char done[PATH_MAX];		/* starts with "/", no symlink in it */
	char rest[PATH_MAX];
	unsigned int links;
};

/* Cut the first component off @w->rest into @name. Returns 0 at the end, -ENAMETOOLONG, or 1. */
static int walk_next(struct walk *w, char name[NAME_MAX + 1])
{
	char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");

	if (!len)
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(w->rest, start + len, strlen(start + len) + 1);
	return 1;
}

static int walk_enter(struct walk *w, const char *name)
{
	size_t len = strlen(w->done);
	int n;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		char *slash = strrchr(w->done, '/');

		slash[slash == w->done] = '\0';
		return 0;
	}
	n = snprintf(w->done + len, sizeof(w->done) - len, "%s%s", len > 1 ? "/" : "", name);
	return n < 0 || (size_t)n >= sizeof(w->done) - len ? -ENAMETOOLONG : 0;
}

/* Put the target of the symlink @link in front of what is still to come. */
static int walk_follow(struct walk *w, int link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len;
	int n;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	len = readlinkat(link, "", target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	n = snprintf(rest, sizeof(rest), "%s%s", target, w->rest);
	if (n < 0 || (size_t)n >= sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, (size_t)n + 1);
	if (target[0] == '/')
		w->done[1] = '\0';
	return 0;
}

/* One step: @name below @w->done is followed, entered, or made (@mode) and entered. */
static int walk_step(int root, struct walk *w, const char *name, mode_t mode)
{
	_autoclose_ int dir = -1;
	_autoclose_ int fd = -1;
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return walk_enter(w, name);

	dir = open_in_root(root, w->done, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0) {
		if (fstat(fd, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode))
			return walk_follow(w, fd);
		return walk_enter(w, name);
	}
	if (S_ISDIR(mode) ? mkdirat(dir, name, mode & 07777) < 0 : mknodat(dir, name, mode, 0) < 0)
		return -errno;
	return walk_enter(w, name);
}

/* Whether only slashes are left. */
static int walk_at_end(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Make what is missing of @path, the last component with @mode, and open it. */
static int make(int root, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	struct walk w = { .done = "/" };
	size_t len = strlen(path);
	int r;

	if (len >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, len + 1);
	while ((r = walk_next(&w, name)) > 0) {
		r = walk_step(root, &w, name, walk_at_end(&w) ? mode : (S_IFDIR | 0755));
		if (r < 0)
			return r;
	}
	return r < 0 ? r : init_path_open(root, w.done);
}

static int open_or_make(int root, const char *path, mode_t mode, const char *what, struct err *e)
{
	/* Nearly always it is there: one system call. */
	int fd = init_path_open(root, path);

	if (fd == -ENOENT)
		fd = make(root, path, mode);
	return fd < 0 ? err_set(e, fd, "make %s '%s'", what, path) : fd;
}

int init_path_make_dir(int root, const char *path, struct err *e)
{
	return open_or_make(root, path, S_IFDIR | 0755, "directory", e);
}

int init_path_make_file(int root, const char *path, struct err *e)
{
	return open_or_make(root, path, S_IFREG | 0644, "file", e);
}

int init_path_make_parent(int root, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX] = "/";
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash || !slash[1])
		return err_say(e, -EINVAL, "'%s' has no last component", path);
	if (len >= sizeof(parent))
		return err_set(e, -ENAMETOOLONG, "make '%s'", path);
	/* Above "/x" is "/", as parent says already. */
	if (len) {
		memcpy(parent, path, len);
		parent[len] = '\0';
	}
	*name = slash + 1;
	return init_path_make_dir(root, parent, e);
}
