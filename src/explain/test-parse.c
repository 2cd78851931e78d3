/* SPDX-License-Identifier: GPL-2.0-only */
/* What a survey does not read: messages made here, whole and damaged. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "explain/facts.h"
#include "net/netlink.h"
#include "net/tc.h"

static union net_msg m;

static int setup(void **state)
{
	static struct explain_space x;

	memset(&x, 0, sizeof(x));
	x.fd = -1;
	*state = &x;
	return 0;
}

static int teardown(void **state)
{
	explain_space_free(*state);
	return 0;
}

static void make_link(int index, const char *name, const char *kind, int other, int nsid)
{
	struct ifinfomsg *head = net_nl_request(&m, RTM_NEWLINK, 0, sizeof(*head));
	struct nlattr *info;

	head->ifi_index = index;
	mnl_attr_put_strz(&m.head, IFLA_IFNAME, name);
	if (other)
		mnl_attr_put_u32(&m.head, IFLA_LINK, (uint32_t)other);
	if (nsid >= 0)
		mnl_attr_put_u32(&m.head, IFLA_LINK_NETNSID, (uint32_t)nsid);
	info = mnl_attr_nest_start(&m.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.head, IFLA_INFO_KIND, kind);
	if (strcmp(kind, "bridge") == 0) {
		struct nlattr *data = mnl_attr_nest_start(&m.head, IFLA_INFO_DATA);

		mnl_attr_put_u8(&m.head, IFLA_BR_NF_CALL_IPTABLES, 1);
		mnl_attr_nest_end(&m.head, data);
	}
	mnl_attr_nest_end(&m.head, info);
}

static void test_links(void **state)
{
	struct explain_space *x = *state;

	make_link(2, "eth0", "veth", 7, 3);
	assert_int_equal(explain_parse_message(x, &m.head, false), 0);
	make_link(3, "br0", "bridge", 0, -1);
	assert_int_equal(explain_parse_message(x, &m.head, false), 0);
	assert_int_equal(x->nr_links, 2);
	assert_int_equal(x->all.nr_links, 2);
	assert_int_equal(explain_link(x, 2)->other, 7);
	assert_int_equal(explain_link(x, 2)->other_nsid, 3);
	assert_int_equal(explain_link(x, 3)->other, 0);
	assert_int_equal(explain_link(x, 3)->other_nsid, -1);
	assert_true(explain_link(x, 3)->nf_call);
	assert_int_equal(explain_link_index(x, "br0"), 3);
	assert_int_equal(explain_link_index(x, "br1"), 0);
	assert_null(explain_link(x, 4));
}

static void test_settings(void **state)
{
	struct explain_space *x = *state;
	struct netconfmsg *head;

	make_link(2, "eth0", "veth", 0, -1);
	explain_parse_message(x, &m.head, false);
	head = net_nl_request(&m, RTM_NEWNETCONF, 0, sizeof(*head));
	head->ncm_family = AF_INET;
	mnl_attr_put_u32(&m.head, NETCONFA_IFINDEX, 2);
	mnl_attr_put_u32(&m.head, NETCONFA_FORWARDING, 1);
	mnl_attr_put_u32(&m.head, NETCONFA_PROXY_NEIGH, 1);
	assert_int_equal(explain_parse_message(x, &m.head, false), 0);
	assert_true(explain_link(x, 2)->proxy);
	assert_true(explain_link(x, 2)->forwarding);
}

static void make_entry(const void *mac, size_t len)
{
	struct ndmsg *head = net_nl_request(&m, RTM_NEWNEIGH, 0, sizeof(*head));

	head->ndm_family = AF_BRIDGE;
	head->ndm_ifindex = 4;
	head->ndm_state = NUD_PERMANENT;
	mnl_attr_put(&m.head, NDA_LLADDR, len, mac);
	mnl_attr_put_u32(&m.head, NDA_MASTER, 3);
}

static void test_table(void **state)
{
	struct explain_space *x = *state;

	make_entry("\x02\0\0\0\0\x09", 6);
	assert_int_equal(explain_parse_message(x, &m.head, false), 0);
	assert_int_equal(x->nr_fdb, 1);
	assert_int_equal(x->all.nr_neighs, 0);
	assert_int_equal(x->fdb[0].link, 4);
	assert_int_equal(x->fdb[0].bridge, 3);
	assert_true(x->fdb[0].local);
	/* No Ethernet address: passed over. */
	make_entry("\x02\0\0\0\0\0\0\x09", 8);
	assert_int_equal(explain_parse_message(x, &m.head, false), 0);
	assert_int_equal(x->nr_fdb, 1);
}

