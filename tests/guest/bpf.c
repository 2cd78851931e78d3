// SPDX-License-Identifier: GPL-2.0-only
/* eBPF in the guest's kernel: programs come and go. */
#include "claim.h"

#include <linux/bpf.h>
#include <sys/mount.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* One that allows everything, for connect() of a control group. */
static int load(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR, .insns = (uintptr_t)code,
		.insn_cnt = 2, .license = (uintptr_t)"GPL",
		.expected_attach_type = BPF_CGROUP_INET4_CONNECT,
	};
	int fd = (int)bpf(BPF_PROG_LOAD, &attr);

	need(fd >= 0);
	return fd;
}

static int root_cgroup(void)
{
	int fd;

	need(!mkdir("/tmp/cgroup", 0700) || errno == EEXIST);
	need(!mount("none", "/tmp/cgroup", "cgroup2", 0, NULL));
	fd = open("/tmp/cgroup", O_RDONLY | O_DIRECTORY);
	need(fd >= 0 && !umount2("/tmp/cgroup", MNT_DETACH));
	return fd;
}

/* What was a program's memory is the kernel's again, and was never the host's to take away. */
static void come_and_go(void)
{
	union bpf_attr attr = { .target_fd = (uint32_t)root_cgroup(),
				.attach_type = BPF_CGROUP_INET4_CONNECT };

	for (int i = 0; i < 20; i++) {
		int fd = load();

		attr.attach_bpf_fd = (uint32_t)fd;
		need(!bpf(BPF_PROG_ATTACH, &attr));
		need(!bpf(BPF_PROG_DETACH, &attr));
		need(!close(fd));
	}
	/* It is freed a moment later. */
	usleep(200000);
	for (size_t i = 0; i < 64; i++)
		need(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("programs of control groups come and go", come_and_go);
	return claims_done();
}
