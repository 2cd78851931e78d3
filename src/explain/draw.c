/* SPDX-License-Identifier: GPL-2.0-only */
/* The path as boxes and lines, as the figures of the post "br1dging the Gap II" draw it. */
#include "explain/draw.h"

#include <inttypes.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/words.h"
#include "net/ports_table.h"
#include "net/tc.h"

#define BOX_WIDTH 74			/* at least */
#define FDB_SHOWN 24			/* of one bridge */

/* ---- boxes ---------------------------------------------------------------------------------- */

static void draw_rule(struct buf *b, const char *left, size_t width, const char *right)
{
	buf_add_str(b, left);
	while (width-- > 0)
		buf_add_str(b, "─");
	buf_printf(b, "%s\n", right);
}

/* @lines, which are ASCII, each with its newline. */
static void draw_box(struct buf *b, const char *title, const struct buf *lines)
{
	size_t width = BOX_WIDTH, len;

	for (const char *at = lines->data; at && *at; at += len + 1) {
		len = strcspn(at, "\n");
		width = len > width ? len : width;
	}
	if (strlen(title) + 2 > width)
		width = strlen(title) + 2;
	buf_add_str(b, "┌─ ");
	buf_add_str(b, title);
	len = strlen(title) + 1;
	draw_rule(b, " ", width > len ? width - len : 0, "┐");
	for (const char *at = lines->data; at && *at; at += len + 1) {
		len = strcspn(at, "\n");
		buf_printf(b, "│ %-*.*s │\n", (int)width, (int)len, at);
	}
	draw_rule(b, "└", width + 2, "┘");
}

static void draw_wire(struct buf *b, const char *what)
{
	buf_printf(b, "        │%s%s\n", what[0] ? " " : "", what);
}

/* ---- lines about a link --------------------------------------------------------------------- */

/* What becomes of a frame, by the place that runnc's filter has among its filters (net/tc.h). */
static const char *verdict_of(const struct explain_filter *f)
{
	if (f->drops)
		return "is dropped";
	if (!f->ours)
		return "is judged";
	switch (f->priority) {
	case NET_TC_PRIORITY_FORWARD:
		return "stays, if it is for the namespace itself";
	case NET_TC_PRIORITY_GUARD:
		return "is dropped, if its sender is not who it says";
	case NET_TC_PRIORITY_ANSWER:
		if (strcmp(f->name, NET_TC_SHARE_NAME) == 0)
			return "stays, if a socket of the namespace wants it; else it is the "
			       "guest's whose port it is for";
		return "is answered here, if it can be";
	}
	return "is dropped: only the guest's socket sees it";
}

static void line_filters(const struct explain_space *x, int link, struct buf *b)
{
	for (size_t i = 0; i < x->nr_filters; i++) {
		const struct explain_filter *f = &x->filters[i];
		const struct net_link *to = explain_net_link(x, f->redirect);

		if (f->link != link)
			continue;
		buf_printf(b, "  filter, what %s: ", f->egress ? "goes out" : "comes in");
		if (f->redirect)
			buf_printf(b, "leaves by %s (%s, %" PRIu64 " packets", to ? to->name : "?",
				   f->kind, f->packets);
		else
			buf_printf(b, "%s (%s%s%s", verdict_of(f), f->kind, f->name[0] ? " " : "",
				   f->name);
		/* Of several guests in the namespace. */
		if (f->ours && f->handle > 1 && f->handle <= NET_PORTS_GUESTS)
			buf_printf(b, ", guest %" PRIu32, f->handle);
		buf_printf(b, "%s)\n", f->ours ? ", runnc's" : "");
	}
	for (size_t i = 0; i < x->nr_guards; i++)
		for (unsigned int r = 0; x->guards[i].link == link && r < NET_GUARD_REASONS; r++)
			if (x->guards[i].stats.drops[r])
				buf_printf(b, "    the guard has dropped %" PRIu64 " frames: %s\n",
					   x->guards[i].stats.drops[r],
					   net_guard_reason_name((enum net_guard_reason)r));
}

static void line_neighbours(const struct explain_space *x, int link, struct buf *b)
{
	for (size_t i = 0; i < x->all.nr_neighs; i++) {
		const struct gcfg_neigh *n = &x->all.neighs[i].neigh;

		if (n->link != (uint32_t)link || x->all.neighs[i].proxy ||
		    (n->state & NUD_NOARP) ||
		    (n->family == AF_INET6 && n->addr[0] == 0xff))
			continue;
		buf_printf(b, "  neighbour %s is at %s (%s)\n", words_ip(n->family, n->addr).text,
			   words_mac(n->mac).text, words_nud(n->state));
	}
}

