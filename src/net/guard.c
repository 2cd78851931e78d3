/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard: its rules from a plan, its place on a link, its counters. The program is next door. */
#include "net/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/forward_table.h"

/* At most 15 letters: program and map are known by it. */
#define GUARD_NAME "runnc_guard"

static const char *const reason_names[NET_GUARD_REASONS] = {
	[NET_GUARD_VLAN] = "vlan",
	[NET_GUARD_SHORT] = "short",
	[NET_GUARD_MAC] = "mac",
	[NET_GUARD_TYPE] = "type",
	[NET_GUARD_ARP] = "arp",
	[NET_GUARD_IPV4] = "ipv4",
	[NET_GUARD_IPV6] = "ipv6",
	[NET_GUARD_ND] = "nd",
	[NET_GUARD_ROUTER] = "router",
	[NET_GUARD_DHCP] = "dhcp",
	[NET_GUARD_OPTIONS] = "options",
	[NET_GUARD_CHECKSUM] = "checksum",
	[NET_GUARD_LOOPBACK] = "loopback",
};

const char *net_guard_reason_name(enum net_guard_reason reason)
{
	return reason_names[reason];
}

/* ---- rules -------------------------------------------------------------------------------- */

static bool is_link_local(const struct gcfg_addr *a)
{
	return a->family == AF_INET6 && a->local[0] == 0xfe && (a->local[1] & 0xc0) == 0x80;
}

static void rules_add(struct net_guard_rules *rules, uint8_t family, const uint8_t addr[16])
{
	struct net_guard_addr *out = &rules->addrs[rules->nr_addrs];
	size_t len = family == AF_INET ? 4 : 16;

	*out = (struct net_guard_addr){ .family = family };
	memcpy(out->addr, addr, len);
	for (size_t i = 0; i < rules->nr_addrs; i++)
		if (memcmp(&rules->addrs[i], out, sizeof(*out)) == 0)
			return;
	rules->nr_addrs++;
}

static void rules_add_eui64(struct net_guard_rules *rules)
{
	const uint8_t *mac = rules->mac;
	const uint8_t addr[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
				   0xfe, mac[3], mac[4], mac[5] };

	rules_add(rules, AF_INET6, addr);
}

int net_guard_rules(const struct net_plan *p, size_t port, struct net_guard_rules *out,
		    struct err *e)
{
	const struct net_port *at = &p->ports[port];
	struct net_guard_rules rules = {
		.slaac = at->slaac, .vlans = at->vlans && at->mode == NET_MODE_PACKET,
		.offloads = !at->bare_frames,
	};
	bool ipv6 = !(p->links[port].flags & GCFG_LINK_NO_IPV6);

	memset(out, 0, sizeof(*out));
	memcpy(rules.mac, at->guest_mac, sizeof(rules.mac));
	rules.addrs = calloc(p->nr_addrs + 1, sizeof(*rules.addrs));
	if (!rules.addrs)
		return err_set(e, -ENOMEM, "guard interface '%s'", at->name);
	for (size_t i = 0; i < p->nr_addrs; i++) {
		const struct gcfg_addr *a = &p->addrs[i];

		if ((a->family == AF_INET6 && !ipv6) || (is_link_local(a) && a->link != port))
			continue;
		rules_add(&rules, a->family, a->local);
	}
	if (ipv6)
		rules_add_eui64(&rules);
	rules.slaac &= ipv6;
	*out = rules;
	return 0;
}

void net_guard_rules_free(struct net_guard_rules *rules)
{
	free(rules->addrs);
	memset(rules, 0, sizeof(*rules));
}

/* ---- its place ---------------------------------------------------------------------------- */

static int guard_check(const struct net_guard_rules *rules, struct err *e)
{
	size_t nr[2] = { 0, 0 };

	for (size_t i = 0; i < rules->nr_addrs; i++)
		nr[rules->addrs[i].family == AF_INET6]++;
	if (nr[0] > NET_GUARD_ADDRS_MAX || nr[1] > NET_GUARD_ADDRS_MAX)
		return err_say(e, -E2BIG, "more than %d addresses of one family",
			       NET_GUARD_ADDRS_MAX);
	return 0;
}

/* Finish, load and attach. */
static int guard_put(struct net_nl *nl, const struct net_tc_place *at, struct net_bpf_asm *b,
		     const char *name, struct err *e)
{
	_autoclose_ int prog = -1;
	int rc = net_bpf_program(b, GUARD_NAME, &prog, e);

	if (rc == 0)
		rc = net_tc_program_add(nl, at, prog, name, e);
	return rc;
}

int net_guard_add(struct net_nl *nl, int index, enum net_tc_side side,
		  const struct net_guard_rules *rules, int redirect, struct err *e)
{
	const struct net_tc_place at = { index, side, NET_TC_PRIORITY_GUARD, 0 };
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	_autoclose_ int map = -1;
	int rc = guard_check(rules, e);

	if (rc == 0)
		rc = net_bpf_counters(GUARD_NAME, NET_GUARD_REASONS, &map, e);
	if (rc < 0)
		return rc;
	net_guard_program(&b, rules, redirect, map);
	return guard_put(nl, &at, &b, "runnc-guard", e);
}

int net_guard_inbound_add(struct net_nl *nl, int index, uint32_t number, int redirect,
			  struct err *e)
{
	const struct net_tc_place at = { index, NET_TC_INGRESS, NET_TC_PRIORITY_GUARD, number };
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	_autoclose_ int map = -1;
	int rc = net_bpf_counters(GUARD_NAME, NET_GUARD_REASONS, &map, e);

	if (rc < 0)
		return rc;
	net_guard_inbound_program(&b, redirect, map);
	return guard_put(nl, &at, &b, "runnc-inbound", e);
}

static uint32_t guard_be32(const uint8_t bytes[4])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

int net_guard_inbound_socket(int fd, struct err *e)
{
	static const uint8_t prefix[8] = { NET_FORWARD_PREFIX6 };
	/* As a load gives them: in host byte order. */
	const uint32_t clients[2] = { guard_be32(prefix), guard_be32(prefix + 4) };
	/*
	 * Classic, as sockets take it. A load beyond the end returns 0, which for a socket is
	 * "drop": right for a frame that ends before its addresses do.
	 */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 5, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		/* 4: IPv4 source, 6: destination */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 127, 24, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 30),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 127, 22, 23),
		/* 8: IPv6 source: of the loopback's clients; 12: ::1 */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 22),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clients[0], 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clients[1], 18, 7),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 30),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 34),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 11, 0),
		/* 19: IPv6 destination, the same; 23: ::1 */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clients[0], 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 42),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, clients[1], 7, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 42),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 46),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 50),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		/* 30 */
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]),
					    .filter = filter };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return err_set(e, -errno, "filter what a packet socket receives");
	return 0;
}

/* ---- counters ----------------------------------------------------------------------------- */

int net_guard_stats(int index, enum net_tc_side side, uint32_t number, struct net_guard_stats *out,
		    struct err *e)
{
	const struct net_tc_place at = { index, side, NET_TC_PRIORITY_GUARD, number };
	_autonl_ struct net_nl nl = NET_NL_INIT;
	uint32_t id = 0;
	int rc = net_nl_open(&nl, e);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = net_tc_program_id(&nl, &at, &id, e);
	if (rc == 0)
		rc = net_bpf_read_by_id(id, GUARD_NAME, out->drops, NET_GUARD_REASONS, e);
	return rc < 0 ? err_wrap(e, rc, "read the guard's counters") : rc ? NET_GUARD_NONE : 0;
}
