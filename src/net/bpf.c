/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf(2): loading a program with its array of counters or its table, running it, finding it again.
 */
#include "net/bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/bpf_relocate.h"
#include "net/bpf_table.h"

#define BPF_LOAD_MAX 4096		/* instructions: what kernels before 5.2 take anyway */
#define BPF_LOG_SIZE (64u << 10)

static long bpf_call(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t bpf_pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Descriptors of bpf(2) are close-on-exec always. */
int net_bpf_counters(const char *name, uint32_t nr, int *map, struct err *e)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(uint32_t),
				.value_size = sizeof(uint64_t), .max_entries = nr };
	long fd;

	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	fd = bpf_call(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return err_set(e, -errno, "create BPF counters");
	*map = (int)fd;
	return 0;
}

/* What the verifier said last, without its newline and its statistics. */
static void bpf_last_words(char *log)
{
	char *stats = strstr(log, "\nprocessed "), *line;

	if (stats)
		*stats = '\0';
	line = strrchr(log, '\n');
	if (line)
		memmove(log, line + 1, strlen(line + 1) + 1);
}

static int bpf_explain(union bpf_attr *attr, int rc, struct err *e)
{
	_autofree_ char *log = calloc(1, BPF_LOG_SIZE);

	if (!log || rc == -EPERM)
		return err_set(e, rc, "load a BPF program");
	attr->log_level = 1;
	attr->log_size = BPF_LOG_SIZE;
	attr->log_buf = bpf_pointer(log);
	if (bpf_call(BPF_PROG_LOAD, attr) >= 0)
		return err_set(e, rc, "load a BPF program");
	log[BPF_LOG_SIZE - 1] = '\0';
	bpf_last_words(log);
	return err_set(e, rc, "load a BPF program (%s)", log);
}

int net_bpf_program(struct net_bpf_asm *b, const char *name, int *prog, struct err *e)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS,
				.license = bpf_pointer("GPL") };
	int rc = net_bpf_finish(b, e);
	long fd;

	if (rc < 0)
		return rc;
	attr.insns = bpf_pointer(b->insns);
	attr.insn_cnt = (uint32_t)b->nr;
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	do {
		/* The verifier gives way to a signal with EAGAIN. */
		fd = bpf_call(BPF_PROG_LOAD, &attr);
	} while (fd < 0 && errno == EAGAIN);
	if (fd < 0)
		return bpf_explain(&attr, -errno, e);
	*prog = (int)fd;
	return 0;
}

/* ---- programs that clang has compiled ----------------------------------------------------- */

/* Returns a descriptor or -errno. */
static int bpf_create_table(const char *name, size_t size, uint32_t flags)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = sizeof(uint32_t),
				.value_size = (uint32_t)size, .max_entries = 1,
				.map_flags = flags };
	long fd;

	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	fd = bpf_call(BPF_MAP_CREATE, &attr);
	return fd < 0 ? -errno : (int)fd;
}

int net_bpf_set(int map, const void *value, struct err *e)
{
	const uint32_t key = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)map, .key = bpf_pointer(&key),
				.value = bpf_pointer(value) };

	return bpf_call(BPF_MAP_UPDATE_ELEM, &attr) < 0 ?
		err_set(e, -errno, "fill an eBPF map") : 0;
}

int net_bpf_table(const char *name, const void *value, size_t size, int *map, struct err *e)
{
	_autoclose_ int fd = bpf_create_table(name, size, 0);
	int rc = fd < 0 ? err_set(e, fd, "create an eBPF map") : net_bpf_set(fd, value, e);

	if (rc < 0)
		return rc;
	*map = take_fd(&fd);
	return 0;
}

int net_bpf_shared_table(const char *name, size_t size, int *map, struct err *e)
{
	int fd = bpf_create_table(name, size, BPF_F_MMAPABLE);

	if (fd == -EINVAL)
		fd = bpf_create_table(name, size, 0);
	if (fd < 0)
		return err_set(e, fd, "create an eBPF map");
	*map = fd;
	return 0;
}

int net_bpf_compiled(const char *name, const uint64_t *code, size_t nr, int map, int ports,
		     int *prog, struct err *e)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };
	struct bpf_insn insns[BPF_LOAD_MAX];
	long fd;

	if (nr > BPF_LOAD_MAX)
		return err_set(e, -E2BIG, "load eBPF program %s", name);
	memcpy(insns, code, nr * sizeof(insns[0]));
	net_bpf_relocate(insns, nr, NET_BPF_TABLE_MARK, map);
	net_bpf_relocate(insns, nr, NET_BPF_PORTS_MARK, ports);
	attr.insns = bpf_pointer(insns);
	attr.insn_cnt = (uint32_t)nr;
	attr.license = bpf_pointer("GPL");
	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	do {
		fd = bpf_call(BPF_PROG_LOAD, &attr);
	} while (fd < 0 && errno == EAGAIN);
	if (fd < 0)
		return err_wrap(e, bpf_explain(&attr, -errno, e), "eBPF program %s", name);
	*prog = (int)fd;
	return 0;
}

