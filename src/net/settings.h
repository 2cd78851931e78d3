/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of a network namespace below /proc/sys/net that are not the kernel's default: what an
 * engine, or CNI's tuning plugin, has set there for the pod. Internal to src/net.
 */
#ifndef RUNNC_NET_SETTINGS_H
#define RUNNC_NET_SETTINGS_H

#include "net/net.h"

/*
 * Add to @s those of the namespace, and those of each link of @s that has an address. The calling
 * thread is in the namespace. What this kernel does not have is passed over. 0, -E2BIG or -ENOMEM
 * with @e filled in.
 */
int net_settings_read(struct net_survey *s, struct err *e);

#endif
