/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings that netlink does not change. */
#ifndef RUNNC_NET_SYSCTL_H
#define RUNNC_NET_SYSCTL_H

#include <stdint.h>

#include "base/err.h"

/*
 * Write net.ipv6.conf.@link.@key through /proc/sys, which shows the caller's own network namespace.
 * @link contains no slash (net/parse.c sees to it). Returns 0, NET_SYSCTL_NONE if the interface
 * has no such setting (a kernel without IPv6, an interface that is gone), or -errno with @e filled
 * in.
 */
#define NET_SYSCTL_NONE 1
int net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e);

/* The same of net.ipv4.conf.@link.@key. */
int net_sysctl_ipv4(const char *link, const char *key, int32_t value, struct err *e);

/* Read it: 0 or -errno, also for an interface that is gone. */
int net_sysctl_ipv4_get(const char *link, const char *key, int32_t *value, struct err *e);

/*
 * Write the setting @key of the network namespace, "net.ipv4.tcp_fin_timeout" or with slashes: as
 * for sysctl(8) the first separator decides. Returns 0 or -errno with @e filled in: -EINVAL for a
 * key outside of net, or with "..".
 */
int net_sysctl_set(const char *key, const char *value, struct err *e);

#endif
