/* SPDX-License-Identifier: GPL-2.0-only */
/* Macvtaps: a macvlan on an interface whose frames go to a descriptor. Internal to src/net. */
#ifndef RUNNC_NET_MACVTAP_H
#define RUNNC_NET_MACVTAP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/netlink.h"

/*
 * Create the link @name on link @lower, down, in mode passthru: it has @lower's MAC, takes every
 * unicast frame that arrives there, whatever its MAC, and sends by it. Multicast frames pass only
 * with IFF_ALLMULTI on the new link. It stays until it is deleted. Returns 0 or -errno: -EBUSY or
 * -EINVAL if @lower is a bridge's port or has a macvlan already.
 */
int net_macvtap_create(struct net_nl *nl, const char *name, int lower, struct err *e);

/*
 * Open the device behind the macvtap @name with index @index. *@fd is non-blocking, close-on-exec
 * and the caller's; header and *@flags as of net_tap_open(). Its device node is found in a sysfs of
 * the current network namespace, and made, both in mounts that nobody sees and that are gone with
 * their descriptors: device names in /dev collide between namespaces. Needs CAP_SYS_ADMIN and
 * CAP_MKNOD. Returns 0 or -errno with @e filled in.
 */
int net_macvtap_open(const char *name, int index, bool bare, int *fd, uint8_t *flags,
		     struct err *e);

#endif
