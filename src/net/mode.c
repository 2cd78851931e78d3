/* SPDX-License-Identifier: GPL-2.0-only */
/* The words for modes, and a request that asks for nothing special. */
#include <string.h>

#include "base/io.h"
#include "net/net.h"

static const char *const mode_names[] = {
	[NET_MODE_TC] = "tc", [NET_MODE_BRIDGE] = "bridge", [NET_MODE_MACVTAP] = "macvtap",
	[NET_MODE_PACKET] = "packet", [NET_MODE_AUTO] = "auto",
};
static const char *const mac_names[] = { [NET_MAC_ADOPT] = "adopt", [NET_MAC_RANDOM] = "random" };

const char *net_mode_name(enum net_mode mode)
{
	return mode_names[mode];
}

const char *net_mac_name(enum net_mac mac)
{
	return mac_names[mac];
}

bool net_mode_parse(const char *text, enum net_mode *mode)
{
	for (unsigned int i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++)
		if (strcmp(text, mode_names[i]) == 0) {
			*mode = i;
			return true;
		}
	return false;
}

bool net_mac_parse(const char *text, enum net_mac *mac)
{
	for (unsigned int i = 0; i < sizeof(mac_names) / sizeof(mac_names[0]); i++)
		if (strcmp(text, mac_names[i]) == 0) {
			*mac = i;
			return true;
		}
	return false;
}

int net_request_init(struct net_request *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	return io_random(r->entropy, sizeof(r->entropy), e);
}
