/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's process: identity, environment, exec. All of it runs in the process that becomes the
 * user's, after it entered the container's root.
 */
#ifndef NABLA_INIT_PROCESS_H
#define NABLA_INIT_PROCESS_H

#include "guest/init/config.h"

#define INIT_STATUS_FAILED	125	/* could not be set up */
#define INIT_STATUS_NOT_RUNNABLE 126	/* found, but not executable */
#define INIT_STATUS_NOT_FOUND	127

/* What the user's process gets from init; descriptors are borrowed. */
struct init_stdio {
	int in, out, err;		/* all three are the terminal if there is one */
	int terminal;			/* not 0: becomes the controlling terminal */
};

/*
 * Take the session, the streams, limits, identity, capabilities and working directory.
 * @proc is a descriptor of a proc mounted in this process's pid namespace. 0 or -errno.
 */
int init_process_become(const struct init_config *config, const struct init_stdio *stdio, int proc,
			struct err *e);

/*
 * Run the program. Returns only if it could not: the exit status, with @e saying why as runc does.
 */
int init_process_exec(struct init_config *config, struct err *e);

/*
 * The home directory of @uid by the text of a passwd file, @size bytes: *@home points to *@len
 * bytes of it. Returns 0, or -ENOENT if there is no usable entry.
 */
int init_account_home(const char *passwd, size_t size, uint32_t uid, const char **home,
		      size_t *len);

#endif
