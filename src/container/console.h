/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of a container with process.terminal: a pseudoterminal whose slave end, in raw mode,
 * is the guest's console device (the guest has a line discipline of its own), and whose master end
 * goes to the engine or is relayed to the user's own terminal.
 */
#ifndef RUNNC_CONTAINER_CONSOLE_H
#define RUNNC_CONTAINER_CONSOLE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Make one of @rows by @columns (0: leave). *@master and *@slave are close-on-exec and the
 * caller's. Returns 0 or -errno.
 */
int console_open(uint16_t rows, uint16_t columns, int *master, int *slave, struct err *e);

/* Send @master (borrowed) to the listener on UNIX stream socket @path. Returns 0 or -errno. */
int console_send(const char *path, int master, struct err *e);

/* In the child: @slave becomes the controlling terminal and descriptors 0-2. 0 or -errno. */
int console_become_take_fd(int slave, struct err *e);

#endif
