/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan for people: one fact a line, its noun in front. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bundle/names.h"
#include "cli/plan.h"
#include "cli/plan_guest.h"
#include "confine/confine.h"

#define MIB (UINT64_C(1) << 20)

static void text_process(const struct plan *p)
{
	const struct bundle *b = p->bundle;
	size_t first = p->guest.skip_args;

	printf("process     ");
	for (size_t i = first; i < b->process.args.n; i++)
		printf("%s%s", i > first ? " " : "", b->process.args.v[i]);
	if (p->guest.kind == GUEST_SOLO5) {
		puts(b->process.terminal ? ", with a terminal" : "");
		return;
	}
	printf("\n            in the guest: uid %u, gid %u, in %s%s\n", b->process.user.uid,
	       b->process.user.gid, b->process.cwd, b->process.terminal ? ", with a terminal" : "");
}

static void text_memory(const struct plan *p)
{
	printf("memory      %" PRIu64 " MiB for the guest", p->mem_size / MIB);
	if (p->mem_limited)
		printf(", of the container's limit of %" PRIu64 " MiB", p->mem_limit / MIB);
	putchar('\n');
}

static void text_image(const struct image_part *part)
{
	if (part->own)
		puts("packed for this container alone");
	else if (part->fd < 0)
		puts("will be built");
	else
		printf("sha256:%s, %" PRIu64 " KiB, in the cache\n", part->digest,
		       part->size >> 10);
}

static void text_root(const struct plan_view *v)
{
	const struct bundle *b = v->plan->bundle;

	printf("root        %s, %s\n", b->root_path,
	       b->root_readonly ? "read-only" : "with a writable layer in the guest's memory");
	for (unsigned int i = 0; i < v->images.count; i++) {
		const struct image_part *part = &v->images.part[i];

		if (strcmp(part->source, b->root_path) == 0)
			printf("image       ");
		else
			printf("layer       %s\n            ", part->source);
		text_image(part);
	}
	if (v->images.note)
		printf("note        %s\n", v->images.note);
}

static void text_mounts(const struct plan *p)
{
	for (size_t i = 0; i < p->nr_mounts; i++)
		printf("mount       %s: %s%s%s\n", p->mounts[i].destination, p->mounts[i].type,
		       p->mounts[i].data[0] ? ", " : "", p->mounts[i].data);
	for (size_t i = 0; i < p->nr_files; i++)
		printf("file        %s: copy of %s, %" PRIu64 " bytes\n", p->files[i].destination,
		       p->files[i].source, p->files[i].size);
	for (size_t i = 0; i < p->nr_devices; i++)
		printf("device      %s\n", p->devices[i]->path);
}

static const char *text_link(const struct net_plan *n, uint32_t index)
{
	return index < n->nr_ports ? n->links[index].name : "?";
}

static void text_port(const struct net_plan *n, size_t i)
{
	const struct net_port *port = &n->ports[i];
	char mac[PLAN_ADDRESS_MAX], address[PLAN_ADDRESS_MAX];

	printf("interface   %s: mode %s, MAC %s (%s), MTU %u\n", port->name,
	       net_mode_name(port->mode), plan_mac(port->guest_mac, mac),
	       net_mac_name(port->mac_mode), port->mtu);
	if (port->mode == NET_MODE_BRIDGE)
		printf("            joins bridge %s with %s; its own MAC becomes %s\n",
		       port->bridge, port->tap,
		       plan_mac(port->mac_mode == NET_MAC_ADOPT ? port->new_mac : port->host_mac,
				mac));
	else if (port->mode == NET_MODE_TC)
		printf("            redirected to and from %s\n", port->tap);
	else if (port->mode == NET_MODE_MACVTAP)
		printf("            taken by macvtap %s\n", port->tap);
	else
		puts("            taken by a packet socket; dropped for the namespace itself");
	if (port->shared)
		puts("            shared: the addresses stay, and what a socket of the namespace "
		     "wants");
	if (port->why)
		printf("            chosen by mode auto: %s\n", port->why);
	puts(port->unguarded
		     ? "            not guarded: the guest may send under any address"
		     : "            guarded: only frames of its own MAC and addresses leave");
	for (size_t j = 0; j < n->nr_addrs; j++)
		if (n->addrs[j].link == i)
			printf("address     %s/%u on %s\n",
			       plan_address(n->addrs[j].family, n->addrs[j].local, address),
			       n->addrs[j].prefix, port->name);
}

