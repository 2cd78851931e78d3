/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel replies, and what a state file holds about a network: any bytes.
 *
 * Input that begins with '{' is read as a record, anything else as a survey's netlink messages,
 * which are planned in each mode, recorded, and read back: what was accepted once must be
 * accepted again.
 */
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/forward_parts.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/parse.h"
#include "net/record.h"
#include "net/replay.h"

static void expect(int ok)
{
	if (!ok)
		abort();
}

/* Build each message that a restore would send. */
static void replay(const struct net_survey *s)
{
	for (size_t i = 0; i < s->nr_addrs; i++)
		expect(net_replay_same_addr(&s->addrs[i], &s->addrs[i]));
	for (size_t i = 0; i < s->nr_routes; i++)
		expect(net_replay_same_route(&s->routes[i], &s->routes[i]));
}

/* As sock_diag's replies: whatever port is found, it is one. */
static void read_sockets(const void *data, size_t len)
{
	const struct nlmsghdr *m = data;
	struct net_forward_facts f = { .known = true };
	struct net_share_ports ports = { .unknown = false };
	int left = (int)len;

	for (; net_nl_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		net_forward_parse_socket(m, &f, IPPROTO_TCP);
		net_forward_parse_socket(m, &f, IPPROTO_UDP);
		expect(!net_share_parse_socket(m, &ports) || !(ports.busy[0] & 1));
	}
}

static void read_record(const char *json)
{
	struct err e = ERR_INIT;
	struct net_record r;

	if (net_record_read(json, &r, &e) < 0) {
		expect(e.text[0] != '\0');
		return;
	}
	replay(&r.was);
	net_record_free(&r);
}

static void plan(const struct net_survey *s, enum net_mode mode, enum net_mac mac)
{
	struct net_request request = {
		.mode = mode, .mac = mac, .entropy = "0123456789abcde",
		.host = { .tun = true, .bridge = true, .packet = true },
	};
	struct err e = ERR_INIT;
	struct net_record r;
	struct net_plan p;
	char *json;
	size_t hops = 0;

	if (net_plan(s, &request, &p, &e) < 0) {
		/* The mode cannot be had there: it is said, and nothing is planned. */
		expect(mode != NET_MODE_TC && e.text[0] != '\0' && p.nr_ports == 0);
		return;
	}
	expect(p.nr_ports <= NABLA_LAUNCH_NETS);
	for (size_t i = 0; i < p.nr_addrs; i++)
		expect(p.addrs[i].link < p.nr_ports);
	for (size_t i = 0; i < p.nr_hops; i++)
		expect(p.hops[i].link < p.nr_ports);
	for (size_t i = 0; i < p.nr_routes; i++)
		hops += p.routes[i].nr_hops;
	expect(hops == p.nr_hops);
	for (size_t i = 0; i < p.nr_neighs; i++)
		expect(p.neighs[i].link < p.nr_ports);
	for (size_t i = 0; i < p.nr_ports; i++)
		expect(p.ports[i].mode != NET_MODE_AUTO && p.ports[i].mode <= NET_MODE_PACKET);

	/* A name that is not UTF-8 cannot be written down: refused, not crashed on. */
	if (net_record(s, &p, &json, &e) == 0) {
		expect(net_record_read(json, &r, &e) == 0);
		replay(&r.was);
		net_record_free(&r);
		free(json);
	}
	net_plan_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct net_survey s = { .links = NULL };
	/* A copy of exactly this length, aligned as a receive buffer is. */
	char *copy = malloc(len + 1);

	memcpy(copy, data, len);
	if (len > 0 && copy[0] == '{') {
		copy[len] = '\0';
		read_record(copy);
		free(copy);
		return 0;
	}
	copy = realloc(copy, len ? len : 1);
	read_sockets(copy, len);
	if (net_parse_buffer(&s, copy, len) == 0) {
		free(copy);
		copy = NULL;
		net_parse_finish(&s);
		replay(&s);
		plan(&s, NET_MODE_TC, NET_MAC_ADOPT);
		plan(&s, NET_MODE_BRIDGE, NET_MAC_RANDOM);
		plan(&s, NET_MODE_MACVTAP, NET_MAC_ADOPT);
		plan(&s, NET_MODE_PACKET, NET_MAC_ADOPT);
		plan(&s, NET_MODE_AUTO, NET_MAC_ADOPT);
	}
	free(copy);
	net_survey_free(&s);
	return 0;
}
