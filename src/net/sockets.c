// SPDX-License-Identifier: GPL-2.0-only
/* Requests and replies of sock_diag. */
#include "net/sockets.h"

#include <errno.h>
#include <libmnl/libmnl.h>
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

const struct inet_diag_msg *net_sockets_read(const struct nlmsghdr *m)
{
	if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    m->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct inet_diag_msg))
		return NULL;
	return mnl_nlmsg_get_payload(m);
}
