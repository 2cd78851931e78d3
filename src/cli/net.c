/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc net: draw the path of a container's frames, and say where it breaks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cli/cli.h"
#include "cli/net_subject.h"
#include "cli/show.h"
#include "container/guest_end.h"
#include "explain/draw.h"

#define NET_BROKEN 1			/* exit status of --check */

enum { CHECK, FORMAT };

static const struct cli_option options[] = {
	[CHECK] = { "check", 0, NULL, "try the path; the status is 1 if it is broken" },
	[FORMAT] = { "format", 'f', "FORMAT", "text, json or dot" },
	{ .name = NULL },
};

enum net_format { NET_TEXT, NET_JSON, NET_DOT, NET_FORMATS };

static const char *const formats[NET_FORMATS] = {
	[NET_TEXT] = "text", [NET_JSON] = "json", [NET_DOT] = "dot",
};

static int parse_format(const char *text, enum net_format *format, struct err *e)
{
	*format = NET_TEXT;
	for (unsigned int i = 0; text && i < NET_FORMATS; i++)
		if (strcmp(text, formats[i]) == 0) {
			*format = (enum net_format)i;
			return 0;
		}
	return text ? err_say(e, -EINVAL, "net: --format: '%s' is not text, json or dot", text) : 0;
}

static int print(const struct explain_picture *p, enum net_format format, struct err *e)
{
	_autobuf_ struct buf b = BUF_INIT(EXPLAIN_DRAW_MAX);

	if (format == NET_JSON)
		return show_json(explain_to_json(p), e);
	if (format == NET_DOT)
		explain_draw_dot(p, &b);
	else
		explain_draw_text(p, &b);
	if (buf_error(&b) < 0)
		return err_set(e, buf_error(&b), "draw the network");
	fputs(b.data ? b.data : "", stdout);
	return 0;
}

/* Find what there is to find: fills in @paths and @report, which @p borrows. */
static int explain(const struct explain_picture *p, struct explain_path *paths,
		   struct explain_report *report, struct err *e)
{
	int r = 0;

	if (p->probed && p->subject->plan->nr_ports == 0)
		explain_say(
			report, EXPLAIN_HOP_GUEST, EXPLAIN_BROKEN,
			"the network's plugin must give the namespace an interface with carrier "
			"and an address before the container is created",
			"no interface is handed over: the guest has no network");
	for (size_t i = 0; i < p->subject->plan->nr_ports; i++)
		explain_path_find(p->facts, p->subject, i, &paths[i]);
	for (size_t i = 0; r == 0 && i < p->subject->plan->nr_ports; i++) {
		explain_inspect(p->facts, p->subject, i, &paths[i], report);
		if (p->probed)
			r = explain_probe(p->facts, p->subject, i, &paths[i], report, e);
	}
	if (r == 0 && report->failed)
		r = err_set(e, -ENOMEM, "explain the network");
	return r;
}

static int net(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	_autosubject_ struct net_subject s = NET_SUBJECT_INIT;
	_autofacts_explain_ struct explain_facts facts = { .nr_spaces = 0 };
	_autofree_ struct explain_path *paths = calloc(NABLA_LAUNCH_NETS, sizeof(*paths));
	_autoreport_ struct explain_report report = EXPLAIN_REPORT_INIT;
	struct explain_subject subject = { .plan = &s.plan.net };
	const struct explain_picture picture = {
		.facts = &facts, .subject = &subject, .paths = paths, .report = &report,
		.probed = a->option[CHECK] != NULL,
	};
	enum net_format format;
	int r = parse_format(a->option[FORMAT], &format, e);

	if (r == 0 && !paths)
		r = err_set(e, -ENOMEM, "explain the network");
	if (r == 0)
		r = net_subject_find(l, a->operand[0], &s, e);
	if (r == 0)
		r = explain_facts_gather(s.path, &facts, e);
	if (r < 0)
		return r;
	subject.id = s.has_container ? s.state.id : NULL;
	subject.pid = s.alive ? (int)s.state.pid : 0;
	subject.unikernel = s.has_container && guest_kind_of(&s.state) == GUEST_SOLO5;
	r = explain(&picture, paths, &report, e);
	if (r == 0)
		r = print(&picture, format, e);
	if (r < 0)
		return r;
	return picture.probed && explain_broken(&report) ? NET_BROKEN : 0;
}

const struct cli_command cli_net = {
	.name = "net", .operands = "CONTAINER|NETNS", .min_operands = 1, .max_operands = 1,
	.summary = "draw a container's network path; --check finds where it breaks",
	.options = options, .run = net,
};
