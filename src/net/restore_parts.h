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
	bool others;			/* as in net_restore() */
	uint32_t elapsed;		/* seconds since the record's survey */
	unsigned int failures;
	int rc;				/* the first failure's */
	struct err *e;			/* all failures, as far as there is room */
};

/*
 * Every change goes through here: its result @rc, @why it failed, and in words what is therefore
 * not as it was. What fails at an interface that is gone by now (@link; 0: at none) is no failure:
 * whoever ends a pod takes its interfaces away.
 */
void net_restore_note(struct net_restorer *r, uint32_t link, int rc, const struct err *why,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Look again. Returns false if that failed: then nothing further can be compared. */
bool net_restore_look(struct net_restorer *r);

/* Has the link been taken away, be it since the last look? */
bool net_restore_is_gone(uint32_t link);

/* Is it the index of a recorded link that is still there? */
bool net_restore_is_recorded(const struct net_restorer *r, uint32_t link);

/* Make the routes what they were; the addresses are there. Returns as net_restore_look(). */
bool net_restore_routes(struct net_restorer *r);

#endif