int net_bpf_run(int prog, const void *frame, size_t len, void *out, size_t *out_len,
		unsigned int repeat, uint32_t *result, uint32_t *ns, struct err *e)
{
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)prog,
					  .data_in = bpf_pointer(frame),
					  .data_size_in = (uint32_t)len, .repeat = repeat } };

	if (out) {
		attr.test.data_out = bpf_pointer(out);
		attr.test.data_size_out = (uint32_t)*out_len;
	}
	if (bpf_call(BPF_PROG_TEST_RUN, &attr) < 0)
		return err_set(e, -errno, "run a BPF program");
	*result = attr.test.retval;
	if (out)
		*out_len = attr.test.data_size_out;
	if (ns)
		*ns = attr.test.duration;
	return 0;
}

int net_bpf_read(int map, uint64_t *counters, uint32_t nr, struct err *e)
{
	for (uint32_t i = 0; i < nr; i++) {
		union bpf_attr attr = { .map_fd = (uint32_t)map, .key = bpf_pointer(&i),
					.value = bpf_pointer(&counters[i]) };

		if (bpf_call(BPF_MAP_LOOKUP_ELEM, &attr) < 0)
			return err_set(e, -errno, "read BPF counters");
	}
	return 0;
}

/* ---- by id -------------------------------------------------------------------------------- */

/* Returns a descriptor or -errno. */
static int bpf_open(enum bpf_cmd cmd, uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };	/* and map_id: one union */
	long fd = bpf_call(cmd, &attr);

	return fd < 0 ? -errno : (int)fd;
}

static int bpf_info(int fd, void *info, size_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = (uint32_t)size,
					  .info = bpf_pointer(info) } };

	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 ? -errno : 0;
}

/* The one map of a program with this name. Returns 0, NET_BPF_NONE or -errno. */
static int bpf_map_of(uint32_t id, const char *name, uint32_t *map)
{
	struct bpf_prog_info info = { .nr_map_ids = 1, .map_ids = bpf_pointer(map) };
	_autoclose_ int prog = bpf_open(BPF_PROG_GET_FD_BY_ID, id);
	int rc = prog < 0 ? prog : bpf_info(prog, &info, sizeof(info));

	if (rc == -ENOENT)
		return NET_BPF_NONE;
	if (rc < 0)
		return rc;
	return info.nr_map_ids == 1 && strncmp(info.name, name, sizeof(info.name)) == 0 ?
		0 : NET_BPF_NONE;
}

static int bpf_open_counters(uint32_t id, const char *name, uint32_t nr, int *map)
{
	struct bpf_map_info info = { .type = 0 };
	_autoclose_ int fd = bpf_open(BPF_MAP_GET_FD_BY_ID, id);
	int rc = fd < 0 ? fd : bpf_info(fd, &info, sizeof(info));

	if (rc == -ENOENT)
		return NET_BPF_NONE;
	if (rc < 0)
		return rc;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(uint64_t) ||
	    info.max_entries != nr || strncmp(info.name, name, sizeof(info.name)) != 0)
		return NET_BPF_NONE;
	*map = take_fd(&fd);
	return 0;
}

#define BPF_MAPS_MAX 4

int net_bpf_map_of(uint32_t id, const char *name, size_t size, int *map, struct err *e)
{
	uint32_t maps[BPF_MAPS_MAX] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = BPF_MAPS_MAX, .map_ids = bpf_pointer(maps) };
	_autoclose_ int prog = bpf_open(BPF_PROG_GET_FD_BY_ID, id);
	int rc = prog < 0 ? prog : bpf_info(prog, &info, sizeof(info));

	for (uint32_t i = 0; rc == 0 && i < info.nr_map_ids && i < BPF_MAPS_MAX; i++) {
		struct bpf_map_info of = { .type = 0 };
		_autoclose_ int fd = bpf_open(BPF_MAP_GET_FD_BY_ID, maps[i]);

		rc = fd < 0 ? fd : bpf_info(fd, &of, sizeof(of));
		if (rc == 0 && of.type == BPF_MAP_TYPE_ARRAY && of.value_size == size &&
		    of.max_entries == 1 && strncmp(of.name, name, sizeof(of.name)) == 0) {
			*map = take_fd(&fd);
			return 0;
		}
	}
	if (rc < 0 && rc != -ENOENT)
		return err_set(e, rc, "find the map %s of BPF program %u", name, id);
	return NET_BPF_NONE;
}

int net_bpf_read_by_id(uint32_t id, const char *name, uint64_t *counters, uint32_t nr,
		       struct err *e)
{
	_autoclose_ int map = -1;
	uint32_t map_id = 0;
	int rc = bpf_map_of(id, name, &map_id);

	if (rc == 0)
		rc = bpf_open_counters(map_id, name, nr, &map);
	if (rc < 0)
		return err_set(e, rc, "find the counters of BPF program %u", id);
	return rc ? rc : net_bpf_read(map, counters, nr, e);
}
