/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups: cgroup v1, v2 and hybrid (v1 controllers beside a v2 hierarchy), by the files of
 * cgroupfs alone.
 *
 * The order of use:
 *	cgroup_survey()		what is mounted here, and where this process is in it
 *	cgroup_plan()		which directories the container will have; nothing is touched
 *	(the list goes into the state file)
 *	cgroup_create()		make them
 *	cgroup_apply()		limits
 *	cgroup_join()		the container's process
 * and later, from the list in the state file alone, without a survey:
 *	cgroup_kill(), cgroup_remove()
 *
 * No library does this: libcgroup brings a daemon, a rules engine and its own configuration, knows
 * no hybrid, and cannot list before it makes; libsystemd needs systemd. What is needed is mkdir,
 * write and rmdir in the right order.
 */
#ifndef RUNNC_NS_CGROUP_H
#define RUNNC_NS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Controllers, and named hierarchies, that we make directories for. One bit each. */
#define CGROUP_CPU		0x0001u
#define CGROUP_CPUACCT		0x0002u
#define CGROUP_CPUSET		0x0004u
#define CGROUP_MEMORY		0x0008u
#define CGROUP_DEVICES		0x0010u
#define CGROUP_FREEZER		0x0020u
#define CGROUP_BLKIO		0x0040u		/* "io" in v2 */
#define CGROUP_PIDS		0x0080u
#define CGROUP_NET_CLS		0x0100u
#define CGROUP_NET_PRIO		0x0200u
#define CGROUP_PERF_EVENT	0x0400u
#define CGROUP_HUGETLB		0x0800u
#define CGROUP_RDMA		0x1000u
#define CGROUP_MISC		0x2000u
/* the v1 hierarchy name=systemd, which has no controller */
#define CGROUP_SYSTEMD		0x4000u

enum cgroup_mode {
	CGROUP_MODE_NONE,		/* nothing is mounted */
	CGROUP_MODE_V1,
	CGROUP_MODE_V2,
	CGROUP_MODE_HYBRID,		/* v1 with controllers, and v2 */
};

/*
 * Where to read: for tests, which put a directory in place of the system. NULL members: the system.
 */
struct cgroup_source {
	const char *mountinfo;		/* default /proc/self/mountinfo */
	const char *cgroup;		/* default /proc/self/cgroup */
	const char *prefix;		/* goes before every mount point; default "" */
	/* is a directory where systemd runs; default /run/systemd/system */
	const char *systemd;
};

/* What is mounted. Opaque. */
struct cgroup_survey;

/*
 * Read the system (@source NULL) or a test's stand-in. *@out is the caller's, for
 * cgroup_survey_free(). Lines that cannot be understood are skipped: both files hold names that
 * others choose. Returns 0 (also if no cgroup is mounted at all) or -errno.
 */
int cgroup_survey(const struct cgroup_source *source, struct cgroup_survey **out, struct err *e);
void cgroup_survey_free(struct cgroup_survey *s);
enum cgroup_mode cgroup_survey_mode(const struct cgroup_survey *s);

/* One directory. */
struct cgroup_place {
	char *dir;			/* absolute, clean */
	int version;			/* 1 or 2 */
	uint32_t controllers;		/* CGROUP_* of its hierarchy */
	/* the container's processes are in it; false: on the way to it */
	bool leaf;
	/*
	 * did not exist when planned, or is one that containers of this runtime make for one
	 * another (the default parent; in a hybrid, v2's but for slices): remove it if it is empty
	 */
	bool ours;
};

/* Parents stand before their children. */
struct cgroup_list {
	struct cgroup_place *v;
	size_t n;
};

#define CGROUP_LIST_INIT { .v = NULL, .n = 0 }
void cgroup_list_free(struct cgroup_list *list);

#define CGROUP_DEFAULT_PARENT	"/runnc"
#define CGROUP_GUARDED		"container"

/*
 * Decide on the directories of container @id; nothing is touched. @path is linux.cgroupsPath:
 *  - NULL: CGROUP_DEFAULT_PARENT/@id. This parent is ours by its name: whoever finds it empty at
 *    removal takes it away.
 *  - absolute: below the mount point of each hierarchy. ".." does not lead out.
 *  - relative: below the runtime's own cgroup (v1), or below that one's parent (v2, where a cgroup
 *    that has processes may not have controllers for its children).
 *  - @systemd (--systemd-cgroup): "slice:prefix:name". Refused with -EOPNOTSUPP and advice where
 *    systemd does not run. Where it does: the directory that systemd would use for the scope
 *    prefix-name.scope in that slice, made by us; systemd is not told about it. In v2 the leaf is a
 *    child of that, CGROUP_GUARDED, lest systemd takes its controllers away.
 * A leaf that exists already is used, and is not ours. *@list is the caller's. Returns 0 or -errno.
 */
