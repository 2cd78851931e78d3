/* SPDX-License-Identifier: GPL-2.0-only */
/* [config] "POSIX-platform Hooks": what to run on the way, not the running. */
#include "bundle/names.h"
#include "bundle/parse.h"

static void parse_hook(const struct bundle_at *at, struct bundle_hook *hook)
{
	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	bundle_require(BUNDLE_KEY(at, "path"));
	bundle_read_path(BUNDLE_KEY(at, "path"), &hook->path);
	bundle_read_strings(BUNDLE_KEY(at, "args"), &hook->args);
	bundle_read_strings(BUNDLE_KEY(at, "env"), &hook->env);
	bundle_read_u32(BUNDLE_KEY(at, "timeout"), INT32_MAX, &hook->timeout);
	if (BUNDLE_KEY(at, "timeout")->value && !hook->timeout)
		bundle_refuse(BUNDLE_KEY(at, "timeout"), "expected more than 0 seconds");

	/* A program without argv[0] surprises many; runc starts it with its path, too. */
	if (!at->r->code && !hook->args.n) {
		hook->args.v = bundle_alloc(at->r, 2, sizeof(*hook->args.v));
		if (!hook->args.v)
			return;
		hook->args.v[0] = hook->path;
		hook->args.n = 1;
	}
}

static void parse_kind(const struct bundle_at *at, struct bundle_hooks *hooks)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_hook *v = bundle_alloc(at->r, n, sizeof(*v));

	if (!v)
		return;
	for (size_t i = 0; i < n; i++)
		parse_hook(BUNDLE_ITEM(at, i), &v[i]);
	hooks->v = v;
	hooks->n = n;
}

void bundle_parse_hooks(const struct bundle_at *at, struct bundle_hooks hooks[BUNDLE_HOOK_KINDS])
{
	if (!bundle_is_object(at))
		return;
	for (int kind = 0; kind < BUNDLE_HOOK_KINDS; kind++)
		parse_kind(BUNDLE_KEY(at, bundle_hook_name(kind)), &hooks[kind]);
}