static void make_filter(void)
{
	const struct tc_mirred parms = { .eaction = TCA_EGRESS_REDIR, .ifindex = 5 };
	const struct gnet_stats_basic basic = { .packets = 42 };
	const struct gnet_stats_queue queue = { .drops = 3 };
	struct tcmsg *head = net_nl_request(&m, RTM_NEWTFILTER, 0, sizeof(*head));
	struct nlattr *options, *actions, *action, *nest;

	head->tcm_ifindex = 2;
	head->tcm_info = TC_H_MAKE(NET_TC_PRIORITY << 16, 0);
	mnl_attr_put_strz(&m.head, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(&m.head, TCA_OPTIONS);
	mnl_attr_put_strz(&m.head, TCA_BPF_NAME, "a\033[Hname");
	actions = mnl_attr_nest_start(&m.head, TCA_BPF_ACT);
	action = mnl_attr_nest_start(&m.head, 1);
	mnl_attr_put_strz(&m.head, TCA_ACT_KIND, "mirred");
	mnl_attr_put(&m.head, TCA_ACT_COOKIE, sizeof(NET_TC_COOKIE) - 1, NET_TC_COOKIE);
	nest = mnl_attr_nest_start(&m.head, TCA_ACT_STATS);
	mnl_attr_put(&m.head, TCA_STATS_BASIC, sizeof(basic), &basic);
	mnl_attr_put(&m.head, TCA_STATS_QUEUE, sizeof(queue), &queue);
	mnl_attr_nest_end(&m.head, nest);
	nest = mnl_attr_nest_start(&m.head, TCA_ACT_OPTIONS);
	mnl_attr_put(&m.head, TCA_MIRRED_PARMS, sizeof(parms), &parms);
	mnl_attr_nest_end(&m.head, nest);
	mnl_attr_nest_end(&m.head, action);
	mnl_attr_nest_end(&m.head, actions);
	mnl_attr_nest_end(&m.head, options);
}

static void test_filter(void **state)
{
	struct explain_space *x = *state;

	make_filter();
	assert_int_equal(explain_parse_message(x, &m.head, true), 0);
	assert_int_equal(x->nr_filters, 1);
	assert_int_equal(x->filters[0].link, 2);
	assert_int_equal(x->filters[0].redirect, 5);
	assert_int_equal(x->filters[0].packets, 42);
	assert_int_equal(x->filters[0].dropped, 3);
	assert_int_equal(x->filters[0].priority, NET_TC_PRIORITY);
	assert_true(x->filters[0].ours);
	assert_true(x->filters[0].egress);
	/* What is printed must not move the cursor. */
	assert_string_equal(x->filters[0].name, "a?[Hname");
}

static void make_chain(uint32_t hook, uint32_t policy)
{
	struct nfgenmsg *head = net_nl_request(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
					       0, sizeof(*head));
	struct nlattr *nest;

	head->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(&m.head, NFTA_CHAIN_TABLE, "filter");
	mnl_attr_put_strz(&m.head, NFTA_CHAIN_NAME, "forward");
	nest = mnl_attr_nest_start(&m.head, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(&m.head, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_nest_end(&m.head, nest);
	mnl_attr_put_u32(&m.head, NFTA_CHAIN_POLICY, htonl(policy));
}

static void test_chain(void **state)
{
	struct explain_space *x = *state;

	make_chain(NF_INET_LOCAL_IN, NF_DROP);
	assert_int_equal(explain_parse_chain(x, &m.head), 0);
	assert_int_equal(x->nr_chains, 0);
	make_chain(NF_INET_FORWARD, NF_DROP);
	assert_int_equal(explain_parse_chain(x, &m.head), 0);
	assert_int_equal(x->nr_chains, 1);
	assert_true(x->chains[0].drop);
	assert_string_equal(x->chains[0].table, "filter");
	make_chain(NF_INET_FORWARD, NF_ACCEPT);
	assert_int_equal(explain_parse_chain(x, &m.head), 0);
	assert_false(x->chains[1].drop);
}

/* Cut anywhere, a message is refused or read; nothing beyond its end is looked at. */
static void test_cut(void **state)
{
	void (*const make[])(void) = { make_filter };
	struct explain_space *x = *state;
	int refused = 0;

	for (size_t i = 0; i < sizeof(make) / sizeof(make[0]); i++) {
		uint32_t len;

		make[i]();
		len = m.head.nlmsg_len;
		for (uint32_t cut = sizeof(m.head); cut < len; cut++) {
			void *copy = test_malloc(cut);

			memcpy(copy, &m, cut);
			((struct nlmsghdr *)copy)->nlmsg_len = cut;
			if (explain_parse_message(x, copy, false) == -EBADMSG)
				refused++;
			test_free(copy);
		}
	}
	assert_true(refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
