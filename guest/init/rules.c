// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy rules of the configuration.
 *
 * First all are added, then the kernel's own that are not among them are taken away: in between,
 * every packet still finds a rule.
 */
#include "guest/init/network.h"
#include "guest/init/routes.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* What every kernel begins with. */
static const struct {
	uint8_t family;
	uint32_t priority;
	uint32_t table;
} defaults[] = {
	{ AF_INET, 0, RT_TABLE_LOCAL },
	{ AF_INET, 32766, RT_TABLE_MAIN },
	{ AF_INET, 32767, RT_TABLE_DEFAULT },
	{ AF_INET6, 0, RT_TABLE_LOCAL },
	{ AF_INET6, 32766, RT_TABLE_MAIN },
};

static void add_range(struct init_request *request, uint16_t type, uint16_t first, uint16_t last)
{
	const struct fib_rule_port_range range = { .start = first, .end = last };

	init_request_add(request, type, &range, sizeof(range));
}

static void add_optional(struct init_request *request, const struct gcfg_rule *rule)
{
	const struct fib_rule_uid_range uids = { .start = rule->uid_first, .end = rule->uid_last };

	if (rule->has & GCFG_RULE_MARK) {
		init_request_add_u32(request, FRA_FWMARK, rule->mark);
		init_request_add_u32(request, FRA_FWMASK, rule->mask);
	}
	if (rule->has & GCFG_RULE_UIDS)
		init_request_add(request, FRA_UID_RANGE, &uids, sizeof(uids));
	if (rule->has & GCFG_RULE_SPORT)
		add_range(request, FRA_SPORT_RANGE, rule->sport_first, rule->sport_last);
	if (rule->has & GCFG_RULE_DPORT)
		add_range(request, FRA_DPORT_RANGE, rule->dport_first, rule->dport_last);
	if (rule->ip_proto)
		init_request_add(request, FRA_IP_PROTO, &rule->ip_proto, sizeof(rule->ip_proto));
	if (rule->iif[0])
		init_request_add(request, FRA_IIFNAME, rule->iif, strlen(rule->iif) + 1);
	if (rule->oif[0])
		init_request_add(request, FRA_OIFNAME, rule->oif, strlen(rule->oif) + 1);
}

static void start_rule(struct init_request *request, uint16_t type, uint16_t flags,
		       const struct gcfg_rule *rule)
{
	size_t size = init_address_size(rule->family);
	struct fib_rule_hdr *body = init_request_start(request, type, flags, sizeof(*body));

	body->family = rule->family;
	body->dst_len = rule->dst_prefix;
	body->src_len = rule->src_prefix;
	body->tos = rule->tos;
	body->table = rule->table < 256 ? (unsigned char)rule->table : RT_TABLE_UNSPEC;
	body->action = rule->action;
	body->flags = rule->flags & FIB_RULE_INVERT;
	init_request_add_u32(request, FRA_PRIORITY, rule->priority);
	if (rule->table)
		init_request_add_u32(request, FRA_TABLE, rule->table);
	if (rule->dst_prefix)
		init_request_add(request, FRA_DST, rule->dst, size);
	if (rule->src_prefix)
		init_request_add(request, FRA_SRC, rule->src, size);
	if (rule->action == FR_ACT_GOTO)
		init_request_add_u32(request, FRA_GOTO, rule->target);
	if (rule->suppress_prefix != UINT32_MAX)
		init_request_add_u32(request, FRA_SUPPRESS_PREFIXLEN, rule->suppress_prefix);
	if (rule->protocol)
		init_request_add(request, FRA_PROTOCOL, &rule->protocol, sizeof(rule->protocol));
	add_optional(request, rule);
}

static int add_rule(const struct init_routes *to, const struct gcfg_rule *rule)
{
	struct init_request request;
	int r;

	start_rule(&request, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
	r = init_netlink_send(to->nl, &request);
	/* The kernel's own. */
	return r == -EEXIST ? 0 : r;
}

/*
 * Whether the configuration tells of the kernel's own rule @n; *@any: of any rule of its family.
 * Only the priority is compared: another rule at that place has the place.
 */
static bool is_told(const struct init_routes *to, size_t n, bool *any)
{
	const struct gcfg_record *record = NULL;
	bool found = false;

	*any = false;
	while ((record = init_config_next(to->config, GCFG_RULE, record))) {
		const struct gcfg_rule *rule = init_config_payload(record);

		if (rule->family != defaults[n].family)
			continue;
		*any = true;
		found |= rule->priority == defaults[n].priority &&
			 rule->table == defaults[n].table && !rule->src_prefix &&
			 !rule->dst_prefix && rule->action == FR_ACT_TO_TBL;
	}
	return found;
}

static int remove_default(const struct init_routes *to, size_t n)
{
	const struct gcfg_rule rule = {
		.family = defaults[n].family, .priority = defaults[n].priority,
		.table = defaults[n].table, .action = FR_ACT_TO_TBL, .suppress_prefix = UINT32_MAX,
	};
	struct init_request request;

	start_rule(&request, RTM_DELRULE, 0, &rule);
	return init_netlink_send(to->nl, &request);
}

int init_rules_add(const struct init_routes *to, struct err *e)
{
	const struct gcfg_record *record = NULL;
	bool any;

	while ((record = init_config_next(to->config, GCFG_RULE, record))) {
		const struct gcfg_rule *rule = init_config_payload(record);
		int r = add_rule(to, rule);

		if (r < 0)
			return err_set(e, r, "add policy rule %u", rule->priority);
	}
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		int r = is_told(to, i, &any) || !any ? 0 : remove_default(to, i);

		if (r < 0)
			return err_set(e, r, "remove the kernel's policy rule %u",
				       defaults[i].priority);
	}
	return 0;
}
