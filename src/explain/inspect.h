/* SPDX-License-Identifier: GPL-2.0-only */
/* Between inspect.c (the pod's side) and inspect_host.c. Internal to src/explain. */
#ifndef RUNNC_EXPLAIN_INSPECT_H
#define RUNNC_EXPLAIN_INSPECT_H

#include "explain/report.h"

struct inspection {
	const struct explain_facts *f;
	const struct explain_subject *s;
	size_t i;			/* the port */
	const struct explain_path *p;
	struct explain_report *r;
	const struct net_port *port;
	/* The links on the path; NULL: not there, or not to be seen. */
	const struct net_link *pod, *tap, *bridge, *host, *segment, *router;
};

#define INSPECT_AGAIN "delete the container and create it again: then runnc sets it up anew"

/* The longest packet that is to pass: the guest's MTU. */
uint32_t inspect_mtu(const struct inspection *x);

/* Say that packets longer than @l's MTU do not pass it, if the guest sends longer ones. */
void inspect_link_mtu(struct inspection *x, enum explain_hop hop, struct explain_place place);

void inspect_host(struct inspection *x);	/* host end, segment */
void inspect_router(struct inspection *x);	/* gateway, way back */

#endif
