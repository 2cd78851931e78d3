/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc state: the container as [runtime] "State" wants it, and what runc prints beside it. */
#include <errno.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/show.h"

static int state(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	_autostate_ struct state s = STATE_INIT;
	int r = state_read(l->root, a->operand[0], &s, e);

	if (r != 0)
		return r > 0 ? -ENOENT : r;
	return show_json(show_state(&s), e);
}

const struct cli_command cli_state = {
	.name = "state", .operands = "CONTAINER", .min_operands = 1, .max_operands = 1,
	.summary = "print the state of a container as JSON", .run = state,
};
