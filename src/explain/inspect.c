/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be seen without sending anything: the guest, its plumbing, the pod's interface. Pure. */
#include "explain/inspect.h"

#include <linux/netfilter.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/words.h"
#include "net/tc.h"

/* ---- the guest ------------------------------------------------------------------------------ */

static void inspect_process(struct inspection *x)
{
	if (x->s->id && !x->s->pid)
		explain_say(x->r, EXPLAIN_HOP_GUEST, EXPLAIN_BROKEN,
			    "look why it ended, delete it and create it again",
			    "container '%s' has no process: nobody reads what is sent to it",
			    x->s->id);
	else if (x->s->id)
		explain_say(x->r, EXPLAIN_HOP_GUEST, EXPLAIN_WORKS, NULL,
			    "container '%s' has a process, %d", x->s->id, x->s->pid);
}

static bool has_route(const struct inspection *x, uint8_t family)
{
	const struct gcfg_hop *hop = x->s->plan->hops;

	for (size_t r = 0; r < x->s->plan->nr_routes; r++)
		for (unsigned int h = 0; h < x->s->plan->routes[r].nr_hops; h++, hop++)
			if (x->s->plan->routes[r].family == family && hop->link == x->i)
				return true;
	return false;
}

static void inspect_routes(struct inspection *x, uint8_t family)
{
	const struct gcfg_addr *a = explain_guest_addr(x->s, x->i, family);
	const char *version = family == AF_INET ? "IPv4" : "IPv6";

	if (!a || explain_guest_default(x->s, x->i, family))
		return;
	if (a->prefix == (family == AF_INET ? 32 : 128) && !has_route(x, family))
		explain_say(x->r, EXPLAIN_HOP_GUEST, EXPLAIN_BROKEN,
			    "the network's plugin must add the pod's routes before the container "
			    "is created",
			    "missing route: the guest has %s and no %s route by %s, so it can send "
			    "to nobody", words_addr(a).text, version, x->port->name);
	else
		explain_say(x->r, EXPLAIN_HOP_GUEST, EXPLAIN_NOTE, NULL,
			    "the guest has no %s default route by %s: beyond %s it reaches nobody "
			    "this way", version, x->port->name, words_addr(a).text);
}

static void inspect_guest(struct inspection *x)
{
	inspect_process(x);
	if (!explain_guest_addr(x->s, x->i, AF_INET) && !explain_guest_addr(x->s, x->i, AF_INET6))
		explain_say(x->r, EXPLAIN_HOP_GUEST, EXPLAIN_BROKEN,
			    "the network's plugin must add the pod's addresses before the "
			    "container is created",
			    "the guest has no address on %s", x->port->name);
	inspect_routes(x, AF_INET);
	inspect_routes(x, AF_INET6);
}

/* ---- MTU ------------------------------------------------------------------------------------ */

uint32_t inspect_mtu(const struct inspection *x)
{
	return x->s->plan->links[x->i].mtu;
}

void inspect_link_mtu(struct inspection *x, enum explain_hop hop, struct explain_place place)
{
	const struct net_link *l = explain_at(x->f, place);
	uint32_t wanted = inspect_mtu(x);

	if (l && l->mtu < wanted)
		explain_say(x->r, hop, EXPLAIN_BROKEN,
			    "give all links of the path one MTU, then create the container again",
			    "MTU: the guest's is %u, that of %s is %u: longer packets vanish there "
			    "without a word", wanted, words_place(x->f, place).text, l->mtu);
}

/* ---- between the guest and the pod's interface ---------------------------------------------- */

static bool check_up(struct inspection *x, enum explain_hop hop, struct explain_place place)
{
	const struct net_link *l = explain_at(x->f, place);

	if (l->flags & IFF_UP)
		return true;
	explain_say(x->r, hop, EXPLAIN_BROKEN, "set it up again (ip link set ... up)",
		    "link down: %s", words_place(x->f, place).text);
	return false;
}

static bool redirects(const struct inspection *x, int from, int to)
{
	const struct explain_space *pod = &x->f->spaces[0];

	for (size_t i = 0; i < pod->nr_filters; i++)
		if (pod->filters[i].link == from && !pod->filters[i].egress &&
		    pod->filters[i].redirect == to)
			return true;
	return false;
}

