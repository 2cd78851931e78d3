/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of containers on disk: directories, locks, and what a state means now. */
#include "container/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/str.h"
#include "container/state_json.h"

#define STATE_FILE	"state.json"
#define STATE_LOCK_FILE	"lock"
#define STATE_NEW	"~new"
#define STATE_OLD	"~old"
#define STATE_NAME_TRIES 1000

/* Ids and paths. */

int state_check_id(const char *id, struct err *e)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
	size_t len = strlen(id);

	if (len == 0)
		return err_say(e, -EINVAL, "the container id is empty");
	if (len > STATE_ID_MAX || len != strspn(id, allowed) || strcmp(id, ".") == 0 ||
	    strcmp(id, "..") == 0)
		return err_say(e, -EINVAL,
			       "container id '%.64s%s': 1 to %d letters, digits, '_', '+', '-', "
			       "'.' are allowed",
			       id, len > 64 ? "..." : "", STATE_ID_MAX);
	if (len > NAME_MAX)
		return err_say(e, -ENAMETOOLONG,
			       "container id '%.64s...': longer than the %d bytes of a "
			       "file name",
			       id, NAME_MAX);
	return 0;
}

char *state_path(const char *root, const char *id, const char *name)
{
	return name ? str_printf("%s/%s/%s", root, id, name) : str_printf("%s/%s", root, id);
}

/* Processes. */

/*
 * proc(5): state is field 3, the start time in clock ticks since boot field 22. The name, field 2,
 * may hold anything, also spaces and ")": counting starts at the last ")".
 */
static int process_stat(pid_t pid, char *state, uint64_t *start)
{
	_autofree_ char *text = NULL;
	struct err ignored = ERR_INIT;
	char path[32];
	char *at;
	char *word = NULL;
	int r;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = io_read_file(AT_FDCWD, path, 65536, &text, NULL, &ignored);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	at = strrchr(text, ')');
	if (!at || at[1] != ' ')
		return -EPROTO;
	at += 2;
	*state = *at;
	for (int field = 3; field <= 22; field++)
		word = strsep(&at, " ");
	return word && str_u64(word, UINT64_MAX, start) == 0 ? 0 : -EPROTO;
}

/* True if the process of that number and that start time runs. A zombie does not. */
static bool process_runs(pid_t pid, uint64_t start)
{
	uint64_t now;
	char state;

	return process_stat(pid, &state, &now) == 0 && now == start && state != 'Z' &&
	       state != 'X' && state != 'x';
}

int state_set_pid(struct state *s, pid_t pid, struct err *e)
{
	uint64_t start;
	char state;
	int r = process_stat(pid, &state, &start);

	if (r < 0)
		return err_set(e, r, "look at process %d", pid);
	s->pid = pid;
	s->pid_start = start;
	return 0;
}

bool state_alive(const struct state *s)
{
	return process_runs(s->pid, s->pid_start);
}

int state_pidfd(const struct state *s, int *pidfd, struct err *e)
{
	_autoclose_ int fd = -1;

	if (s->pid <= 0)
		return err_set(e, -ESRCH, "the container has no process");
	fd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (fd < 0)
		return err_set(e, -errno, "open process %d", s->pid);
	/* Looked at after the descriptor was made: from here on it can be no other. */
	if (!state_alive(s))
		return err_set(e, -ESRCH, "process %d of the container", s->pid);
	*pidfd = take_fd(&fd);
	return 0;
}

enum state_status state_status(const struct state *s)
{
	if (!s->complete)
		return process_runs(s->creator, s->creator_start) ? STATE_CREATING : STATE_STOPPED;
	if (!state_alive(s))
		return STATE_STOPPED;
	if (s->exec_fifo && access(s->exec_fifo, F_OK) == 0)
		return STATE_CREATED;
	return STATE_RUNNING;
}

/* Temporary names: "~new.PID.START.N". */

static int temporary_name(const char *prefix, unsigned int n, char name[NAME_MAX + 1],
			  struct err *e)
{
	uint64_t start;
	char state;
	int r = process_stat(getpid(), &state, &start);

