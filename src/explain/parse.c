/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a survey does not read of the kernel's replies: the other ends of links, forwarding tables,
 * filters with their counters, firewall chains. Bytes are looked at through net/attr.h only. Needs
 * no kernel: fuzzed by tests/fuzz/fuzz-explain.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/facts.h"
#include "net/attr.h"
#include "net/parse.h"
#include "net/tc.h"

/* What is printed must not move the cursor, and JSON wants UTF-8. */
static void plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* ---- links ---------------------------------------------------------------------------------- */

static int parse_bridge(const struct nlattr *data, struct explain_link *l)
{
	const struct nlattr *tb[IFLA_BR_NF_CALL_IPTABLES + 1];
	uint8_t call = 0;

	if (net_nested(data, tb, IFLA_BR_NF_CALL_IPTABLES) < 0 ||
	    net_attr_get(tb[IFLA_BR_NF_CALL_IPTABLES], &call, sizeof(call)) < 0)
		return -EBADMSG;
	l->nf_call = call;
	return 0;
}

static int parse_link(struct explain_space *x, const struct nlmsghdr *m)
{
	const struct nlattr *tb[IFLA_LINK_NETNSID + 1], *info[IFLA_INFO_DATA + 1];
	const struct ifinfomsg *head = net_head(m, sizeof(*head), tb, IFLA_LINK_NETNSID);
	struct explain_link l = { .other_nsid = -1 }, *slot;
	int rc;

	if (!head || net_attr_get(tb[IFLA_LINK], &l.other, sizeof(l.other)) < 0 ||
	    net_attr_get(tb[IFLA_LINK_NETNSID], &l.other_nsid, sizeof(l.other_nsid)) < 0 ||
	    net_nested(tb[IFLA_LINKINFO], info, IFLA_INFO_DATA) < 0)
		return -EBADMSG;
	if (net_attr_is(info[IFLA_INFO_KIND], "bridge") &&
	    parse_bridge(info[IFLA_INFO_DATA], &l) < 0)
		return -EBADMSG;
	l.index = head->ifi_index;
	if (l.other < 0 || l.other_nsid < 0)
		l.other_nsid = -1;
	if (l.other < 0)
		l.other = 0;
	slot = net_parse_grow((void **)&x->links, x->nr_links, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	*slot = l;
	x->nr_links++;
	return 0;
}

/* Settings of IPv4. Those of all interfaces together (index -1) decide with the interface's own. */
static int parse_netconf(struct explain_space *x, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NETCONFA_PROXY_NEIGH + 1];
	const struct netconfmsg *head = net_head(m, sizeof(*head), tb, NETCONFA_PROXY_NEIGH);
	int32_t index = 0, proxy = 0, forwarding = 0;

	if (!head || net_attr_get(tb[NETCONFA_IFINDEX], &index, sizeof(index)) < 0 ||
	    net_attr_get(tb[NETCONFA_PROXY_NEIGH], &proxy, sizeof(proxy)) < 0 ||
	    net_attr_get(tb[NETCONFA_FORWARDING], &forwarding, sizeof(forwarding)) < 0)
		return -EBADMSG;
	if (head->ncm_family != AF_INET)
		return 0;
	for (size_t i = 0; i < x->nr_links; i++) {
		if (index != NETCONFA_IFINDEX_ALL && x->links[i].index != index)
			continue;
		x->links[i].proxy |= proxy != 0;
		/* IN_DEV_FORWARD is the interface's own only. */
		if (index == x->links[i].index)
			x->links[i].forwarding = forwarding != 0;
	}
	return 0;
}

/* ---- forwarding tables ---------------------------------------------------------------------- */

static int parse_fdb(struct explain_space *x, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NDA_MASTER + 1];
	const struct ndmsg *head = net_head(m, sizeof(*head), tb, NDA_MASTER);
	struct explain_fdb *slot;
	int32_t bridge = 0;
	int rc;

	if (!head)
		return -EBADMSG;
	if (head->ndm_family != AF_BRIDGE)
		return 0;
	if (head->ndm_ifindex <= 0 || net_attr_get(tb[NDA_MASTER], &bridge, sizeof(bridge)) < 0)
		return -EBADMSG;
	/* VXLAN and InfiniBand keep other things there. */
	if (!tb[NDA_LLADDR] || net_attr_len(tb[NDA_LLADDR]) != sizeof(slot->mac))
		return 0;
	slot = net_parse_grow((void **)&x->fdb, x->nr_fdb, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	memcpy(slot->mac, net_attr_body(tb[NDA_LLADDR]), sizeof(slot->mac));
	slot->link = head->ndm_ifindex;
	slot->bridge = bridge;
	slot->local = bridge && (head->ndm_state & NUD_PERMANENT);
	slot->fixed = head->ndm_state & (NUD_PERMANENT | NUD_NOARP);
	x->nr_fdb++;
	return 0;
}

