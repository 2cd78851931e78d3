/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runnc features: what this runtime can do, in the form of the runtime-spec's features.md. The
 * host's system calls come from the table from which the filter is built.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "bundle/names.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "confine/confine.h"
#include "confine/confine_solo5.h"
#include "container/plan.h"

static json_t *features_hooks(void)
{
	json_t *all = json_array();

	for (int i = 0; i < BUNDLE_HOOK_KINDS; i++)
		show_append(all, json_string(bundle_hook_name((enum bundle_hook_kind)i)));
	return all;
}

static json_t *features_mount_options(void)
{
	json_t *all = json_array();
	const char *name;

	for (size_t i = 0; (name = bundle_mount_option_name(i)); i++)
		show_append(all, json_string(name));
	return all;
}

static json_t *features_namespaces(void)
{
	json_t *all = json_array();

	for (int i = 0; i < BUNDLE_NS_TYPES; i++)
		show_append(all, json_string(bundle_ns_name((enum bundle_ns_type)i)));
	return all;
}

static json_t *features_capabilities(void)
{
	json_t *all = json_array();
	const char *name;

	for (unsigned int i = 0; (name = bundle_cap_name(i)); i++)
		show_append(all, json_string(name));
	return all;
}

static json_t *features_linux(void)
{
	/* The bundle's profiles are for a process that uses the host's kernel; a guest does not. */
	return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b},"
			 " s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:{s:b}}}",
			 "namespaces", features_namespaces(),
			 "capabilities", features_capabilities(),
			 "cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 0, "rdma", 0,
			 "seccomp", "enabled", 0, "apparmor", "enabled", 0,
			 "selinux", "enabled", 0, "intelRdt", "enabled", 0,
			 "mountExtensions", "idmap", "enabled", 0);
}

/* The names in the order of the table, comma-separated. The caller's to free. */
static char *features_host_calls(const struct confine_call *calls, size_t nr)
{
	struct buf b = BUF_INIT(4096);

	for (size_t i = 0; i < nr; i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "", calls[i].name);
	if (buf_error(&b) < 0) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b, NULL);
}

static char *features_annotation_names(void)
{
	struct buf b = BUF_INIT(4096);
	const char *name;

	for (size_t i = 0; (name = plan_annotation_name(i)); i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "", name);
	if (buf_error(&b) < 0) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b, NULL);
}

static json_t *features_annotations(void)
{
	char *calls = features_host_calls(confine_linux_calls, confine_linux_nr_calls);
	char *solo5 = features_host_calls(confine_solo5_calls, confine_solo5_nr_calls);
	char *names = features_annotation_names();
	json_t *all = NULL;

	if (calls && solo5 && names)
		all = json_pack("{s:s, s:s, s:s, s:s, s:s}", "org.runnc.version", RUNNC_VERSION,
				"org.runnc.guests", "linux,solo5", "org.runnc.host-syscalls", calls,
				"org.runnc.host-syscalls.solo5", solo5,
				"org.runnc.annotations", names);
	free(calls);
	free(solo5);
	free(names);
	return all;
}

static int features(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	(void)l;
	(void)a;
	return show_json(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:[s]}",
				   "ociVersionMin", "1.0.0",
				   "ociVersionMax", CLI_SPEC_VERSION,
				   "hooks", features_hooks(),
				   "mountOptions", features_mount_options(),
				   "linux", features_linux(),
				   "annotations", features_annotations(),
				   "potentiallyUnsafeConfigAnnotations", PLAN_ANNOTATION), e);
}

const struct cli_command cli_features = {
	.name = "features", .operands = "", .min_operands = 0, .max_operands = 0,
	.summary = "print what this runtime can do, as JSON", .run = features,
};
