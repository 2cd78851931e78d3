// SPDX-License-Identifier: GPL-2.0-only
/* rtnetlink: one request, one answer, no library. */
#include "guest/init/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int init_netlink_open(struct init_netlink *nl)
{
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	nl->seq = 0;
	return nl->fd < 0 ? -errno : 0;
}

void init_netlink_close(struct init_netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

void *init_request_grow(struct init_request *request, size_t size)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);

	if (at > sizeof(request->bytes) || size > sizeof(request->bytes) - at) {
		request->overfull = 1;
		return NULL;
	}
	memset(request->bytes + at, 0, size);
	request->header.nlmsg_len = (uint32_t)(at + size);
	return request->bytes + at;
}

void *init_request_start(struct init_request *request, uint16_t type, uint16_t flags, size_t size)
{
	memset(&request->header, 0, sizeof(request->header));
	request->overfull = 0;
	request->header.nlmsg_len = sizeof(request->header);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	return init_request_grow(request, size);
}

void init_request_add(struct init_request *request, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attribute = init_request_grow(request, RTA_LENGTH(size));

	if (!attribute)
		return;
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
}

void init_request_add_u32(struct init_request *request, uint16_t type, uint32_t value)
{
	init_request_add(request, type, &value, sizeof(value));
}

size_t init_request_length(const struct init_request *request)
{
	return request->header.nlmsg_len;
}

size_t init_request_open(struct init_request *request, uint16_t type)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);

	init_request_add(request, type, NULL, 0);
	return at;
}

void init_request_close(struct init_request *request, size_t at)
{
	struct rtattr *attribute;

	if (request->overfull)
		return;
	attribute = (struct rtattr *)(void *)(request->bytes + at);
	attribute->rta_len = (unsigned short)(request->header.nlmsg_len - at);
}

/* Receive one datagram into @answer. Returns its length or -errno. */
static int receive(struct init_netlink *nl, struct init_request *answer)
{
	ssize_t n;

	do {
		n = recv(nl->fd, answer->bytes, sizeof(answer->bytes), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer->header) ||
	    answer->header.nlmsg_len < sizeof(answer->header) ||
	    answer->header.nlmsg_len > (size_t)n)
		return -EBADMSG;
	return (int)answer->header.nlmsg_len;
}

static int send_request(struct init_netlink *nl, struct init_request *request)
{
	if (request->overfull)
		return -EMSGSIZE;
	request->header.nlmsg_seq = ++nl->seq;
	return send(nl->fd, request->bytes, request->header.nlmsg_len, 0) < 0 ? -errno : 0;
}

int init_netlink_ask(struct init_netlink *nl, struct init_request *request, uint16_t expect,
		     struct init_request *answer)
{
	int r = send_request(nl, request);
	const struct nlmsgerr *error;

	if (r < 0)
		return r;
	do {
		r = receive(nl, answer);
		if (r < 0)
			return r;
	} while (answer->header.nlmsg_seq != nl->seq);
	if (answer->header.nlmsg_type == expect && expect != NLMSG_ERROR)
		return r;
	if (answer->header.nlmsg_type != NLMSG_ERROR || r < (int)NLMSG_LENGTH(sizeof(error->error)))
		return -EBADMSG;
	error = NLMSG_DATA(&answer->header);
	if (expect == NLMSG_ERROR)
		return error->error;
	return error->error < 0 ? error->error : -EBADMSG;
}

int init_netlink_send(struct init_netlink *nl, struct init_request *request)
{
	struct init_request answer;

	request->header.nlmsg_flags |= NLM_F_ACK;
	return init_netlink_ask(nl, request, NLMSG_ERROR, &answer);
}
