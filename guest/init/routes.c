// SPDX-License-Identifier: GPL-2.0-only
/* Routes of the configuration: without a gateway first, then those with one. */
#include "guest/init/routes.h"

#include "guest/init/network.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(RTAX_MTU < GCFG_METRICS, "metrics of a route");

/* The others describe a state (dead, link down): the kernel refuses them in a request. */
static uint32_t hop_flags(const struct gcfg_hop *hop)
{
	return hop->flags & (RTNH_F_ONLINK | RTNH_F_PERVASIVE);
}

static void add_gateway(struct init_request *request, uint8_t family, const struct gcfg_hop *hop)
{
	struct {
		uint16_t family;
		uint8_t address[16];
	} via = { .family = hop->gateway_family };
	size_t size = init_address_size(hop->gateway_family);

	if (!hop->gateway_family)
		return;
	if (hop->gateway_family == family) {
		init_request_add(request, RTA_GATEWAY, hop->gateway, size);
		return;
	}
	memcpy(via.address, hop->gateway, size);
	init_request_add(request, RTA_VIA, &via, sizeof(via.family) + size);
}

static void add_hops(const struct init_routes *to, struct init_request *request,
		     const struct gcfg_route *route)
{
	const struct gcfg_hop *hop = (const void *)(route + 1);
	size_t multipath = init_request_open(request, RTA_MULTIPATH);

	for (unsigned int i = 0; i < route->nr_hops; i++) {
		struct rtnexthop *next = init_request_grow(request, sizeof(*next));
		size_t start;

		if (!next)
			return;
		start = init_request_length(request) - sizeof(*next);
		next->rtnh_ifindex = to->ifindex[hop[i].link];
		next->rtnh_hops = hop[i].weight ? (unsigned char)(hop[i].weight - 1) : 0;
		next->rtnh_flags = (unsigned char)hop_flags(&hop[i]);
		add_gateway(request, route->family, &hop[i]);
		next->rtnh_len = (unsigned short)(init_request_length(request) - start);
	}
	init_request_close(request, multipath);
}

static void add_metrics(struct init_request *request, const struct gcfg_route *route)
{
	size_t metrics = init_request_open(request, RTA_METRICS);

	if (route->mtu)
		init_request_add_u32(request, RTAX_MTU, route->mtu);
	for (uint16_t i = 1; i < GCFG_METRICS; i++)
		if (route->metrics[i])
			init_request_add_u32(request, i, route->metrics[i]);
	init_request_close(request, metrics);
}

/* What only IPv6 routes have. */
static void add_router_words(struct init_request *request, const struct gcfg_route *route)
{
	if (route->family != AF_INET6)
		return;
	if (route->lifetime)
		init_request_add_u32(request, RTA_EXPIRES, route->lifetime);
	if (route->pref)
		init_request_add(request, RTA_PREF, &route->pref, sizeof(route->pref));
}

/*
 * The kernel made the route to an address's own prefix when the address was added; the
 * configuration's copy of it replaces it. Any other route is appended: two routes may differ in
 * their device only.
 */
static uint16_t route_flags(const struct gcfg_route *route)
{
	if (route->family == AF_INET && route->protocol == RTPROT_KERNEL)
		return NLM_F_CREATE | NLM_F_REPLACE;
	return NLM_F_CREATE | NLM_F_APPEND;
}

static int add_route(const struct init_routes *to, const struct gcfg_route *route)
{
	const struct gcfg_hop *hop = (const void *)(route + 1);
	size_t size = init_address_size(route->family);
	struct init_request request;
	struct rtmsg *body;
	int r;

	body = init_request_start(&request, RTM_NEWROUTE, route_flags(route), sizeof(*body));
	body->rtm_family = route->family;
	body->rtm_dst_len = route->dst_prefix;
	body->rtm_src_len = route->src_prefix;
	body->rtm_tos = route->tos;
	body->rtm_table = route->table < 256 ? (unsigned char)route->table : RT_TABLE_UNSPEC;
	body->rtm_protocol = route->protocol;
	body->rtm_scope = route->scope;
	body->rtm_type = route->type;
	init_request_add_u32(&request, RTA_TABLE, route->table);
	if (route->dst_prefix)
		init_request_add(&request, RTA_DST, route->dst, size);
	if (route->src_prefix)
		init_request_add(&request, RTA_SRC, route->src, size);
	if (init_address_given(route->prefsrc))
		init_request_add(&request, RTA_PREFSRC, route->prefsrc, size);
	if (route->metric)
		init_request_add_u32(&request, RTA_PRIORITY, route->metric);
	add_metrics(&request, route);
	add_router_words(&request, route);
	if (route->nr_hops == 1) {
		body->rtm_flags = hop_flags(hop);
		init_request_add_u32(&request, RTA_OIF, (uint32_t)to->ifindex[hop->link]);
		add_gateway(&request, route->family, hop);
	} else if (route->nr_hops) {
		add_hops(to, &request, route);
	}
	r = init_netlink_send(to->nl, &request);
	/* The same in everything: the kernel made it itself (fe80::/64, ff00::/8, ...). */
	return r == -EEXIST ? 0 : r;
}

static bool has_gateway(const struct gcfg_route *route)
{
	const struct gcfg_hop *hop = (const void *)(route + 1);

	for (unsigned int i = 0; i < route->nr_hops; i++)
		if (hop[i].gateway_family)
			return true;
	return false;
}

/*
 * A gateway is only accepted once a route leads to it, and the kernel lists the default route
 * first.
 */
static int add_some(const struct init_routes *to, bool with_gateway, struct err *e)
{
	const struct gcfg_record *record = NULL;
	char text[40];

	while ((record = init_config_next(to->config, GCFG_ROUTE, record))) {
		const struct gcfg_route *route = init_config_payload(record);
		int r = has_gateway(route) == with_gateway ? add_route(to, route) : 0;

		if (r < 0)
			return err_set(e, r, "add route to %s/%u",
				       init_address_text(route->family, route->dst, text),
				       route->dst_prefix);
	}
	return 0;
}

int init_routes_add(const struct init_routes *to, struct err *e)
{
	int r = add_some(to, false, e);

	return r < 0 ? r : add_some(to, true, e);
}
