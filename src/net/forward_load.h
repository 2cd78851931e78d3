/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading the programs of loopback.bpf.c with their table. Internal to src/net. */
#ifndef RUNNC_NET_FORWARD_LOAD_H
#define RUNNC_NET_FORWARD_LOAD_H

#include "base/err.h"
#include "net/forward_table.h"

/*
 * Load both programs, with @t as their table and @ports as that of the pod's ports (net/ports.h);
 * *@to_guest and *@from_guest are close-on-exec and the
 * caller's. They keep the tables. Returns 0 or -errno with @e filled in: -EPERM without CAP_BPF or
 * CAP_NET_ADMIN, -ENOSYS, -EINVAL or -EACCES where the kernel is too old for them.
 */
int net_forward_load(const struct net_forward_table *t, int ports, int *to_guest, int *from_guest,
		     struct err *e);

#endif
