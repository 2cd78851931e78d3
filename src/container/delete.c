/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kill and delete. Delete undoes, from the saved state alone, what create made, in this order:
 * processes, network (its TAPs are gone with the process), cgroup, the state itself, poststop
 * hooks. Every step may find its work done already, so all of it can be repeated after kill -9, and
 * after an error.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "container/create.h"
#include "container/network.h"
#include "image/image.h"
#include "ns/cgroup.h"

#define DELETE_TIMEOUT_MS	10000

static int delete_kill_process(const struct state *s, struct err *e)
{
	struct pollfd p = { .events = POLLIN };
	_autoclose_ int pidfd = -1;
	int r;

	if (!state_alive(s))
		return 0;
	r = state_pidfd(s, &pidfd, e);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return r;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_set(e, -errno, "kill process %d", (int)s->pid);
	p.fd = pidfd;
	do {
		r = poll(&p, 1, DELETE_TIMEOUT_MS);
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_say(e, -ETIMEDOUT, "process %d does not die", (int)s->pid);
	return r < 0 ? err_set(e, -errno, "wait for process %d", (int)s->pid) : 0;
}

/*
 * Once it is an error that not all could be put back, so that somebody learns of it. Engines repeat
 * a delete that failed, and nobody else may be able to cure the namespace: the next one tries
 * again, and what is still missing is then a warning.
 */
static int delete_restore_network(struct state *s, const struct state_lock *lock, struct err *e)
{
	int r = network_restore(s, lock, e);

	if (r == 0)
		return 0;
	if (!s->net_failed) {
		s->net_failed = true;
		return r;
	}
	log_warning("container %s: %s", s->id, e->text);
	return 0;
}

/* What the step @code failed at; with @force a warning. Returns 0 or @code. */
static int delete_judge(const struct state *s, bool force, int code, const struct err *e)
{
	if (code >= 0)
		return 0;
	if (!force)
		return code;
	log_warning("container %s: %s", s->id, e->text);
	return 0;
}

int delete_resources(struct state *s, const struct state_lock *lock, bool force, struct err *e)
{
	/* A process that lives on makes all the rest meaningless, also with @force. */
	int r = delete_kill_process(s, e);

	if (r == 0)
		r = delete_judge(s, force, cgroup_kill(&s->cgroups, DELETE_TIMEOUT_MS, e), e);
	if (r == 0)
		r = delete_judge(s, force, delete_restore_network(s, lock, e), e);
	if (r == 0)
		r = delete_judge(s, force, cgroup_remove(&s->cgroups, DELETE_TIMEOUT_MS, e), e);
	return r;
}

/*
 * The image cache may take a fifth of its file system; what exceeds that and is in no container
 * goes now, the least recently used first. A failure here is nobody's container's.
 */
static void delete_prune_images(const struct lifecycle *l)
{
	const char *dir = l->image_cache ? l->image_cache : IMAGE_CACHE_DIR;
	struct err e = ERR_INIT;
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0)
		return;
	if (image_prune(l->image_cache, (uint64_t)fs.f_blocks * fs.f_frsize / 5, &e) < 0)
		log_warning("%s", e.text);
}

static int delete_check_status(const struct state *s, bool force, struct err *e)
{
	enum state_status status = state_status(s);

	if (force || status == STATE_STOPPED)
		return 0;
	return err_say(e, -EBUSY, "is %s: kill it first, or use --force",
		       state_status_name(status));
}

/* The container stays, for another delete. */
static int delete_later(const struct state *s, const struct state_lock *lock, int code,
			struct err *e)
{
	struct err why = ERR_INIT;

	if (state_save(lock, s, &why) < 0)
		log_warning("container %s: %s", s->id, why.text);
	return err_wrap(e, code, "the network is not as it was (another 'runnc delete' tries "
			"again, and then removes the container all the same)");
}

static int delete_locked(const struct lifecycle *l, struct state *s, struct state_lock *lock,
			 bool force, struct err *e)
{
	bool net_failed = s->net_failed;
	_autofree_ char *dir = state_path(l->root, s->id, NULL);
	_autobundle_ struct bundle *b = NULL;
	int r = delete_check_status(s, force, e);

	if (r < 0)
		return r;
	if (!dir)
		return err_set(e, -ENOMEM, "find its state");
	/* A create that was killed before it copied config.json has not run a hook either. */
	if (bundle_load(dir, &b, e) < 0)
		log_debug("container %s: %s", s->id, e->text);
	r = delete_resources(s, lock, force, e);
	if (r < 0 && s->net_failed && !net_failed)
		return delete_later(s, lock, r, e);
	if (r < 0)
		return r;
	r = state_remove(lock, e);
	if (r < 0)
		return r;
	delete_prune_images(l);
	if (!b)
		return 0;
	return creation_run_hooks(BUNDLE_HOOK_POSTSTOP, b, s, STATE_STOPPED, e);
}

static int delete_damaged(struct state_lock *lock, bool force, struct err *e)
{
	if (!force)
		return -EIO;
	log_warning("%s: removing its directory only", e->text);
	return state_remove(lock, e);
}

int lifecycle_delete(const struct lifecycle *l, const char *id, bool force, struct err *e)
{
	_autounlock_ struct state_lock lock = STATE_LOCK_INIT;
	_autostate_ struct state s = STATE_INIT;
	int r = state_open(l->root, id, STATE_LOCK_TIMEOUT_MS, &lock, &s, e);

	if (r == STATE_NONE)
		return force ? 0 : -ENOENT;
	if (r == STATE_DAMAGED)
		return delete_damaged(&lock, force, e);
	if (r < 0)
		return r;
	r = delete_locked(l, &s, &lock, force, e);
	return r < 0 ? err_wrap(e, r, "container %s", id) : 0;
}

int delete_same(const struct lifecycle *l, const struct state *was, struct err *e)
{
	_autounlock_ struct state_lock lock = STATE_LOCK_INIT;
	_autostate_ struct state s = STATE_INIT;
	int r = state_open(l->root, was->id, STATE_LOCK_TIMEOUT_MS, &lock, &s, e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (s.pid != was->pid || s.pid_start != was->pid_start)
		return 0;
	return delete_locked(l, &s, &lock, true, e);
}

/* ---- kill ---------------------------------------------------------------------------------- */

/* The words are runc's: containerd and others look for them in the log. */
#define KILL_NOT_RUNNING "container not running"

static int kill_process(const struct state *s, int signal, bool all, struct err *e)
{
	_autoclose_ int pidfd = -1;
	enum state_status status = state_status(s);
	int r;

	if (status != STATE_CREATED && status != STATE_RUNNING)
		return all && status == STATE_STOPPED ? 0 : err_say(e, -ESRCH, KILL_NOT_RUNNING);
	r = state_pidfd(s, &pidfd, e);
	if (r == 0 && syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
		r = err_set(e, -errno, "send signal %d to process %d", signal, (int)s->pid);
	if (r == -ESRCH)
		return all ? 0 : err_say(e, -ESRCH, KILL_NOT_RUNNING);
	return r;
}

int lifecycle_kill(const struct lifecycle *l, const char *id, int signal, bool all, struct err *e)
{
	_autostate_ struct state s = STATE_INIT;
	/* Without the lock: a signal must also get through while a hook of `start` hangs. */
	int r = state_read(l->root, id, &s, e);

	if (r != 0)
		return r > 0 ? -ENOENT : r;
	r = kill_process(&s, signal, all, e);
	return r < 0 ? err_wrap(e, r, "container %s", id) : 0;
}
