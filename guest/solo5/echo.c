/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A responder on network device "service": ARP, ICMP echo, and UDP echo on port 7, for the address
 * of the command line ("10.0.0.2", or as MirageOS has it "--ipv4=10.0.0.2/24"). What it is asked it
 * answers in the frame that asked, to whoever asked: it needs no routes.
 */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_NET_DEVICE("service"));

#define ETHER 14
#define IP (ETHER + 20)
#define PROTO_ICMP 1
#define PROTO_UDP 17

static uint8_t frame[65536], mac[6], ip[4];

static bool same(const uint8_t *a, const uint8_t *b, int len)
{
	while (len > 0 && *a == *b)
		a++, b++, len--;
	return len == 0;
}

static void swap(uint8_t *a, uint8_t *b, int len)
{
	while (len-- > 0) {
		uint8_t byte = *a;

		*a++ = *b;
		*b++ = byte;
	}
}

static unsigned int word(const uint8_t *p) { return (unsigned int)(p[0] << 8 | p[1]); }

static void to_sender(void)
{
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, mac, 6);
}

/* "who has our address?": turned into "we have it". */
static bool arp(size_t len)
{
	uint8_t *a = frame + ETHER;

	if (len < ETHER + 28 || word(a + 6) != 1 || !same(a + 24, ip, 4))
		return false;
	a[7] = 2;
	memcpy(a + 18, a + 8, 10);
	memcpy(a + 8, mac, 6);
	memcpy(a + 14, ip, 4);
	to_sender();
	return true;
}

/* The sum of the transport's bytes and pseudo header is 0xffff if they arrived whole. */
static bool udp_sum_right(unsigned int len)
{
	uint32_t sum = PROTO_UDP + len;

	if (word(frame + IP + 6) == 0)
		return true;			/* the sender made none */
	for (unsigned int i = 0; i < 8; i += 2)
		sum += word(frame + ETHER + 12 + i);
	for (unsigned int i = 0; i + 1 < len; i += 2)
		sum += word(frame + IP + i);
	if (len & 1)
		sum += (uint32_t)frame[IP + len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Addresses and ports change places, so the sums stay right; an echo's type goes from 8 to 0. */
static bool ipv4(size_t len)
{
	uint8_t *transport = frame + IP;

	if (len < IP + 8 || frame[ETHER] != 0x45 || !same(frame + ETHER + 16, ip, 4) ||
	    word(frame + ETHER + 2) > len - ETHER || (word(frame + ETHER + 6) & 0x3fff))
		return false;			/* fragments too are not answered */
	if (frame[ETHER + 9] == PROTO_ICMP && transport[0] == 8) {
		unsigned int sum = word(transport + 2) + 0x800;

		sum = (sum & 0xffff) + (sum >> 16);
		transport[0] = 0;
		transport[2] = (uint8_t)(sum >> 8);
		transport[3] = (uint8_t)sum;
	} else if (frame[ETHER + 9] == PROTO_UDP && word(transport + 2) == 7 &&
		   word(transport + 4) >= 8 && word(transport + 4) <= len - IP &&
		   udp_sum_right(word(transport + 4))) {
		swap(transport, transport + 2, 2);
	} else {
		return false;
	}
	swap(frame + ETHER + 12, frame + ETHER + 16, 4);
	to_sender();
	return true;
}

static void parse_address(const char *text)
{
	for (const char *p = text; *p; p++)
		if (p[0] == '4' && p[1] == '=')
			text = p + 2;
	for (int i = 0; i < 4; i++) {
		while (*text >= '0' && *text <= '9')
			ip[i] = (uint8_t)(10 * ip[i] + *text++ - '0');
		text += *text == '.';
	}
}

int solo5_main(const char *cmdline)
{
	unsigned int net = solo5_net("service");
	struct solo5_net_info info = solo5_net_info(net);

	parse_address(cmdline);
	memcpy(mac, info.mac, 6);
	solo5_print("ready\n");
	for (;;) {
		size_t len;

		solo5_yield(SOLO5_FOREVER);
		len = solo5_net_read(net, frame, sizeof(frame));
		if ((word(frame + 12) == 0x806 && arp(len)) ||
			 (word(frame + 12) == 0x800 && ipv4(len)))
			solo5_net_write(net, frame, len);
	}
}
