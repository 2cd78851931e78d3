/* SPDX-License-Identifier: GPL-2.0-only */
/* The path for programs. The members are listed in docs/explain.md. */
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/draw.h"
#include "explain/words.h"

/* Appends @value, taken, to @list; NULL, for want of memory, is noticed by the caller as well. */
static void append(json_t *list, json_t *value, bool *failed)
{
	*failed |= json_array_append_new(list, value) < 0;
}

static void set(json_t *object, const char *name, json_t *value, bool *failed)
{
	*failed |= json_object_set_new(object, name, value) < 0;
}

/* ---- namespaces ----------------------------------------------------------------------------- */

static const char *name_of(const struct explain_space *x, int link)
{
	const struct net_link *l = explain_net_link(x, link);

	return l ? l->name : NULL;
}

static json_t *links_json(const struct explain_space *x, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->all.nr_links; i++) {
		const struct net_link *l = &x->all.links[i];
		json_t *addresses = json_array();

		for (size_t a = 0; a < x->all.nr_addrs; a++)
			if (x->all.addrs[a].addr.link == (uint32_t)l->index)
				append(addresses,
				       json_string(words_addr(&x->all.addrs[a].addr).text), failed);
		append(list, json_pack("{ss si ss ss sI sb sb ss* so}", "name", l->name, "index",
				       l->index, "kind", l->kind, "mac", words_mac(l->mac).text,
				       "mtu", (json_int_t)l->mtu, "up", (l->flags & IFF_UP) != 0,
				       "carrier", (int)l->carrier, "master",
				       name_of(x, l->master), "addresses", addresses), failed);
	}
	return list;
}

static json_t *neighbours_json(const struct explain_space *x, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->all.nr_neighs; i++) {
		const struct gcfg_neigh *n = &x->all.neighs[i].neigh;

		append(list, json_pack("{ss* ss ss ss sb}", "link", name_of(x, (int)n->link),
				       "address", words_ip(n->family, n->addr).text, "mac",
				       words_mac(n->mac).text, "state", words_nud(n->state),
				       "proxy", (int)x->all.neighs[i].proxy), failed);
	}
	return list;
}

static json_t *filters_json(const struct explain_space *x, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->nr_filters; i++) {
		const struct explain_filter *f = &x->filters[i];

		append(list, json_pack("{ss* ss ss ss si sb sb ss* sI sI}", "link",
				       name_of(x, f->link), "side",
				       f->egress ? "egress" : "ingress", "kind", f->kind, "name",
				       f->name, "priority", (int)f->priority, "ours", (int)f->ours,
				       "drops", (int)f->drops, "redirect", name_of(x, f->redirect),
				       "packets", (json_int_t)f->packets, "dropped",
				       (json_int_t)f->dropped), failed);
	}
	return list;
}

static json_t *fdb_json(const struct explain_space *x, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->nr_fdb; i++)
		if (x->fdb[i].bridge)
			append(list, json_pack("{ss* ss* ss sb sb}", "bridge",
					       name_of(x, x->fdb[i].bridge), "port",
					       name_of(x, x->fdb[i].link), "mac",
					       words_mac(x->fdb[i].mac).text, "local",
					       (int)x->fdb[i].local, "fixed",
					       (int)x->fdb[i].fixed), failed);
	return list;
}

static json_t *guards_json(const struct explain_space *x, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->nr_guards; i++) {
		const struct explain_guard *g = &x->guards[i];
		json_t *drops = json_object();

		for (unsigned int r = 0; r < NET_GUARD_REASONS; r++)
			set(drops, net_guard_reason_name((enum net_guard_reason)r),
			    json_integer((json_int_t)g->stats.drops[r]), failed);
		append(list, json_pack("{ss* ss so}", "link", name_of(x, g->link), "side",
				       g->egress ? "egress" : "ingress", "drops", drops), failed);
	}
	return list;
}

