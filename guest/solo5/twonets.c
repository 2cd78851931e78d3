/* SPDX-License-Identifier: GPL-2.0-only */
/* A wire between two network devices: what comes from one goes out at the other, both ways. */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_NET_DEVICE("left"), SOLO5_NET_DEVICE("right"));

static uint8_t frame[65536];

static void describe(const char *name, unsigned int net)
{
	struct solo5_net_info info = solo5_net_info(net);

	solo5_print(name);
	for (int i = 0; i < 6; i++) {
		const char *digits = "0123456789abcdef";
		char text[3] = { i > 0 ? ':' : ' ', digits[info.mac[i] >> 4],
				 digits[info.mac[i] & 15] };

		solo5_write(text, sizeof(text));
	}
	solo5_print(" mtu ");
	solo5_print_number(info.mtu);
	solo5_print("\n");
}

int solo5_main(const char *cmdline)
{
	unsigned int left = solo5_net("left"), right = solo5_net("right");

	describe("left", left);
	describe("right", right);
	while (cmdline[0] != 'q') {
		uint64_t ready = solo5_yield(SOLO5_FOREVER);
		size_t len;

		if (ready & (1u << left) && (len = solo5_net_read(left, frame, sizeof(frame))) > 0)
			solo5_net_write(right, frame, len);
		if (ready & (1u << right) &&
		    (len = solo5_net_read(right, frame, sizeof(frame))) > 0)
			solo5_net_write(left, frame, len);
	}
	return 0;
}
