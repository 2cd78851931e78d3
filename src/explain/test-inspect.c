/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path, inspection and drawing over a small cluster that exists only here:
 *
 *	guest - rnct2 - eth0 (pod) - pod1 (node) - br0 - router (node) - eth0 (router)
 */
#include <jansson.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "explain/draw.h"
#include "net/tc.h"

enum { POD, NODE, ROUTER, SPACES };

static const uint8_t guest_ip[16] = { 10, 0, 0, 5 }, gateway_ip[16] = { 10, 0, 0, 1 };

struct cluster {
	struct explain_facts facts;
	struct net_plan plan;
	struct explain_subject subject;
	struct explain_path path;
	struct explain_report report;
};

static struct net_link *add_link(struct explain_space *x, int index, const char *name,
				 const char *kind, uint8_t mac)
{
	struct net_link *l = &x->all.links[x->all.nr_links++];

	x->links[x->nr_links++] = (struct explain_link){ .index = index, .other_nsid = -1 };
	*l = (struct net_link){ .index = index, .carrier = true, .flags = IFF_UP, .mtu = 1500,
				.has_mac = true, .mac = { 2, [5] = mac } };
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->kind, sizeof(l->kind), "%s", kind);
	return l;
}

static void connect_ends(struct explain_space *a, int a_link, struct explain_space *b, int b_link)
{
	for (size_t i = 0; i < a->nr_links; i++)
		if (a->links[i].index == a_link) {
			a->links[i].other = b_link;
			a->links[i].other_nsid = (int32_t)b->inode;
		}
}

static void make_space(struct explain_space *x, const char *name, uint64_t inode)
{
	snprintf(x->name, sizeof(x->name), "%s", name);
	x->fd = -1;
	x->inode = inode;
	x->all.links = calloc(8, sizeof(*x->all.links));
	x->all.addrs = calloc(8, sizeof(*x->all.addrs));
	x->all.routes = calloc(8, sizeof(*x->all.routes));
	x->all.neighs = calloc(8, sizeof(*x->all.neighs));
	x->links = calloc(8, sizeof(*x->links));
	x->filters = calloc(8, sizeof(*x->filters));
	x->fdb = calloc(8, sizeof(*x->fdb));
	x->chains = calloc(8, sizeof(*x->chains));
	x->nsids = calloc(8, sizeof(*x->nsids));
	/* In this cluster every namespace knows every other by its inode. */
	for (uint64_t i = 1; i <= SPACES; i++)
		x->nsids[x->nr_nsids++] = (struct explain_nsid){ .id = (int32_t)i, .inode = i };
}

static void add_route(struct explain_space *x, int link, const uint8_t *dst, uint8_t prefix)
{
	struct net_route *r = &x->all.routes[x->all.nr_routes++];

	r->route = (struct gcfg_route){ .family = AF_INET, .dst_prefix = prefix, .nr_hops = 1,
					.table = RT_TABLE_MAIN };
	memcpy(r->route.dst, dst, 4);
	r->hops = calloc(1, sizeof(*r->hops));
	r->hops[0].link = (uint32_t)link;
}

static void add_neigh(struct explain_space *x, uint8_t mac, uint16_t state)
{
	struct net_neigh *n = &x->all.neighs[x->all.nr_neighs++];

	n->neigh = (struct gcfg_neigh){ .link = 2, .family = AF_INET, .mac = { 2, [5] = mac },
					.state = state };
	memcpy(n->neigh.addr, guest_ip, sizeof(guest_ip));
}

