// SPDX-License-Identifier: GPL-2.0-only
/* The guest's device to the loopback of the pod's namespace. */
#include "guest/init/pod.h"

#include "base/fd.h"
#include "dial.bpf.h"
#include "guest/init/system.h"
#include "net/bpf_relocate.h"
#include "net/forward_table.h"
#include "pod.bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* BPF_TCX_INGRESS, which the headers of older distributions lack; the guest's kernel is ours. */
#define POD_TCX_INGRESS 46

/* FSOPEN_CLOEXEC, which is FSMOUNT_CLOEXEC too, and FSCONFIG_CMD_CREATE of <linux/mount.h>. */
#define POD_FSOPEN_CLOEXEC 1
#define POD_FSCONFIG_CREATE 6

static int set_ipv4(const char *name, const char *key, const char *value, int proc)
{
	char path[80];

	snprintf(path, sizeof(path), "sys/net/ipv4/conf/%s/%s", name, key);
	return init_system_write(proc, path, value);
}

static long bpf(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

struct program {
	const char *name;
	const uint64_t *code;
	size_t nr;
	uint32_t type;			/* BPF_PROG_TYPE_* */
	uint32_t attach;		/* BPF_CGROUP_*, POD_TCX_INGRESS */
};

#define PROGRAM(what) .name = #what, .code = code_##what, .nr = sizeof(code_##what) / 8

#define CODE_MAX 512

/*
 * Load @p, whose table is @map (-1: it has none), and leave it at @target, an interface's index or
 * a cgroup, which keeps it.
 */
static int attach(const struct program *p, int map, uint32_t target)
{
	struct bpf_insn insns[CODE_MAX];
	union bpf_attr load = {
		.prog_type = p->type, .insns = (uintptr_t)insns, .insn_cnt = (uint32_t)p->nr,
		.license = (uintptr_t)"GPL",
		.expected_attach_type = p->type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR ? p->attach : 0,
	};
	union bpf_attr to = { .target_fd = target, .attach_type = p->attach };
	_autoclose_ int prog = -1;

	if (p->nr > CODE_MAX)
		return -E2BIG;
	memcpy(insns, p->code, p->nr * sizeof(insns[0]));
	net_bpf_relocate(insns, p->nr, NET_BPF_TABLE_MARK, map);
	memcpy(load.prog_name, p->name, strlen(p->name));
	prog = (int)bpf(BPF_PROG_LOAD, &load);
	to.attach_bpf_fd = (uint32_t)prog;
	return prog < 0 ? prog : (int)bpf(BPF_PROG_ATTACH, &to);
}

/* Attached without a qdisc: tcx, of Linux 6.6. */
static int attach_to_lo(int ifindex)
{
	static const struct program to_lo = { PROGRAM(to_lo), BPF_PROG_TYPE_SCHED_CLS,
					      POD_TCX_INGRESS };

	return attach(&to_lo, -1, (uint32_t)ifindex);
}

/* The root of the cgroups, all of whose sockets the programs see; mounted nowhere. */
static int open_root_cgroup(void)
{
	_autoclose_ int context = (int)syscall(SYS_fsopen, "cgroup2", POD_FSOPEN_CLOEXEC);
	long mount;

	if (context < 0 || syscall(SYS_fsconfig, context, POD_FSCONFIG_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = syscall(SYS_fsmount, context, POD_FSOPEN_CLOEXEC, 0);
	return mount < 0 ? -errno : (int)mount;
}

/* Number N is who answers a client of the namespace that is called 127.254.255.N here. */
static void find_addresses(const struct init_config *config, struct net_dial_table *t)
{
	static const uint8_t client[3] = { 127, NET_FORWARD_CLIENT, NET_FORWARD_POD };

	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_ROUTE, record))) {
		const struct gcfg_route *r = init_config_payload(record);
		uint32_t number = r->dst[3];

		if (r->family != AF_INET || r->dst_prefix != 32 || number >= NET_FORWARD_ADDRS ||
		    memcmp(r->dst, client, sizeof(client)) != 0)
			continue;
		memcpy(&t->addr4[number], r->prefsrc, sizeof(t->addr4[0]));
		if (t->nr4 <= number)
			t->nr4 = number + 1;
	}
}

/* Returns a map with the one value @t, or -errno. */
static int make_table(const struct net_dial_table *t)
{
	const uint32_t key = 0;
	union bpf_attr make = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(key),
				.value_size = sizeof(*t), .max_entries = 1 };
	union bpf_attr fill = { .key = (uintptr_t)&key, .value = (uintptr_t)t };
	_autoclose_ int map = (int)bpf(BPF_MAP_CREATE, &make);
	long r;

	if (map < 0)
		return map;
	fill.map_fd = (uint32_t)map;
	r = bpf(BPF_MAP_UPDATE_ELEM, &fill);
	return r < 0 ? (int)r : take_fd(&map);
}

/* A guest's kernel without CONFIG_CGROUP_BPF does without: its servers are reached all the same. */
static int attach_dial(const struct init_config *config)
{
	static const struct program programs[] = {
		{ PROGRAM(dial4), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT },
		{ PROGRAM(dial4), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG },
		{ PROGRAM(dial6), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT },
		{ PROGRAM(dial6), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG },
		{ PROGRAM(peer4), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME },
		{ PROGRAM(peer4), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG },
		{ PROGRAM(peer6), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETPEERNAME },
		{ PROGRAM(peer6), BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG },
	};
	struct net_dial_table addresses = { .nr4 = 0 };
	_autoclose_ int root = open_root_cgroup();
	_autoclose_ int map = -1;
	int r = root < 0 ? root : 0;

	find_addresses(config, &addresses);
	if (!r)
		map = r = make_table(&addresses);
	if (r > 0)
		r = 0;
	for (size_t i = 0; !r && i < sizeof(programs) / sizeof(programs[0]); i++)
		r = attach(&programs[i], map, (uint32_t)root);
	return r == -EINVAL ? 0 : r;
}

int init_pod_set_up(const struct init_config *config, const struct gcfg_link *link, int ifindex,
		    int proc, struct err *e)
{
	int r = set_ipv4(link->name, "route_localnet", "1", proc);

	if (r < 0)
		return err_set(e, r, "let '%s' take packets for 127.0.0.0/8", link->name);
	r = attach_dial(config);
	if (r < 0)
		return err_set(e, r, "let programs dial servers of the pod's namespace");
	if (link->flags & GCFG_LINK_NO_IPV6)
		return 0;
	r = attach_to_lo(ifindex);
	return r < 0 ? err_set(e, r, "let '%s' take packets for ::1", link->name) : 0;
}
