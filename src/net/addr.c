/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of a link. */
#include "net/addr.h"

#include "net/replay.h"

int net_addr_flush(struct net_nl *nl, int index, struct err *e)
{
	struct net_survey now;
	int rc = net_survey(&now, e);

	/* Last one first: with a primary address its secondary ones go as well. */
	for (size_t i = now.nr_addrs; rc == 0 && i-- > 0;)
		if (now.addrs[i].addr.link == (uint32_t)index)
			rc = net_replay_addr_remove(nl, &now.addrs[i], e);
	net_survey_free(&now);
	return rc;
}
