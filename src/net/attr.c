/* SPDX-License-Identifier: GPL-2.0-only */
/* Bounded access to netlink messages. */
#include "net/attr.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int net_attrs(const void *data, size_t len, const struct nlattr **tb, size_t max)
{
	const char *at = data;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *attr = (const void *)at;
		size_t type = attr->nla_type & NLA_TYPE_MASK, step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < sizeof(*attr) || attr->nla_len > len)
			return -EBADMSG;
		if (type <= max)
			tb[type] = attr;
		if (step >= len)
			return 0;
		at += step;
		len -= step;
	}
	return len ? -EBADMSG : 0;
}

const void *net_attr_body(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

size_t net_attr_len(const struct nlattr *attr)
{
	return (size_t)attr->nla_len - NLA_HDRLEN;
}

int net_nested(const struct nlattr *attr, const struct nlattr **tb, size_t max)
{
	if (attr)
		return net_attrs(net_attr_body(attr), net_attr_len(attr), tb, max);
	memset(tb, 0, (max + 1) * sizeof(*tb));
	return 0;
}

int net_attr_get(const struct nlattr *attr, void *out, size_t len)
{
	if (!attr)
		return 0;
	if (net_attr_len(attr) != len)
		return -EBADMSG;
	memcpy(out, net_attr_body(attr), len);
	return 0;
}

int net_attr_string(const struct nlattr *attr, char *out, size_t size)
{
	size_t len;

	if (!attr)
		return 0;
	len = strnlen(net_attr_body(attr), net_attr_len(attr));
	if (len >= size)
		return -EBADMSG;
	memcpy(out, net_attr_body(attr), len);
	out[len] = '\0';
	return 0;
}

bool net_attr_is(const struct nlattr *attr, const char *text)
{
	size_t len = strlen(text);

	return attr && strnlen(net_attr_body(attr), net_attr_len(attr)) == len &&
	       memcmp(net_attr_body(attr), text, len) == 0;
}

const void *net_head(const struct nlmsghdr *m, size_t size, const struct nlattr **tb, size_t max)
{
	const char *head = (const char *)m + NLMSG_HDRLEN;
	size_t len = m->nlmsg_len - NLMSG_HDRLEN, skip = NLMSG_ALIGN(size);

	if (len < size)
		return NULL;
	if (len <= skip)
		return net_attrs(NULL, 0, tb, max) < 0 ? NULL : head;
	return net_attrs(head + skip, len - skip, tb, max) < 0 ? NULL : head;
}
