/* SPDX-License-Identifier: GPL-2.0-only */
/* Traffic control: frames that arrive at one interface leave by another. */
#include "net/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#define TC_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static void tc_qdisc(union net_msg *m, uint16_t type, uint16_t flags, int index)
{
	struct tcmsg *head = net_nl_request(m, type, flags, sizeof(*head));

	head->tcm_ifindex = index;
	head->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	head->tcm_parent = TC_H_CLSACT;
	mnl_attr_put_strz(&m->head, TCA_KIND, "clsact");
}

int net_tc_clsact_add(struct net_nl *nl, int index, struct err *e)
{
	union net_msg m;
	int rc;

	tc_qdisc(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, index);
	rc = net_nl_change(nl, &m.head, e);
	return rc == -EEXIST ? 0 : rc;
}

int net_tc_clsact_remove(struct net_nl *nl, int index, struct err *e)
{
	union net_msg m;
	int rc;

	tc_qdisc(&m, RTM_DELQDISC, 0, index);
	rc = net_nl_change(nl, &m.head, e);
	/* No qdisc at that parent: EINVAL ("Cannot find specified qdisc"), ENOENT before 4.x. */
	return rc == -ENOENT || rc == -EINVAL || rc == -ENODEV ? 0 : rc;
}

static void tc_filter(union net_msg *m, uint16_t type, uint16_t flags, int index)
{
	struct tcmsg *head = net_nl_request(m, type, flags, sizeof(*head));

	head->tcm_ifindex = index;
	head->tcm_parent = TC_INGRESS;
	head->tcm_info = TC_H_MAKE(NET_TC_PRIORITY << 16, htons(ETH_P_ALL));
}

/* Action 1 of a filter: out by @to, the frame is taken. */
static void tc_put_mirred(union net_msg *m, uint16_t type, int to)
{
	struct tc_mirred parms = { .action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR,
				   .ifindex = (uint32_t)to };
	struct nlattr *actions = mnl_attr_nest_start(&m->head, type);
	struct nlattr *action = mnl_attr_nest_start(&m->head, 1);
	struct nlattr *options;

	mnl_attr_put_strz(&m->head, TCA_ACT_KIND, "mirred");
	mnl_attr_put(&m->head, TCA_ACT_COOKIE, sizeof(NET_TC_COOKIE) - 1, NET_TC_COOKIE);
	options = mnl_attr_nest_start(&m->head, TCA_ACT_OPTIONS);
	mnl_attr_put(&m->head, TCA_MIRRED_PARMS, sizeof(parms), &parms);
	mnl_attr_nest_end(&m->head, options);
	mnl_attr_nest_end(&m->head, action);
	mnl_attr_nest_end(&m->head, actions);
}

static int tc_redirect_bpf(struct net_nl *nl, int from, int to, struct err *e)
{
	/* "return -1": every frame matches. */
	static const struct sock_filter all = { .code = BPF_RET | BPF_K, .k = UINT32_MAX };
	struct nlattr *options;
	union net_msg m;

	tc_filter(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, from);
	mnl_attr_put_strz(&m.head, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(&m.head, TCA_OPTIONS);
	mnl_attr_put_u16(&m.head, TCA_BPF_OPS_LEN, 1);
	mnl_attr_put(&m.head, TCA_BPF_OPS, sizeof(all), &all);
	tc_put_mirred(&m, TCA_BPF_ACT, to);
	mnl_attr_nest_end(&m.head, options);
	return net_nl_change(nl, &m.head, e);
}

static int tc_redirect_u32(struct net_nl *nl, int from, int to, struct err *e)
{
	/* One key whose mask is zero: every frame matches. The key follows the selector. */
	const struct tc_u32_sel sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	char all[sizeof(sel) + sizeof(struct tc_u32_key)] = { 0 };
	struct nlattr *options;
	union net_msg m;

	tc_filter(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, from);
	mnl_attr_put_strz(&m.head, TCA_KIND, "u32");
	options = mnl_attr_nest_start(&m.head, TCA_OPTIONS);
	memcpy(all, &sel, sizeof(sel));
	mnl_attr_put(&m.head, TCA_U32_SEL, sizeof(all), all);
	tc_put_mirred(&m, TCA_U32_ACT, to);
	mnl_attr_nest_end(&m.head, options);
	return net_nl_change(nl, &m.head, e);
}

int net_tc_redirect_add(struct net_nl *nl, int from, int to, struct err *e)
{
	int rc = tc_redirect_bpf(nl, from, to, e);

	/* No cls_bpf in this kernel: ENOENT, "TC classifier not found". */
	if (rc == -ENOENT || rc == -EOPNOTSUPP)
		rc = tc_redirect_u32(nl, from, to, e);
	return rc;
}

int net_tc_redirect_remove(struct net_nl *nl, int from, struct err *e)
{
	union net_msg m;
	int rc;

	tc_filter(&m, RTM_DELTFILTER, 0, from);
	rc = net_nl_change(nl, &m.head, e);
	/* EINVAL: no such qdisc. ENOENT: no filter of that priority. */
	return rc == -ENOENT || rc == -EINVAL || rc == -ENODEV ? 0 : rc;
}
