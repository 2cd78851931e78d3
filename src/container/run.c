/* SPDX-License-Identifier: GPL-2.0-only */
/* Run: create, start, and in the foreground wait for the end and delete. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/log.h"
#include "container/create.h"
#include "container/guest_end.h"
#include "container/relay.h"

static int run_wait(struct creation *c, int *status, struct err *e)
{
	struct guest_end end = { .kind = c->plan.guest.kind };
	siginfo_t info = { .si_pid = 0 };
	const char *words;
	int r = relay_run(c->child.pidfd, c->master, e);

	if (r < 0)
		return r;
	while (waitid(P_PID, (id_t)c->child.pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(e, -errno, "wait for process %d", (int)c->child.pid);
	end.signalled = info.si_code != CLD_EXITED;
	end.number = info.si_status;
	*status = guest_end_status(&end);
	words = guest_end_words(&end);
	if (words)
		log_warning("container %s: status %d: %s", c->r->id, *status, words);
	return 0;
}

/* In the foreground: wait, and then remove this very container, whatever came of waiting. */
static int run_to_end(struct creation *c, int *status, struct err *e)
{
	struct err ignored = ERR_INIT;
	int r, removed;

	/* Other commands may work on it while it runs. */
	state_unlock(&c->lock);
	r = run_wait(c, status, e);
	removed = delete_same(c->l, &c->state, r < 0 ? &ignored : e);
	return r < 0 ? r : removed;
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
	r = start_locked(&c.state, &c.lock, c.bundle, e);
	if (r < 0)
		creation_undo(&c);
	else if (!request->detach)
		r = run_to_end(&c, status, e);
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
	*status = 0;
	r = run_blocked(l, request, status, e);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