static void inspect_redirect(struct inspection *x, const struct net_link *from,
			     const struct net_link *to, const char *whose)
{
	if (redirects(x, from->index, to->index))
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_WORKS, NULL,
			    "what comes in by %s leaves by %s", from->name, to->name);
	else
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "filter missing: nothing redirects what comes in by %s to %s%s; %s",
			    from->name, to->name,
			    from->clsact ? "" : " (its clsact qdisc is gone, with all filters)",
			    whose);
}

static bool has_share(const struct inspection *x)
{
	const struct explain_space *pod = &x->f->spaces[0];

	for (size_t i = 0; i < pod->nr_filters; i++)
		if (pod->filters[i].link == x->pod->index &&
		    strcmp(pod->filters[i].name, NET_TC_SHARE_NAME) == 0 &&
		    pod->filters[i].handle == x->s->plan->share.number)
			return true;
	return false;
}

/* The namespace's kernel is to get what its sockets want, before that redirect. */
static void inspect_share(struct inspection *x)
{
	const struct net_share *share = &x->s->plan->share;

	if (has_share(x) && share->alone)
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_WORKS, NULL,
			    "what comes in by %s and a socket of the pod's namespace wants "
			    "stays there", x->pod->name);
	else if (has_share(x))
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_WORKS, NULL,
			    "what comes in by %s for a port of the guest (number %u of the pod's) "
			    "leaves by %s", x->pod->name, share->number, x->tap->name);
	else
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "filter missing: nothing tells at %s what is for the guest and what "
			    "for the pod's other containers", x->pod->name);
}

static void inspect_tc(struct inspection *x)
{
	inspect_redirect(x, x->tap, x->pod, "what the guest sends gets no further");
	if (x->port->shared)
		inspect_share(x);
	/* Of several guests the first one gets what no port tells whose it is. */
	if (x->port->shared && !x->s->plan->share.alone)
		return;
	inspect_redirect(x, x->pod, x->tap,
			 x->port->shared ? "frames with a VLAN tag do not reach the guest" :
			 "frames for the guest end in the pod's own kernel, which has no address");
}

/* Why a frame would not come through the bridge. */
static void inspect_bridge_macs(struct inspection *x)
{
	const uint8_t *mac = x->port->guest_mac;
	const struct explain_space *pod = &x->f->spaces[0];

	for (size_t i = 0; i < pod->nr_fdb; i++) {
		const struct explain_fdb *e = &pod->fdb[i];
		const struct net_link *l = explain_net_link(pod, e->link);

		if (e->bridge != x->bridge->index || !e->local || memcmp(e->mac, mac, 6) != 0)
			continue;
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN,
			    "give the link another MAC (ip link set ... address), or create the "
			    "container again",
			    "%s has the guest's MAC %s as well: bridge %s has a local entry for it "
			    "in its forwarding table, and keeps the guest's frames for itself",
			    l ? l->name : "a port", words_mac(mac).text, x->bridge->name);
		return;
	}
}

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_BRIDGE: return "bridge";
	}
	return "inet";
}

static void inspect_firewall(struct inspection *x)
{
	const struct explain_space *pod = &x->f->spaces[0];
	const struct explain_link *l = explain_link(pod, x->bridge->index);
	bool called = pod->nf_call || (l && l->nf_call);

	for (size_t i = 0; i < pod->nr_chains; i++) {
		const struct explain_chain *c = &pod->chains[i];
		bool bridged = c->family == NFPROTO_BRIDGE;

		if (!c->drop || (!bridged && !called))
			continue;
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN,
			    "use mode tc (org.runnc.net.mode), or set "
			    "net.bridge.bridge-nf-call-iptables=0 in the pod's namespace, or "
			    "accept the guest's address in that chain",
			    "firewall: chain '%s' of nftables table '%s %s' in the pod's namespace "
			    "drops what crosses bridge %s%s", c->name, family_name(c->family),
			    c->table, x->bridge->name,
			    bridged ? "" : ", because bridge-nf-call-iptables is 1");
		return;
	}
}

static void inspect_port(struct inspection *x, const struct net_link *l)
{
	if (l->master != x->bridge->index)
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "%s is no port of bridge %s any more", l->name, x->bridge->name);
}

static void inspect_bridge(struct inspection *x)
{
	if (!x->bridge) {
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "bridge '%s' is gone", x->port->bridge);
		return;
	}
	if (check_up(x, EXPLAIN_HOP_PLUMBING, x->p->bridge))
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_WORKS, NULL,
			    "bridge %s connects %s and %s", x->bridge->name, x->pod->name,
			    x->tap->name);
	inspect_port(x, x->pod);
	inspect_port(x, x->tap);
	inspect_bridge_macs(x);
	inspect_firewall(x);
	inspect_link_mtu(x, EXPLAIN_HOP_PLUMBING, x->p->bridge);
}

