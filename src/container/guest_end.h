/* SPDX-License-Identifier: GPL-2.0-only */
/* How a guest ended, in words: for the log and for `runnc state`. */
#ifndef RUNNC_CONTAINER_GUEST_END_H
#define RUNNC_CONTAINER_GUEST_END_H

#include <stdbool.h>

#include "container/guest.h"
#include "container/state.h"

struct guest_end {
	enum guest_kind kind;
	bool signalled;			/* its process was killed by signal @number */
	int number;			/* or exited with this status, 0..255 */
};

/* The status as a shell sees it: 128 + N for a death by signal N. */
int guest_end_status(const struct guest_end *end);

/*
 * What that means, e.g. "killed by SIGSYS: it made a host system call that is not allowed". Static.
 * NULL if it says nothing: a program's own exit status.
 */
const char *guest_end_words(const struct guest_end *end);

/*
 * How the container of @s ended. Only its parent is told, and the engine is that; but until the
 * engine has waited for it the process is a zombie, of which proc tells it. Returns true with *@end
 * filled in, or false: it runs, or nobody knows any more.
 */
bool guest_end_of(const struct state *s, struct guest_end *end);

/* The kind that create noted in @s; Linux if it noted none. */
enum guest_kind guest_kind_of(const struct state *s);

#endif
