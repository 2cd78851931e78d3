// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of both families. */
#include "guest/init/network.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

size_t init_address_size(uint8_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

bool init_address_given(const uint8_t address[16])
{
	static const uint8_t none[16];

	return memcmp(address, none, sizeof(none)) != 0;
}

const char *init_address_text(uint8_t family, const uint8_t address[16], char text[40])
{
	size_t len = 0;

	if (family == AF_INET) {
		snprintf(text, 40, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
		return text;
	}
	for (int i = 0; i < 16; i += 2)
		len += (size_t)snprintf(text + len, 40 - len, "%s%x", i ? ":" : "",
					address[i] << 8 | address[i + 1]);
	return text;
}
