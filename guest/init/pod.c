// SPDX-License-Identifier: GPL-2.0-only
/* The guest's device to the loopback of the pod's namespace. */
#include "guest/init/pod.h"

#include "base/fd.h"
#include "dial.bpf.h"
#include "guest/init/system.h"
#include "pod.bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
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

/* Load @p and leave it at @target, an interface's index or a cgroup, which keeps it. */
static int attach(const struct program *p, uint32_t target)
{
	union bpf_attr load = {
		.prog_type = p->type, .insns = (uintptr_t)p->code, .insn_cnt = (uint32_t)p->nr,
		.license = (uintptr_t)"GPL",
		.expected_attach_type = p->type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR ? p->attach : 0,
	};
	union bpf_attr to = { .target_fd = target, .attach_type = p->attach };
	_autoclose_ int prog = -1;

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

	return attach(&to_lo, (uint32_t)ifindex);
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

/* A guest's kernel without CONFIG_CGROUP_BPF does without: its servers are reached all the same. */
static int attach_dial(void)
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
	_autoclose_ int root = open_root_cgroup();
	int r = root < 0 ? root : 0;

	for (size_t i = 0; !r && i < sizeof(programs) / sizeof(programs[0]); i++)
		r = attach(&programs[i], (uint32_t)root);
	return r == -EINVAL ? 0 : r;
}

int init_pod_set_up(const struct gcfg_link *link, int ifindex, int proc, struct err *e)
{
	int r = set_ipv4(link->name, "route_localnet", "1", proc);

	if (r < 0)
		return err_set(e, r, "let '%s' take packets for 127.0.0.0/8", link->name);
	r = attach_dial();
	if (r < 0)
		return err_set(e, r, "let programs dial servers of the pod's namespace");
	if (link->flags & GCFG_LINK_NO_IPV6)
		return 0;
	r = attach_to_lo(ifindex);
	return r < 0 ? err_set(e, r, "let '%s' take packets for ::1", link->name) : 0;
}
