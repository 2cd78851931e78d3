/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink, as much of it as init needs: one request, one answer, no library.
 *
 * A request is built in a buffer of fixed size; what does not fit marks it as overfull and makes
 * init_netlink_send() return -EMSGSIZE, so that the callers need no check at each attribute.
 */
#ifndef NABLA_INIT_NETLINK_H
#define NABLA_INIT_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct init_netlink {
	int fd;
	uint32_t seq;
};

#define INIT_NETLINK_NONE { .fd = -1 }
#define INIT_NETLINK_MAX 4096

struct init_request {
	union {
		struct nlmsghdr header;
		unsigned char bytes[INIT_NETLINK_MAX];
	};
	int overfull;
};

/* Open the transport. Returns 0 or -errno; closed with init_netlink_close(). */
int init_netlink_open(struct init_netlink *nl);
void init_netlink_close(struct init_netlink *nl);

/* Start a request of @type with NLM_F_REQUEST | @flags; returns its zeroed body of @size bytes. */
void *init_request_start(struct init_request *request, uint16_t type, uint16_t flags, size_t size);

void init_request_add(struct init_request *request, uint16_t type, const void *data, size_t size);
void init_request_add_u32(struct init_request *request, uint16_t type, uint32_t value);

/* Open and close a nested attribute; _open returns what _close takes. */
size_t init_request_open(struct init_request *request, uint16_t type);
void init_request_close(struct init_request *request, size_t at);

/* Append @size zeroed bytes that are no attribute (struct rtnexthop); NULL if they do not fit. */
void *init_request_grow(struct init_request *request, size_t size);

/* The used length so far, and the bytes from @at on. */
size_t init_request_length(const struct init_request *request);

/* Send, wait for the acknowledgement. Returns 0 or the kernel's -errno. */
int init_netlink_send(struct init_netlink *nl, struct init_request *request);

/*
 * Send, wait for one answering message of type @expect, copied to @answer.
 * Returns its length or -errno.
 */
int init_netlink_ask(struct init_netlink *nl, struct init_request *request, uint16_t expect,
		     struct init_request *answer);

#endif