static void make_plan(struct net_plan *p)
{
	p->nr_ports = 1;
	p->ports[0] = (struct net_port){ .index = 2, .name = "eth0", .mode = NET_MODE_TC,
					 .host_mac = { 2, [5] = 1 }, .guest_mac = { 2, [5] = 1 },
					 .tap = "rnct2" };
	p->links[0].mtu = 1500;
	p->nr_addrs = p->nr_routes = p->nr_hops = 1;
	p->addrs = calloc(1, sizeof(*p->addrs));
	p->addrs[0] = (struct gcfg_addr){ .family = AF_INET, .prefix = 24 };
	memcpy(p->addrs[0].local, guest_ip, sizeof(guest_ip));
	p->routes = calloc(1, sizeof(*p->routes));
	p->routes[0] = (struct gcfg_route){ .family = AF_INET, .nr_hops = 1,
					    .table = RT_TABLE_MAIN };
	p->hops = calloc(1, sizeof(*p->hops));
	p->hops[0] = (struct gcfg_hop){ .gateway_family = AF_INET };
	memcpy(p->hops[0].gateway, gateway_ip, sizeof(gateway_ip));
}

static int setup(void **state)
{
	static struct cluster c;
	struct explain_space *x;

	memset(&c, 0, sizeof(c));
	x = c.facts.spaces = calloc(SPACES, sizeof(*x));
	c.facts.nr_spaces = SPACES;
	make_space(&x[POD], "/run/netns/pod", 1);
	make_space(&x[NODE], "/run/netns/node", 2);
	make_space(&x[ROUTER], "/run/netns/router", 3);
	add_link(&x[POD], 2, "eth0", "veth", 1);
	add_link(&x[POD], 3, "rnct2", "tun", 2);
	add_link(&x[NODE], 4, "pod1", "veth", 3)->master = 5;
	add_link(&x[NODE], 5, "br0", "bridge", 4);
	add_link(&x[NODE], 6, "router", "veth", 5)->master = 5;
	add_link(&x[ROUTER], 2, "eth0", "veth", 6);
	connect_ends(&x[POD], 2, &x[NODE], 4);
	connect_ends(&x[NODE], 4, &x[POD], 2);
	connect_ends(&x[NODE], 6, &x[ROUTER], 2);
	connect_ends(&x[ROUTER], 2, &x[NODE], 6);
	x[POD].filters[0] = (struct explain_filter){ .link = 2, .redirect = 3, .ours = true };
	x[POD].filters[1] = (struct explain_filter){ .link = 3, .redirect = 2, .ours = true };
	x[POD].nr_filters = 2;
	x[ROUTER].all.addrs[0].addr = (struct gcfg_addr){ .link = 2, .family = AF_INET,
							  .prefix = 24 };
	memcpy(x[ROUTER].all.addrs[0].addr.local, gateway_ip, sizeof(gateway_ip));
	x[ROUTER].all.nr_addrs = 1;
	add_route(&x[ROUTER], 2, guest_ip, 24);
	make_plan(&c.plan);
	c.subject = (struct explain_subject){ .id = "c1", .pid = 42, .plan = &c.plan };
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct cluster *c = *state;

	explain_report_free(&c->report);
	net_plan_free(&c->plan);
	explain_facts_free(&c->facts);
	return 0;
}

static const struct explain_finding *inspect(struct cluster *c)
{
	explain_path_find(&c->facts, &c->subject, 0, &c->path);
	explain_inspect(&c->facts, &c->subject, 0, &c->path, &c->report);
	assert_false(c->report.failed);
	return explain_broken(&c->report);
}

/* The first break is at @hop, in words that contain @what. */
static void assert_broken(struct cluster *c, enum explain_hop hop, const char *what)
{
	const struct explain_finding *f = inspect(c);

	if (!f || f->hop != hop || !strstr(f->what, what) || !f->cure)
		fail_msg("wanted '%s' at the %s, got '%s' at the %s", what, explain_hop_name(hop),
			 f ? f->what : "nothing", f ? explain_hop_name(f->hop) : "-");
}

static void test_path(void **state)
{
	struct cluster *c = *state;

	assert_null(inspect(c));
	assert_int_equal(c->path.pod.link, 2);
	assert_int_equal(c->path.tap.link, 3);
	assert_int_equal(c->path.host.space, NODE);
	assert_int_equal(c->path.host.link, 4);
	assert_int_equal(c->path.segment.link, 5);
	assert_int_equal(c->path.nr_others, 1);
	assert_int_equal(c->path.router.space, ROUTER);
	assert_int_equal(c->path.router.link, 2);
	assert_string_equal(c->path.router_by, "has the gateway's address");
}

