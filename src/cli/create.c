/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc create, and the options that it shares with run. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

enum { BUNDLE, PID_FILE, CONSOLE_SOCKET, NO_PIVOT, NO_NEW_KEYRING, PRESERVE_FDS };

static const struct cli_option options[] = {
	CLI_CREATE_OPTIONS,
	{ .name = NULL },
};

int cli_request(const struct cli_args *a, struct lifecycle_request *r, struct err *e)
{
	if (a->option[PRESERVE_FDS] && strcmp(a->option[PRESERVE_FDS], "0") != 0)
		return err_say(e, -EINVAL,
			       "--preserve-fds %s: descriptors cannot be passed into a guest",
			       a->option[PRESERVE_FDS]);
	*r = (struct lifecycle_request){
		.id = a->operand[0],
		.bundle = a->option[BUNDLE] ? a->option[BUNDLE] : ".",
		.pid_file = a->option[PID_FILE],
		.console_socket = a->option[CONSOLE_SOCKET],
	};
	return 0;
}

static int create(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	struct lifecycle_request request;
	int r = cli_request(a, &request, e);

	if (r < 0)
		return r;
	request.detach = true;
	return lifecycle_create(l, &request, e);
}

const struct cli_command cli_create = {
	.name = "create", .operands = "CONTAINER", .min_operands = 1, .max_operands = 1,
	.summary = "make a container from a bundle; it waits for start",
	.options = options, .run = create,
};