static json_t *space_json(const struct explain_space *x, bool *failed)
{
	return json_pack("{ss sI so so so so so}", "name", x->name, "inode", (json_int_t)x->inode,
			 "links", links_json(x, failed), "neighbours", neighbours_json(x, failed),
			 "filters", filters_json(x, failed), "fdb", fdb_json(x, failed), "guards",
			 guards_json(x, failed));
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* null for link 0. */
static json_t *place_json(const struct explain_facts *f, struct explain_place place)
{
	const struct net_link *l = explain_at(f, place);

	if (!l)
		return json_null();
	return json_pack("{ss ss ss}", "namespace", f->spaces[place.space].name, "link", l->name,
			 "mac", words_mac(l->mac).text);
}

static json_t *answers_json(const struct explain_picture *p, size_t i, const struct gcfg_addr *a,
			    bool *failed)
{
	_autobuf_ struct buf b = BUF_INIT(1 << 16);
	json_t *list = json_array();
	char *save = NULL;

	explain_draw_answer(p, i, a, "", &b);
	*failed |= buf_error(&b) != 0;
	for (char *line = b.data ? strtok_r(b.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		append(list, json_string(line), failed);
	return list;
}

static json_t *guest_json(const struct explain_picture *p, size_t i, bool *failed)
{
	const struct net_plan *plan = p->subject->plan;
	json_t *addresses = json_array(), *gateways = json_array();
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (size_t a = 0; a < plan->nr_addrs; a++)
		if (plan->addrs[a].link == i)
			append(addresses,
			       json_pack("{ss so}", "address", words_addr(&plan->addrs[a]).text,
					 "answered_by",
					 answers_json(p, i, &plan->addrs[a], failed)), failed);
	for (size_t n = 0; n < sizeof(families); n++) {
		const struct gcfg_hop *hop = explain_guest_gateway(p->subject, i, families[n]);

		if (hop)
			append(gateways, json_string(words_ip(hop->gateway_family,
							      hop->gateway).text), failed);
	}
	return json_pack("{ss sI so so}", "mac", words_mac(plan->ports[i].guest_mac).text, "mtu",
			 (json_int_t)plan->links[i].mtu, "addresses", addresses, "gateways",
			 gateways);
}

static json_t *path_json(const struct explain_picture *p, size_t i, bool *failed)
{
	const struct explain_path *path = &p->paths[i];
	const struct net_port *port = &p->subject->plan->ports[i];
	json_t *others = json_array();

	for (size_t o = 0; o < path->nr_others; o++)
		append(others, place_json(p->facts, path->others[o]), failed);
	return json_pack("{ss ss so so so so so so so so ss*}", "interface", port->name, "mode",
			 net_mode_name(port->mode), "guest", guest_json(p, i, failed), "pod",
			 place_json(p->facts, path->pod), "tap", place_json(p->facts, path->tap),
			 "bridge", place_json(p->facts, path->bridge), "host",
			 place_json(p->facts, path->host), "segment",
			 place_json(p->facts, path->segment), "others", others, "router",
			 place_json(p->facts, path->router), "router_by", path->router_by);
}

static json_t *finding_json(const struct explain_finding *f)
{
	if (!f)
		return json_null();
	return json_pack("{ss ss ss ss*}", "hop", explain_hop_name(f->hop), "verdict",
			 explain_verdict_name(f->verdict), "what", f->what, "cure", f->cure);
}

json_t *explain_to_json(const struct explain_picture *p)
{
	json_t *paths = json_array(), *spaces = json_array(), *findings = json_array(),
	       *notices = json_array(), *root;
	const struct explain_subject *s = p->subject;
	bool failed = false;

	for (size_t i = 0; i < s->plan->nr_ports; i++)
		append(paths, path_json(p, i, &failed), &failed);
	for (size_t i = 0; i < p->facts->nr_spaces; i++)
		append(spaces, space_json(&p->facts->spaces[i], &failed), &failed);
	for (size_t i = 0; i < s->plan->nr_notices; i++)
		append(notices, json_string(s->plan->notices[i]), &failed);
	for (size_t i = 0; p->report && i < p->report->nr; i++)
		append(findings, finding_json(&p->report->findings[i]), &failed);
	root = json_pack("{ss* si sb so so so so so}", "container", s->id, "pid", s->pid, "checked",
			 (int)p->probed, "paths", paths, "namespaces", spaces, "notices", notices,
			 "findings", findings, "broken",
			 finding_json(p->report ? explain_broken(p->report) : NULL));
	if (root && failed) {
		json_decref(root);
		return NULL;
	}
	return root;
}