/* A VLAN on eth0: its host end is eth0's. */
static void test_vlan(void **state)
{
	struct cluster *c = *state;
	struct explain_space *pod = &c->facts.spaces[POD];

	add_link(pod, 9, "eth0.7", "vlan", 1);
	pod->links[pod->nr_links - 1].other = 2;
	c->plan.ports[0].index = 9;
	pod->filters[0].link = 9;
	pod->filters[1].redirect = 9;
	assert_null(inspect(c));
	assert_int_equal(c->path.pod.link, 9);
	assert_int_equal(c->path.host.space, NODE);
	assert_int_equal(c->path.host.link, 4);
}

static void test_unseen(void **state)
{
	struct cluster *c = *state;
	bool said = false;

	c->facts.spaces[POD].nr_nsids = 0;
	assert_null(inspect(c));
	assert_int_equal(c->path.host.link, 0);
	for (size_t i = 0; i < c->report.nr; i++)
		said |= c->report.findings[i].verdict == EXPLAIN_UNKNOWN &&
			strstr(c->report.findings[i].what, "cannot be seen from here");
	assert_true(said);
}

static void test_post(void **state)
{
	struct cluster *c = *state;

	add_neigh(&c->facts.spaces[ROUTER], 1, NUD_PERMANENT);
	c->plan.ports[0].guest_mac[5] = 9;
	assert_broken(c, EXPLAIN_HOP_BACK,
		      "the router (eth0 of router) knows 10.0.0.5 as MAC 02:00:00:00:00:01 "
		      "(permanent), the guest answers to MAC 02:00:00:00:00:09: frames for "
		      "02:00:00:00:00:01 are dropped in the guest, whose device takes only its own "
		      "02:00:00:00:00:09; it will never ask again");
	assert_non_null(strstr(explain_broken(&c->report)->cure, "mac=adopt"));
}

/* An entry that ages is asked for again: no break. */
static void test_stale(void **state)
{
	struct cluster *c = *state;

	add_neigh(&c->facts.spaces[ROUTER], 1, NUD_STALE);
	c->plan.ports[0].guest_mac[5] = 9;
	assert_null(inspect(c));
}

static void test_filter_missing(void **state)
{
	struct cluster *c = *state;

	c->facts.spaces[POD].filters[0].redirect = 0;
	assert_broken(c, EXPLAIN_HOP_PLUMBING,
		      "filter missing: nothing redirects what comes in by eth0 to rnct2");
}

static void test_no_process(void **state)
{
	struct cluster *c = *state;

	c->subject.pid = 0;
	assert_broken(c, EXPLAIN_HOP_GUEST, "has no process");
}

static void test_mtu(void **state)
{
	struct cluster *c = *state;

	c->facts.spaces[NODE].all.links[1].mtu = 1450;
	assert_broken(c, EXPLAIN_HOP_SEGMENT,
		      "the guest's is 1500, that of br0 of node is 1450");
}

static void test_down(void **state)
{
	struct cluster *c = *state;

	c->facts.spaces[NODE].all.links[0].flags = 0;
	assert_broken(c, EXPLAIN_HOP_HOST, "link down: pod1 of node");
}

static void test_route(void **state)
{
	struct cluster *c = *state;

	c->facts.spaces[ROUTER].all.routes[0].hops[0].link = 7;
	assert_broken(c, EXPLAIN_HOP_BACK, "missing route: the router (eth0 of router)");
}

static void test_duplicate(void **state)
{
	struct cluster *c = *state;
	struct net_survey *all = &c->facts.spaces[ROUTER].all;

	all->addrs[1].addr = all->addrs[0].addr;
	memcpy(all->addrs[1].addr.local, guest_ip, sizeof(guest_ip));
	all->nr_addrs = 2;
	assert_broken(c, EXPLAIN_HOP_SEGMENT,
		      "duplicate address: eth0 of router has the guest's 10.0.0.5 as well");
}