static void line_table(const struct explain_space *x, int bridge, struct buf *b)
{
	size_t shown = 0;

	for (size_t i = 0; i < x->nr_fdb; i++) {
		const struct explain_fdb *e = &x->fdb[i];
		const struct net_link *l = explain_net_link(x, e->link);

		/* Groups; and what a port is called itself is drawn with the port. */
		if (e->bridge != bridge || (e->mac[0] & 1) || !l ||
		    (e->local && memcmp(e->mac, l->mac, 6) == 0 && l->index == bridge))
			continue;
		if (shown++ == FDB_SHOWN) {
			buf_add_str(b, "  table: more\n");
			return;
		}
		buf_printf(b, "  table: %s is %s%s\n", words_mac(e->mac).text,
			   e->local ? "its own, of port " : "behind ", l->name);
	}
}

static void line_addresses(const struct explain_space *x, int link, struct buf *b)
{
	for (size_t i = 0; i < x->all.nr_addrs; i++)
		if (x->all.addrs[i].addr.link == (uint32_t)link)
			buf_printf(b, "  address %s\n", words_addr(&x->all.addrs[i].addr).text);
}

static void line_routes(const struct explain_space *x, int link, struct buf *b)
{
	for (size_t i = 0; i < x->all.nr_routes; i++) {
		const struct net_route *r = &x->all.routes[i];
		struct words dst = words_ip(r->route.family, r->route.dst);

		if (r->kernel_made || !r->route.nr_hops || r->hops[0].link != (uint32_t)link)
			continue;
		buf_add_str(b, "  route ");
		if (r->route.dst_prefix)
			buf_printf(b, "%s/%u", dst.text, r->route.dst_prefix);
		else
			buf_add_str(b, "default");
		if (r->hops[0].gateway_family)
			buf_printf(b, " via %s",
				   words_ip(r->hops[0].gateway_family, r->hops[0].gateway).text);
		buf_add_str(b, "\n");
	}
}

static void line_link(const struct explain_facts *f, struct explain_place place, struct buf *b)
{
	const struct explain_space *x = &f->spaces[place.space];
	const struct net_link *l = explain_at(f, place);
	const struct explain_link *more = explain_link(x, place.link);
	const struct net_link *master = l ? explain_net_link(x, l->master) : NULL;

	if (!l)
		return;
	buf_printf(b, "%s (%s)  %s  MTU %u  %s%s\n", l->name, l->kind[0] ? l->kind : "device",
		   words_mac(l->mac).text, l->mtu, l->flags & IFF_UP ? "up" : "DOWN",
		   (l->flags & IFF_UP) && !l->carrier ? ", NO CARRIER" : "");
	if (master)
		buf_printf(b, "  port of bridge %s\n", master->name);
	line_addresses(x, place.link, b);
	if (more && more->proxy)
		buf_add_str(b, "  answers ARP for what it can route elsewhere (proxy_arp)\n");
	line_filters(x, place.link, b);
	if (strcmp(l->kind, "bridge") == 0)
		line_table(x, place.link, b);
	line_neighbours(x, place.link, b);
	line_routes(x, place.link, b);
}

/* ---- the parts ------------------------------------------------------------------------------ */

static bool same_place(struct explain_place a, struct explain_place b)
{
	return a.space == b.space && a.link == b.link;
}

static void draw_router(const struct explain_picture *p, const struct explain_path *path,
			struct buf *b)
{
	_autobuf_ struct buf lines = BUF_INIT(EXPLAIN_DRAW_MAX);
	_autobuf_ struct buf title = BUF_INIT(4096);

	/* Drawn with the host. */
	if (!path->router.link || same_place(path->router, path->host) ||
	    same_place(path->router, path->segment))
		return;
	buf_printf(&title, "router: %s", p->facts->spaces[path->router.space].name);
	buf_printf(&lines, "it %s\n", path->router_by);
	line_link(p->facts, path->router, &lines);
	draw_box(b, title.data ? title.data : "router", &lines);
	draw_wire(b, "veth pair");
}

static void draw_host(const struct explain_picture *p, const struct explain_path *path,
		      struct buf *b)
{
	_autobuf_ struct buf lines = BUF_INIT(EXPLAIN_DRAW_MAX);
	_autobuf_ struct buf title = BUF_INIT(4096);
	const struct net_link *pod = explain_at(p->facts, path->pod);

