/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan for programs. A NULL from jansson (no memory) ends in show_json(). */
#include "bundle/names.h"
#include "cli/plan.h"
#include "cli/plan_guest.h"
#include "cli/show.h"
#include "confine/confine.h"

static json_t *json_texts(char *const *texts, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		show_append(all, json_string(texts[i]));
	return all;
}

static json_t *json_mounts(const struct plan *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->nr_mounts; i++)
		show_append(all,
			    json_pack("{s:s, s:s, s:s}", "destination", p->mounts[i].destination,
				      "type", p->mounts[i].type, "data", p->mounts[i].data));
	return all;
}

static json_t *json_files(const struct plan *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->nr_files; i++)
		show_append(all, json_pack("{s:s, s:s, s:I, s:b}", "destination",
					   p->files[i].destination, "source", p->files[i].source,
					   "size", (json_int_t)p->files[i].size, "readonly",
					   p->files[i].readonly));
	return all;
}

static json_t *json_addresses(const struct net_plan *n, size_t link)
{
	json_t *all = json_array();
	char text[PLAN_ADDRESS_MAX];

	for (size_t i = 0; i < n->nr_addrs; i++)
		if (n->addrs[i].link == link)
			show_append(all, json_sprintf("%s/%u",
						      plan_address(n->addrs[i].family,
								   n->addrs[i].local, text),
						      n->addrs[i].prefix));
	return all;
}

static json_t *json_interfaces(const struct net_plan *n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n->nr_ports; i++) {
		const struct net_port *port = &n->ports[i];
		char mac[PLAN_ADDRESS_MAX];
		json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "name", port->name,
					"mode", net_mode_name(port->mode), "mac",
					plan_mac(port->guest_mac, mac), "macMode",
					net_mac_name(port->mac_mode), "mtu", (json_int_t)port->mtu,
					"tap", port->tap, "addresses", json_addresses(n, i));

		if (one)
			json_object_set_new(one, "guarded", json_boolean(!port->unguarded));
		if (one && port->why)
			json_object_set_new(one, "why", json_string(port->why));
		if (one && port->bridge[0])
			json_object_set_new(one, "bridge", json_string(port->bridge));
		show_append(all, one);
	}
	return all;
}

static json_t *json_hops(const struct net_plan *n, const struct gcfg_hop *hop, unsigned int nr)
{
	json_t *all = json_array();
	char text[PLAN_ADDRESS_MAX];

	for (; nr > 0; nr--, hop++) {
		json_t *one = json_pack("{s:s}", "interface",
					hop->link < n->nr_ports ? n->links[hop->link].name : "?");

		if (one && hop->gateway_family)
			json_object_set_new(
				one, "gateway",
				json_string(plan_address(hop->gateway_family, hop->gateway, text)));
		show_append(all, one);
	}
	return all;
}

static json_t *json_routes(const struct net_plan *n)
{
	const struct gcfg_hop *hop = n->hops;
	json_t *all = json_array();
	char text[PLAN_ADDRESS_MAX];

	for (size_t i = 0; i < n->nr_routes; i++) {
		show_append(all, json_pack("{s:s, s:o}", "destination",
					   plan_destination(&n->routes[i], text), "hops",
					   json_hops(n, hop, n->routes[i].nr_hops)));
		hop += n->routes[i].nr_hops;
	}
	return all;
}

static json_t *json_neighbours(const struct net_plan *n)
{
	json_t *all = json_array();
	char address[PLAN_ADDRESS_MAX], mac[PLAN_ADDRESS_MAX];

	for (size_t i = 0; i < n->nr_neighs; i++)
		show_append(all,
			    json_pack("{s:s, s:s}", "address",
				      plan_address(n->neighs[i].family, n->neighs[i].addr, address),
				      "mac", plan_mac(n->neighs[i].mac, mac)));
	return all;
}

static json_t *json_loopback(const struct net_forward *f)
{
	if (!f->on)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:b}", "tap", f->tap, "device", f->link.name,
			 "addresses", (json_int_t)f->table.nr4 + f->table.nr6, "resolver",
			 f->table.resolver_udp || f->table.resolver_tcp);
}

static json_t *json_range(struct net_share_range range)
{
	return json_pack("[i, i]", (int)range.first, (int)range.last);
}

/* The local ports that each side chooses from. */
static json_t *json_ports(const struct net_share *share)
{
	if (!share->split)
		return json_null();
	return json_pack("{s:o, s:o, s:i}", "namespace", json_range(share->kept), "guest",
			 json_range(share->given), "number", (int)share->number);
}