	if (r < 0)
		return err_set(e, r, "look at this process itself: is /proc mounted?");
	snprintf(name, NAME_MAX + 1, "%s.%d.%" PRIu64 ".%u", prefix, getpid(), start, n);
	return 0;
}

/* True if @name is such a name, and its maker is dead. */
static bool temporary_stale(const char *name)
{
	unsigned long long start;
	unsigned int n;
	int pid;

	if (!str_starts(name, STATE_NEW) && !str_starts(name, STATE_OLD))
		return false;
	if (sscanf(name + strlen(STATE_NEW), ".%d.%llu.%u", &pid, &start, &n) != 3)
		return false;
	return !process_runs(pid, start);
}

/* True if somebody holds the lock in @name: a maker whose pid is of another pid namespace. */
static bool temporary_locked(int root, const char *name)
{
	_autofree_ char *path = path_join(name, STATE_LOCK_FILE);
	_autoclose_ int fd = path ? openat(root, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

/* Take away what commands that were killed have left. Others may do the same at the same time. */
static void sweep(int root)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!d) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(d))) {
		struct err ignored = ERR_INIT;

		if (entry->d_name[0] == '~' && temporary_stale(entry->d_name) &&
		    !temporary_locked(root, entry->d_name))
			path_remove_tree(root, entry->d_name, &ignored);
	}
	closedir(d);
}

/* Locks. */

void state_unlock(struct state_lock *lock)
{
	fd_close(&lock->lock);
	fd_close(&lock->dir);
	free(lock->root);
	free(lock->id);
	lock->root = NULL;
	lock->id = NULL;
}

