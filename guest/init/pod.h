/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's device to the loopback of the pod's namespace (GCFG_LINK_POD; the host's side is
 * src/net/forward.h). From there come only packets that a client in the namespace sent to
 * 127.0.0.1, ::1 or one of the pod's addresses, and answers to the guest's own: nothing from
 * outside of the pod.
 */
#ifndef NABLA_INIT_POD_H
#define NABLA_INIT_POD_H

#include "base/err.h"
#include "guest/init/config.h"

/*
 * Let programs of the guest that dial 127.0.x.y or one of the pod's addresses, where nobody in the
 * guest listens, reach the namespace (dial.bpf.c); the routes of @config say which addresses these
 * are. And let @link, whose interface @ifindex is not up yet, take packets for
 * 127.0.0.0/8, and for ::1 unless it is without IPv6 (pod.bpf.c). @proc is a descriptor of a
 * mounted proc. Returns 0 or -errno with @e filled in.
 */
int init_pod_set_up(const struct init_config *config, const struct gcfg_link *link, int ifindex,
		    int proc, struct err *e);

#endif