	if (!path->host.link) {
		draw_wire(b, "the other end cannot be seen from here");
		return;
	}
	buf_printf(&title, "host end: %s", p->facts->spaces[path->host.space].name);
	if (path->segment.link) {
		line_link(p->facts, path->segment, &lines);
		for (size_t i = 0; i < path->nr_others; i++) {
			const struct net_link *l = explain_at(p->facts, path->others[i]);

			buf_printf(&lines, "  leads to %s  %s\n",
				   words_place(p->facts, path->others[i]).text,
				   l ? words_mac(l->mac).text : "");
		}
	}
	line_link(p->facts, path->host, &lines);
	if (path->router.link && (same_place(path->router, path->host) ||
				  same_place(path->router, path->segment)))
		buf_printf(&lines, "the router: it %s\n", path->router_by);
	draw_box(b, title.data ? title.data : "host end", &lines);
	draw_wire(b, pod && strcmp(pod->kind, "veth") == 0 ? "veth pair"
			     : pod ? pod->kind : "");
}

/* The loopback, if runnc connects it with the guest's (net/forward.h). */
static void line_loopback(const struct explain_facts *f, struct buf *b)
{
	const struct explain_space *pod = &f->spaces[0];

	for (size_t i = 0; i < pod->nr_filters; i++) {
		struct explain_place at = { .link = pod->filters[i].link };
		const struct net_link *l = explain_at(f, at);

		if (l && (l->flags & IFF_LOOPBACK) && pod->filters[i].ours) {
			line_link(f, at, b);
			return;
		}
	}
}

static void draw_pod(const struct explain_picture *p, const struct explain_path *path,
		     struct buf *b)
{
	_autobuf_ struct buf lines = BUF_INIT(EXPLAIN_DRAW_MAX);
	_autobuf_ struct buf title = BUF_INIT(4096);

	buf_printf(&title, "pod: %s", p->facts->spaces[0].name);
	if (!path->pod.link)
		buf_add_str(&lines, "its interface is gone\n");
	line_link(p->facts, path->pod, &lines);
	line_link(p->facts, path->bridge, &lines);
	line_link(p->facts, path->tap, &lines);
	line_loopback(p->facts, &lines);
	draw_box(b, title.data ? title.data : "pod", &lines);
}

static void line_guest_routes(const struct explain_subject *s, size_t i, struct buf *b)
{
	const struct gcfg_hop *hop = s->plan->hops;

	for (size_t r = 0; r < s->plan->nr_routes; r++) {
		const struct gcfg_route *route = &s->plan->routes[r];

		for (unsigned int h = 0; h < route->nr_hops; h++, hop++) {
			if (hop->link != i)
				continue;
			buf_add_str(b, "  route ");
			if (route->dst_prefix)
				buf_printf(b, "%s/%u", words_ip(route->family, route->dst).text,
					   route->dst_prefix);
			else
				buf_add_str(b, "default");
			if (hop->gateway_family)
				buf_printf(b, " via %s",
					   words_ip(hop->gateway_family, hop->gateway).text);
			buf_add_str(b, "\n");
		}
	}
}

static void draw_guest(const struct explain_picture *p, size_t i, struct buf *b)
{
	const struct explain_subject *s = p->subject;
	const struct net_port *port = &s->plan->ports[i];
	_autobuf_ struct buf lines = BUF_INIT(EXPLAIN_DRAW_MAX);
	_autobuf_ struct buf title = BUF_INIT(8192);

	if (s->id)
		buf_printf(&title, "guest: container %s, %s %d", s->id,
			   s->pid ? "process" : "NO PROCESS,", s->pid);
	else
		buf_add_str(&title, "guest: what a container here would get");
	draw_wire(b, s->id && port->mode == NET_MODE_PACKET ? "packet socket"
			     : s->id ? "tap, held by the guest's process" : "");
	buf_printf(&lines, "%s (mode %s)  %s  MTU %u\n", port->name, net_mode_name(port->mode),
		   words_mac(port->guest_mac).text, s->plan->links[i].mtu);
	for (size_t a = 0; a < s->plan->nr_addrs; a++)
		if (s->plan->addrs[a].link == i)
			buf_printf(&lines, "  address %s\n", words_addr(&s->plan->addrs[a]).text);
	line_guest_routes(s, i, &lines);
	for (size_t n = 0; n < s->plan->nr_neighs; n++)
		if (s->plan->neighs[n].link == i)
			buf_printf(&lines, "  neighbour %s is at %s (%s)\n",
				   words_ip(s->plan->neighs[n].family,
					    s->plan->neighs[n].addr).text,
				   words_mac(s->plan->neighs[n].mac).text,
				   words_nud(s->plan->neighs[n].state));
	draw_box(b, title.data ? title.data : "guest", &lines);
}

/* ---- who would answer ----------------------------------------------------------------------- */

