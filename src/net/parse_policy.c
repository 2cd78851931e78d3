/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy rules, queueing disciplines and filters in netlink replies. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "net/attr.h"
#include "net/parse_parts.h"
#include "net/tc.h"

/* ---- rules -------------------------------------------------------------------------------- */

/* Is there an attribute that says more than "no": one of @len bytes that are not all zero? */
static bool is_set(const struct nlattr *attr)
{
	const uint8_t *bytes;

	if (!attr)
		return false;
	bytes = net_attr_body(attr);
	for (size_t i = 0; i < net_attr_len(attr); i++)
		if (bytes[i])
			return true;
	return false;
}

static int parse_port_range(const struct nlattr *attr, uint16_t *first, uint16_t *last)
{
	struct fib_rule_port_range range = { .start = 0 };

	if (net_attr_get(attr, &range, sizeof(range)) < 0)
		return -EBADMSG;
	*first = range.start;
	*last = range.end;
	return 0;
}

/* What few rules have, and the guest's kernel can do, too. */
static int parse_rule_more(const struct nlattr **tb, struct gcfg_rule *r)
{
	struct fib_rule_uid_range uids = { .start = 0 };

	if (net_attr_get(tb[FRA_FWMARK], &r->mark, sizeof(r->mark)) < 0 ||
	    net_attr_get(tb[FRA_FWMASK], &r->mask, sizeof(r->mask)) < 0 ||
	    net_attr_get(tb[FRA_IP_PROTO], &r->ip_proto, sizeof(r->ip_proto)) < 0 ||
	    net_attr_get(tb[FRA_UID_RANGE], &uids, sizeof(uids)) < 0 ||
	    parse_port_range(tb[FRA_SPORT_RANGE], &r->sport_first, &r->sport_last) < 0 ||
	    parse_port_range(tb[FRA_DPORT_RANGE], &r->dport_first, &r->dport_last) < 0)
		return -EBADMSG;
	r->uid_first = uids.start;
	r->uid_last = uids.end;
	r->has = (tb[FRA_FWMARK] || tb[FRA_FWMASK] ? GCFG_RULE_MARK : 0) |
		 (tb[FRA_UID_RANGE] ? GCFG_RULE_UIDS : 0) |
		 (tb[FRA_SPORT_RANGE] ? GCFG_RULE_SPORT : 0) |
		 (tb[FRA_DPORT_RANGE] ? GCFG_RULE_DPORT : 0);
	return 0;
}

static int parse_rule_fields(const struct fib_rule_hdr *head, const struct nlattr **tb,
			     struct gcfg_rule *r)
{
	size_t len = net_parse_address_len(head->family);

	r->family = head->family;
	r->dst_prefix = head->dst_len;
	r->src_prefix = head->src_len;
	r->tos = head->tos;
	r->action = head->action;
	r->table = head->table;
	r->flags = head->flags & FIB_RULE_INVERT;
	r->suppress_prefix = UINT32_MAX;
	if (r->dst_prefix > len * 8 || r->src_prefix > len * 8 ||
	    net_attr_get(tb[FRA_DST], r->dst, len) < 0 ||
	    net_attr_get(tb[FRA_SRC], r->src, len) < 0 ||
	    net_attr_get(tb[FRA_PRIORITY], &r->priority, sizeof(r->priority)) < 0 ||
	    net_attr_get(tb[FRA_TABLE], &r->table, sizeof(r->table)) < 0 ||
	    net_attr_get(tb[FRA_GOTO], &r->target, sizeof(r->target)) < 0 ||
	    net_attr_get(tb[FRA_PROTOCOL], &r->protocol, sizeof(r->protocol)) < 0 ||
	    net_attr_get(tb[FRA_SUPPRESS_PREFIXLEN], &r->suppress_prefix,
			 sizeof(r->suppress_prefix)) < 0 ||
	    net_attr_string(tb[FRA_IIFNAME], r->iif, sizeof(r->iif)) < 0 ||
	    net_attr_string(tb[FRA_OIFNAME], r->oif, sizeof(r->oif)) < 0)
		return -EBADMSG;
	return parse_rule_more(tb, r);
}

