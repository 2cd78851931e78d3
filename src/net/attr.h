/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded access to netlink messages, whose bytes are not trusted: the one place where lengths are
 * checked, for net/parse.c and for src/explain. Fuzzed through both.
 */
#ifndef RUNNC_NET_ATTR_H
#define RUNNC_NET_ATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Cut @len bytes at @data into attributes: tb[type] for types up to @max, the last of a kind wins,
 * others are passed over. Padding at the end may be missing. Returns 0 or -EBADMSG.
 */
int net_attrs(const void *data, size_t len, const struct nlattr **tb, size_t max);

/* The same for what is inside of @attr; NULL has nothing inside. */
int net_nested(const struct nlattr *attr, const struct nlattr **tb, size_t max);

/*
 * The fixed header of @m, all of whose nlmsg_len bytes are readable, if it is @size bytes long, and
 * the attributes behind it. NULL: malformed.
 */
const void *net_head(const struct nlmsghdr *m, size_t size, const struct nlattr **tb, size_t max);

/* The contents of an attribute that is there. */
const void *net_attr_body(const struct nlattr *attr);
size_t net_attr_len(const struct nlattr *attr);

/* Copy an attribute of exactly @len bytes; a missing one leaves @out alone. 0 or -EBADMSG. */
int net_attr_get(const struct nlattr *attr, void *out, size_t len);

/*
 * Copy a text, with or without its NUL, that fits into @size bytes with one; a missing one leaves
 * @out alone. 0 or -EBADMSG.
 */
int net_attr_string(const struct nlattr *attr, char *out, size_t size);

/* Is it there, and this text? */
bool net_attr_is(const struct nlattr *attr, const char *text);

#endif
