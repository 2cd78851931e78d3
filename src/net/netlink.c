/* SPDX-License-Identifier: GPL-2.0-only */
/* Transport: one rtnetlink socket, requests that change something, dumps. */
#include "net/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel fills dumps up to 32 KiB per datagram (NLMSG_GOODSIZE); a larger one would be cut. */
#define NET_NL_DATAGRAM (64u << 10)

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

int net_nl_open(struct net_nl *nl, struct err *e)
{
	return net_nl_open_bus(nl, NETLINK_ROUTE, e);
}

int net_nl_open_bus(struct net_nl *nl, int bus, struct err *e)
{
	int on = 1;

	memset(nl, 0, sizeof(*nl));
	nl->buf = malloc(NET_NL_DATAGRAM);
	if (!nl->buf)
		return err_set(e, -ENOMEM, "open a netlink socket");
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = err_set(e, -errno, "open a netlink socket");

		net_nl_close(nl);
		return rc;
	}
	/* Only better messages depend on it: kernels before 4.12 do without. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

void net_nl_close(struct net_nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->buf);
	memset(nl, 0, sizeof(*nl));
}

void *net_nl_request(union net_msg *m, uint16_t type, uint16_t flags, size_t size)
{
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(&m->head, size);
}

static int net_nl_send(struct net_nl *nl, struct nlmsghdr *m, struct err *e)
{
	m->nlmsg_seq = ++nl->seq;
	m->nlmsg_pid = 0;
	if (mnl_socket_sendto(nl->sock, m, m->nlmsg_len) < 0)
		return err_set(e, -errno, "send to the kernel");
	return 0;
}

/* One datagram from the kernel itself (port 0) into nl->buf. Returns its length or -errno. */
static ssize_t net_nl_receive(struct net_nl *nl, struct err *e)
{
	struct sockaddr_nl from = { .nl_family = AF_UNSPEC };
	struct iovec iov = { .iov_base = nl->buf, .iov_len = NET_NL_DATAGRAM };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
			      .msg_iovlen = 1 };
	ssize_t len;

	do {
		len = recvmsg(mnl_socket_get_fd(nl->sock), &msg, 0);
		if (len < 0 && errno != EINTR)
			return err_set(e, -errno, "receive from the kernel");
	} while (len < 0 || from.nl_family != AF_NETLINK || from.nl_pid != 0);

	if (msg.msg_flags & MSG_TRUNC)
		return err_say(e, -EBADMSG, "netlink datagram longer than %u bytes",
			       NET_NL_DATAGRAM);
	return len;
}

bool net_nl_ok(const struct nlmsghdr *m, int left)
{
	/* libmnl compares lengths as int, and takes one from 2 GiB on for small. */
	return mnl_nlmsg_ok(m, left) && m->nlmsg_len <= (uint32_t)left;
}

/* The text that the kernel attached to an error, or NULL. Points into @m. */
static const char *net_nl_words(const struct nlmsghdr *m)
{
	size_t payload = mnl_nlmsg_get_payload_len(m), offset = sizeof(struct nlmsgerr);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);
	struct nlattr *attr;

	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(m->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < sizeof(struct nlmsghdr) ||
		    error->msg.nlmsg_len > payload)
			return NULL;
		offset += MNL_ALIGN(error->msg.nlmsg_len) - sizeof(struct nlmsghdr);
	}
	if (offset > payload)
		return NULL;
	mnl_attr_for_each(attr, m, offset)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return NULL;
}

/* What an NLMSG_ERROR says: 0 or -errno, with @e filled in. */
static int net_nl_verdict(const struct nlmsghdr *m, struct err *e)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(m);
	const char *words;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*error))
		return err_say(e, -EBADMSG, "netlink error message cut short");
	if (error->error == 0)
		return 0;
	if (error->error > 0 || error->error < -4095)
		return err_say(e, -EBADMSG, "netlink error message with code %d", error->error);
	words = net_nl_words(m);
	if (words)
		return err_set(e, error->error, "%s", words);
	return err_say(e, error->error, "%s", strerror(-error->error));
}