/* ---- filters -------------------------------------------------------------------------------- */

static int parse_stats(const struct nlattr *stats, struct explain_filter *f)
{
	const struct nlattr *tb[TCA_STATS_MAX + 1];
	struct gnet_stats_basic basic = { .packets = 0 };
	struct gnet_stats_queue queue = { .drops = 0 };

	if (net_nested(stats, tb, TCA_STATS_MAX) < 0)
		return -EBADMSG;
	/* With or without the structure's padding; newer kernels append to it. */
	if (tb[TCA_STATS_BASIC] && net_attr_len(tb[TCA_STATS_BASIC]) >= 12)
		memcpy(&basic, net_attr_body(tb[TCA_STATS_BASIC]), 12);
	if (tb[TCA_STATS_QUEUE] && net_attr_len(tb[TCA_STATS_QUEUE]) >= sizeof(queue))
		memcpy(&queue, net_attr_body(tb[TCA_STATS_QUEUE]), sizeof(queue));
	f->packets = basic.packets;
	f->dropped = queue.drops;
	return 0;
}

/* The options of "mirred" and "gact" begin with what all actions share (tc_gen), then their own. */
static int parse_action(const struct nlattr *action, struct explain_filter *f)
{
	const struct nlattr *tb[TCA_ACT_COOKIE + 1], *options[TCA_MIRRED_PARMS + 1];
	struct tc_mirred mirred = { .action = TC_ACT_OK };
	struct tc_gact gact = { .action = TC_ACT_OK };

	if (net_nested(action, tb, TCA_ACT_COOKIE) < 0 ||
	    net_nested(tb[TCA_ACT_OPTIONS], options, TCA_MIRRED_PARMS) < 0 ||
	    parse_stats(tb[TCA_ACT_STATS], f) < 0)
		return -EBADMSG;
	if (tb[TCA_ACT_COOKIE] &&
	    net_attr_len(tb[TCA_ACT_COOKIE]) >= sizeof(NET_TC_COOKIE) - 1 &&
	    memcmp(net_attr_body(tb[TCA_ACT_COOKIE]), NET_TC_COOKIE,
		   sizeof(NET_TC_COOKIE) - 1) == 0)
		f->ours = true;
	if (net_attr_is(tb[TCA_ACT_KIND], "mirred")) {
		if (net_attr_get(options[TCA_MIRRED_PARMS], &mirred, sizeof(mirred)) < 0)
			return -EBADMSG;
		if (mirred.eaction == TCA_EGRESS_REDIR || mirred.eaction == TCA_INGRESS_REDIR)
			f->redirect = (int)(mirred.ifindex & INT32_MAX);
	} else if (net_attr_is(tb[TCA_ACT_KIND], "gact")) {
		if (net_attr_get(options[TCA_GACT_PARMS], &gact, sizeof(gact)) < 0)
			return -EBADMSG;
		f->drops |= gact.action == TC_ACT_SHOT;
	}
	return 0;
}

static int parse_actions(const struct nlattr *actions, struct explain_filter *f)
{
	const struct nlattr *list[TCA_ACT_MAX_PRIO + 1];

	if (net_nested(actions, list, TCA_ACT_MAX_PRIO) < 0)
		return -EBADMSG;
	for (size_t i = 0; i <= TCA_ACT_MAX_PRIO; i++)
		if (list[i] && parse_action(list[i], f) < 0)
			return -EBADMSG;
	return 0;
}

/* Where the classifiers of the kernel keep their actions; 0: one that has none there. */
static size_t actions_of(const char *kind)
{
	static const struct {
		const char *kind;
		size_t type;
	} table[] = {
		{ "bpf", TCA_BPF_ACT }, { "u32", TCA_U32_ACT }, { "matchall", TCA_MATCHALL_ACT },
		{ "flower", TCA_FLOWER_ACT }, { "basic", TCA_BASIC_ACT },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].kind, kind) == 0)
			return table[i].type;
	return 0;
}

