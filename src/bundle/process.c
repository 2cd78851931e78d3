/* SPDX-License-Identifier: GPL-2.0-only */
/* [config] "process": who runs what, with which limits. */
#include <string.h>

#include "bundle/names.h"
#include "bundle/parse.h"

#define PROCESS_MAX_ID		(UINT32_MAX - 1)	/* (uid_t)-1 means "no change" to the
							 * kernel */
#define PROCESS_MAX_GROUPS	65536			/* NGROUPS_MAX */

void bundle_process_init(struct bundle_process *process)
{
	memset(process, 0, sizeof(*process));
	process->oom_score_adj = BUNDLE_UNSET;
}

static void parse_console_size(const struct bundle_at *at, struct bundle_process *process)
{
	uint32_t rows = 0, columns = 0;

	if (!bundle_is_object(at))
		return;
	bundle_read_u32(BUNDLE_KEY(at, "height"), UINT16_MAX, &rows);
	bundle_read_u32(BUNDLE_KEY(at, "width"), UINT16_MAX, &columns);
	process->console_rows = (uint16_t)rows;
	process->console_columns = (uint16_t)columns;
}

static void parse_groups(const struct bundle_at *at, struct bundle_user *user)
{
	size_t n = bundle_count(at, PROCESS_MAX_GROUPS);

	user->groups = bundle_alloc(at->r, n, sizeof(*user->groups));
	if (!user->groups)
		return;
	for (size_t i = 0; i < n; i++) {
		bundle_require(BUNDLE_ITEM(at, i));
		bundle_read_u32(BUNDLE_ITEM(at, i), PROCESS_MAX_ID, &user->groups[i]);
	}
	user->nr_groups = n;
}

/* The spec calls uid and gid required; engines that write Go's zero values always give them. */
static void parse_user(const struct bundle_at *at, struct bundle_user *user)
{
	if (!bundle_is_object(at))
		return;
	bundle_read_u32(BUNDLE_KEY(at, "uid"), PROCESS_MAX_ID, &user->uid);
	bundle_read_u32(BUNDLE_KEY(at, "gid"), PROCESS_MAX_ID, &user->gid);
	bundle_read_u32(BUNDLE_KEY(at, "umask"), 0777, &user->umask);
	user->has_umask = BUNDLE_KEY(at, "umask")->value != NULL;
	parse_groups(BUNDLE_KEY(at, "additionalGids"), user);
}

static void parse_env(const struct bundle_at *at, struct bundle_strings *env)
{
	bundle_read_strings(at, env);
	if (at->r->code)
		return;
	for (size_t i = 0; i < env->n; i++)
		if (env->v[i][0] == '=' || !strchr(env->v[i], '='))
			bundle_refuse(BUNDLE_ITEM(at, i), "expected NAME=value");
}

static void parse_rlimit(const struct bundle_at *at, struct bundle_rlimit *limit)
{
	char *name = NULL;

	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	bundle_require(BUNDLE_KEY(at, "type"));
	bundle_require(BUNDLE_KEY(at, "soft"));
	bundle_require(BUNDLE_KEY(at, "hard"));
	bundle_read_string(BUNDLE_KEY(at, "type"), &name);
	bundle_read_uint(BUNDLE_KEY(at, "soft"), UINT64_MAX, &limit->soft);
	bundle_read_uint(BUNDLE_KEY(at, "hard"), UINT64_MAX, &limit->hard);
	if (at->r->code)
		return;
	limit->resource = bundle_rlimit_number(name);
	if (limit->resource < 0)
		bundle_refuse(BUNDLE_KEY(at, "type"), "unknown limit '%s'", name);
	if (limit->soft > limit->hard)
		bundle_refuse(BUNDLE_KEY(at, "soft"), "above the hard limit");
}

static void parse_rlimits(const struct bundle_at *at, struct bundle_process *process)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_rlimit *limits = bundle_alloc(at->r, n, sizeof(*limits));
	uint64_t seen = 0, bit;

	if (!limits)
		return;
	for (size_t i = 0; i < n; i++) {
		parse_rlimit(BUNDLE_ITEM(at, i), &limits[i]);
		if (at->r->code)
			return;
		bit = 1ull << limits[i].resource;
		if (seen & bit)
			bundle_refuse(BUNDLE_ITEM(at, i), "second entry for %s",
				      bundle_rlimit_name(limits[i].resource));
		seen |= bit;
	}
	process->rlimits = limits;
	process->nr_rlimits = n;
}

/* As in runc, a name that this build does not know (a newer kernel's) is no reason to fail. */
static void parse_cap_set(const struct bundle_at *at, uint64_t *set)
{
	struct bundle_strings names = { 0 };
	int number;

	bundle_read_strings(at, &names);
	if (at->r->code)
		return;
	for (size_t i = 0; i < names.n; i++) {
		number = bundle_cap_number(names.v[i]);
		if (number >= 0)
			*set |= 1ull << number;
		else
			bundle_warn(BUNDLE_ITEM(at, i), "unknown capability '%s' ignored",
				    names.v[i]);
	}
}

static void parse_caps(const struct bundle_at *at, struct bundle_caps *caps)
{
	if (!bundle_is_object(at))
		return;
	caps->present = true;
	parse_cap_set(BUNDLE_KEY(at, "bounding"), &caps->bounding);
	parse_cap_set(BUNDLE_KEY(at, "effective"), &caps->effective);
	parse_cap_set(BUNDLE_KEY(at, "inheritable"), &caps->inheritable);
	parse_cap_set(BUNDLE_KEY(at, "permitted"), &caps->permitted);
	parse_cap_set(BUNDLE_KEY(at, "ambient"), &caps->ambient);
}

void bundle_parse_process(const struct bundle_at *at, struct bundle_process *process)
{
	if (!bundle_is_object(at))
		return;
	bundle_read_bool(BUNDLE_KEY(at, "terminal"), &process->terminal);
	parse_console_size(BUNDLE_KEY(at, "consoleSize"), process);
	bundle_require(BUNDLE_KEY(at, "cwd"));
	bundle_read_path(BUNDLE_KEY(at, "cwd"), &process->cwd);
	bundle_require(BUNDLE_KEY(at, "args"));
	bundle_read_strings(BUNDLE_KEY(at, "args"), &process->args);
	if (!process->args.n)
		bundle_refuse(BUNDLE_KEY(at, "args"), "expected at least one element");
	parse_env(BUNDLE_KEY(at, "env"), &process->env);
	parse_user(BUNDLE_KEY(at, "user"), &process->user);
	parse_rlimits(BUNDLE_KEY(at, "rlimits"), process);
	parse_caps(BUNDLE_KEY(at, "capabilities"), &process->caps);
	bundle_read_bool(BUNDLE_KEY(at, "noNewPrivileges"), &process->no_new_privs);
	bundle_read_int(BUNDLE_KEY(at, "oomScoreAdj"), -1000, 1000, &process->oom_score_adj);
	bundle_read_name(BUNDLE_KEY(at, "apparmorProfile"), &process->apparmor_profile);
	bundle_read_name(BUNDLE_KEY(at, "selinuxLabel"), &process->selinux_label);
	bundle_warn_ignored(BUNDLE_KEY(at, "scheduler"));
	bundle_warn_ignored(BUNDLE_KEY(at, "ioPriority"));
	bundle_warn_ignored(BUNDLE_KEY(at, "execCPUAffinity"));
}
