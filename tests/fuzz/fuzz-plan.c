/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From config.json to the guest's configuration: whatever bundle is accepted, the plan is within
 * its ranges or an error with words, and the stream made of it keeps to abi/guest_config.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/guest_config.h"
#include "container/guest_config.h"
#include "container/plan.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* Facts that no host gave: each mount's source is something else. */
static void make_facts(struct facts *f, const struct bundle *b, size_t seed)
{
	memset(f, 0, sizeof(*f));
	f->host_memory = UINT64_C(1) << (20 + seed % 24);
	f->memory_limit = seed % 3 ? 0 : UINT64_C(1) << (seed % 64);
	f->nr_mounts = b->nr_mounts;
	f->mounts = calloc(b->nr_mounts + 1, sizeof(f->mounts[0]));
	MUST(f->mounts);
	for (size_t i = 0; i < b->nr_mounts; i++) {
		struct facts_mount *m = &f->mounts[i];

		m->kind = (enum facts_kind)((seed + i) % (FACTS_OTHER + 1));
		m->size = (seed + i) % 5 << 19;
		m->empty = (seed + i) % 7 > 2;
		m->listed = (seed + i) % 2;
	}
}

static void check_stream(const char *data, size_t len)
{
	struct gcfg_header header;
	struct gcfg_record record;
	size_t at = sizeof(header);

	MUST(len >= sizeof(header) && len <= GCFG_MAX_SIZE);
	memcpy(&header, data, sizeof(header));
	MUST(header.size == len && header.version == GCFG_VERSION);
	for (uint32_t i = 0; i < header.count; i++) {
		MUST(len - at >= sizeof(record));
		memcpy(&record, data + at, sizeof(record));
		at += sizeof(record);
		MUST(record.len <= len - at && record.reserved == 0);
		at += (record.len + 7) & ~7u;
		MUST(at <= len);
	}
	MUST(at == len);
}

static void check_plan(const struct plan *p)
{
	struct err e = { .text = "" };
	char *data = NULL;
	size_t len;
	int r;

	MUST(p->mem_size >= PLAN_MEMORY_MIN && p->mem_size <= PLAN_MEMORY_MAX);
	MUST(p->mem_size % PLAN_MEMORY_UNIT == 0);
	for (size_t i = 0; i < p->nr_mounts; i++)
		MUST(p->mounts[i].destination[0] == '/' && p->mounts[i].type[0] &&
		     p->mounts[i].data);
	for (size_t i = 0; i < p->nr_files; i++)
		MUST(p->files[i].destination[0] == '/' && p->files[i].size <= PLAN_VOLUME_MAX);
	/* Files would be read from the host. */
	if (p->nr_files > 0)
		return;
	r = guest_config_encode(p, &data, &len, &e);
	MUST(r == 0 || (r == -EFBIG && e.text[0]));
	if (r == 0)
		check_stream(data, len);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct plan_options options = { .debug = len % 2 };
	struct err e = { .text = "" };
	struct bundle *b = NULL;
	struct facts facts;
	struct plan plan;
	int r;

	if (bundle_parse((const char *)data, len, "/bundle", &b, &e) < 0)
		return 0;
	make_facts(&facts, b, len);
	r = plan_make(b, &facts, &options, &plan, &e);
	MUST(r == 0 || (r < 0 && e.text[0]));
	if (r == 0)
		check_plan(&plan);
	plan_free(&plan);
	free(facts.mounts);
	bundle_free(b);
	return 0;
}
