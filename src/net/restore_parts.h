/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of net_restore() share with one another. */
#ifndef RUNNC_NET_RESTORE_PARTS_H
#define RUNNC_NET_RESTORE_PARTS_H

#include "net/net.h"
#include "net/netlink.h"
#include "net/record.h"

struct net_restorer {
	struct net_nl nl;
	struct net_record record;
	struct net_survey now;
	uint32_t elapsed;		/* seconds since the record's survey */
	int rc;				/* the first failure, told in *e */
	struct err *e;
};

/* Every change goes through here: its result @rc, and what it was. */
void net_restore_note(struct net_restorer *r, int rc, struct err *e, const char *what,
		      const char *name);

/* Is it the index of a recorded link that is still there? */
bool net_restore_is_recorded(const struct net_restorer *r, uint32_t link);

/* Make the routes what they were; the addresses are there. */
void net_restore_routes(struct net_restorer *r);

#endif