static void inspect_packet(struct inspection *x)
{
	const struct explain_space *pod = &x->f->spaces[0];
	bool dropped = false;

	for (size_t i = 0; i < pod->nr_filters; i++)
		dropped |= pod->filters[i].link == x->pod->index && !pod->filters[i].egress &&
			   pod->filters[i].priority == NET_TC_PRIORITY;
	if (dropped)
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_WORKS, NULL,
			    "what comes in by %s is the packet socket's alone", x->pod->name);
	else
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_NOTE, INSPECT_AGAIN,
			    "filter missing: nothing drops what comes in by %s behind the packet "
			    "socket, so the pod's own kernel sees the guest's frames as well",
			    x->pod->name);
}

static void inspect_plumbing(struct inspection *x)
{
	/* A packet socket is no link: the guest's process holds it, and only it knows. */
	if (x->port->mode == NET_MODE_PACKET) {
		inspect_packet(x);
		return;
	}
	if (!x->tap) {
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "tap '%s' is gone: it ended with the guest's process", x->port->tap);
		return;
	}
	if (!check_up(x, EXPLAIN_HOP_PLUMBING, x->p->tap))
		return;
	if (!x->tap->carrier)
		explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_BROKEN, INSPECT_AGAIN,
			    "%s has no carrier: no process holds it", x->tap->name);
	inspect_link_mtu(x, EXPLAIN_HOP_PLUMBING, x->p->tap);
	if (x->port->mode == NET_MODE_TC)
		inspect_tc(x);
	else if (x->port->mode == NET_MODE_BRIDGE)
		inspect_bridge(x);
}

static void inspect_guard(struct inspection *x)
{
	const struct explain_space *pod = &x->f->spaces[0];

	for (size_t i = 0; i < pod->nr_guards; i++) {
		const struct explain_guard *g = &pod->guards[i];

		for (unsigned int r = 0; r < NET_GUARD_REASONS; r++)
			if (g->stats.drops[r] && (g->link == x->p->pod.link ||
						  g->link == x->p->tap.link))
				explain_say(x->r, EXPLAIN_HOP_PLUMBING, EXPLAIN_NOTE, NULL,
					    "the guard at %s has dropped %llu frames: %s",
					    words_place(x->f, (struct explain_place){
								      .link = g->link }).text,
					    (unsigned long long)g->stats.drops[r],
					    net_guard_reason_name((enum net_guard_reason)r));
	}
}

/* ---- the pod's interface -------------------------------------------------------------------- */

static void inspect_interface(struct inspection *x)
{
	if (!check_up(x, EXPLAIN_HOP_INTERFACE, x->p->pod))
		return;
	if (!x->pod->carrier)
		explain_say(x->r, EXPLAIN_HOP_INTERFACE, EXPLAIN_BROKEN,
			    "set the host end up",
			    "%s has no carrier: its other end is down", x->pod->name);
	else
		explain_say(x->r, EXPLAIN_HOP_INTERFACE, EXPLAIN_WORKS, NULL,
			    "%s is up and has carrier", x->pod->name);
	inspect_link_mtu(x, EXPLAIN_HOP_INTERFACE, x->p->pod);
}

void explain_inspect(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		     const struct explain_path *p, struct explain_report *r)
{
	struct inspection x = {
		.f = f, .s = s, .i = i, .p = p, .r = r, .port = &s->plan->ports[i],
		.pod = explain_at(f, p->pod), .tap = explain_at(f, p->tap),
		.bridge = explain_at(f, p->bridge), .host = explain_at(f, p->host),
		.segment = explain_at(f, p->segment), .router = explain_at(f, p->router),
	};

	inspect_guest(&x);
	if (!x.pod) {
		explain_say(r, EXPLAIN_HOP_INTERFACE, EXPLAIN_BROKEN,
			    "let the network's plugin make it again",
			    "interface '%s' is gone from the pod's namespace", x.port->name);
		return;
	}
	if (s->id) {
		inspect_plumbing(&x);
		inspect_guard(&x);
	}
	inspect_interface(&x);
	inspect_host(&x);
	inspect_router(&x);
}
