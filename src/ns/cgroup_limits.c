/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups, limits: linux.resources, whose words are those of v1, written in v1's or v2's
 * files.
 *
 * Rules for devices are not applied: a Nabla container's process has no system call that opens a
 * file once it runs an untrusted instruction.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "ns/cgroup_internal.h"

static bool given(int64_t value)
{
	return value != CGROUP_UNSET && value != 0;
}

static uint32_t unified_controller(const struct cgroup_pair *pair)
{
	return cgroup_controller_bit(pair->key, strcspn(pair->key, "."));
}

uint32_t cgroup_limits_need(const struct cgroup_limits *l)
{
	uint32_t bits = 0;

	if (given(l->memory) || given(l->memory_swap) || given(l->memory_reservation))
		bits |= CGROUP_MEMORY;
	if (given(l->pids))
		bits |= CGROUP_PIDS;
	if (l->cpu_shares || given(l->cpu_quota) || l->cpu_period)
		bits |= CGROUP_CPU;
	if ((l->cpus && l->cpus[0]) || (l->mems && l->mems[0]))
		bits |= CGROUP_CPUSET;
	for (size_t i = 0; i < l->nr_unified; i++)
		bits |= unified_controller(&l->unified[i]);
	return bits;
}

uint64_t cgroup_weight_of_shares(uint64_t shares)
{
	/* The line from [2, 262144] to [1, 10000] that kubelet, runc and crun have agreed on. */
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

static int set_number(const struct cgroup_place *leaf, const char *file, int64_t value,
		      const char *unlimited, struct err *e)
{
	char text[32];

	if (value < 0)
		snprintf(text, sizeof(text), "%s", unlimited);
	else
		snprintf(text, sizeof(text), "%" PRId64, value);
	return cgroup_set(leaf->dir, file, text, e);
}

/* A failure to lower the limit below what is used says how much that is. */
static int memory_hint(const struct cgroup_place *leaf, const char *usage, int r, struct err *e)
{
	_autofree_ char *now = NULL;
	struct err ignored = ERR_INIT;

	if (r == -EBUSY && cgroup_read(leaf->dir, usage, &now, &ignored) == 0)
		return err_wrap(e, r, "memory in use: %s bytes", now);
	return r;
}

/* The kernel keeps limit <= memsw at every moment, so the order depends on the direction. */
static int apply_memory_v1(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			   struct err *e)
{
	static const char limit[] = "memory.limit_in_bytes";
	static const char memsw[] = "memory.memsw.limit_in_bytes";
	bool swap_done = !given(l->memory_swap);
	int r = 0;

	if (given(l->memory)) {
		r = set_number(leaf, limit, l->memory, "-1", e);
		if (r == -EINVAL && !swap_done) {
			swap_done = true;
			r = set_number(leaf, memsw, l->memory_swap, "-1", e);
			if (r == 0)
				r = set_number(leaf, limit, l->memory, "-1", e);
		}
		r = memory_hint(leaf, "memory.usage_in_bytes", r, e);
	}
	if (r == 0 && !swap_done) {
		r = set_number(leaf, memsw, l->memory_swap, "-1", e);
		/* A kernel that does not account swap does not limit it. */
		if (r == -EOPNOTSUPP && l->memory_swap < 0)
			r = 0;
	}
	if (r == 0 && given(l->memory_reservation))
		r = set_number(leaf, "memory.soft_limit_in_bytes", l->memory_reservation, "-1", e);
	return r;
}

/* v2 limits swap alone, where OCI and v1 have the sum. */
static int apply_swap_v2(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			 struct err *e)
{
	int64_t swap = -1;
	int r;

	if (l->memory_swap > 0) {
		if (!given(l->memory) || l->memory < 0)
			return err_say(e, -EINVAL,
				       "a limit of memory plus swap needs a memory limit");
		swap = l->memory_swap - l->memory;
	}
	r = set_number(leaf, "memory.swap.max", swap, "max", e);
	/*
	 * A kernel without swap has no such file: no swap, and no limit of it, are both kept there.
	 */
	return r == -EOPNOTSUPP && swap <= 0 ? 0 : r;
}

static int apply_memory_v2(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			   struct err *e)
{
	int r = 0;

	if (given(l->memory_swap))
		r = apply_swap_v2(leaf, l, e);
	if (r == 0 && given(l->memory))
		r = memory_hint(leaf, "memory.current",
				set_number(leaf, "memory.max", l->memory, "max", e), e);
	if (r == 0 && given(l->memory_reservation))
		r = set_number(leaf, "memory.low", l->memory_reservation, "max", e);
	return r;
}

static int apply_memory(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			struct err *e)
{
	if (l->memory_swap > 0 && l->memory > 0 && l->memory_swap < l->memory)
		return err_say(e, -EINVAL,
			       "memory plus swap (%" PRId64 ") is below memory (%" PRId64 ")",
			       l->memory_swap, l->memory);
	return leaf->version == 1 ? apply_memory_v1(leaf, l, e) : apply_memory_v2(leaf, l, e);
}

static int apply_cpu_v1(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			struct err *e)
{
	static const char period_file[] = "cpu.cfs_period_us";
	static const char quota_file[] = "cpu.cfs_quota_us";
	int64_t period = l->cpu_period > INT64_MAX ? INT64_MAX : (int64_t)l->cpu_period;
	bool quota_done = !given(l->cpu_quota);
	int r = 0;

	if (l->cpu_shares)
		r = set_number(leaf, "cpu.shares",
			       l->cpu_shares > INT64_MAX ? INT64_MAX : (int64_t)l->cpu_shares, "-1",
			       e);
	if (r == 0 && period) {
		r = set_number(leaf, period_file, period, "-1", e);
		/* A parent's ratio of quota and period binds the child's at every moment. */
		if (r == -EINVAL && !quota_done) {
			quota_done = true;
			r = set_number(leaf, quota_file, l->cpu_quota, "-1", e);
			if (r == 0)
				r = set_number(leaf, period_file, period, "-1", e);
		}
	}
	if (r == 0 && !quota_done)
		r = set_number(leaf, quota_file, l->cpu_quota, "-1", e);
	return r;
}

static int apply_cpu_v2(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			struct err *e)
{
	char quota[32] = "max";
	char text[64];
	int r = 0;

	if (l->cpu_shares)
		r = set_number(leaf, "cpu.weight", (int64_t)cgroup_weight_of_shares(l->cpu_shares),
			       "", e);
	if (r < 0 || (!given(l->cpu_quota) && !l->cpu_period))
		return r;
	if (given(l->cpu_quota) && l->cpu_quota > 0)
		snprintf(quota, sizeof(quota), "%" PRId64, l->cpu_quota);
	if (l->cpu_period)
		snprintf(text, sizeof(text), "%s %" PRIu64, quota, l->cpu_period);
	else
		snprintf(text, sizeof(text), "%s", quota);
	return cgroup_set(leaf->dir, "cpu.max", text, e);
}

static int apply_cpu(const struct cgroup_place *leaf, const struct cgroup_limits *l, struct err *e)
{
	return leaf->version == 1 ? apply_cpu_v1(leaf, l, e) : apply_cpu_v2(leaf, l, e);
}

static int apply_cpuset(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			struct err *e)
{
	int r = 0;

	if (l->cpus && l->cpus[0])
		r = cgroup_set(leaf->dir, "cpuset.cpus", l->cpus, e);
	if (r == 0 && l->mems && l->mems[0])
		r = cgroup_set(leaf->dir, "cpuset.mems", l->mems, e);
	return r;
}

static int apply_pids(const struct cgroup_place *leaf, const struct cgroup_limits *l, struct err *e)
{
	return set_number(leaf, "pids.max", l->pids, "max", e);
}

static int apply_unified(const struct cgroup_list *list, const struct cgroup_limits *l,
			 struct err *e)
{
	const struct cgroup_place *leaf = cgroup_leaf_v2(list);

	for (size_t i = 0; i < l->nr_unified; i++) {
		const char *key = l->unified[i].key;
		int r;

		if (key[0] == '\0' || key[0] == '.' || strchr(key, '/'))
			return err_say(e, -EINVAL, "unified: '%s' is no file of cgroup v2", key);
		if (!leaf)
			return err_say(e, -EOPNOTSUPP,
				       "unified: '%s' needs cgroup v2, which is not mounted", key);
		r = cgroup_set(leaf->dir, key, l->unified[i].value, e);
		if (r < 0)
			return err_wrap(e, r, "unified");
	}
	return 0;
}

/* True if all that is asked of the controller is to limit nothing. */
static bool unlimited(const struct cgroup_limits *l, uint32_t bit)
{
	switch (bit) {
	case CGROUP_MEMORY:
		return !(given(l->memory) && l->memory > 0) &&
		       !(given(l->memory_swap) && l->memory_swap > 0) &&
		       !(given(l->memory_reservation) && l->memory_reservation > 0);
	case CGROUP_PIDS:
		return l->pids < 0;
	case CGROUP_CPU:
		return !l->cpu_shares && !l->cpu_period && l->cpu_quota < 0;
	default:
		return false;
	}
}

int cgroup_apply(const struct cgroup_list *list, const struct cgroup_limits *l, struct err *e)
{
	static const struct {
		uint32_t bit;
		int (*apply)(const struct cgroup_place *leaf, const struct cgroup_limits *l,
			     struct err *e);
	} table[] = {
		{ CGROUP_CPUSET, apply_cpuset },
		{ CGROUP_CPU, apply_cpu },
		{ CGROUP_MEMORY, apply_memory },
		{ CGROUP_PIDS, apply_pids },
	};
	struct cgroup_limits plain = *l;
	uint32_t need;

	plain.nr_unified = 0;
	need = cgroup_limits_need(&plain);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct cgroup_place *leaf = cgroup_leaf(list, table[i].bit);
		int r;

		if ((need & table[i].bit) == 0)
			continue;
		if (!leaf && unlimited(l, table[i].bit))
			continue;
		if (!leaf)
			return err_say(e, -EOPNOTSUPP,
				       "a limit needs the cgroup controller '%s', which is "
				       "not there",
				       cgroup_controller_name(table[i].bit, 1));
		r = table[i].apply(leaf, l, e);
		if (r < 0)
			return r;
	}
	return apply_unified(list, l, e);
}

