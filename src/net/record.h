/* SPDX-License-Identifier: GPL-2.0-only */
/* The record as net_restore() reads it. For src/net and src/explain. */
#ifndef RUNNC_NET_RECORD_H
#define RUNNC_NET_RECORD_H

#include <jansson.h>

#include "net/net.h"

/*
 * @was.links[i] is the interface that was connected by @ports[i]; of a port only index, name, mode,
 * tap, bridge and guest_mac (zeros: not known) are told. @was has no other links, and of addresses
 * and neighbours only theirs.
 */
struct net_record {
	struct net_survey was;
	struct net_port ports[NABLA_LAUNCH_NETS];
	/*
	 * The interfaces are shared: they have their addresses, and nothing of @was is to be put
	 * back but flags and IPv6 settings.
	 */
	bool shared;
	unsigned int number;		/* the guest's among those that share them; 1 without */
	bool alone;			/* it was the first */
	bool split;			/* and the ports divided, which were these: */
	struct net_share_range range;
	json_t *loopback;		/* of net_forward_record(), unchecked; NULL: none */
};

/*
 * Read @json as net_record() writes it; nothing in it is believed unchecked. On success free *@out
 * with net_record_free(). Returns 0, -EINVAL or -ENOMEM with @e filled in.
 */
int net_record_read(const char *json, struct net_record *out, struct err *e);
void net_record_free(struct net_record *r);

#endif
