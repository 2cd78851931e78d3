/* SPDX-License-Identifier: GPL-2.0-only */
/* Traffic control: redirects, programs that decide, and finding and removing them. */
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

#include "net/attr.h"


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

static uint32_t tc_parent(enum net_tc_side side)
{
	return TC_H_MAKE(TC_H_CLSACT,
			 side == NET_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static void tc_filter_at(union net_msg *m, uint16_t type, uint16_t flags,
			 const struct net_tc_place *at)
{
	struct tcmsg *head = net_nl_request(m, type, flags, sizeof(*head));

	head->tcm_ifindex = at->index;
	head->tcm_handle = at->handle;
	head->tcm_parent = tc_parent(at->side);
	head->tcm_info = TC_H_MAKE((uint32_t)at->priority << 16, htons(ETH_P_ALL));
}

static void tc_filter(union net_msg *m, uint16_t type, uint16_t flags, int index)
{
	tc_filter_at(m, type, flags, &(struct net_tc_place){ .index = index,
							     .priority = NET_TC_PRIORITY });
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

/* Begin a filter that answers @yes for each frame, with @untagged @no for one with a VLAN tag. */
static struct nlattr *tc_filter_bpf(union net_msg *m, int index, bool untagged, uint32_t yes,
				    uint32_t no)
{
	const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, no),
		BPF_STMT(BPF_RET | BPF_K, yes),
	};
	size_t skip = untagged ? 0 : 3;
	struct nlattr *options;

	tc_filter(m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, index);
	mnl_attr_put_strz(&m->head, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(&m->head, TCA_OPTIONS);
	mnl_attr_put_u16(&m->head, TCA_BPF_OPS_LEN, (uint16_t)(4 - skip));
	mnl_attr_put(&m->head, TCA_BPF_OPS, (4 - skip) * sizeof(program[0]), program + skip);
	return options;
}

static int tc_redirect_bpf(struct net_nl *nl, int from, int to, bool untagged, struct err *e)
{
	union net_msg m;
	struct nlattr *options = tc_filter_bpf(&m, from, untagged, UINT32_MAX, 0);

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

int net_tc_redirect_add(struct net_nl *nl, int from, int to, bool untagged, struct err *e)
{
	int rc = tc_redirect_bpf(nl, from, to, untagged, e);

	/* No cls_bpf in this kernel: ENOENT, "TC classifier not found". */
	if ((rc == -ENOENT || rc == -EOPNOTSUPP) && !untagged)
		rc = tc_redirect_u32(nl, from, to, e);
	return rc;
}

/* The program decides by itself: a kernel may have no action that only drops (act_gact). */
int net_tc_drop_add(struct net_nl *nl, int index, bool untagged, struct err *e)
{
	union net_msg m;
	struct nlattr *options = tc_filter_bpf(&m, index, untagged, TC_ACT_SHOT,
					       (uint32_t)TC_ACT_UNSPEC);

	mnl_attr_put_u32(&m.head, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(&m.head, options);
	return net_nl_change(nl, &m.head, e);
}

int net_tc_redirect_remove(struct net_nl *nl, int from, struct err *e)
{
	return net_tc_remove(nl, &(struct net_tc_place){ .index = from,
							 .priority = NET_TC_PRIORITY }, e);
}

int net_tc_program_add(struct net_nl *nl, const struct net_tc_place *at, int prog,
		       const char *name, struct err *e)
{
	struct nlattr *options;
	union net_msg m;

	tc_filter_at(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, at);
	mnl_attr_put_strz(&m.head, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(&m.head, TCA_OPTIONS);
	mnl_attr_put_u32(&m.head, TCA_BPF_FD, (uint32_t)prog);
	mnl_attr_put_strz(&m.head, TCA_BPF_NAME, name);
	mnl_attr_put_u32(&m.head, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(&m.head, options);
	return net_nl_change(nl, &m.head, e);
}

int net_tc_remove(struct net_nl *nl, const struct net_tc_place *at, struct err *e)
{
	union net_msg m;
	int rc;

	tc_filter_at(&m, RTM_DELTFILTER, 0, at);
	rc = net_nl_change(nl, &m.head, e);
	/*
	 * EINVAL: no such qdisc. ENOENT: no filter of that priority. EOPNOTSUPP: a qdisc without
	 * this side.
	 */
	return rc == -ENOENT || rc == -EINVAL || rc == -ENODEV || rc == -EOPNOTSUPP ? 0 : rc;
}

int net_tc_ours_remove(struct net_nl *nl, int index, uint32_t handle, bool redirect,
		       struct err *e)
{
	static const struct {
		enum net_tc_side side;
		uint16_t priority;
	} ours[] = {
		{ NET_TC_INGRESS, NET_TC_PRIORITY_FORWARD },
		{ NET_TC_INGRESS, NET_TC_PRIORITY_GUARD },
		{ NET_TC_INGRESS, NET_TC_PRIORITY_ANSWER },
		{ NET_TC_INGRESS, NET_TC_PRIORITY },
		{ NET_TC_EGRESS, NET_TC_PRIORITY_GUARD },
	};

	/* From the last one on: the guards are there as long as anything passes. */
	for (size_t i = sizeof(ours) / sizeof(ours[0]); i-- > 0;) {
		bool numbered = ours[i].priority != NET_TC_PRIORITY;
		const struct net_tc_place at = { index, ours[i].side, ours[i].priority,
						 numbered ? handle : 0 };
		int rc = numbered || redirect ? net_tc_remove(nl, &at, e) : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- finding a program -------------------------------------------------------------------- */

bool net_tc_parse_program(const struct nlmsghdr *m, const struct net_tc_place *at, uint32_t *id)
{
	const struct nlattr *tb[TCA_OPTIONS + 1], *options[TCA_BPF_ID + 1];
	const struct tcmsg *head;

	if (m->nlmsg_type != RTM_NEWTFILTER)
		return false;
	head = net_head(m, sizeof(*head), tb, TCA_OPTIONS);
	if (!head || TC_H_MAJ(head->tcm_info) >> 16 != at->priority ||
	    (at->handle && head->tcm_handle != at->handle) ||
	    !net_attr_is(tb[TCA_KIND], "bpf") ||
	    net_nested(tb[TCA_OPTIONS], options, TCA_BPF_ID) < 0 || !options[TCA_BPF_ID])
		return false;
	return net_attr_get(options[TCA_BPF_ID], id, sizeof(*id)) == 0;
}

struct tc_wanted {
	const struct net_tc_place *at;
	uint32_t id;
	bool found;
};

static int tc_look(const struct nlmsghdr *m, void *context)
{
	struct tc_wanted *wanted = context;

	wanted->found |= net_tc_parse_program(m, wanted->at, &wanted->id);
	return 0;
}

int net_tc_program_id(struct net_nl *nl, const struct net_tc_place *at, uint32_t *id,
		      struct err *e)
{
	struct tc_wanted wanted;
	union net_msg m;
	int rc;

	do {
		struct tcmsg *head = net_nl_request(&m, RTM_GETTFILTER, 0, sizeof(*head));

		head->tcm_ifindex = at->index;
		head->tcm_parent = tc_parent(at->side);
		wanted = (struct tc_wanted){ .at = at };
		rc = net_nl_dump(nl, &m.head, tc_look, &wanted, e);
	} while (rc == NET_NL_AGAIN);
	if (rc == -ENODEV || (rc == 0 && !wanted.found))
		return NET_TC_NONE;
	*id = wanted.id;
	return rc;
}