int cgroup_plan(const struct cgroup_survey *s, const char *path, bool systemd, const char *id,
		struct cgroup_list *list, struct err *e);

/*
 * Make what is planned. Existing directories are fine. In v1 cpuset, cpus and mems are inherited
 * where they are empty; in v2, the controllers that @controllers (CGROUP_*, see
 * cgroup_limits_need()) names are switched on on the way. Idempotent; after a failure, what was
 * made is left to cgroup_remove(). Returns 0 or -errno.
 */
int cgroup_create(const struct cgroup_list *list, uint32_t controllers, struct err *e);

#define CGROUP_UNSET	INT64_MIN

struct cgroup_pair {
	const char *key;		/* a file name */
	const char *value;
};

/* The numbers and words of linux.resources; bytes and microseconds. */
struct cgroup_limits {
	int64_t memory;			/* -1: unlimited; CGROUP_UNSET or 0: leave */
	int64_t memory_swap;		/* memory plus swap; the same */
	int64_t memory_reservation;	/* the same */
	int64_t pids;			/* below 0: unlimited; CGROUP_UNSET or 0: leave */
	uint64_t cpu_shares;		/* 0: leave; in v2 translated to cpu.weight */
	int64_t cpu_quota;		/* -1: none; CGROUP_UNSET or 0: leave */
	uint64_t cpu_period;		/* 0: leave */
	const char *cpus;		/* NULL or "": leave */
	const char *mems;
	const struct cgroup_pair *unified;	/* v2 files, written last, in order */
	size_t nr_unified;
};

#define CGROUP_LIMITS_INIT { .memory = CGROUP_UNSET, .memory_swap = CGROUP_UNSET, \
	.memory_reservation = CGROUP_UNSET, .pids = CGROUP_UNSET, .cpu_quota = CGROUP_UNSET }

/* The controllers that these limits need: CGROUP_* bits. */
uint32_t cgroup_limits_need(const struct cgroup_limits *limits);

/*
 * Write the limits into the leaves. A limit whose controller is not there is an error
 * (-EOPNOTSUPP), as nobody would keep it; unlimited is not. The message names file, value and,
 * where it tells more, what is there now. Returns 0 or -errno.
 */
int cgroup_apply(const struct cgroup_list *list, const struct cgroup_limits *limits, struct err *e);

/* Put @pid into every leaf. Returns 0 or -errno. */
int cgroup_join(const struct cgroup_list *list, pid_t pid, struct err *e);

/*
 * The smallest memory limit that holds in the leaf or will hold in it once it is made: its own and
 * those of all above it. *@bytes is UINT64_MAX if there is none. Returns 0 or -errno.
 */
int cgroup_memory_limit(const struct cgroup_list *list, uint64_t *bytes, struct err *e);

/*
 * Kill all processes in the leaves that are ours and in the cgroups below them, and wait up to
 * @timeout_ms until they are gone. By cgroup.kill where there is a v2 leaf (Linux 5.14), otherwise
 * frozen first where there is a freezer, so that none can fork away. Processes in a leaf that
 * existed before us are left alone. Returns 0 (also if nothing is there); -EBUSY if the caller
 * itself is in one (nothing is killed then); -ETIMEDOUT with the pids that stay.
 */
int cgroup_kill(const struct cgroup_list *list, int timeout_ms, struct err *e);

/*
 * Remove the directories of the list that are ours, children first, and for leaves everything below
 * them. Those that are gone are fine; so are those on the way that somebody else uses by now. A
 * leaf that stays busy is tried again up to @timeout_ms, then -EBUSY with the pids in it.
 * Idempotent; every directory is tried, the first failure is returned.
 */
int cgroup_remove(const struct cgroup_list *list, int timeout_ms, struct err *e);

/* The v2 cpu.weight (1..10000) for v1 cpu shares (2..262144, others are clamped). Pure. */
uint64_t cgroup_weight_of_shares(uint64_t shares);

/*
 * The path of systemd's scope for "slice:prefix:name" below the root of a hierarchy, a heap block
 * in
 * *@path: "a-b.slice:docker:x" is "/a.slice/a-b.slice/docker-x.scope"; an empty slice is
 * system.slice. Pure. Returns 0 or -EINVAL.
 */
int cgroup_systemd_path(const char *triple, char **path, struct err *e);

#endif
