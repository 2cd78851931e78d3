/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc list: the columns and the JSON of runc. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/show.h"

enum { QUIET, FORMAT };

static const struct cli_option options[] = {
	[QUIET] = { "quiet", 'q', NULL, "the ids only" },
	[FORMAT] = { "format", 'f', "FORMAT", "table or json" },
	{ .name = NULL },
};

static void list_free(char ***ids)
{
	str_vector_free(*ids);
}

/* One that went away meanwhile, or that is damaged, is no reason to fail: the others are wanted. */
static int list_read(const struct lifecycle *l, const char *id, struct state *s)
{
	struct err e = ERR_INIT;
	int r = state_read(l->root, id, s, &e);

	if (r != 0 && r != STATE_NONE)
		log_warning("container %s: %s", id, e.text);
	return r;
}

static int list_table(const struct lifecycle *l, char **ids)
{
	int width = 10;

	for (char **id = ids; *id; id++)
		if ((int)strlen(*id) > width)
			width = (int)strlen(*id);
	printf("%-*s  %-10s  %-8s  %-30s  %-30s  %s\n", width, "ID", "PID", "STATUS", "BUNDLE",
	       "CREATED", "OWNER");
	for (char **id = ids; *id; id++) {
		_autostate_ struct state s = STATE_INIT;
		char owner[SHOW_OWNER_MAX];

		if (list_read(l, *id, &s) != 0)
			continue;
		printf("%-*s  %-10d  %-8s  %-30s  %-30s  %s\n", width, *id,
		       state_status(&s) == STATE_STOPPED ? 0 : (int)s.pid,
		       state_status_name(state_status(&s)), s.bundle ? s.bundle : "", s.created,
		       show_owner(s.owner, owner));
	}
	return 0;
}

static int list_json(const struct lifecycle *l, char **ids, struct err *e)
{
	json_t *all = json_array();

	for (char **id = ids; *id; id++) {
		_autostate_ struct state s = STATE_INIT;

		if (list_read(l, *id, &s) != 0)
			continue;
		if (show_append(all, show_state(&s)) < 0) {
			json_decref(all);
			all = NULL;
			break;
		}
	}
	return show_json(all, e);
}

static int list(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	__attribute__((cleanup(list_free))) char **ids = NULL;
	const char *format = a->option[FORMAT] ? a->option[FORMAT] : "table";
	int r;

	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_say(e, -EINVAL, "list: --format: '%s' is not table or json", format);
	r = state_list(l->root, &ids, e);
	if (r < 0)
		return r;
	if (a->option[QUIET]) {
		for (char **id = ids; *id; id++)
			puts(*id);
		return 0;
	}
	return strcmp(format, "json") == 0 ? list_json(l, ids, e) : list_table(l, ids);
}

const struct cli_command cli_list = {
	.name = "list", .operands = "", .min_operands = 0, .max_operands = 0,
	.summary = "list the containers", .options = options, .run = list,
};
