/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's network, as the runtime found it on the host: links, addresses, neighbours, routes.
 *
 * Order: loopback; each link's MAC, MTU, queue length, disable_ipv6, then up; all addresses;
 * permanent neighbours, so that no gateway is ever asked for by ARP in a cluster that would not
 * answer; routes without a gateway, then those with one; rules; last the announcements. Nothing is
 * rewritten: prefixes, scopes, flags, tables and metrics go to the kernel as they came.
 */
#ifndef NABLA_INIT_NETWORK_H
#define NABLA_INIT_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/init/config.h"

/* Set up everything; @proc is a descriptor of a mounted proc. 0 or -errno. */
int init_network_set_up(const struct init_config *config, int proc, struct err *e);

/*
 * Announce @addr on the interface @ifindex, whose MAC is @mac: a gratuitous ARP request for IPv4,
 * an unsolicited neighbour advertisement for IPv6. Returns 0 or -errno. announce.c
 */
int init_announce(int ifindex, const uint8_t mac[6], const struct gcfg_addr *addr);

/* address.c: 4 or 16; whether it is not all zeros; for messages, "10.0.0.0" or hexadecimal. */
size_t init_address_size(uint8_t family);
bool init_address_given(const uint8_t address[16]);
const char *init_address_text(uint8_t family, const uint8_t address[16], char text[40]);

#endif
