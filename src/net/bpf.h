/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf(2): loading a program with its array of counters, running it on a frame, finding it again.
 * Internal to src/net. Needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN.
 */
#ifndef RUNNC_NET_BPF_H
#define RUNNC_NET_BPF_H

#include <stddef.h>
#include <stdint.h>

#include "net/bpf_asm.h"

/*
 * Create an array of @nr counters (uint64_t), called @name (at most 15 letters). *@map is
 * close-on-exec and the caller's. Returns 0 or -errno.
 */
int net_bpf_counters(const char *name, uint32_t nr, int *map, struct err *e);

/*
 * Create an array with the one value @value of @size bytes, which programs read directly. *@map is
 * close-on-exec and the caller's. Returns 0 or -errno.
 */
int net_bpf_table(const char *name, const void *value, size_t size, int *map, struct err *e);

/*
 * The same, of zeros, for one that several programs share; mappable into memory where the kernel
 * can do that (Linux 5.5).
 */
int net_bpf_shared_table(const char *name, size_t size, int *map, struct err *e);

/* Write the one value of @map. Returns 0 or -errno. */
int net_bpf_set(int map, const void *value, struct err *e);

/*
 * Load @code, of @nr instructions as scripts/embed-bpf writes them, as a traffic control program
 * that reads the table @map where it is compiled to read NET_BPF_TABLE_MARK, and the pod's ports
 * (net/ports.h) in @ports for NET_BPF_PORTS_MARK. *@prog is close-on-exec and the caller's.
 * Returns 0 or -errno: -EPERM without CAP_BPF or CAP_NET_ADMIN,
 * -ENOSYS, -EINVAL or -EACCES where the kernel is too old for it.
 */
int net_bpf_compiled(const char *name, const uint64_t *code, size_t nr, int map, int ports,
		     int *prog, struct err *e);

/* Finish @b and load it as a traffic control program. *@prog is close-on-exec, the caller's. */
int net_bpf_program(struct net_bpf_asm *b, const char *name, int *prog, struct err *e);

/*
 * Run @prog on a frame of *@len bytes, @repeat times, and put what it made of it into @out, which
 * has room for *@out_len bytes (NULL: not wanted). *@result is its return value, *@ns the average
 * time (NULL: not wanted). Returns 0 or -errno. For tests and measurements.
 */
int net_bpf_run(int prog, const void *frame, size_t len, void *out, size_t *out_len,
		unsigned int repeat, uint32_t *result, uint32_t *ns, struct err *e);

/* Read @nr counters of @map. Returns 0 or -errno. */
int net_bpf_read(int map, uint64_t *counters, uint32_t nr, struct err *e);

#define NET_BPF_NONE 1

/*
 * Read the @nr counters of the program with this id, if its name and its one map's are @name and
 * the map has that size. Returns 0, NET_BPF_NONE if it is another program or gone, or -errno.
 * Needs CAP_SYS_ADMIN.
 */
int net_bpf_read_by_id(uint32_t id, const char *name, uint64_t *counters, uint32_t nr,
		       struct err *e);

/*
 * Open the table called @name, of one value of @size bytes, that the program with this id reads.
 * *@map is close-on-exec and the caller's. Returns 0, NET_BPF_NONE if it reads none such or is
 * gone, or -errno. Needs CAP_SYS_ADMIN.
 */
int net_bpf_map_of(uint32_t id, const char *name, size_t size, int *map, struct err *e);

#endif
