/* SPDX-License-Identifier: GPL-2.0-only */
/* The path for Graphviz: a cluster for each namespace, a node for each link, an edge per wire. */
#include <string.h>

#include "explain/draw.h"
#include "explain/words.h"

/* Inside of double quotes. */
static void dot_text(struct buf *b, const char *text)
{
	for (; *text; text++)
		buf_printf(b, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
}

struct drawn {
	struct explain_place at[8 + EXPLAIN_MAX_OTHERS];
	size_t nr;
};

static bool drawn_already(const struct drawn *d, struct explain_place at)
{
	for (size_t i = 0; i < d->nr; i++)
		if (d->at[i].space == at.space && d->at[i].link == at.link)
			return true;
	return false;
}

static void add_place(struct drawn *d, struct explain_place at)
{
	if (at.link && !drawn_already(d, at))
		d->at[d->nr++] = at;
}

static void dot_link(const struct explain_facts *f, struct explain_place at, struct buf *b)
{
	const struct net_link *l = explain_at(f, at);
	const struct net_survey *all = &f->spaces[at.space].all;

	buf_printf(b, "    s%zu_%d [label=\"", at.space, at.link);
	dot_text(b, l->name);
	buf_add_str(b, " (");
	dot_text(b, l->kind[0] ? l->kind : "device");
	buf_printf(b, ")\\n%s\\nMTU %u", words_mac(l->mac).text, l->mtu);
	for (size_t i = 0; i < all->nr_addrs; i++)
		if (all->addrs[i].addr.link == (uint32_t)at.link)
			buf_printf(b, "\\n%s", words_addr(&all->addrs[i].addr).text);
	buf_add_str(b, "\"];\n");
}

static void dot_edge(struct explain_place from, struct explain_place to, const char *label,
		     struct buf *b)
{
	if (from.link && to.link)
		buf_printf(b, "  s%zu_%d -- s%zu_%d [label=\"%s\"];\n", from.space, from.link,
			   to.space, to.link, label);
}

static void dot_guest(const struct explain_picture *p, size_t i, struct buf *b)
{
	const struct net_plan *plan = p->subject->plan;

	buf_printf(b, "  guest%zu [shape=box, style=rounded, label=\"guest: ", i);
	dot_text(b, p->subject->id ? p->subject->id : "(would be)");
	buf_add_str(b, "\\n");
	dot_text(b, plan->ports[i].name);
	buf_printf(b, "\\n%s", words_mac(plan->ports[i].guest_mac).text);
	for (size_t a = 0; a < plan->nr_addrs; a++)
		if (plan->addrs[a].link == i)
			buf_printf(b, "\\n%s", words_addr(&plan->addrs[a]).text);
	buf_add_str(b, "\"];\n");
}

static void dot_wires(const struct explain_picture *p, size_t i, const struct drawn *d,
		      struct buf *b)
{
	const struct explain_path *path = &p->paths[i];
	struct explain_place last = path->tap.link ? path->tap : path->pod;

	dot_edge(path->host, path->pod, "", b);
	dot_edge(path->segment, path->host, "port", b);
	for (size_t o = 0; o < path->nr_others; o++)
		if (drawn_already(d, path->others[o]))
			dot_edge(path->segment, path->others[o], "", b);
	if (path->bridge.link) {
		dot_edge(path->pod, path->bridge, "port", b);
		dot_edge(path->bridge, path->tap, "port", b);
	} else {
		dot_edge(path->pod, path->tap, net_mode_name(p->subject->plan->ports[i].mode), b);
	}
	if (last.link)
		buf_printf(b, "  s%zu_%d -- guest%zu;\n", last.space, last.link, i);
}

static void dot_path(const struct explain_picture *p, size_t i, struct buf *b)
{
	const struct explain_path *path = &p->paths[i];
	struct drawn d = { .nr = 0 };

	add_place(&d, path->pod);
	add_place(&d, path->tap);
	add_place(&d, path->bridge);
	add_place(&d, path->host);
	add_place(&d, path->segment);
	add_place(&d, path->router);
	for (size_t o = 0; o < path->nr_others; o++)
		add_place(&d, path->others[o]);
	for (size_t s = 0; s < p->facts->nr_spaces; s++) {
		buf_printf(b, "  subgraph cluster%zu {\n    label=\"", s);
		dot_text(b, p->facts->spaces[s].name);
		buf_add_str(b, "\";\n");
		for (size_t n = 0; n < d.nr; n++)
			if (d.at[n].space == s)
				dot_link(p->facts, d.at[n], b);
		buf_add_str(b, "  }\n");
	}
	dot_guest(p, i, b);
	dot_wires(p, i, &d, b);
}

void explain_draw_dot(const struct explain_picture *p, struct buf *b)
{
	const struct explain_finding *broken = p->report ? explain_broken(p->report) : NULL;

	buf_add_str(b, "graph runnc {\n  node [shape=box];\n");
	for (size_t i = 0; i < p->subject->plan->nr_ports; i++)
		dot_path(p, i, b);
	if (broken) {
		buf_add_str(b, "  label=\"broken at the ");
		dot_text(b, explain_hop_name(broken->hop));
		buf_add_str(b, ": ");
		dot_text(b, broken->what);
		buf_add_str(b, "\";\n");
	}
	buf_add_str(b, "}\n");
}