/* The pod's kernel shares the interface: it has the address as well, and that is no duplicate. */
static void test_shared(void **state)
{
	struct cluster *c = *state;
	struct explain_space *pod = &c->facts.spaces[POD];
	struct explain_picture p = { .facts = &c->facts, .subject = &c->subject,
				     .paths = &c->path, .report = &c->report };
	_autobuf_ struct buf text = BUF_INIT(EXPLAIN_DRAW_MAX), alone = BUF_INIT(EXPLAIN_DRAW_MAX);

	c->plan.ports[0].shared = true;
	c->plan.share = (struct net_share){ .on = true, .number = 1, .alone = true };
	pod->all.addrs[0].addr = c->plan.addrs[0];
	pod->all.addrs[0].addr.link = 2;
	pod->all.nr_addrs = 1;
	assert_broken(c, EXPLAIN_HOP_PLUMBING, "nothing tells at eth0 what is for the guest and "
					       "what for the pod's other containers");
	explain_report_free(&c->report);
	pod->filters[pod->nr_filters++] = (struct explain_filter){
		.link = 2, .ours = true, .priority = NET_TC_PRIORITY_SHARE, .kind = "bpf",
		.name = NET_TC_SHARE_NAME, .handle = 1 };
	assert_null(inspect(c));
	explain_draw_text(&p, &text);
	assert_non_null(strstr(text.data, "what comes in: stays, if a socket of the namespace"));
	assert_null(strstr(text.data, "the pod's own kernel, with MAC"));
	/* Without a guest it is alone. */
	c->subject.pid = 0;
	explain_draw_text(&p, &alone);
	assert_non_null(strstr(alone.data, "the pod's own kernel, with MAC"));
}

/* One that came when there was another has a program, no redirect, and does not answer for all. */
static void test_second_guest(void **state)
{
	struct cluster *c = *state;
	struct explain_space *pod = &c->facts.spaces[POD];
	struct explain_picture p = { .facts = &c->facts, .subject = &c->subject,
				     .paths = &c->path, .report = &c->report };
	_autobuf_ struct buf text = BUF_INIT(EXPLAIN_DRAW_MAX);

	c->plan.ports[0].shared = true;
	c->plan.share = (struct net_share){ .on = true, .number = 2 };
	for (size_t i = 0; i < pod->nr_filters; i++)
		if (pod->filters[i].link == 2)
			pod->filters[i] = (struct explain_filter){
				.link = 2, .ours = true, .priority = NET_TC_PRIORITY_SHARE,
				.kind = "bpf", .name = NET_TC_SHARE_NAME, .handle = 1 };
	assert_broken(c, EXPLAIN_HOP_PLUMBING, "nothing tells at eth0 what is for the guest");
	explain_report_free(&c->report);
	for (size_t i = 0; i < pod->nr_filters; i++)
		if (pod->filters[i].handle == 1)
			pod->filters[i].handle = 2;
	assert_null(inspect(c));
	explain_draw_text(&p, &text);
	assert_non_null(strstr(text.data, "runnc-share, guest 2, runnc's)"));
	assert_non_null(strstr(text.data, "the pod's first guest, or its own kernel without one"));
}

static void make_bridged(struct cluster *c)
{
	struct explain_space *pod = &c->facts.spaces[POD];

	add_link(pod, 8, "rncb2", "bridge", 7);
	pod->all.links[0].master = pod->all.links[1].master = 8;
	pod->all.links[0].mac[5] = 11;
	c->plan.ports[0].mode = NET_MODE_BRIDGE;
	strcpy(c->plan.ports[0].bridge, "rncb2");
}

