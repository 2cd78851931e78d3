/* SPDX-License-Identifier: GPL-2.0-only */
/* [linux] "Control groups": linux.resources. */
#include <string.h>

#include "bundle/parse.h"

void bundle_resources_init(struct bundle_resources *res)
{
	memset(res, 0, sizeof(*res));
	res->memory_limit = BUNDLE_UNSET;
	res->memory_reservation = BUNDLE_UNSET;
	res->memory_swap = BUNDLE_UNSET;
	res->pids_limit = BUNDLE_UNSET;
	res->cpu_quota = BUNDLE_UNSET;
}

/* Bytes, pids or microseconds: 0 is how engines say "not given"; -1 is "unlimited". */
static void read_limit(const struct bundle_at *at, int64_t min, int64_t *out)
{
	int64_t value = 0;

	bundle_read_int(at, min, INT64_MAX, &value);
	if (value)
		*out = value < 0 ? -1 : value;
}

static void parse_memory(const struct bundle_at *at, struct bundle_resources *res)
{
	if (!bundle_is_object(at))
		return;
	read_limit(BUNDLE_KEY(at, "limit"), -1, &res->memory_limit);
	read_limit(BUNDLE_KEY(at, "reservation"), -1, &res->memory_reservation);
	read_limit(BUNDLE_KEY(at, "swap"), -1, &res->memory_swap);
	bundle_warn_ignored(BUNDLE_KEY(at, "kernel"));
	bundle_warn_ignored(BUNDLE_KEY(at, "kernelTCP"));
	bundle_warn_ignored(BUNDLE_KEY(at, "swappiness"));
	bundle_warn_ignored(BUNDLE_KEY(at, "disableOOMKiller"));
}

static void parse_cpu(const struct bundle_at *at, struct bundle_resources *res)
{
	if (!bundle_is_object(at))
		return;
	bundle_read_uint(BUNDLE_KEY(at, "shares"), UINT64_MAX, &res->cpu_shares);
	read_limit(BUNDLE_KEY(at, "quota"), INT64_MIN, &res->cpu_quota);
	bundle_read_uint(BUNDLE_KEY(at, "period"), UINT64_MAX, &res->cpu_period);
	bundle_read_name(BUNDLE_KEY(at, "cpus"), &res->cpu_cpus);
	bundle_read_name(BUNDLE_KEY(at, "mems"), &res->cpu_mems);
	bundle_warn_ignored(BUNDLE_KEY(at, "realtimeRuntime"));
	bundle_warn_ignored(BUNDLE_KEY(at, "realtimePeriod"));
	bundle_warn_ignored(BUNDLE_KEY(at, "burst"));
	bundle_warn_ignored(BUNDLE_KEY(at, "idle"));
}

/* Names of files in the container's own cgroup directory, and never a way out of it. */
static void parse_unified(const struct bundle_at *at, struct bundle_pairs *unified)
{
	bundle_read_pairs(at, unified);
	if (at->r->code)
		return;
	for (size_t i = 0; i < unified->n; i++)
		if (strchr(unified->v[i].key, '/') || unified->v[i].key[0] == '.')
			bundle_refuse(BUNDLE_KEY(at, unified->v[i].key), "expected a file name");
}

static unsigned int parse_access(const struct bundle_at *at)
{
	unsigned int access = 0;
	char *letters = NULL;

	bundle_read_name(at, &letters);
	if (!letters)
		return BUNDLE_DEVICE_READ | BUNDLE_DEVICE_WRITE | BUNDLE_DEVICE_MKNOD;
	for (const char *l = letters; *l; l++) {
		if (*l == 'r')
			access |= BUNDLE_DEVICE_READ;
		else if (*l == 'w')
			access |= BUNDLE_DEVICE_WRITE;
		else if (*l == 'm')
			access |= BUNDLE_DEVICE_MKNOD;
		else
			bundle_refuse(at, "expected letters of 'rwm'");
	}
	return access;
}

static void parse_device_rule(const struct bundle_at *at, struct bundle_device_rule *rule)
{
	char *type = NULL;

	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	rule->major = rule->minor = -1;
	bundle_require(BUNDLE_KEY(at, "allow"));
	bundle_read_bool(BUNDLE_KEY(at, "allow"), &rule->allow);
	bundle_read_name(BUNDLE_KEY(at, "type"), &type);
	bundle_read_int(BUNDLE_KEY(at, "major"), -1, UINT32_MAX, &rule->major);
	bundle_read_int(BUNDLE_KEY(at, "minor"), -1, UINT32_MAX, &rule->minor);
	rule->access = parse_access(BUNDLE_KEY(at, "access"));
	if (type && (strlen(type) != 1 || !strchr("abc", *type)))
		bundle_refuse(BUNDLE_KEY(at, "type"), "expected 'a', 'b' or 'c'");
	rule->type = type ? *type : 'a';
}

static void parse_device_rules(const struct bundle_at *at, struct bundle_resources *res)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_device_rule *rules = bundle_alloc(at->r, n, sizeof(*rules));

	if (!rules)
		return;
	for (size_t i = 0; i < n; i++)
		parse_device_rule(BUNDLE_ITEM(at, i), &rules[i]);
	res->devices = rules;
	res->nr_devices = n;
}

void bundle_parse_resources(const struct bundle_at *at, struct bundle_resources *res)
{
	const struct bundle_at *pids = BUNDLE_KEY(at, "pids");

	if (!bundle_is_object(at))
		return;
	res->present = true;
	parse_memory(BUNDLE_KEY(at, "memory"), res);
	parse_cpu(BUNDLE_KEY(at, "cpu"), res);
	if (bundle_is_object(pids))
		read_limit(BUNDLE_KEY(pids, "limit"), INT64_MIN, &res->pids_limit);
	parse_unified(BUNDLE_KEY(at, "unified"), &res->unified);
	parse_device_rules(BUNDLE_KEY(at, "devices"), res);
	bundle_warn_ignored(BUNDLE_KEY(at, "blockIO"));
	bundle_warn_ignored(BUNDLE_KEY(at, "hugepageLimits"));
	bundle_warn_ignored(BUNDLE_KEY(at, "network"));
	bundle_warn_ignored(BUNDLE_KEY(at, "rdma"));
}