static int parse_filter(struct explain_space *x, const struct nlmsghdr *m, bool egress)
{
	const struct nlattr *tb[TCA_OPTIONS + 1], *options[TCA_BPF_FLAGS_GEN + 1];
	const struct tcmsg *head = net_head(m, sizeof(*head), tb, TCA_OPTIONS);
	struct explain_filter f = { .egress = egress }, *slot;
	size_t actions;
	int rc;

	if (!head || net_attr_string(tb[TCA_KIND], f.kind, sizeof(f.kind)) < 0 ||
	    net_nested(tb[TCA_OPTIONS], options, TCA_BPF_FLAGS_GEN) < 0)
		return -EBADMSG;
	/* The classifier as such, and u32's tables, are listed beside the filters in them. */
	actions = actions_of(f.kind);
	if (!tb[TCA_OPTIONS] || (strcmp(f.kind, "u32") == 0 && !options[TCA_U32_SEL]))
		return 0;
	f.link = head->tcm_ifindex;
	f.priority = (uint16_t)(head->tcm_info >> 16);
	f.handle = head->tcm_handle;
	f.ours = f.priority >= NET_TC_PRIORITY_FORWARD && f.priority <= NET_TC_PRIORITY &&
		 strcmp(f.kind, "bpf") == 0;
	if (actions && parse_actions(options[actions], &f) < 0)
		return -EBADMSG;
	/* A name of a program may be longer than is of use. */
	if (strcmp(f.kind, "bpf") == 0 &&
	    net_attr_string(options[TCA_BPF_NAME], f.name, sizeof(f.name)) < 0)
		f.name[0] = '\0';
	plain(f.kind);
	plain(f.name);
	slot = net_parse_grow((void **)&x->filters, x->nr_filters, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	*slot = f;
	x->nr_filters++;
	return 0;
}

/* ---- messages ------------------------------------------------------------------------------- */

int explain_parse_message(struct explain_space *x, const struct nlmsghdr *m, bool egress)
{
	int rc = net_parse_message(&x->all, m);

	if (rc < 0)
		return rc;
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
		return parse_link(x, m);
	case RTM_NEWNETCONF:
		return parse_netconf(x, m);
	case RTM_NEWNEIGH:
		return parse_fdb(x, m);
	case RTM_NEWTFILTER:
		return parse_filter(x, m, egress);
	}
	return 0;
}

int explain_parse_chain(struct explain_space *x, const struct nlmsghdr *m)
{
	const struct nlattr *tb[NFTA_CHAIN_POLICY + 1], *hook[NFTA_HOOK_HOOKNUM + 1];
	const struct nfgenmsg *head = net_head(m, sizeof(*head), tb, NFTA_CHAIN_POLICY);
	uint32_t number = 0, policy = htonl(NF_ACCEPT);
	struct explain_chain c = { .family = 0 }, *slot;
	int rc;

	if (m->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
		return 0;
	if (!head || net_nested(tb[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_HOOKNUM) < 0 ||
	    net_attr_get(hook[NFTA_HOOK_HOOKNUM], &number, sizeof(number)) < 0 ||
	    net_attr_get(tb[NFTA_CHAIN_POLICY], &policy, sizeof(policy)) < 0)
		return -EBADMSG;
	if (!tb[NFTA_CHAIN_HOOK] || ntohl(number) != NF_INET_FORWARD ||
	    (head->nfgen_family != NFPROTO_IPV4 && head->nfgen_family != NFPROTO_IPV6 &&
	     head->nfgen_family != NFPROTO_INET && head->nfgen_family != NFPROTO_BRIDGE))
		return 0;
	/* Their names may be longer than what is shown of them. */
	if (net_attr_string(tb[NFTA_CHAIN_TABLE], c.table, sizeof(c.table)) < 0)
		strcpy(c.table, "?");
	if (net_attr_string(tb[NFTA_CHAIN_NAME], c.name, sizeof(c.name)) < 0)
		strcpy(c.name, "?");
	plain(c.table);
	plain(c.name);
	c.family = head->nfgen_family;
	c.drop = ntohl(policy) == NF_DROP;
	slot = net_parse_grow((void **)&x->chains, x->nr_chains, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	*slot = c;
	x->nr_chains++;
	return 0;
}

/* ---- owning and looking up ------------------------------------------------------------------ */

void explain_space_free(struct explain_space *x)
{
	net_survey_free(&x->all);
	free(x->links);
	free(x->filters);
	free(x->fdb);
	free(x->chains);
	free(x->guards);
	free(x->nsids);
	memset(x, 0, sizeof(*x));
	x->fd = -1;
}

const struct net_link *explain_net_link(const struct explain_space *x, int index)
{
	return net_survey_link(&x->all, index);
}

const struct explain_link *explain_link(const struct explain_space *x, int index)
{
	for (size_t i = 0; i < x->nr_links; i++)
		if (x->links[i].index == index)
			return &x->links[i];
	return NULL;
}

int explain_link_index(const struct explain_space *x, const char *name)
{
	for (size_t i = 0; i < x->all.nr_links; i++)
		if (strcmp(x->all.links[i].name, name) == 0)
			return x->all.links[i].index;
	return 0;
}
