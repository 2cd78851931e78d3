/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: what a command is, and what it gets. */
#ifndef RUNNC_CLI_CLI_H
#define RUNNC_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "container/lifecycle.h"

#define CLI_MAX_OPTIONS		16	/* of one command, without the global ones */
#define CLI_MAX_OPERANDS	2
#define CLI_SPEC_VERSION	"1.2.0"	/* newest OCI runtime-spec that we know */

struct cli_option {
	const char *name;		/* "bundle"; NULL ends a table */
	char letter;			/* 'b', or 0 */
	const char *value;		/* what its value is: "DIR"; NULL: it takes none */
	const char *help;
};

/* What a command was given: all strings are those of argv. */
struct cli_args {
	/* By index in the command's table of options. NULL: not given; "": has no value. */
	const char *option[CLI_MAX_OPTIONS];
	const char *operand[CLI_MAX_OPERANDS];	/* NULL behind the last one */
};

struct cli_command {
	const char *name;
	const char *operands;		/* for the help: "CONTAINER [SIGNAL]" */
	const char *summary;
	size_t min_operands;
	size_t max_operands;
	const struct cli_option *options;	/* NULL: none of its own */
	/* Returns the exit status, or a negative errno with @e filled in. */
	int (*run)(const struct lifecycle *l, const struct cli_args *a, struct err *e);
};

/* One file each. */
extern const struct cli_command cli_create, cli_start, cli_run, cli_kill, cli_delete, cli_state,
	cli_list, cli_spec, cli_features, cli_plan, cli_net;

/*
 * Does the operator let bundles with CAP_NET_RAW or CAP_NET_ADMIN send under any address? If @path
 * is a regular file of root's that nobody else may write; what it contains does not matter.
 */
#define CLI_ALLOW_SPOOFING "/etc/runnc/allow-spoofing"
bool cli_allows_spoofing(const char *path);

/*
 * "TERM", "SIGTERM" (any case), "15", "RTMIN+1": the signal's number in *@signal. Returns 0 or
 * -EINVAL.
 */
int cli_signal_parse(const char *text, int *signal);

/* Fill in a request from `create`'s or `run`'s options. Returns 0 or -errno. */
int cli_request(const struct cli_args *a, struct lifecycle_request *r, struct err *e);
#define CLI_CREATE_OPTIONS \
	{ "bundle", 'b', "DIR", "the bundle; the default is the current directory" }, \
	{ "pid-file", 0, "FILE", "write the process id of the container's process there" }, \
	{ "console-socket", 0, "SOCKET", "send the terminal there (process.terminal)" }, \
	{ "no-pivot", 0, NULL, "accepted: the process has an empty root in any case" }, \
	{ "no-new-keyring", 0, NULL, "accepted: guests do not see the host's keyrings" }, \
	{ "preserve-fds", 0, "N", "only 0 is supported" }

#endif
