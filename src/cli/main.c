/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc: the table of commands, the options that all of them share, help and version. */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/cli.h"
#include "container/state.h"
#include "ns/fds.h"

static const struct cli_command *const commands[] = {
	&cli_create, &cli_start, &cli_run, &cli_kill, &cli_delete,
	&cli_state, &cli_list, &cli_spec, &cli_features, &cli_plan, &cli_net,
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Commands of other runtimes that engines may try; they must get an answer that they can show. */
static const char *const not_supported[] = {
	"exec", "ps", "pause", "resume", "update", "checkpoint", "restore", "events",
};

enum global {
	GLOBAL_ROOT, GLOBAL_LOG, GLOBAL_LOG_FORMAT, GLOBAL_DEBUG, GLOBAL_NET_MODE,
	GLOBAL_ALLOW_SPOOFING,
	GLOBAL_SYSTEMD_CGROUP, GLOBAL_CGROUP_MANAGER, GLOBAL_ROOTLESS, GLOBAL_VERSION, GLOBAL_HELP,
	GLOBALS
};

static const struct cli_option globals[GLOBALS + 1] = {
	[GLOBAL_ROOT] = { "root", 0, "DIR", "state of the containers (" STATE_DEFAULT_ROOT ")" },
	[GLOBAL_LOG] = { "log", 0, "FILE", "append messages to this file" },
	[GLOBAL_LOG_FORMAT] = { "log-format", 0, "FORMAT", "text or json" },
	[GLOBAL_DEBUG] = { "debug", 0, NULL, "say more, also from the guest's kernel" },
	[GLOBAL_NET_MODE] = { "net-mode", 0, "MODE",
			      "tc, bridge, macvtap, packet or auto: the guest's connection" },
	[GLOBAL_ALLOW_SPOOFING] = { "allow-spoofing", 0, NULL,
				    "do not guard guests that have CAP_NET_RAW or _ADMIN" },
	[GLOBAL_SYSTEMD_CGROUP] = { "systemd-cgroup", 0, NULL, "cgroup paths: slice:prefix:name" },
	[GLOBAL_CGROUP_MANAGER] = { "cgroup-manager", 0, "NAME", "cgroupfs, systemd or disabled" },
	[GLOBAL_ROOTLESS] = { "rootless", 0, "WHETHER", "accepted; runnc needs root" },
	[GLOBAL_VERSION] = { "version", 'v', NULL, "print the version" },
	[GLOBAL_HELP] = { "help", 'h', NULL, "print this help" },
};

/* ---- options ------------------------------------------------------------------------------- */

/* getopt_long()'s tables: the command's options, then the global ones; val is BASE + index. */
#define BASE 256

struct option_tables {
	struct option longs[CLI_MAX_OPTIONS + GLOBALS + 1];
	char shorts[4 * (CLI_MAX_OPTIONS + GLOBALS)];
	size_t n;
};

static void tables_add(struct option_tables *t, const struct cli_option *options)
{
	for (; options && options->name; options++) {
		size_t len = strlen(t->shorts);

		t->longs[t->n] = (struct option){
			.name = options->name, .val = BASE + (int)t->n,
			.has_arg = options->value ? required_argument : no_argument,
		};
		if (options->letter)
			snprintf(t->shorts + len, sizeof(t->shorts) - len, "%c%s", options->letter,
				 options->value ? ":" : "");
		t->n++;
	}
}

/* The index in both tables together of what getopt_long() returned. */
static size_t option_index(int got, const struct cli_option *own, size_t nr_own)
{
	if (got >= BASE)
		return (size_t)(got - BASE);
	for (size_t i = 0; i < nr_own; i++)
		if (own[i].letter == got)
			return i;
	for (size_t i = 0; i < GLOBALS; i++)
		if (globals[i].letter == got)
			return nr_own + i;
	return nr_own;		/* not reached: getopt_long() knows these letters only */
}

static size_t count_options(const struct cli_option *options)
{
	size_t n = 0;

	while (options && options[n].name)
		n++;
	return n;
}

/*
 * Parse up to the end, or with @command NULL up to the first operand. Values go into @own (by index
 * in the command's table) and @global. Afterwards argv[optind] is the first operand.
 */
static int parse_options(int argc, char **argv, const struct cli_command *command, const char **own,
			 const char **global, struct err *e)
{
	const struct cli_option *options = command ? command->options : NULL;
	/* "+": stop at an operand; ":": tell a missing value from an unknown option. */
	struct option_tables t = { .shorts = "" };
	size_t nr_own = count_options(options);
	int got;

	strcpy(t.shorts, command ? ":" : "+:");
	tables_add(&t, options);
	tables_add(&t, globals);
	opterr = 0;
	optind = 0;
	while ((got = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		size_t i;

		if (got == ':')
			return err_say(e, -EINVAL, "option '%s' needs a value", argv[optind - 1]);
		if (got == '?' && optopt > 0 && optopt < BASE)
			return err_say(e, -EINVAL, "unknown option '-%c'", optopt);
		if (got == '?')
			return err_say(e, -EINVAL, optopt ? "option '%s' takes no value" :
				       "unknown option '%s'", argv[optind - 1]);
		i = option_index(got, options, nr_own);
		if (i < nr_own)
			own[i] = optarg ? optarg : "";
		else
			global[i - nr_own] = optarg ? optarg : "";
	}
	return 0;
}

/* ---- help ---------------------------------------------------------------------------------- */

static void print_options(const struct cli_option *options)
{
	for (; options && options->name; options++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s%s%c", options->name,
			 options->value ? " " : "", options->value ? options->value : "",
			 options->letter ? ", -" : "", options->letter ? options->letter : ' ');
		printf("  %-28s %s\n", left, options->help);
	}
}

static int print_help(const struct cli_command *command)
{
	if (command) {
		printf("usage: runnc [OPTION]... %s [OPTION]... %s\n\n%s\n", command->name,
		       command->operands, command->summary);
		if (command->options)
			printf("\nOptions of %s:\n", command->name);
		print_options(command->options);
	} else {
		puts("usage: runnc [OPTION]... COMMAND [OPTION]... [OPERAND]...\n\n"
		     "An OCI runtime for Nabla containers: each is one confined process, in which\n"
		     "Linux runs as a library under the image's own programs.\n\nCommands:");
		for (size_t i = 0; i < NR_COMMANDS; i++)
			printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	}
	puts("\nOptions of all commands:");
	print_options(globals);
	return 0;
}

static int print_version(void)
{
	puts("runnc version " RUNNC_VERSION "\nspec: " CLI_SPEC_VERSION);
	return 0;
}

/* ---- what is global ------------------------------------------------------------------------- */

static int open_log(const char *const *global, struct err *e)
{
	const char *format = global[GLOBAL_LOG_FORMAT];

	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_say(e, -EINVAL, "--log-format: '%s' is not text or json", format);
	return log_open(global[GLOBAL_LOG],
			format && strcmp(format, "json") == 0 ? LOG_JSON : LOG_TEXT,
			global[GLOBAL_DEBUG] != NULL, e);
}

/* *@root is the caller's to free; @l borrows it. */
static int set_globals(const char *const *global, struct lifecycle *l, char **root, struct err *e)
{
	const char *manager = global[GLOBAL_CGROUP_MANAGER];

	*root = path_absolute(global[GLOBAL_ROOT] ? global[GLOBAL_ROOT] : STATE_DEFAULT_ROOT);
	if (!*root)
		return err_set(e, -errno, "--root '%s'", global[GLOBAL_ROOT]);
	if (manager && strcmp(manager, "cgroupfs") != 0 && strcmp(manager, "systemd") != 0 &&
	    strcmp(manager, "disabled") != 0)
		return err_say(e, -EINVAL,
			       "--cgroup-manager: '%s' is not cgroupfs, systemd or disabled",
			       manager);
	*l = (struct lifecycle){
		.root = *root,
		/* For tests, and for those who keep images elsewhere. */
		.image_cache = getenv("RUNNC_IMAGE_CACHE"),
		.net_mode = global[GLOBAL_NET_MODE],
		.allow_spoofing = global[GLOBAL_ALLOW_SPOOFING] ||
				  cli_allows_spoofing(CLI_ALLOW_SPOOFING),
		.systemd_cgroup = global[GLOBAL_SYSTEMD_CGROUP] ||
				  (manager && strcmp(manager, "systemd") == 0),
		.no_cgroup = manager && strcmp(manager, "disabled") == 0,
		.debug = global[GLOBAL_DEBUG] != NULL,
	};
	return 0;
}

/* ---- commands ------------------------------------------------------------------------------ */

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int refuse_command(const char *name, struct err *e)
{
	for (size_t i = 0; i < sizeof(not_supported) / sizeof(not_supported[0]); i++)
		if (strcmp(not_supported[i], name) == 0)
			return err_say(e, -EOPNOTSUPP, "%s: not supported yet", name);
	return err_say(e, -EINVAL, "unknown command '%s' (runnc --help lists them)", name);
}

static int take_operands(int argc, char **argv, const struct cli_command *command,
			 struct cli_args *a, struct err *e)
{
	size_t n = (size_t)(argc - optind);

	if (n < command->min_operands)
		return err_say(e, -EINVAL, "%s: too few arguments: it takes %s", command->name,
			       command->operands);
	if (n > command->max_operands)
		return err_say(e, -EINVAL, "%s: unexpected argument '%s'", command->name,
			       argv[(size_t)optind + command->max_operands]);
	for (size_t i = 0; i < n; i++)
		a->operand[i] = argv[(size_t)optind + i];
	return 0;
}

static int run_command(int argc, char **argv, const struct cli_command *command,
		       const char **global, struct err *e)
{
	_autofree_ char *root = NULL;
	struct cli_args args = { .operand = { NULL } };
	struct err first = ERR_INIT;
	struct lifecycle l;
	int bad = parse_options(argc, argv, command, args.option, global, &first);
	/* The log may have been named before the mistake: then it must hold the message. */
	int r = open_log(global, e);

	if (bad < 0) {
		*e = first;
		return err_wrap(e, bad, "%s", command->name);
	}
	if (r < 0)
		return r;
	if (global[GLOBAL_HELP])
		return print_help(command);
	r = take_operands(argc, argv, command, &args, e);
	if (r == 0)
		r = set_globals(global, &l, &root, e);
	return r < 0 ? r : command->run(&l, &args, e);
}

static int run(int argc, char **argv, struct err *e)
{
	const char *global[GLOBALS] = { NULL };
	const struct cli_command *command;
	int first, r;

	r = parse_options(argc, argv, NULL, NULL, global, e);
	if (r < 0)
		return r;
	if (global[GLOBAL_VERSION])
		return print_version();
	first = optind;
	if (first == argc) {
		print_help(NULL);
		return global[GLOBAL_HELP] ? 0 : EXIT_FAILURE;
	}
	command = find_command(argv[first]);
	if (command)
		return run_command(argc - first, argv + first, command, global, e);
	r = open_log(global, e);
	return r < 0 ? r : refuse_command(argv[first], e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int r = ns_fds_ensure_stdio(&e);

	/* The caller may have left these ignored, and that survives execve(). */
	signal(SIGCHLD, SIG_DFL);
	if (r == 0)
		r = run(argc, argv, &e);
	if (r < 0)
		log_error("%s", e.text);
	/* Output that did not get out is a failure, even if everything else worked. */
	if (fflush(stdout) != 0 && r == 0) {
		log_error("write to stdout: %s", strerror(errno));
		r = EXIT_FAILURE;
	}
	return r < 0 ? EXIT_FAILURE : r;
}
