/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `run` in the foreground: signals go on to the container's process, and with a console, bytes and
 * window sizes go between it and the user's own terminal.
 */
#ifndef RUNNC_CONTAINER_RELAY_H
#define RUNNC_CONTAINER_RELAY_H

#include <signal.h>

#include "base/err.h"

/* Block those signals that relay_run() passes on; *@old is what to set afterwards. 0 or -errno. */
int relay_block_signals(sigset_t *old, struct err *e);

/*
 * Serve until the process of @pidfd has ended. @master is the console's master end, or -1. All are
 * borrowed. The signals of relay_block_signals() are blocked. A terminal on descriptor 0 is in
 * raw mode meanwhile. Returns 0 or -errno.
 */
int relay_run(int pidfd, int master, struct err *e);

#endif
