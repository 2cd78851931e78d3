// SPDX-License-Identifier: GPL-2.0-only
/*
 * Announcements of an address: gratuitous ARP (RFC 5227, section 3) and unsolicited neighbour
 * advertisement (RFC 4861, section 7.2.6), written as frames to a packet socket that receives
 * nothing.
 */
#include "guest/init/network.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t all_stations[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

struct arp_frame {
	struct ether_header ether;
	struct arphdr arp;
	uint8_t sender_mac[6];
	uint8_t sender[4];
	uint8_t target_mac[6];
	uint8_t target[4];
} __attribute__((packed));

struct na_frame {
	struct ether_header ether;
	struct ip6_hdr ip;
	struct nd_neighbor_advert na;
	struct nd_opt_hdr option;
	uint8_t mac[6];
} __attribute__((packed));

_Static_assert(sizeof(struct arp_frame) == 42, "ARP over Ethernet");
_Static_assert(sizeof(struct na_frame) == 14 + 40 + 24 + 8,
	       "neighbour advertisement over Ethernet");

static int send_frame(int ifindex, uint16_t protocol, const void *frame, size_t size)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_protocol = protocol,
	};
	_autoclose_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* The link is not ready or its queue is full: not worth waiting for. */
	if (sendto(fd, frame, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

static int announce_ipv4(int ifindex, const uint8_t mac[6], const uint8_t address[4])
{
	struct arp_frame frame = {
		.ether.ether_type = htons(ETHERTYPE_ARP),
		.arp = { htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4, htons(ARPOP_REQUEST) },
	};

	memcpy(frame.ether.ether_dhost, all_stations, 6);
	memcpy(frame.ether.ether_shost, mac, 6);
	memcpy(frame.sender_mac, mac, 6);
	memcpy(frame.sender, address, 4);
	memcpy(frame.target, address, 4);
	return send_frame(ifindex, frame.ether.ether_type, &frame, sizeof(frame));
}

/* Add the 16-bit words of @bytes (an even number of them) to @sum. */
static uint32_t add_words(uint32_t sum, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	return sum;
}

static uint16_t icmp6_checksum(const struct na_frame *frame)
{
	size_t size = sizeof(*frame) - sizeof(frame->ether) - sizeof(frame->ip);
	const uint8_t *message = (const uint8_t *)frame + sizeof(frame->ether) + sizeof(frame->ip);
	uint32_t sum = (uint32_t)size + IPPROTO_ICMPV6;

	sum = add_words(sum, &frame->ip.ip6_src, 16);
	sum = add_words(sum, &frame->ip.ip6_dst, 16);
	sum = add_words(sum, message, size);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int announce_ipv6(int ifindex, const uint8_t mac[6], const uint8_t address[16])
{
	struct na_frame frame = { .ether.ether_type = htons(ETHERTYPE_IPV6) };

	memcpy(frame.ether.ether_dhost, all_nodes_mac, 6);
	memcpy(frame.ether.ether_shost, mac, 6);
	frame.ip.ip6_flow = htonl(6u << 28);
	frame.ip.ip6_plen = htons(sizeof(frame) - sizeof(frame.ether) - sizeof(frame.ip));
	frame.ip.ip6_nxt = IPPROTO_ICMPV6;
	/* A receiver drops any other: it could have come through a router. */
	frame.ip.ip6_hlim = 255;
	memcpy(&frame.ip.ip6_src, address, 16);
	memcpy(&frame.ip.ip6_dst, all_nodes, 16);
	frame.na.nd_na_type = ND_NEIGHBOR_ADVERT;
	frame.na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&frame.na.nd_na_target, address, 16);
	frame.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
	frame.option.nd_opt_len = 1;
	memcpy(frame.mac, mac, 6);
	frame.na.nd_na_cksum = icmp6_checksum(&frame);
	return send_frame(ifindex, frame.ether.ether_type, &frame, sizeof(frame));
}

int init_announce(int ifindex, const uint8_t mac[6], const struct gcfg_addr *addr)
{
	if (addr->family == AF_INET)
		return announce_ipv4(ifindex, mac, addr->local);
	return announce_ipv6(ifindex, mac, addr->local);
}
