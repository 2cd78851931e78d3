// SPDX-License-Identifier: GPL-2.0-only
/* The guest's device to the loopback of the pod's namespace. */
#include "guest/init/pod.h"

#include "base/fd.h"
#include "guest/init/system.h"
#include "pod.bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* BPF_TCX_INGRESS, which the headers of older distributions lack; the guest's kernel is ours. */
#define POD_TCX_INGRESS 46

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

/* The interface keeps the program. Attached without a qdisc: tcx, of Linux 6.6. */
static int attach_to_lo(int ifindex)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS, .prog_name = "to_lo",
		.insns = (uintptr_t)code_to_lo,
		.insn_cnt = sizeof(code_to_lo) / sizeof(code_to_lo[0]),
		.license = (uintptr_t)"GPL",
	};
	_autoclose_ int prog = (int)bpf(BPF_PROG_LOAD, &load);
	union bpf_attr attach = { .target_fd = (uint32_t)ifindex,
				  .attach_bpf_fd = (uint32_t)prog,
				  .attach_type = POD_TCX_INGRESS };

	return prog < 0 ? prog : (int)bpf(BPF_PROG_ATTACH, &attach);
}

int init_pod_set_up(const struct gcfg_link *link, int ifindex, int proc, struct err *e)
{
	int r = set_ipv4(link->name, "route_localnet", "1", proc);

	if (r < 0)
		return err_set(e, r, "let '%s' take packets for 127.0.0.0/8", link->name);
	if (link->flags & GCFG_LINK_NO_IPV6)
		return 0;
	r = attach_to_lo(ifindex);
	return r < 0 ? err_set(e, r, "let '%s' take packets for ::1", link->name) : 0;
}
