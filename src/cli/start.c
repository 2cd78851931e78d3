/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc start */
#include "cli/cli.h"

static int start(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	return lifecycle_start(l, a->operand[0], e);
}

const struct cli_command cli_start = {
	.name = "start", .operands = "CONTAINER", .min_operands = 1, .max_operands = 1,
	.summary = "let a created container run", .run = start,
};
