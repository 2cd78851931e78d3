/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc delete */
#include "cli/cli.h"

enum { FORCE };

static const struct cli_option options[] = {
	[FORCE] = { "force", 'f', NULL, "also if it runs, is half made, or does not exist" },
	{ .name = NULL },
};

static int delete(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	return lifecycle_delete(l, a->operand[0], a->option[FORCE] != NULL, e);
}

const struct cli_command cli_delete = {
	.name = "delete", .operands = "CONTAINER", .min_operands = 1, .max_operands = 1,
	.summary = "remove what is left of a stopped container", .options = options, .run = delete,
};
