/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet sockets: a descriptor for all frames of an interface. Internal to src/net. */
#ifndef RUNNC_NET_PACKET_H
#define RUNNC_NET_PACKET_H

#include <stdint.h>

#include "base/err.h"

/*
 * Open a packet socket at link @index that gets every frame which arrives there, before any filter
 * of the link sees it, and none that leaves; what is written leaves through the link's egress
 * filters. Each frame has a virtio header of NET_TAP_HDR_LEN bytes, as of a tap, so that checksums
 * and segments may be left to who can do them. A frame with a VLAN tag would lose it on the way,
 * and is not received. The link may go down and come up again; when it is gone, reading and writing
 * fail. *@fd is non-blocking, close-on-exec and the caller's; *@flags are NABLA_NET_*. Needs
 * CAP_NET_RAW and CAP_NET_ADMIN. Returns 0 or -errno with @e filled in.
 */
int net_packet_open(int index, int *fd, uint8_t *flags, struct err *e);

#endif
