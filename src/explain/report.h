/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was found on the path: sentences in the order of its hops, seen from the guest. The first
 * broken one is where the path breaks; what follows it may be its consequence.
 */
#ifndef RUNNC_EXPLAIN_REPORT_H
#define RUNNC_EXPLAIN_REPORT_H

#include "explain/path.h"

/* Outwards, then back in; then both ways. */
enum explain_hop {
	EXPLAIN_HOP_GUEST,		/* process, addresses, routes */
	EXPLAIN_HOP_PLUMBING,		/* tap, filters or bridge in the pod's namespace */
	EXPLAIN_HOP_INTERFACE,		/* the pod's interface */
	EXPLAIN_HOP_HOST,		/* the host end */
	EXPLAIN_HOP_SEGMENT,		/* the bridge there, and who else is on it */
	EXPLAIN_HOP_GATEWAY,		/* who answers for the gateway */
	EXPLAIN_HOP_BACK,		/* the way from the router or host end to the guest */
	EXPLAIN_HOPS
};

enum explain_verdict {
	EXPLAIN_WORKS,
	EXPLAIN_BROKEN,
	EXPLAIN_NOTE,			/* worth knowing; breaks nothing by itself */
	EXPLAIN_UNKNOWN,		/* could not be found out from here */
};

const char *explain_hop_name(enum explain_hop hop);		/* "guest", "plumbing", ... */
const char *explain_verdict_name(enum explain_verdict verdict);	/* "works", "broken", ... */

struct explain_finding {
	enum explain_hop hop;
	enum explain_verdict verdict;
	char *what;			/* a sentence without its full stop */
	char *cure;			/* what to do; NULL: nothing */
};

struct explain_report {
	struct explain_finding *findings;
	size_t nr;
	bool failed;			/* no memory: sticks */
};

#define EXPLAIN_REPORT_INIT { .nr = 0 }
void explain_report_free(struct explain_report *r);
#define _autoreport_ __attribute__((cleanup(explain_report_free)))

/* Add a finding behind those of its hop. @cure is copied; NULL: none. */
void explain_say(struct explain_report *r, enum explain_hop hop, enum explain_verdict verdict,
		 const char *cure, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The first broken finding, or NULL. Borrowed. */
const struct explain_finding *explain_broken(const struct explain_report *r);

/*
 * What can be seen without sending anything: pure. @i: the port. Findings are added to @r, whose
 * `failed` tells that memory was short.
 */
void explain_inspect(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		     const struct explain_path *p, struct explain_report *r);

/*
 * What has to be tried. Frames go out by the pod's interface with the guest's own MAC and address,
 * as the guest would send them, and from the host's side with the host's own. None has a MAC or an
 * address that is not its sender's; nobody learns more from them than from the guest's own. It
 * takes a few seconds, most of them waiting for duplicates that are not there. Needs CAP_NET_RAW
 * and CAP_SYS_ADMIN over the namespaces. Returns 0, whatever was found, or -errno with @e filled in
 * if it could not be tried at all.
 */
int explain_probe(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		  const struct explain_path *p, struct explain_report *r, struct err *e);

#endif
