/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets of a namespace, as its kernel lists them: sock_diag(7). Internal to src/net. */
#ifndef RUNNC_NET_SOCKETS_H
#define RUNNC_NET_SOCKETS_H

#include "net/netlink.h"

struct inet_diag_msg;

/* States of a socket, of <netinet/tcp.h>, in a request's mask; UDP sockets are "closed". */
#define NET_SOCKETS_CLOSE (1u << 7)
#define NET_SOCKETS_LISTEN (1u << 10)
#define NET_SOCKETS_ALL UINT32_MAX

/* The kernel tells nothing of such sockets: built without the family's or the protocol's list. */
#define NET_SOCKETS_NONE 2

/*
 * Dump the sockets of AF_INET or AF_INET6 (@family), IPPROTO_TCP or IPPROTO_UDP (@protocol) in
 * @states; @nl is of NETLINK_SOCK_DIAG. Returns as net_nl_dump(), or NET_SOCKETS_NONE.
 */
int net_sockets_dump(struct net_nl *nl, uint8_t family, uint8_t protocol, uint32_t states,
		     net_nl_each *each, void *context, struct err *e);

/*
 * The socket of which @m tells, of which nlmsg_len bytes are readable, in @m; NULL if it tells of
 * none.
 */
const struct inet_diag_msg *net_sockets_read(const struct nlmsghdr *m);

#endif
