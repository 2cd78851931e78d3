/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks by ARP, on network device "service", for the gateway of its command line, as MirageOS's
 * stack does before it sends anything beyond its own subnet: "--ipv4=10.0.0.2/32
 * --ipv4-gateway=169.254.1.1". Prints who that is; status 1 if nobody answers within two seconds.
 */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_NET_DEVICE("service"));

#define SECOND 1000000000ull
#define ARP_LEN 42

static uint8_t frame[65536], ip[4], gateway[4];

/* The address behind the last "@key" in @text. */
static void address_behind(const char *text, char key, uint8_t address[4])
{
	const char *found = "";

	for (; text[0] && text[1]; text++)
		if (text[0] == key && text[1] == '=')
			found = text + 2;
	for (int i = 0; i < 4; i++) {
		while (*found >= '0' && *found <= '9')
			address[i] = (uint8_t)(10 * address[i] + *found++ - '0');
		found += *found == '.';
	}
}

static void ask(unsigned int net, const uint8_t mac[6])
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };

	for (int i = 0; i < ARP_LEN; i++)
		frame[i] = i < 6 ? 0xff : 0;
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, ip, 4);
	memcpy(frame + 38, gateway, 4);
	solo5_net_write(net, frame, ARP_LEN);
}

/* An ARP reply from the gateway. */
static bool is_answer(size_t len)
{
	if (len < ARP_LEN || frame[12] != 0x08 || frame[13] != 0x06 || frame[21] != 2)
		return false;
	for (int i = 0; i < 4; i++)
		if (frame[28 + i] != gateway[i])
			return false;
	return true;
}

static void print_mac(const uint8_t mac[6])
{
	const char *digits = "0123456789abcdef";

	for (int i = 0; i < 6; i++) {
		char text[3] = { digits[mac[i] >> 4], digits[mac[i] & 15], i < 5 ? ':' : '\n' };

		solo5_write(text, sizeof(text));
	}
}

int solo5_main(const char *cmdline)
{
	unsigned int net = solo5_net("service");
	struct solo5_net_info info = solo5_net_info(net);
	uint64_t end = solo5_monotonic() + 2 * SECOND;

	address_behind(cmdline, '4', ip);
	address_behind(cmdline, 'y', gateway);
	while (solo5_monotonic() < end) {
		uint64_t again = solo5_monotonic() + SECOND / 5;

		ask(net, info.mac);
		while (solo5_yield(again)) {
			if (is_answer(solo5_net_read(net, frame, sizeof(frame)))) {
				solo5_print("the gateway is ");
				print_mac(frame + 22);
				return 0;
			}
		}
	}
	solo5_print("nobody answers\n");
	return 1;
}
