/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config.json from an engine nobody knows: bundle_parse() takes any bytes, and what it accepts
 * keeps every promise of bundle.h that can be checked from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* Read every byte and the terminator, so that the address sanitizer sees them. */
static void check_strings(const struct bundle_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		MUST(s->v[i] && strlen(s->v[i]) <= BUNDLE_MAX_CONFIG);
	MUST(s->n == 0 || !s->v[s->n]);
}

static void check_pairs(const struct bundle_pairs *p)
{
	for (size_t i = 0; i < p->n; i++)
		MUST(p->v[i].key[0] && strlen(p->v[i].value) <= BUNDLE_MAX_CONFIG);
}

static void check_process(const struct bundle_process *p)
{
	MUST(p->cwd[0] == '/' && p->args.n > 0);
	check_strings(&p->args);
	check_strings(&p->env);
	for (size_t i = 0; i < p->env.n; i++)
		MUST(strchr(p->env.v[i], '=') > p->env.v[i]);
	for (size_t i = 0; i < p->nr_rlimits; i++)
		MUST(p->rlimits[i].resource >= 0 && p->rlimits[i].soft <= p->rlimits[i].hard);
	for (size_t i = 0; i < p->user.nr_groups; i++)
		MUST(p->user.groups[i] != UINT32_MAX);
	MUST(p->user.umask <= 0777);
}

static void check_mount(const struct bundle_mount *m)
{
	MUST(m->destination[0] == '/' && m->type && m->source && m->data);
	MUST(strcmp(m->type, "bind") != 0 || m->source[0] == '/');
	check_strings(&m->options);
}

static void check_hook(const struct bundle_hook *hook)
{
	MUST(hook->path[0] == '/' && hook->args.n > 0);
	check_strings(&hook->args);
	check_strings(&hook->env);
}

static void check_maps(const struct bundle_id_maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		MUST(maps->v[i].size > 0 &&
		     (uint64_t)maps->v[i].host_id + maps->v[i].size <= UINT32_MAX);
}

static void check_bundle(const struct bundle *b)
{
	MUST(b->oci_version[0] == '1' && b->root_path[0] == '/');
	if (b->has_process)
		check_process(&b->process);
	for (size_t i = 0; i < b->nr_mounts; i++)
		check_mount(&b->mounts[i]);
	for (int kind = 0; kind < BUNDLE_HOOK_KINDS; kind++)
		for (size_t i = 0; i < b->hooks[kind].n; i++)
			check_hook(&b->hooks[kind].v[i]);
	for (int type = 0; type < BUNDLE_NS_TYPES; type++)
		MUST(!b->ns[type].path || b->ns[type].path[0] == '/');
	for (size_t i = 0; i < b->nr_devices; i++)
		MUST(b->devices[i].path[0] == '/');
	for (size_t i = 0; i < b->resources.nr_devices; i++)
		MUST(strchr("abc", b->resources.devices[i].type));
	check_maps(&b->uid_maps);
	check_maps(&b->gid_maps);
	check_pairs(&b->annotations);
	check_pairs(&b->sysctl);
	check_pairs(&b->resources.unified);
	check_strings(&b->masked_paths);
	check_strings(&b->readonly_paths);
	check_strings(&b->warnings);
}

/* What a refusal says is one line for a terminal. */
static void check_message(const char *text)
{
	MUST(strncmp(text, "config.json: ", strlen("config.json: ")) == 0);
	for (; *text; text++)
		MUST((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	if (bundle_parse((const char *)data, size, "/bundle", &b, &e) == 0)
		check_bundle(b);
	else
		check_message(e.text);
	bundle_free(b);
	return 0;
}
