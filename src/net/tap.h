/* SPDX-License-Identifier: GPL-2.0-only */
/* Taps. Internal to src/net. */
#ifndef RUNNC_NET_TAP_H
#define RUNNC_NET_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * struct virtio_net_hdr without the count of merged buffers. With 10 bytes in front of a 14-byte
 * Ethernet header the IP header is aligned to 4 in a packed buffer; with 12 it is not.
 */
#define NET_TAP_HDR_LEN 10

/*
 * Create tap @name with vnet header and offloads, or with neither (@bare); *@tap is non-blocking,
 * close-on-exec and the caller's, *@flags the NABLA_NET_* that the kernel accepted. The tap is gone
 * with its descriptor.
 * Returns 0 or -errno with @e filled in (-EBUSY: the name is taken).
 */
int net_tap_open(const char *name, bool bare, int *tap, uint8_t *flags, struct err *e);

/*
 * Make @fd, a fresh descriptor of the tap's or macvtap's kind, one of the link @name, with header
 * and offloads as above. Returns 0 or -errno.
 */
int net_tap_attach(int fd, const char *name, bool bare, uint8_t *flags, struct err *e);

#endif
