// SPDX-License-Identifier: GPL-2.0-only
/* Requests of sock_diag. */
#include "net/sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

int net_sockets_dump(struct net_nl *nl, uint8_t family, uint8_t protocol, uint32_t states,
		     net_nl_each *each, void *context, struct err *e)
{
	struct inet_diag_req_v2 *head;
	union net_msg m;
	int rc;

	head = net_nl_request(&m, SOCK_DIAG_BY_FAMILY, 0, sizeof(*head));
	head->sdiag_family = family;
	head->sdiag_protocol = protocol;
	head->idiag_states = states;
	rc = net_nl_dump(nl, &m.head, each, context, e);
	return rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EINVAL ? NET_SOCKETS_NONE : rc;
}
