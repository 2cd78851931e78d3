/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bundle of any bytes with an image that is a unikernel with some devices: the plan is refused
 * with words, or it leads to arguments within the ABI's limits. The first byte says which devices.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "container/plan.h"
#include "container/solo5_args.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static void make_facts(struct facts *f, const struct bundle *b, uint8_t seed)
{
	struct guest_facts *g = &f->guest;

	memset(f, 0, sizeof(*f));
	f->host_memory = UINT64_C(1) << 34;
	f->nr_mounts = b->nr_mounts;
	f->mounts = calloc(b->nr_mounts + 1, sizeof(f->mounts[0]));
	g->manifest = calloc(1, sizeof(*g->manifest));
	g->binary = strdup("/a.spt");
	MUST(f->mounts && g->manifest && g->binary);
	g->file = (enum guest_file)(seed & 3);
	g->bad = g->file == GUEST_FILE_BAD ? strdup("bad") : NULL;
	g->abi.target = SOLO5_SPT;
	g->manifest->entries = 1 + (seed >> 2) % 5;
	g->manifest->entry[0].type = SOLO5_RESERVED_FIRST;
	for (uint32_t i = 1; i < g->manifest->entries; i++) {
		g->manifest->entry[i].type = i % 2 ? SOLO5_BLOCK : SOLO5_NET;
		g->manifest->entry[i].name[0] = (char)('a' + i);
	}
	MUST(urunc_from_annotations(b, &g->urunc, &(struct err)ERR_INIT) <= 0);
}

static void check_plan(struct plan *p)
{
	const int fds[64] = { 4 };
	struct err e = { .text = "" };
	char **argv = NULL;
	int r;

	if (p->guest.kind != GUEST_SOLO5)
		return;
	/* As if each device had an interface without addresses. */
	p->network = PLAN_NETWORK_SURVEYED;
	p->net.nr_ports = p->solo5.nr_nets;
	r = solo5_argv(p, 3, fds, fds, &argv, &e);
	MUST(r == 0 || ((r == -E2BIG || r == -EFBIG) && e.text[0]));
	for (size_t i = 0; r == 0 && argv[i]; i++)
		MUST(strlen(argv[i]) <= SOLO5_CMDLINE_MAX);
	if (r == 0)
		str_vector_free(argv);
	for (size_t i = 0; i < p->solo5.nr_disks; i++)
		MUST((p->solo5.disks[i].kind == PLAN_DISK_FILE) ==
			     (p->solo5.disks[i].path != NULL) ||
		     p->solo5.disks[i].readonly);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct plan_options options = { .net_mode = NULL };
	struct err e = { .text = "" };
	struct bundle *b = NULL;
	struct facts facts;
	struct plan plan;
	int r;

	if (len < 1 || bundle_parse((const char *)data + 1, len - 1, "/bundle", &b, &e) < 0)
		return 0;
	make_facts(&facts, b, data[0]);
	r = plan_make(b, &facts, &options, &plan, &e);
	MUST(r == 0 || (r < 0 && e.text[0]));
	if (r == 0)
		check_plan(&plan);
	plan_free(&plan);
	guest_facts_free(&facts.guest);
	free(facts.mounts);
	bundle_free(b);
	return 0;
}