static void test_kept_mac(void **state)
{
	struct cluster *c = *state;
	struct explain_space *pod = &c->facts.spaces[POD];

	make_bridged(c);
	assert_null(inspect(c));
	explain_report_free(&c->report);
	pod->fdb[pod->nr_fdb++] = (struct explain_fdb){ .link = 2, .bridge = 8, .local = true,
							.mac = { 2, [5] = 1 } };
	assert_broken(c, EXPLAIN_HOP_PLUMBING,
		      "eth0 has the guest's MAC 02:00:00:00:00:01 as well");
}

static void test_firewall(void **state)
{
	struct cluster *c = *state;
	struct explain_space *pod = &c->facts.spaces[POD];

	make_bridged(c);
	pod->chains[pod->nr_chains++] = (struct explain_chain){
		.family = NFPROTO_INET, .drop = true, .table = "filter", .name = "forward" };
	assert_null(inspect(c));
	explain_report_free(&c->report);
	pod->nf_call = true;
	assert_broken(c, EXPLAIN_HOP_PLUMBING, "chain 'forward' of nftables table 'inet filter'");
}

static void test_no_route(void **state)
{
	struct cluster *c = *state;

	c->plan.nr_routes = 0;
	assert_null(inspect(c));
	explain_report_free(&c->report);
	c->plan.addrs[0].prefix = 32;
	assert_broken(c, EXPLAIN_HOP_GUEST, "missing route: the guest has 10.0.0.5/32");
}

/* ---- drawing -------------------------------------------------------------------------------- */

static void test_drawing(void **state)
{
	struct cluster *c = *state;
	struct explain_picture p = { .facts = &c->facts, .subject = &c->subject,
				     .paths = &c->path, .report = &c->report };
	_autobuf_ struct buf text = BUF_INIT(EXPLAIN_DRAW_MAX), dot = BUF_INIT(EXPLAIN_DRAW_MAX);
	json_t *json;

	strcpy(c->facts.spaces[NODE].all.links[0].name, "a\"b\\c");
	inspect(c);
	explain_draw_text(&p, &text);
	assert_int_equal(buf_error(&text), 0);
	assert_non_null(strstr(text.data, "the guest, with MAC 02:00:00:00:00:01"));
	assert_non_null(strstr(text.data, "router: /run/netns/router"));
	explain_draw_dot(&p, &dot);
	assert_non_null(strstr(dot.data, "a\\\"b\\\\c"));
	json = explain_to_json(&p);
	assert_non_null(json);
	assert_true(json_is_null(json_object_get(json, "broken")));
	assert_int_equal(json_array_size(json_object_get(json, "namespaces")), SPACES);
	json_decref(json);
}

static void test_order(void **state)
{
	struct cluster *c = *state;

	explain_say(&c->report, EXPLAIN_HOP_BACK, EXPLAIN_BROKEN, "x", "late");
	explain_say(&c->report, EXPLAIN_HOP_HOST, EXPLAIN_WORKS, NULL, "early");
	explain_say(&c->report, EXPLAIN_HOP_HOST, EXPLAIN_BROKEN, NULL, "second %d", 2);
	assert_string_equal(c->report.findings[0].what, "early");
	assert_string_equal(explain_broken(&c->report)->what, "second 2");
}

#define CLUSTER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLUSTER_TEST(test_path), CLUSTER_TEST(test_vlan), CLUSTER_TEST(test_unseen),
		CLUSTER_TEST(test_post),
		CLUSTER_TEST(test_stale), CLUSTER_TEST(test_filter_missing),
		CLUSTER_TEST(test_no_process), CLUSTER_TEST(test_mtu), CLUSTER_TEST(test_down),
		CLUSTER_TEST(test_route), CLUSTER_TEST(test_duplicate), CLUSTER_TEST(test_kept_mac),
		CLUSTER_TEST(test_shared), CLUSTER_TEST(test_second_guest),
		CLUSTER_TEST(test_firewall), CLUSTER_TEST(test_no_route),
		CLUSTER_TEST(test_drawing), CLUSTER_TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
