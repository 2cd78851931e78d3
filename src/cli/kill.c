/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc kill */
#include <errno.h>
#include <signal.h>

#include "cli/cli.h"

enum { ALL };

static const struct cli_option options[] = {
	[ALL] = { "all", 'a', NULL, "all processes; no error if the container has stopped" },
	{ .name = NULL },
};

static int kill_container(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	int number = SIGTERM;

	if (a->operand[1] && cli_signal_parse(a->operand[1], &number) < 0)
		return err_say(e, -EINVAL, "kill: unknown signal '%s'", a->operand[1]);
	return lifecycle_kill(l, a->operand[0], number, a->option[ALL] != NULL, e);
}

const struct cli_command cli_kill = {
	.name = "kill", .operands = "CONTAINER [SIGNAL]", .min_operands = 1, .max_operands = 2,
	.summary = "send a signal to a container (TERM)", .options = options, .run = kill_container,
};
