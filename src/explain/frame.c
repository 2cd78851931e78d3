/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames of the probes, and what comes back. Each offset is checked against the length. */
#include "explain/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

#define ARP_LEN		28
#define ARP_REQUEST	1
#define ARP_REPLY	2
#define IP6_LEN		40
#define NS_LEN		24	/* neighbour solicitation or advertisement, without options */
#define ND_OPTION	8		/* one with a MAC */

static const uint8_t zeros[16];

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static size_t put_ethernet(uint8_t *out, const uint8_t to[6], const uint8_t from[6], uint16_t type)
{
	memcpy(out, to, 6);
	memcpy(out + 6, from, 6);
	put16(out + 12, type);
	return FRAME_HEAD;
}

/* ---- ARP (RFC 826) -------------------------------------------------------------------------- */

static size_t ask_arp(const struct frame_question *q, uint8_t *out)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t *arp = out + put_ethernet(out, broadcast, q->mac, ETH_P_ARP);

	put16(arp, 1);			/* Ethernet */
	put16(arp + 2, ETH_P_IP);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, ARP_REQUEST);
	memcpy(arp + 8, q->mac, 6);
	memcpy(arp + 14, q->sender, 4);
	memcpy(arp + 18, zeros, 6);
	memcpy(arp + 24, q->target, 4);
	return FRAME_HEAD + ARP_LEN;
}

static bool is_arp_answer(const struct frame_question *q, const uint8_t *arp, size_t len,
			  uint8_t mac[6])
{
	if (len < ARP_LEN || get16(arp) != 1 || get16(arp + 2) != ETH_P_IP || arp[4] != 6 ||
	    arp[5] != 4 || get16(arp + 6) != ARP_REPLY || memcmp(arp + 14, q->target, 4) != 0)
		return false;
	memcpy(mac, arp + 8, 6);
	return true;
}

/* ---- neighbour discovery (RFC 4861) --------------------------------------------------------- */

static uint16_t checksum(const uint8_t *ip6, const uint8_t *icmp, size_t len)
{
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;

	for (size_t i = 8; i < IP6_LEN; i += 2)
		sum += get16(ip6 + i);
	for (size_t i = 0; i < len; i += 2)
		sum += get16(icmp + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t ask_nd(const struct frame_question *q, uint8_t *out)
{
	/* The multicast group of all addresses that end like this one. */
	const uint8_t group[6] = { 0x33, 0x33, 0xff, q->target[13], q->target[14], q->target[15] };
	bool probe = memcmp(q->sender, zeros, sizeof(zeros)) == 0;
	size_t len = probe ? NS_LEN : NS_LEN + ND_OPTION;
	uint8_t *ip6 = out + put_ethernet(out, group, q->mac, ETH_P_IPV6), *icmp = ip6 + IP6_LEN;

	memset(ip6, 0, IP6_LEN + len);
	ip6[0] = 6 << 4;
	put16(ip6 + 4, (uint16_t)len);
	ip6[6] = IPPROTO_ICMPV6;
	ip6[7] = 255;
	memcpy(ip6 + 8, q->sender, 16);
	ip6[24] = 0xff;
	ip6[25] = 2;
	ip6[35] = 1;
	ip6[36] = 0xff;
	memcpy(ip6 + 37, q->target + 13, 3);

	icmp[0] = ND_NEIGHBOR_SOLICIT;
	memcpy(icmp + 8, q->target, 16);
	/* A probe has no sender, so it must not tell a MAC. */
	if (!probe) {
		icmp[NS_LEN] = ND_OPT_SOURCE_LINKADDR;
		icmp[NS_LEN + 1] = 1;
		memcpy(icmp + NS_LEN + 2, q->mac, 6);
	}
	put16(icmp + 2, checksum(ip6, icmp, len));
	return FRAME_HEAD + IP6_LEN + len;
}

static bool is_nd_answer(const struct frame_question *q, const uint8_t *ip6, size_t len,
			 const uint8_t source[6], uint8_t mac[6])
{
	const uint8_t *icmp = ip6 + IP6_LEN;
	size_t end;

	if (len < IP6_LEN + NS_LEN || ip6[0] >> 4 != 6 || ip6[6] != IPPROTO_ICMPV6 ||
	    ip6[7] != 255 || icmp[0] != ND_NEIGHBOR_ADVERT ||
	    memcmp(icmp + 8, q->target, 16) != 0)
		return false;
	end = get16(ip6 + 4);
	if (end > len - IP6_LEN)
		end = len - IP6_LEN;
	memcpy(mac, source, 6);
	for (size_t at = NS_LEN; at + ND_OPTION <= end && icmp[at + 1] != 0;
	     at += (size_t)icmp[at + 1] * 8)
		if (icmp[at] == ND_OPT_TARGET_LINKADDR)
			memcpy(mac, icmp + at + 2, 6);
	return true;
}

/* ---- both ----------------------------------------------------------------------------------- */

size_t frame_ask(const struct frame_question *q, size_t len, uint8_t *out)
{
	size_t used = q->family == AF_INET ? ask_arp(q, out) : ask_nd(q, out);

	if (len > FRAME_MAX)
		len = FRAME_MAX;
	if (len <= used)
		return used;
	memset(out + used, 0, len - used);
	return len;
}

bool frame_is_answer(const struct frame_question *q, const uint8_t *frame, size_t len,
		     uint8_t mac[6])
{
	if (len < FRAME_HEAD)
		return false;
	if (q->family == AF_INET)
		return get16(frame + 12) == ETH_P_ARP &&
		       is_arp_answer(q, frame + FRAME_HEAD, len - FRAME_HEAD, mac);
	return get16(frame + 12) == ETH_P_IPV6 &&
	       is_nd_answer(q, frame + FRAME_HEAD, len - FRAME_HEAD, frame + 6, mac);
}