static void text_routes(const struct net_plan *n)
{
	const struct gcfg_hop *hop = n->hops;
	char text[PLAN_ADDRESS_MAX];

	for (size_t i = 0; i < n->nr_routes; i++) {
		printf("route       %s", plan_destination(&n->routes[i], text));
		for (unsigned int j = 0; j < n->routes[i].nr_hops; j++, hop++) {
			if (hop->gateway_family)
				printf(" via %s",
				       plan_address(hop->gateway_family, hop->gateway, text));
			printf(" dev %s", text_link(n, hop->link));
		}
		putchar('\n');
	}
	for (size_t i = 0; i < n->nr_neighs; i++) {
		printf("neighbour   %s",
		       plan_address(n->neighs[i].family, n->neighs[i].addr, text));
		printf(" is %s on %s\n", plan_mac(n->neighs[i].mac, text),
		       text_link(n, n->neighs[i].link));
	}
}

static void text_loopback(const struct net_forward *f)
{
	if (!f->on)
		return;
	printf("loopback    what the namespace sends to itself and has no taker there reaches the\n"
	       "            guest, by tap %s and the guest's device %s; so do %u addresses\n",
	       f->tap, f->link.name, f->table.nr4 + f->table.nr6);
	if (f->table.resolver_udp || f->table.resolver_tcp)
		puts("            and the guest reaches Docker's resolver at 127.0.0.11");
}

/* The local ports that each side chooses from. */
static void text_ports(const struct net_share *s)
{
	if (s->split)
		printf("ports       the namespace chooses from %u to %u, the guest from %u to %u\n",
		       s->kept.first, s->kept.last, s->given.first, s->given.last);
	if (s->on && !s->alone)
		printf("            it is guest number %u of those that share the namespace\n",
		       s->number);
}

static void text_network(const struct plan *p)
{
	switch (p->network) {
	case PLAN_NETWORK_NONE:
		puts("network     none");
		return;
	case PLAN_NETWORK_LATER:
		printf("network     a new namespace: what hooks put there, in mode %s\n",
		       net_mode_name(p->net_request.mode));
		return;
	case PLAN_NETWORK_SURVEYED:
		break;
	}
	if (p->net.nr_ports == 0)
		puts("network     no interface to hand over");
	for (size_t i = 0; i < p->net.nr_ports; i++)
		text_port(&p->net, i);
	text_ports(&p->net.share);
	text_routes(&p->net);
	text_loopback(&p->net.forward);
	for (size_t i = 0; i < p->net.nr_notices; i++)
		printf("note        network: %s\n", p->net.notices[i]);
}

static void text_limits(const struct bundle *b)
{
	const struct bundle_resources *r = &b->resources;

	printf("cgroup      %s\n", b->cgroups_path ? b->cgroups_path : "/runnc/CONTAINER");
	if (!r->present)
		return;
	if (r->memory_limit > 0)
		printf("limit       memory %" PRId64 " bytes\n", r->memory_limit);
	if (r->pids_limit > 0)
		printf("limit       pids %" PRId64 "\n", r->pids_limit);
	if (r->cpu_quota > 0)
		printf("limit       cpu quota %" PRId64 " us of %" PRIu64 " us\n", r->cpu_quota,
		       r->cpu_period ? r->cpu_period : 100000);
	if (r->cpu_shares > 0)
		printf("limit       cpu shares %" PRIu64 "\n", r->cpu_shares);
	if (r->cpu_cpus)
		printf("limit       cpus %s\n", r->cpu_cpus);
}

static void text_hooks(const struct bundle *b)
{
	for (int i = 0; i < BUNDLE_HOOK_KINDS; i++)
		for (size_t j = 0; j < b->hooks[i].n; j++)
			printf("hook        %s: %s\n", bundle_hook_name((enum bundle_hook_kind)i),
			       b->hooks[i].v[j].path);
}

static void text_filter(const struct plan *p)
{
	size_t nr;
	const struct confine_call *calls = plan_guest_calls(p, &nr);

	printf("filter      %zu host system calls:", nr);
	for (size_t i = 0; i < nr; i++)
		printf(" %s", calls[i].name);
	putchar('\n');
}

void plan_print_text(const struct plan_view *v)
{
	const struct plan *p = v->plan;

	plan_guest_text(p);
	text_process(p);
	text_memory(p);
	if (p->guest.kind == GUEST_SOLO5)
		plan_solo5_text(p);
	else
		text_root(v);
	text_mounts(p);
	text_network(p);
	text_limits(p->bundle);
	text_hooks(p->bundle);
	text_filter(p);
	for (size_t i = 0; i < p->nr_notes; i++)
		printf("note        %s\n", p->notes[i]);
}
