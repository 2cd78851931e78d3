// SPDX-License-Identifier: GPL-2.0-only
/* Loading the programs of loopback.bpf.c with their table. */
#include "net/forward_load.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "loopback.bpf.h"

#define LOAD_MAX 4096			/* instructions: what kernels before 5.2 take anyway */
#define LOAD_IMM64 (BPF_LD | BPF_DW | BPF_IMM)

static int load_bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t load_pointer(const void *p)
{
	return (uintptr_t)p;
}

/* An array with one value, which programs read directly. */
static int load_table(const struct net_forward_table *t, int *map, struct err *e)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(uint32_t),
				.value_size = sizeof(*t), .max_entries = 1,
				.map_name = "runnc_pod" };
	_autoclose_ int fd = load_bpf(BPF_MAP_CREATE, &attr);
	const uint32_t key = 0;

	if (fd < 0)
		return err_set(e, -errno, "create an eBPF map");
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = load_pointer(&key);
	attr.value = load_pointer(t);
	if (load_bpf(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		return err_set(e, -errno, "fill an eBPF map");
	*map = take_fd(&fd);
	return 0;
}

/* Put the map's value where the mark of its address is: see the_table() there. */
static void load_relocate(struct bpf_insn *insns, size_t nr, int map)
{
	for (size_t i = 0; i + 1 < nr; i++) {
		if (insns[i].code != LOAD_IMM64)
			continue;
		if ((uint32_t)insns[i].imm == (uint32_t)NET_FORWARD_TABLE_MARK &&
		    (uint32_t)insns[i + 1].imm == (uint32_t)(NET_FORWARD_TABLE_MARK >> 32)) {
			insns[i].src_reg = BPF_PSEUDO_MAP_VALUE;
			insns[i].imm = map;
			insns[i + 1].imm = 0;
		}
		i++;
	}
}

static int load_program(const char *name, const uint64_t *code, size_t nr, int map, int *prog,
			struct err *e)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	struct bpf_insn insns[LOAD_MAX];

	if (nr > LOAD_MAX)
		return err_set(e, -E2BIG, "load eBPF program %s", name);
	memcpy(insns, code, nr * sizeof(insns[0]));
	load_relocate(insns, nr, map);
	attr.insns = load_pointer(insns);
	attr.insn_cnt = (uint32_t)nr;
	attr.license = load_pointer("GPL");
	memcpy(attr.prog_name, name, strlen(name));
	*prog = load_bpf(BPF_PROG_LOAD, &attr);
	return *prog < 0 ? err_set(e, -errno, "load eBPF program %s", name) : 0;
}

#define NR(code) (sizeof(code) / sizeof((code)[0]))

int net_forward_load(const struct net_forward_table *t, int *to_guest, int *from_guest,
		     struct err *e)
{
	_autoclose_ int map = -1;
	_autoclose_ int to = -1;
	_autoclose_ int from = -1;
	int r = load_table(t, &map, e);

	if (r == 0)
		r = load_program("runnc_to_guest", code_to_guest, NR(code_to_guest), map, &to, e);
	if (r == 0)
		r = load_program("runnc_from_gst", code_from_guest, NR(code_from_guest), map, &from,
				 e);
	if (r < 0)
		return r;
	*to_guest = take_fd(&to);
	*from_guest = take_fd(&from);
	return 0;
}
