/* SPDX-License-Identifier: GPL-2.0-only */
/* The path as a picture for people (text), for Graphviz (dot), and for programs (JSON). Pure. */
#ifndef RUNNC_EXPLAIN_DRAW_H
#define RUNNC_EXPLAIN_DRAW_H

#include <jansson.h>

#include "base/buf.h"
#include "explain/report.h"

#define EXPLAIN_DRAW_MAX (16u << 20)	/* bytes that a drawing may have */

/* paths[N] belongs to subject->plan->ports[N]. @report may be NULL: not checked. */
struct explain_picture {
	const struct explain_facts *facts;
	const struct explain_subject *subject;
	const struct explain_path *paths;
	const struct explain_report *report;
	bool probed;			/* the report holds more than what can be seen */
};

/* Append to @b; buf_error() tells whether memory was enough. */
void explain_draw_text(const struct explain_picture *p, struct buf *b);
void explain_draw_dot(const struct explain_picture *p, struct buf *b);

/* The caller's; NULL: no memory. The members are listed in docs/explain.md. */
json_t *explain_to_json(const struct explain_picture *p);

/*
 * Who would answer "who has @a?" asked on port @i's segment, in words. Append to @b, one line each,
 * with @indent before it.
 */
void explain_draw_answer(const struct explain_picture *p, size_t i, const struct gcfg_addr *a,
			 const char *indent, struct buf *b);

#endif