int net_nl_change(struct net_nl *nl, struct nlmsghdr *m, struct err *e)
{
	int rc;

	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	rc = net_nl_send(nl, m, e);
	if (rc < 0)
		return rc;

	for (;;) {
		const struct nlmsghdr *answer = nl->buf;
		ssize_t received = net_nl_receive(nl, e);
		int left = (int)received;

		if (received < 0)
			return (int)received;
		for (; net_nl_ok(answer, left); answer = mnl_nlmsg_next(answer, &left))
			if (answer->nlmsg_seq == nl->seq && answer->nlmsg_type == NLMSG_ERROR)
				return net_nl_verdict(answer, e);
	}
}

/*
 * One message of a dump. *@result is what the caller will get: once it is not 0, nothing more is
 * looked at, but the dump is read to its end, as the kernel refuses the socket's next one while
 * this one goes on (EBUSY). Returns true at the end.
 */
static bool net_nl_dumped(const struct nlmsghdr *m, net_nl_each *each, void *context, int *result,
			  struct err *e)
{
	if (m->nlmsg_flags & NLM_F_DUMP_INTR && *result == 0)
		*result = NET_NL_AGAIN;
	switch (m->nlmsg_type) {
	case NLMSG_DONE:
		return true;
	case NLMSG_ERROR:
		if (*result == 0)
			*result = net_nl_verdict(m, e);
		return *result != 0;
	case NLMSG_NOOP:
		return false;
	case NLMSG_OVERRUN:
		if (*result == 0)
			*result = NET_NL_AGAIN;
		return false;
	}
	if (*result != 0)
		return false;
	*result = each(m, context);
	if (*result < 0)
		err_set(e, *result, "read a netlink reply of type %u", m->nlmsg_type);
	return false;
}

int net_nl_dump(struct net_nl *nl, struct nlmsghdr *m, net_nl_each *each, void *context,
		struct err *e)
{
	int rc, result = 0;

	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	rc = net_nl_send(nl, m, e);
	if (rc < 0)
		return rc;

	for (;;) {
		const struct nlmsghdr *answer = nl->buf;
		ssize_t received = net_nl_receive(nl, e);
		int left = (int)received;

		if (received < 0)
			return result ? result : (int)received;
		for (; net_nl_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			/* What an earlier, abandoned dump still had to say. */
			if (answer->nlmsg_seq != nl->seq)
				continue;
			if (net_nl_dumped(answer, each, context, &result, e))
				return result;
		}
	}
}

static int net_nl_dump_links(struct net_nl *nl, net_nl_each *each, void *context, struct err *e)
{
	union net_msg m;

	net_nl_request(&m, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(&m.head, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return net_nl_dump(nl, &m.head, each, context, e);
}

/* Proxy entries are a listing of their own. */
static int net_nl_dump_proxies(struct net_nl *nl, net_nl_each *each, void *context, struct err *e)
{
	union net_msg m;
	struct ndmsg *head = net_nl_request(&m, RTM_GETNEIGH, 0, sizeof(*head));

	head->ndm_flags = NTF_PROXY;
	return net_nl_dump(nl, &m.head, each, context, e);
}

int net_nl_dump_interfaces(struct net_nl *nl, net_nl_each *each, void *context, struct err *e)
{
	static const struct {
		uint16_t type;
		size_t size;
	} lists[] = {
		{ RTM_GETQDISC, sizeof(struct tcmsg) },
		{ RTM_GETADDR, sizeof(struct ifaddrmsg) },
		{ RTM_GETROUTE, sizeof(struct rtmsg) },
		{ RTM_GETNEIGH, sizeof(struct ndmsg) },
		{ RTM_GETRULE, sizeof(struct rtmsg) },
	};
	int rc = net_nl_dump_links(nl, each, context, e);

	for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(lists[0]); i++) {
		union net_msg m;

		net_nl_request(&m, lists[i].type, 0, lists[i].size);
		rc = net_nl_dump(nl, &m.head, each, context, e);
	}
	return rc == 0 ? net_nl_dump_proxies(nl, each, context, e) : rc;
}