static void answer_router(const struct explain_picture *p, const struct explain_path *path,
			  const struct gcfg_addr *a, const char *indent, struct buf *b)
{
	const struct explain_space *x = &p->facts->spaces[path->router.space];
	const struct explain_link *l = explain_link(x, path->router.link);
	const struct net_route *r = explain_route(x, a->family, a->local);
	const struct net_neigh *n = explain_neigh(p->facts, path->router, a->family, a->local);
	bool back = r && r->route.nr_hops && r->hops[0].link == (uint32_t)path->router.link;

	if (a->family == AF_INET && l && l->proxy)
		buf_printf(b, "%s%s, %s\n", indent, words_place(p->facts, path->router).text,
			   back ? "which answers for others, not: its route leads back here"
				: "too: it answers for what it can route elsewhere (proxy_arp)");
	if (n && (n->neigh.state & NUD_PERMANENT))
		buf_printf(b, "%sbut the router does not ask: it has a permanent entry, %s%s\n",
			   indent, words_mac(n->neigh.mac).text,
			   memcmp(n->neigh.mac, p->subject->plan->ports[a->link].guest_mac, 6) == 0
				   ? "" : ", which is not the guest's");
}

void explain_draw_answer(const struct explain_picture *p, size_t i, const struct gcfg_addr *a,
			 const char *indent, struct buf *b)
{
	const struct explain_path *path = &p->paths[i];
	const struct explain_subject *s = p->subject;
	const struct net_link *pod = explain_at(p->facts, path->pod);

	if (s->id && s->pid)
		buf_printf(b, "%s%s, with MAC %s\n", indent,
			   s->plan->share.on && !s->plan->share.alone ?
			   "the pod's first guest, or its own kernel without one" : "the guest",
			   words_mac(s->plan->ports[i].guest_mac).text);
	else if (s->id)
		buf_printf(b, "%snobody in the pod: the container has no process\n", indent);
	/* One that shares the interface leaves the answer to the guest, while there is one. */
	if (pod && !(s->plan->ports[i].shared && s->pid) &&
	    explain_has_addr(p->facts, path->pod, a->family, a->local))
		buf_printf(b, "%sthe pod's own kernel, with MAC %s\n", indent,
			   words_mac(pod->mac).text);
	for (size_t o = 0; o < path->nr_others; o++) {
		const struct net_link *l = explain_at(p->facts, path->others[o]);

		if (l && explain_has_addr(p->facts, path->others[o], a->family, a->local))
			buf_printf(b, "%s%s, a duplicate, with MAC %s\n", indent,
				   words_place(p->facts, path->others[o]).text,
				   words_mac(l->mac).text);
	}
	if (path->router.link)
		answer_router(p, path, a, indent, b);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void draw_findings(const struct explain_picture *p, struct buf *b)
{
	const struct explain_finding *broken = explain_broken(p->report);
	bool unknown = false;

	if (p->report->nr == 0)
		return;
	buf_printf(b, "\n%s:\n", p->probed ? "The path, hop by hop" : "What can be seen");
	for (size_t i = 0; i < p->report->nr; i++) {
		const struct explain_finding *f = &p->report->findings[i];

		buf_printf(b, "  %-9s  %-7s  %s\n", explain_hop_name(f->hop),
			   explain_verdict_name(f->verdict), f->what);
		unknown |= f->verdict == EXPLAIN_UNKNOWN;
	}
	if (broken)
		buf_printf(b, "\nBROKEN at the %s: %s.\nCure: %s.\n", explain_hop_name(broken->hop),
			   broken->what, broken->cure ? broken->cure : "none known");
	else if (p->probed)
		buf_add_str(b, unknown ? "\nNothing is broken, as far as can be seen from here.\n"
				       : "\nIt works.\n");
}

void explain_draw_text(const struct explain_picture *p, struct buf *b)
{
	for (size_t i = 0; i < p->subject->plan->nr_ports; i++) {
		if (i > 0)
			buf_add_str(b, "\n");
		draw_router(p, &p->paths[i], b);
		draw_host(p, &p->paths[i], b);
		draw_pod(p, &p->paths[i], b);
		draw_guest(p, i, b);
		for (size_t a = 0; a < p->subject->plan->nr_addrs; a++) {
			const struct gcfg_addr *addr = &p->subject->plan->addrs[a];

			if (addr->link != i)
				continue;
			buf_printf(b, "Who answers on the segment for %s?\n",
				   words_ip(addr->family, addr->local).text);
			explain_draw_answer(p, i, addr, "    ", b);
		}
	}
	if (p->subject->plan->nr_ports == 0)
		buf_printf(b, "No interface of %s %s handed over.\n", p->facts->spaces[0].name,
			   p->subject->id ? "is" : "would be");
	for (size_t i = 0; i < p->subject->plan->nr_notices; i++)
		buf_printf(b, "Note: %s.\n", p->subject->plan->notices[i]);
	if (p->facts->cut)
		buf_printf(b, "Note: more than %d namespaces; the rest was not looked into.\n",
			   EXPLAIN_MAX_SPACES);
	if (p->report)
		draw_findings(p, b);
}