/* What a gcfg_rule has no word for: tunnels, VRFs, interface groups, flow labels, realms. */
static bool is_odd(const struct nlmsghdr *m)
{
	const struct nlattr *tb[UINT8_MAX + 1];
	static const uint16_t known[] = {
		FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_OIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK,
		FRA_FWMASK, FRA_TABLE, FRA_SUPPRESS_PREFIXLEN, FRA_SUPPRESS_IFGROUP, FRA_PAD,
		FRA_UID_RANGE, FRA_PROTOCOL, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
	};

	if (!net_head(m, sizeof(struct fib_rule_hdr), tb, UINT8_MAX))
		return true;
	/* All ones: no group. */
	if (tb[FRA_SUPPRESS_IFGROUP]) {
		uint32_t group = 0;

		if (net_attr_get(tb[FRA_SUPPRESS_IFGROUP], &group, sizeof(group)) < 0 ||
		    group != UINT32_MAX)
			return true;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		tb[known[i]] = NULL;
	for (size_t i = 0; i <= UINT8_MAX; i++)
		if (is_set(tb[i]))
			return true;
	return false;
}

int net_parse_rule(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[FRA_DPORT_RANGE + 1];
	const struct fib_rule_hdr *head = net_head(m, sizeof(*head), tb, FRA_DPORT_RANGE);
	struct gcfg_rule r = { .family = 0 };
	struct net_rule *slot;
	int rc;

	if (!head)
		return -EBADMSG;
	if (!net_parse_is_inet(head->family))
		return 0;
	if (parse_rule_fields(head, tb, &r) < 0)
		return -EBADMSG;
	slot = net_parse_grow((void **)&s->rules, s->nr_rules, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	slot->rule = r;
	slot->odd = is_odd(m);
	s->nr_rules++;
	return 0;
}

/* ---- queueing disciplines and filters ----------------------------------------------------- */

int net_parse_qdisc(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[TCA_KIND + 1];
	const struct tcmsg *head = net_head(m, sizeof(*head), tb, TCA_KIND);
	struct net_link *l;

	if (!head)
		return -EBADMSG;
	l = net_parse_link(s, head->tcm_ifindex);
	if (l && net_attr_is(tb[TCA_KIND], "ingress"))
		l->ingress = true;
	if (l && (l->ingress || net_attr_is(tb[TCA_KIND], "clsact")))
		l->clsact = true;
	return 0;
}

struct actions {
	bool ours;			/* one of them has our cookie */
	int redirected;			/* the link that the first redirect leads to */
};

static bool is_our_cookie(const struct nlattr *cookie)
{
	return cookie && net_attr_len(cookie) == sizeof(NET_TC_COOKIE) - 1 &&
	       memcmp(net_attr_body(cookie), NET_TC_COOKIE, sizeof(NET_TC_COOKIE) - 1) == 0;
}

static int parse_action(const struct nlattr *action, struct actions *all)
{
	const struct nlattr *act[TCA_ACT_COOKIE + 1], *options[TCA_MIRRED_PARMS + 1];
	struct tc_mirred parms = { .ifindex = 0 };

	if (net_nested(action, act, TCA_ACT_COOKIE) < 0)
		return -EBADMSG;
	all->ours |= is_our_cookie(act[TCA_ACT_COOKIE]);
	if (!net_attr_is(act[TCA_ACT_KIND], "mirred"))
		return 0;
	if (net_nested(act[TCA_ACT_OPTIONS], options, TCA_MIRRED_PARMS) < 0 ||
	    net_attr_get(options[TCA_MIRRED_PARMS], &parms, sizeof(parms)) < 0)
		return -EBADMSG;
	if (!all->redirected && parms.eaction == TCA_EGRESS_REDIR && parms.ifindex <= INT32_MAX)
		all->redirected = (int)parms.ifindex;
	return 0;
}

static int parse_actions(const struct nlattr *actions, struct actions *all)
{
	const struct nlattr *list[TCA_ACT_MAX_PRIO + 1];

	if (net_nested(actions, list, TCA_ACT_MAX_PRIO) < 0)
		return -EBADMSG;
	for (size_t i = 0; i <= TCA_ACT_MAX_PRIO; i++)
		if (parse_action(list[i], all) < 0)
			return -EBADMSG;
	return 0;
}

/* Each filter is told twice: its kind and place alone, then the filter with its options. */
int net_parse_filter(struct net_survey *s, const struct nlmsghdr *m)
{
	const struct nlattr *tb[TCA_OPTIONS + 1], *options[TCA_U32_ACT + 1];
	const struct tcmsg *head = net_head(m, sizeof(*head), tb, TCA_OPTIONS);
	struct actions all = { .ours = false };
	struct net_link *l;
	uint32_t priority;
	int rc = 0;

	if (!head)
		return -EBADMSG;
	l = net_parse_link(s, head->tcm_ifindex);
	if (!l || net_nested(tb[TCA_OPTIONS], options, TCA_U32_ACT) < 0)
		return l ? -EBADMSG : 0;
	if (net_attr_is(tb[TCA_KIND], "bpf"))
		rc = parse_actions(options[TCA_BPF_ACT], &all);
	else if (net_attr_is(tb[TCA_KIND], "u32"))
		rc = parse_actions(options[TCA_U32_ACT], &all);
	if (rc < 0)
		return rc;
	/* A program that decides by itself has no action that could carry a cookie. */
	priority = TC_H_MAJ(head->tcm_info) >> 16;
	if (priority >= NET_TC_PRIORITY_FORWARD && priority <= NET_TC_PRIORITY)
		all.ours = true;
	if (all.ours) {
		l->plumbed = true;
	} else {
		l->filtered = true;
		if (!l->redirected)
			l->redirected = all.redirected;
	}
	return 0;
}
