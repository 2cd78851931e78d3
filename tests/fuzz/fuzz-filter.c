/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel replies to a question for filters, where the guard's counters are looked for: any
 * bytes, cut into messages as the transport does.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "net/tc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* A copy of exactly this length, aligned as a receive buffer is. */
	void *copy = malloc(len ? len : 1);
	const struct nlmsghdr *m = copy;
	int left = (int)len;
	const struct net_tc_place guard = { .priority = NET_TC_PRIORITY_GUARD, .handle = len & 1 };
	uint32_t id = 0;

	memcpy(copy, data, len);
	for (; net_nl_ok(m, left); m = mnl_nlmsg_next(m, &left))
		if (net_tc_parse_program(m, &guard, &id) &&
		    m->nlmsg_type != RTM_NEWTFILTER)
			abort();
	free(copy);
	return 0;
}