/* One directory's own limit; UINT64_MAX: none. */
static int place_memory_limit(const struct cgroup_place *place, uint64_t *bytes, struct err *e)
{
	/* The root of v2 has no such file; v1 writes LONG_MAX in whole pages for no limit. */
	static const uint64_t v1_none = INT64_MAX / 65536 * 65536;
	const char *file = place->version == 1 ? "memory.limit_in_bytes" : "memory.max";
	_autofree_ char *text = NULL;
	int r = cgroup_read(place->dir, file, &text, e);

	*bytes = UINT64_MAX;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (strcmp(text, "max") == 0)
		return 0;
	if (str_u64(text, UINT64_MAX, bytes) < 0)
		return err_say(e, -EPROTO, "%s of cgroup '%s' is '%s'", file, place->dir, text);
	if (place->version == 1 && *bytes >= v1_none)
		*bytes = UINT64_MAX;
	return 0;
}

int cgroup_memory_limit(const struct cgroup_list *list, uint64_t *bytes, struct err *e)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < list->n; i++) {
		uint64_t own;
		int r;

		if ((list->v[i].controllers & CGROUP_MEMORY) == 0)
			continue;
		r = place_memory_limit(&list->v[i], &own, e);
		if (r < 0)
			return r;
		if (own < least)
			least = own;
	}
	*bytes = least;
	return 0;
}