static json_t *json_network(const struct plan *p)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "status",
			 plan_network_name(p->network), "mode", net_mode_name(p->net_request.mode),
			 "mac", net_mac_name(p->net_request.mac), "sidecars",
			 p->net_request.shared ? "keep" : "none", "interfaces",
			 json_interfaces(&p->net), "routes", json_routes(&p->net), "neighbours",
			 json_neighbours(&p->net), "loopback",
			 json_loopback(&p->net.forward), "ports",
			 json_ports(&p->net.share), "notices",
			 json_texts(p->net.notices, p->net.nr_notices));
}

static json_t *json_images(const struct plan_view *v)
{
	json_t *all = json_array();

	for (unsigned int i = 0; i < v->images.count; i++) {
		const struct image_part *part = &v->images.part[i];
		json_t *one = json_pack("{s:o, s:b, s:b}", "source", show_text(part->source),
					"cached", part->fd >= 0, "own", part->own);

		if (one && part->fd >= 0) {
			json_object_set_new(one, "digest", json_string(part->digest));
			json_object_set_new(one, "size", json_integer((json_int_t)part->size));
		}
		show_append(all, one);
	}
	return all;
}

/* The plan's notes, and why an overlay is not taken apart. */
static json_t *json_notes(const struct plan_view *v)
{
	json_t *all = json_texts(v->plan->notes, v->plan->nr_notes);

	if (v->images.note)
		show_append(all, show_text(v->images.note));
	return all;
}

static void json_limit(json_t *limits, const char *name, int64_t value)
{
	if (limits && value > 0)
		json_object_set_new(limits, name, json_integer(value));
}

static json_t *json_limits(const struct bundle_resources *r)
{
	json_t *limits = json_object();

	if (!r->present)
		return limits;
	json_limit(limits, "memory", r->memory_limit);
	json_limit(limits, "pids", r->pids_limit);
	json_limit(limits, "cpuQuota", r->cpu_quota);
	json_limit(limits, "cpuPeriod", (int64_t)r->cpu_period);
	json_limit(limits, "cpuShares", (int64_t)r->cpu_shares);
	return limits;
}

static json_t *json_hooks(const struct bundle *b)
{
	json_t *all = json_object();

	for (int i = 0; i < BUNDLE_HOOK_KINDS; i++) {
		json_t *paths = json_array();

		for (size_t j = 0; j < b->hooks[i].n; j++)
			show_append(paths, json_string(b->hooks[i].v[j].path));
		if (all && b->hooks[i].n > 0)
			json_object_set_new(all, bundle_hook_name((enum bundle_hook_kind)i), paths);
		else
			json_decref(paths);
	}
	return all;
}

static json_t *json_filter(const struct plan *p)
{
	json_t *all = json_array();
	size_t nr;
	const struct confine_call *calls = plan_guest_calls(p, &nr);

	for (size_t i = 0; i < nr; i++)
		show_append(all, json_pack("{s:s, s:s, s:s, s:s}", "name", calls[i].name, "args",
					   calls[i].args, "madeBy", calls[i].made_by, "reason",
					   calls[i].reason));
	return all;
}

json_t *plan_to_json(const struct plan_view *v)
{
	const struct plan *p = v->plan;
	const struct bundle *b = p->bundle;
	bool solo5 = p->guest.kind == GUEST_SOLO5;

	return json_pack(
		"{s:s, s:s, s:o?, s:I, s:o, s:I, s:s, s:b, s:o, s:o, s:o, s:o, s:s, s:o, "
		"s:o, s:o, s:o}",
		"guest", guest_kind_name(p->guest.kind), "reason", p->guest.why, "solo5",
		solo5 ? plan_solo5_json(p) : NULL, "hostUid", (json_int_t)p->host_uid, "args",
		json_texts(b->process.args.v + p->guest.skip_args,
			   b->process.args.n - p->guest.skip_args),
		"memory", (json_int_t)p->mem_size, "root", b->root_path, "readonly",
		b->root_readonly, "images", solo5 ? json_array() : json_images(v), "mounts",
		json_mounts(p), "files", json_files(p), "network", json_network(p), "cgroup",
		b->cgroups_path ? b->cgroups_path : "", "limits", json_limits(&b->resources),
		"hooks", json_hooks(b), "filter", json_filter(p), "notes", json_notes(v));
}
