/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc plan: say what create would do, without touching anything. */
#include "cli/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "container/facts.h"
#include "container/network.h"

enum { FORMAT };

static const struct cli_option options[] = {
	[FORMAT] = { "format", 'f', "FORMAT", "text or json" },
	{ .name = NULL },
};

const char *plan_address(uint8_t family, const uint8_t address[16], char text[PLAN_ADDRESS_MAX])
{
	if (!inet_ntop(family, address, text, PLAN_ADDRESS_MAX))
		strcpy(text, "?");
	return text;
}

const char *plan_mac(const uint8_t mac[6], char text[PLAN_ADDRESS_MAX])
{
	snprintf(text, PLAN_ADDRESS_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

const char *plan_destination(const struct gcfg_route *route, char text[PLAN_ADDRESS_MAX])
{
	char address[PLAN_ADDRESS_MAX];

	if (route->dst_prefix == 0)
		return "default";
	plan_address(route->family, route->dst, address);
	snprintf(text, PLAN_ADDRESS_MAX, "%.50s/%u", address, route->dst_prefix);
	return text;
}

const char *plan_network_name(enum plan_network network)
{
	switch (network) {
	case PLAN_NETWORK_NONE: return "none";
	case PLAN_NETWORK_LATER: return "later";
	case PLAN_NETWORK_SURVEYED: return "surveyed";
	}
	return "none";
}

/* The namespace and the image cache are looked at as far as they are there. */
static int plan_look(const struct lifecycle *l, const struct bundle *b, struct plan *p,
		     struct plan_view *v, struct err *e)
{
	const char *netns = b->ns[BUNDLE_NS_NETWORK].path;
	int r = 0;

	if (p->network == PLAN_NETWORK_LATER && netns && access(netns, F_OK) == 0)
		r = network_look(netns, l->root, p, e);
	if (r < 0 || p->guest.kind == GUEST_SOLO5)
		return r;
	return image_stack_find(b->root_path, l->image_cache, &v->images, e);
}

static void plan_free_view(struct plan_view *v)
{
	image_stack_free(&v->images);
}

static int plan(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	const struct plan_options plan_options = { .net_mode = l->net_mode, .debug = l->debug,
						   .allow_spoofing = l->allow_spoofing };
	const char *format = a->option[FORMAT] ? a->option[FORMAT] : "text";
	_autobundle_ struct bundle *b = NULL;
	_autofacts_ struct facts facts = { .nr_mounts = 0 };
	_autoplan_ struct plan p = { .bundle = NULL };
	__attribute__((cleanup(plan_free_view))) struct plan_view view = { .plan = &p };
	int r;

	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_say(e, -EINVAL, "plan: --format: '%s' is not text or json", format);
	r = bundle_load(a->operand[0] ? a->operand[0] : ".", &b, e);
	if (r < 0)
		return r;
	r = facts_gather(b, plan_wants_trees(b), &facts, e);
	if (r < 0)
		return r;
	r = plan_make(b, &facts, &plan_options, &p, e);
	if (r < 0)
		return r;
	r = plan_look(l, b, &p, &view, e);
	if (r < 0)
		return r;
	if (strcmp(format, "json") == 0)
		return show_json(plan_to_json(&view), e);
	plan_print_text(&view);
	return 0;
}

const struct cli_command cli_plan = {
	.name = "plan", .operands = "[BUNDLE]", .min_operands = 0, .max_operands = 1,
	.summary = "say what create would do, without touching anything",
	.options = options, .run = plan,
};