static void lock_sign(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	/* Only for the message of somebody who waits. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}

static int lock_busy(int fd, const char *id, int timeout_ms, struct err *e)
{
	char text[16] = "";
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len > 0)
		text[strcspn(text, "\n")] = '\0';
	return err_say(e, -ETIMEDOUT, "container '%s' is in use by process %s; waited %d ms", id,
		       text[0] ? text : "(unknown)", timeout_ms);
}

/* Open and lock the lock file in directory @dir. *@fd is the caller's. */
static int lock_take(int dir, const char *id, int timeout_ms, int *fd, struct err *e)
{
	_autoclose_ int lock =
		openat(dir, STATE_LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (lock < 0)
		return err_set(e, -errno, "open the lock of container '%s'", id);
	r = lock_exclusive(lock, timeout_ms);
	if (r == -ETIMEDOUT)
		return lock_busy(lock, id, timeout_ms, e);
	if (r < 0)
		return err_set(e, r, "lock container '%s'", id);
	lock_sign(lock);
	*fd = take_fd(&lock);
	return 0;
}

static int open_root(const char *root, struct err *e)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_set(e, -errno, "open the state directory '%s'", root);
}

static int none(const char *id, struct err *e)
{
	return err_say(e, STATE_NONE, "container '%s' does not exist", id);
}

/* The directory of @id, or STATE_NONE. */
static int open_container(int root, const char *id, int *dir, struct err *e)
{
	int fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return none(id, e);
	if (fd < 0)
		return err_set(e, -errno, "open the state of container '%s'", id);
	*dir = fd;
	return 0;
}

/* False if the locked directory has been renamed away while we waited. */
static bool still_there(int root, const char *id, int dir)
{
	struct stat now;
	struct stat ours;

	return fstatat(root, id, &now, AT_SYMLINK_NOFOLLOW) == 0 && fstat(dir, &ours) == 0 &&
	       now.st_dev == ours.st_dev && now.st_ino == ours.st_ino;
}

/* Reading and writing. */

int state_save(const struct state_lock *lock, const struct state *s, struct err *e)
{
	_autofree_ char *text = NULL;
	int r = state_to_text(s, &text, e);

	if (r == 0)
		r = io_write_atomic(lock->dir, STATE_FILE, text, strlen(text), 0600, e);
	return r < 0 ? err_wrap(e, r, "write the state of container '%s'", s->id) : 0;
}

static int load(int dir, const char *id, struct state *s, struct err *e)
{
	_autofree_ char *text = NULL;
	struct state loaded = STATE_INIT;
	size_t len = 0;
	int r;

	r = io_read_file(dir, STATE_FILE, STATE_MAX_SIZE, &text, &len, e);
	if (r == 0)
		r = state_from_text(text, len, id, &loaded, e);
	if (r == 0) {
		*s = loaded;
		return 0;
	}
	state_free(&loaded);
	if (r == -ENOMEM || r == -EACCES || r == -EMFILE || r == -ENFILE)
		return err_wrap(e, r, "read the state of container '%s'", id);
	s->id = strdup(id);
	if (!s->id)
		return err_set(e, -ENOMEM, "read the state of container '%s'", id);
	err_wrap(e, r, "the state of container '%s' is damaged (delete --force removes it)", id);
	return STATE_DAMAGED;
}

int state_open(const char *root, const char *id, int timeout_ms, struct state_lock *lock,
	       struct state *s, struct err *e)
{
	_autoclose_ int root_fd = -1;
	_autounlock_ struct state_lock l = STATE_LOCK_INIT;
	int r = state_check_id(id, e);

	if (r < 0)
		return r;
	root_fd = open_root(root, e);
	if (root_fd == -ENOENT)
		return none(id, e);
	if (root_fd < 0)
		return root_fd;
	sweep(root_fd);

	for (;;) {
		r = open_container(root_fd, id, &l.dir, e);
		if (r != 0)
			return r;
		r = lock_take(l.dir, id, timeout_ms, &l.lock, e);
		if (still_there(root_fd, id, l.dir)) {
			if (r < 0)
				return r;
			break;
		}
		/* Removed meanwhile; there may be a new one of that name. */
		fd_close(&l.lock);
		fd_close(&l.dir);
	}
	l.root = strdup(root);
	l.id = strdup(id);
	if (!l.root || !l.id)
		return err_set(e, -ENOMEM, "open container '%s'", id);
	r = load(l.dir, id, s, e);
	if (r < 0)
		return r;
	*lock = l;
	l = (struct state_lock)STATE_LOCK_INIT;
	return r;
}

int state_read(const char *root, const char *id, struct state *s, struct err *e)
{
	_autoclose_ int root_fd = -1;
	_autoclose_ int dir = -1;
	int r = state_check_id(id, e);

	if (r < 0)
		return r;
	root_fd = open_root(root, e);
	if (root_fd == -ENOENT)
		return none(id, e);
	if (root_fd < 0)
		return root_fd;
	r = open_container(root_fd, id, &dir, e);
	if (r != 0)
		return r;
	r = load(dir, id, s, e);
	/* It went between the two steps: not damaged, gone. */
	if (r == STATE_DAMAGED && !still_there(root_fd, id, dir)) {
		state_free(s);
		return none(id, e);
	}
	return r;
}

/* Making and removing. */

static int fill_in_creation(struct state *s, struct err *e)
{
	char state;
	int r = process_stat(getpid(), &state, &s->creator_start);

	if (r < 0)
		return err_set(e, r, "look at this process itself: is /proc mounted?");
	s->creator = getpid();
	s->owner = geteuid();
	timestamp_now(s->created);
	return 0;
}

/* Make a directory with a temporary name, with what a container's has. */
static int make_temporary(int root, struct state *s, char name[NAME_MAX + 1], struct state_lock *l,
			  struct err *e)
{
	unsigned int n = 0;
	int r;

	do {
		r = temporary_name(STATE_NEW, n, name, e);
		if (r < 0)
			return r;
		r = mkdirat(root, name, 0700) < 0 ? -errno : 0;
	} while (r == -EEXIST && ++n < STATE_NAME_TRIES);
	if (r < 0)
		return err_set(e, r, "make the state directory of container '%s'", s->id);

	l->dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (l->dir < 0)
		return err_set(e, -errno, "open the state of container '%s'", s->id);
	r = lock_take(l->dir, s->id, 0, &l->lock, e);
	return r < 0 ? r : state_save(l, s, e);
}

static int publish(int root, const char *name, const char *id, struct err *e)
{
	/* By number: musl has no renameat2(). */
	if (syscall(SYS_renameat2, root, name, root, id, 1 /* RENAME_NOREPLACE */) == 0)
		return 0;
	if (errno == EEXIST)
		return err_say(e, STATE_EXISTS, "container '%s' already exists", id);
	return err_set(e, -errno, "make the state directory of container '%s'", id);
}

int state_create(const char *root, struct state *s, struct state_lock *lock, struct err *e)
{
	_autounlock_ struct state_lock l = STATE_LOCK_INIT;
	_autoclose_ int root_fd = -1;
	char name[NAME_MAX + 1] = "";
	struct err ignored = ERR_INIT;
	int r = state_check_id(s->id, e);

	if (r == 0)
		r = fill_in_creation(s, e);
	if (r == 0)
		r = path_make_dirs(root, 0700, e);
	if (r < 0)
		return r;
	root_fd = open_root(root, e);
	if (root_fd < 0)
		return root_fd;
	sweep(root_fd);
	l.root = strdup(root);
	l.id = strdup(s->id);
	if (!l.root || !l.id)
		return err_set(e, -ENOMEM, "make container '%s'", s->id);

	r = make_temporary(root_fd, s, name, &l, e);
	if (r == 0)
		r = publish(root_fd, name, s->id, e);
	if (r != 0) {
		if (name[0])
			path_remove_tree(root_fd, name, &ignored);
		return r;
	}
	*lock = l;
	l = (struct state_lock)STATE_LOCK_INIT;
	return 0;
}

int state_remove(struct state_lock *lock, struct err *e)
{
	_autoclose_ int root = open_root(lock->root, e);
	char name[NAME_MAX + 1];
	unsigned int n = 0;
	int r;

	if (root < 0)
		return root;
	do {
		r = temporary_name(STATE_OLD, n, name, e);
		if (r < 0)
			return r;
		r = syscall(SYS_renameat2, root, lock->id, root, name, 1 /* RENAME_NOREPLACE */) < 0
			    ? -errno
			    : 0;
	} while (r == -EEXIST && ++n < STATE_NAME_TRIES);
	if (r < 0 && r != -ENOENT)
		return err_set(e, r, "remove the state of container '%s'", lock->id);
	if (r == 0) {
		r = path_remove_tree(root, name, e);
		if (r < 0)
			return err_wrap(e, r, "remove the state of container '%s'", lock->id);
	}
	state_unlock(lock);
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_add(char ***ids, size_t *n, const char *id)
{
	char **more = reallocarray(*ids, *n + 2, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*ids = more;
	more[*n] = strdup(id);
	if (!more[*n])
		return -ENOMEM;
	more[++*n] = NULL;
	return 0;
}

int state_list(const char *root, char ***ids, struct err *e)
{
	char **list = calloc(1, sizeof(*list));
	struct dirent *entry;
	DIR *d = NULL;
	size_t n = 0;
	int r = list ? 0 : err_set(e, -ENOMEM, "list containers");
	int fd;

	if (r < 0)
		return r;
	fd = open_root(root, e);
	if (fd >= 0) {
		sweep(fd);
		d = fdopendir(fd);
		if (!d) {
			r = err_set(e, -errno, "list containers in '%s'", root);
			fd_close(&fd);
		}
	} else if (fd != -ENOENT) {
		r = fd;
	}
	while (d && r == 0 && (entry = readdir(d))) {
		struct err ignored = ERR_INIT;

		if (entry->d_type != DT_DIR || state_check_id(entry->d_name, &ignored) < 0)
			continue;
		if (list_add(&list, &n, entry->d_name) < 0)
			r = err_set(e, -ENOMEM, "list containers");
	}
	if (d)
		closedir(d);
	if (r < 0) {
		str_vector_free(list);
		return r;
	}
	qsort(list, n, sizeof(*list), compare_strings);
	*ids = list;
	return 0;
}
