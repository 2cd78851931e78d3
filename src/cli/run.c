/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc run */
#include "cli/cli.h"

enum { DETACH = 6 };

static const struct cli_option options[] = {
	CLI_CREATE_OPTIONS,
	[DETACH] = { "detach", 'd', NULL, "do not wait for its end" },
	{ .name = NULL },
};

static int run(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	struct lifecycle_request request;
	int status = 0;
	int r = cli_request(a, &request, e);

	if (r < 0)
		return r;
	request.detach = a->option[DETACH] != NULL;
	r = lifecycle_run(l, &request, &status, e);
	return r < 0 ? r : status;
}

const struct cli_command cli_run = {
	.name = "run", .operands = "CONTAINER", .min_operands = 1, .max_operands = 1,
	.summary = "create and start a container, wait for its end, delete it",
	.options = options, .run = run,
};
