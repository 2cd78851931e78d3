/* SPDX-License-Identifier: GPL-2.0-only */
/* Run: create, start, and in the foreground wait for the end and delete. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "container/create.h"
#include "container/relay.h"

static int run_wait(struct creation *c, int *status, struct err *e)
{
	siginfo_t info = { .si_pid = 0 };
	int r = relay_run(c->child.pidfd, c->master, e);

	if (r < 0)
		return r;
	while (waitid(P_PID, (id_t)c->child.pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(e, -errno, "wait for process %d", (int)c->child.pid);
	*status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

static int run_made(struct creation *c, int *status, struct err *e)
{
	int r = start_locked(&c->state, &c->lock, c->bundle, e);

	if (r < 0) {
		creation_undo(c);
		return r;
	}
	*status = 0;
	if (c->r->detach)
		return 0;
	/* Other commands may work on it while it runs. */
	state_unlock(&c->lock);
	return run_wait(c, status, e);
}

static int run_blocked(const struct lifecycle *l, const struct lifecycle_request *request,
		       int *status, struct err *e)
{
	_autocreation_ struct creation c = CREATION_INIT;
	int r;

	c.l = l;
	c.r = request;
	r = creation_make(&c, e);
	if (r < 0)
		return r;
	r = run_made(&c, status, e);
	return r < 0 ? err_wrap(e, r, "container %s", request->id) : 0;
}

int lifecycle_run(const struct lifecycle *l, const struct lifecycle_request *request, int *status,
		  struct err *e)
{
	sigset_t old;
	/* Signals that come while the container is being made reach it when it runs. */
	int r = relay_block_signals(&old, e);

	if (r < 0)
		return r;
	r = run_blocked(l, request, status, e);
	if (r == 0 && !request->detach)
		r = lifecycle_delete(l, request->id, true, e);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
