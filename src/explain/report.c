/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found: a list of sentences in the order of the hops. */
#include "explain/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const hop_names[EXPLAIN_HOPS] = {
	[EXPLAIN_HOP_GUEST] = "guest", [EXPLAIN_HOP_PLUMBING] = "plumbing",
	[EXPLAIN_HOP_INTERFACE] = "interface", [EXPLAIN_HOP_HOST] = "host end",
	[EXPLAIN_HOP_SEGMENT] = "segment", [EXPLAIN_HOP_GATEWAY] = "gateway",
	[EXPLAIN_HOP_BACK] = "way back",
};

static const char *const verdict_names[] = {
	[EXPLAIN_WORKS] = "works", [EXPLAIN_BROKEN] = "broken", [EXPLAIN_NOTE] = "note",
	[EXPLAIN_UNKNOWN] = "unknown",
};

const char *explain_hop_name(enum explain_hop hop)
{
	return hop_names[hop];
}

const char *explain_verdict_name(enum explain_verdict verdict)
{
	return verdict_names[verdict];
}

void explain_report_free(struct explain_report *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->findings[i].what);
		free(r->findings[i].cure);
	}
	free(r->findings);
	memset(r, 0, sizeof(*r));
}

void explain_say(struct explain_report *r, enum explain_hop hop, enum explain_verdict verdict,
		 const char *cure, const char *format, ...)
{
	struct explain_finding found = { .hop = hop, .verdict = verdict }, *larger;
	size_t at = r->nr;
	va_list ap;

	if (r->failed)
		return;
	va_start(ap, format);
	if (vasprintf(&found.what, format, ap) < 0)
		found.what = NULL;
	va_end(ap);
	found.cure = cure ? strdup(cure) : NULL;
	larger = reallocarray(r->findings, r->nr + 1, sizeof(*larger));
	if (larger)
		r->findings = larger;
	if (!larger || !found.what || (cure && !found.cure)) {
		free(found.what);
		free(found.cure);
		r->failed = true;
		return;
	}
	while (at > 0 && r->findings[at - 1].hop > hop)
		at--;
	memmove(&r->findings[at + 1], &r->findings[at], (r->nr - at) * sizeof(found));
	r->findings[at] = found;
	r->nr++;
}

const struct explain_finding *explain_broken(const struct explain_report *r)
{
	for (size_t i = 0; i < r->nr; i++)
		if (r->findings[i].verdict == EXPLAIN_BROKEN)
			return &r->findings[i];
	return NULL;
}
