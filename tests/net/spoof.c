/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's program with a raw socket: frames that are not the guest's to send, and some that are.
 *
 *	spoof LINK hostile|honest OWN4 GATEWAY4 PEER4 [OWN6 GATEWAY6]
 *
 * Each frame is sent three times and carries MARK somewhere, by which it is found in a capture. One
 * line a frame on the standard output: "NAME REASON", REASON being why the guard must drop it
 * (net/guard.h), or "pass".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK "rnc-spoof!"
#define TIMES 3

static struct {
	int fd;
	struct sockaddr_ll to;
	uint8_t mac[6];
	uint8_t own4[4], gateway4[4], peer4[4];
	bool ipv6;
	uint8_t own6[16], gateway6[16], link6[16];
} us;

static const uint8_t other_mac[6] = { 0x02, 0xde, 0xad, 0xbe, 0xef, 0x01 };
static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t zero[20];

static struct {
	uint8_t bytes[600];
	size_t len;
} frame;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- building ----------------------------------------------------------------------------- */

static void put(const void *bytes, size_t len)
{
	memcpy(frame.bytes + frame.len, bytes, len);
	frame.len += len;
}

#define put_bytes(...) put((const uint8_t[]){ __VA_ARGS__ }, \
			   sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put16(size_t value)
{
	put_bytes((uint8_t)(value >> 8), (uint8_t)value);
}

static void ethernet_from(const uint8_t mac[6], uint16_t type)
{
	frame.len = 0;
	put(all, 6);
	put(mac, 6);
	put16(type);
}

static void ethernet(uint16_t type)
{
	ethernet_from(us.mac, type);
}

static void arp(uint16_t op, const uint8_t mac[6], const uint8_t sender[4], const uint8_t target[4])
{
	ethernet(0x0806);
	put_bytes(0, 1, 8, 0, 6, 4);
	put16(op);
	put(mac, 6);
	put(sender, 4);
	put(op == 1 ? zero : all, 6);
	put(target, 4);
	put(MARK, sizeof(MARK));
}

static uint16_t sum_of(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (len & 1)
		sum += (uint32_t)bytes[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_sum(size_t at, uint16_t sum)
{
	frame.bytes[at] = (uint8_t)(sum >> 8);
	frame.bytes[at + 1] = (uint8_t)sum;
}

/* A right header for @len bytes more, to the peer or, if @to is given, there. */
static void ipv4(const uint8_t source[4], const uint8_t *to, uint8_t protocol, size_t len)
{
	put_bytes(0x45, 0);
	put16(20 + len);
	put_bytes(0x12, 0x34, 0, 0, 64, protocol, 0, 0);
	put(source, 4);
	put(to ? to : us.peer4, 4);
	put_sum(frame.len - 10, sum_of(frame.bytes + frame.len - 20, 20, 0));
}

/* No checksum: IPv4 allows that. */
static void udp(uint16_t from, uint16_t to, size_t len)
{
	put16(from);
	put16(to);
	put16(8 + len);
	put16(0);
}

static void udp4(const uint8_t source[4], uint16_t from, uint16_t to)
{
	ethernet(0x0800);
	ipv4(source, NULL, 17, 8 + sizeof(MARK));
	udp(from, to, sizeof(MARK));
	put(MARK, sizeof(MARK));
}

/* A client's request, for the guest's MAC. */
static void dhcp(void)
{
	ethernet(0x0800);
	ipv4(zero, all, 17, 8 + 240 + sizeof(MARK));
	udp(68, 67, 240 + sizeof(MARK));
	put_bytes(1, 1, 6, 0, 1, 2, 3, 4);
	put(zero, 20);
	put(us.mac, 6);
	for (int i = 0; i < 10; i++)
		put(zero, 20);
	put_bytes(0, 0, 99, 130, 83, 99);
	put(MARK, sizeof(MARK));
}

/* A TCP header. */
static void tcp(uint16_t from, uint16_t to)
{
	put16(from);
	put16(to);
	put_bytes(0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0);
}

static void ipv6(const uint8_t source[16], uint8_t next, size_t len)
{
	static const uint8_t nodes[16] = { 0xff, 2, [15] = 1 };

	ethernet(0x86dd);
	memcpy(frame.bytes, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
	put_bytes(0x60, 0, 0, 0);
	put16(len);
	put_bytes(next, 255);
	put(source, 16);
	put(nodes, 16);
}

/*
 * The ICMPv6 message from @at to the frame's end gets MARK, as an option that nobody knows, its
 * length and its checksum. (Behind the message a bridge would cut it off.)
 */
static void finish6(size_t at)
{
	size_t len;

	put_bytes(253, 2);
	put(MARK "   ", 14);
	len = frame.len - at;
	put_sum(18, (uint16_t)(frame.len - 54));
	put_sum(at + 2, 0);
	put_sum(at + 2, sum_of(frame.bytes + at, len,
			       (uint32_t)(len + 58) +
			       (uint16_t)~sum_of(frame.bytes + 22, 32, 0)));
}

static void icmp6(uint8_t type, uint32_t flags)
{
	put_bytes(type, 0, 0, 0, (uint8_t)(flags >> 24), (uint8_t)(flags >> 16),
		  (uint8_t)(flags >> 8), (uint8_t)flags);
}

static void lladdr(uint8_t option, const uint8_t mac[6])
{
	put_bytes(option, 1);
	put(mac, 6);
}

/* A solicitation or advertisement; @option 0: none. */
static void nd(const uint8_t source[16], uint8_t type, const uint8_t target[16], uint8_t option,
	       const uint8_t mac[6])
{
	ipv6(source, 58, option ? 32 : 24);
	icmp6(type, type == 136 ? 0x20000000 : 0);
	put(target, 16);
	if (option)
		lladdr(option, mac);
	finish6(54);
}

/* A default router for half an hour. */
static void put_ra(void)
{
	put_bytes(134, 0, 0, 0, 64, 0, 7, 8);
	put(zero, 8);
	lladdr(1, us.mac);
}

/* ---- sending ------------------------------------------------------------------------------ */

static void say(const char *name, const char *reason)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	for (int i = 0; i < TIMES; i++) {
		if (sendto(us.fd, frame.bytes, frame.len, 0, (struct sockaddr *)&us.to,
			   sizeof(us.to)) != (ssize_t)frame.len)
			die(name);
		nanosleep(&pause, NULL);
	}
	printf("%s %s\n", name, reason);
}

/*
 * A virtio header asks for a checksum of the frame from @start on, to be put at @start + @offset: a
 * link that computes it sends another frame than was checked. Linux from 6.11 on wants @start to be
 * 20 at least, which keeps it away from nothing but MAC addresses and types.
 */
static void say_unfinished(const char *name, size_t start, size_t offset, const char *reason)
{
	struct { uint8_t flags, gso; uint16_t hdr_len, gso_size, start, offset; } virtio = {
		.flags = 1, .start = (uint16_t)start, .offset = (uint16_t)offset,
	};
	int on = 1, off = 0;

	if (setsockopt(us.fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		die("PACKET_VNET_HDR");
	memmove(frame.bytes + 10, frame.bytes, frame.len);
	memcpy(frame.bytes, &virtio, 10);
	frame.len += 10;
	say(name, reason);
	setsockopt(us.fd, SOL_PACKET, PACKET_VNET_HDR, &off, sizeof(off));
}

static void hostile_ethernet(void)
{
	ethernet_from(other_mac, 0x0800);
	ipv4(us.own4, NULL, 17, 8 + sizeof(MARK));
	udp(9, 9, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say("foreign-mac", "mac");

	ethernet(0x8100);
	put_bytes(0, 7, 8, 6);
	put(MARK, sizeof(MARK));
	put(zero, 20);
	say("vlan-tag", "vlan");
	ethernet(0x88a8);
	put_bytes(0, 7, 0x81, 0, 0, 7, 8, 6);
	put(MARK, sizeof(MARK));
	put(zero, 20);
	say("two-tags", "vlan");

	ethernet(0x88cc);
	put(MARK, sizeof(MARK));
	put(zero, 20);
	say("lldp", "type");
	ethernet(0x26);
	memcpy(frame.bytes, (const uint8_t[]){ 1, 0x80, 0xc2, 0, 0, 0 }, 6);
	put_bytes(0x42, 0x42, 3, 0, 0);
	put(MARK, sizeof(MARK));
	put(zero, 20);
	say("spanning-tree", "type");
	ethernet(0x0800);
	put(MARK, sizeof(MARK));
	say("short", "short");
}

static void hostile_arp(void)
{
	arp(2, us.mac, us.gateway4, us.peer4);
	say("arp-reply-as-gateway", "arp");
	arp(1, us.mac, us.gateway4, us.gateway4);
	say("arp-announce-gateway", "arp");
	arp(1, us.mac, us.gateway4, us.peer4);
	say("arp-request-as-gateway", "arp");
	arp(2, other_mac, us.own4, us.peer4);
	say("arp-other-mac", "arp");
	arp(1, us.mac, zero, us.gateway4);
	say("arp-probe-for-gateway", "arp");
}

static void hostile_ipv4(void)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	udp4(us.gateway4, 9, 9);
	say("udp-as-gateway", "ipv4");
	udp4(us.peer4, 9, 9);
	say("udp-as-peer", "ipv4");
	udp4(loopback, 9, 9);
	say("udp-as-loopback", "ipv4");
	udp4(zero, 9, 9);
	say("udp-as-nobody", "ipv4");
	udp4(us.own4, 67, 68);
	say("dhcp-server", "dhcp");

	ethernet(0x0800);
	ipv4(us.own4, NULL, 1, 8 + sizeof(MARK));
	put_bytes(5, 1, 0, 0);
	put(us.own4, 4);
	put(MARK, sizeof(MARK));
	say("icmp-redirect", "router");
	ethernet(0x0800);
	ipv4(us.own4, NULL, 1, 8 + sizeof(MARK));
	put_bytes(9, 0, 0, 0, 1, 2, 7, 8);
	put(MARK, sizeof(MARK));
	say("icmp-router", "router");
	ethernet(0x0800);
	ipv4(us.own4, (const uint8_t[]){ 224, 0, 0, 1 }, 2, 8 + sizeof(MARK));
	put_bytes(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0);
	put(MARK, sizeof(MARK));
	say("igmp-query", "router");

	udp4(us.own4, 9, 9);
	frame.bytes[14] = 0x47;
	memcpy(frame.bytes + 34, (const uint8_t[]){ 131, 7, 4 }, 3);
	say("source-route", "options");
	udp4(us.own4, 9, 9);
	frame.bytes[16] = 5;
	say("length-lies", "short");
}

static void hostile_nd(void)
{
	nd(us.own6, 136, us.gateway6, 2, us.mac);
	say("na-for-gateway", "nd");
	nd(us.link6, 136, us.own6, 2, other_mac);
	say("na-other-mac", "nd");
	nd(us.own6, 135, us.gateway6, 1, other_mac);
	say("ns-other-mac", "nd");
	nd((uint8_t[16]){ 0 }, 135, us.gateway6, 0, NULL);
	say("dad-for-gateway", "nd");
	nd(us.gateway6, 135, us.own6, 1, us.mac);
	say("ns-as-gateway", "ipv6");
}

static void hostile_router6(void)
{
	ipv6(us.link6, 58, 24);
	put_ra();
	finish6(54);
	say("router-advertisement", "router");
	ipv6(us.link6, 60, 32);
	put_bytes(58, 0, 1, 4, 0, 0, 0, 0);
	put_ra();
	finish6(62);
	say("advertisement-behind-options", "router");
	ipv6(us.link6, 44, 32);
	put_bytes(58, 0, 0, 0, 0, 0, 0, 1);
	put_ra();
	finish6(62);
	say("advertisement-in-fragment", "router");
	ipv6(us.link6, 44, 16);
	put_bytes(60, 0, 0, 1, 0, 0, 0, 1, 58, 1);
	put(MARK, 6);
	put(MARK, sizeof(MARK));
	say("chain-beyond-fragment", "short");
	ipv6(us.link6, 58, 40);
	icmp6(137, 0);
	put(us.own6, 16);
	put(us.gateway6, 16);
	finish6(54);
	say("redirect", "router");
	ipv6(us.link6, 58, 24);
	icmp6(130, 0);
	put(zero, 16);
	finish6(54);
	say("mld-query", "router");
}

static void hostile_ipv6(void)
{
	ipv6(us.gateway6, 17, 8 + sizeof(MARK));
	udp(9, 9, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say("udp6-as-gateway", "ipv6");
	ipv6(us.link6, 17, 8 + sizeof(MARK));
	udp(547, 546, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say("dhcp6-server", "dhcp");
	ipv6(us.own6, 43, 24 + 8 + sizeof(MARK));
	put_bytes(17, 2, 0, 1, 0, 0, 0, 0);
	put(us.gateway6, 16);
	udp(9, 9, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say("routing-header", "options");
	hostile_nd();
	hostile_router6();
}

/* Destination options in front of @next: one that is skipped, with two bytes to spare and @id. */
static void put_spare(uint8_t next, uint8_t id)
{
	put_bytes(next, 0, 0x1e, 4, 0, 0, id, 0);
}

/*
 * The frame is as it shall arrive: give it @old in place of the word at @place, and the word at
 * @spare a value with which the checksum from @start on is the one that was there. 0: none needed.
 */
static void disguise(size_t start, size_t place, uint16_t old, size_t spare)
{
	uint16_t wanted = (uint16_t)(frame.bytes[place] << 8 | frame.bytes[place + 1]), sum;

	put_sum(place, old);
	if (spare) {
		put_sum(spare, 0);
		sum = sum_of(frame.bytes + start, frame.len - start, wanted);
		put_sum(spare, sum);
	}
	sum = sum_of(frame.bytes + start, frame.len - start, 0);
	if (sum != wanted) {
		fprintf(stderr, "spoof: a checksum is %04x, not %04x\n", sum, wanted);
		exit(1);
	}
}

/* What is no sender's address, but says as much of who sends. */
static void hostile_checksums4(void)
{
	udp4(us.own4, 9, 9);
	say_unfinished("checksum-into-ipv4-source", 20, 6, "checksum");
	arp(1, us.mac, us.own4, us.peer4);
	say_unfinished("checksum-into-arp-sender", 20, 8, "checksum");

	/* A server of DHCP, with two bytes to spare behind MARK. */
	ethernet(0x0800);
	ipv4(us.own4, NULL, 17, 8 + 14);
	udp(67, 68, 14);
	put(MARK "   ", 14);
	disguise(34, 34, 1000, 54);
	say_unfinished("checksum-into-udp-port", 34, 0, "checksum");

	/* A redirect as the answer to an echo, whose type and code are 0: that leaves no choice. */
	ethernet(0x0800);
	ipv4(us.own4, NULL, 1, 8 + 28 + sizeof(MARK) + 1);
	put_bytes(5, 0, 0, 0);
	put(us.own4, 4);
	ipv4(us.peer4, us.gateway4, 17, 8);
	udp(9, 9, 0);
	put(MARK " ", sizeof(MARK) + 1);
	put_sum(36, sum_of(frame.bytes + 34, frame.len - 34, 0));
	disguise(34, 34, 0, 0);
	say_unfinished("checksum-into-icmp-type", 34, 0, "checksum");

	/* A request of DHCP for another's MAC, with its number to spare. */
	dhcp();
	memcpy(frame.bytes + 74, other_mac + 4, 2);
	disguise(34, 74, (uint16_t)(us.mac[4] << 8 | us.mac[5]), 46);
	say_unfinished("checksum-into-dhcp-client", 34, 40, "checksum");
}

static void hostile_checksums6(void)
{
	ipv6(us.own6, 17, 8 + sizeof(MARK));
	udp(9, 9, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say_unfinished("checksum-into-ipv6-source", 20, 16, "checksum");

	/* A router, as an echo and as nothing at all. */
	ipv6(us.link6, 60, 32);
	put_spare(58, 1);
	put_ra();
	finish6(62);
	disguise(54, 62, 0x8000, 58);
	say_unfinished("checksum-into-icmp6-type", 54, 8, "checksum");
	ipv6(us.link6, 60, 32);
	put_spare(58, 2);
	put_ra();
	finish6(62);
	disguise(54, 54, 59 << 8, 58);
	say_unfinished("checksum-into-next-header", 54, 0, "checksum");

	/* The gateway, whose address differs from the guest's in the last word, as the guest. */
	ipv6(us.link6, 60, 40);
	put_spare(58, 3);
	icmp6(136, 0x20000000);
	put(us.gateway6, 16);
	lladdr(2, us.mac);
	finish6(62);
	disguise(54, 84, (uint16_t)(us.own6[14] << 8 | us.own6[15]), 58);
	say_unfinished("checksum-into-nd-target", 54, 30, "checksum");
}

static void hostile(void)
{
	hostile_checksums4();
	hostile_ethernet();
	hostile_arp();
	hostile_ipv4();
	if (!us.ipv6)
		return;
	hostile_checksums6();
	hostile_ipv6();
}

/*
 * The checksum of protocol @next at @at is for a link to write, in its right place, @offset: it
 * holds the sum of the addresses (@len bytes at @addresses), the protocol and the length.
 */
static void say_right(const char *name, size_t addresses, size_t len, uint8_t next, size_t at,
		      size_t offset)
{
	uint16_t sum = sum_of(frame.bytes + addresses, len, (uint32_t)(frame.len - at + next));

	put_sum(at + offset, (uint16_t)~sum);
	say_unfinished(name, at, offset, "pass");
}

static void honest_checksums(void)
{
	udp4(us.own4, 7, 7);
	say_right("udp-checksum", 26, 8, 17, 34, 6);
	ethernet(0x0800);
	ipv4(us.own4, NULL, 6, 20 + sizeof(MARK));
	tcp(7, 7);
	put(MARK, sizeof(MARK));
	say_right("tcp-checksum", 26, 8, 6, 34, 16);
	if (!us.ipv6)
		return;
	ipv6(us.own6, 60, 8 + 8 + sizeof(MARK));
	put_spare(17, 0);
	udp(7, 7, sizeof(MARK));
	put(MARK, sizeof(MARK));
	say_right("udp6-checksum", 22, 32, 17, 62, 6);
	ipv6(us.own6, 60, 8 + 20 + sizeof(MARK));
	put_spare(6, 0);
	tcp(7, 7);
	put(MARK, sizeof(MARK));
	say_right("tcp6-checksum", 22, 32, 6, 62, 16);
}

static void honest6(void)
{
	nd((uint8_t[16]){ 0 }, 135, us.own6, 0, NULL);
	say("dad", "pass");
	nd(us.own6, 135, us.gateway6, 1, us.mac);
	say("solicitation", "pass");
	nd(us.own6, 136, us.own6, 2, us.mac);
	say("advertisement", "pass");
	ipv6(us.link6, 58, 16);
	icmp6(133, 0);
	lladdr(1, us.mac);
	finish6(54);
	say("router-solicitation", "pass");
	ipv6((uint8_t[16]){ 0 }, 0, 8 + 28);
	put_bytes(58, 0, 5, 2, 0, 0, 1, 0);
	icmp6(143, 1);
	put_bytes(4, 0, 0, 0);
	put(((const uint8_t[16]){ 0xff, 2, [15] = 0x77 }), 16);
	finish6(62);
	say("mld-report", "pass");
	ipv6(us.own6, 44, 8 + 8 + 16);
	put_bytes(17, 0, 0, 1, 0, 0, 0, 1);
	udp(9, 9, 100);
	put(MARK "      ", 16);
	say("udp6-fragment", "pass");
}

static void honest(void)
{
	arp(1, us.mac, us.own4, us.own4);
	say("arp-announce", "pass");
	arp(1, us.mac, zero, us.own4);
	say("arp-probe", "pass");
	arp(2, us.mac, us.own4, us.peer4);
	say("arp-reply", "pass");

	dhcp();
	say("dhcp-discover", "pass");

	ethernet(0x0800);
	put_bytes(0x46, 0xc0, 0, 40 + sizeof(MARK), 0, 0, 0, 0, 1, 2, 0, 0);
	put(us.own4, 4);
	put_bytes(224, 0, 0, 22, 0x94, 4, 0, 0);
	put_sum(24, sum_of(frame.bytes + 14, 24, 0));
	put_bytes(0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 2, 3);
	put_sum(40, sum_of(frame.bytes + 38, 16, 0));
	put(MARK, sizeof(MARK));
	say("igmp-report", "pass");
	udp4(us.own4, 9, 9);
	say("udp", "pass");
	honest_checksums();
	if (us.ipv6)
		honest6();
}

/* ---- main --------------------------------------------------------------------------------- */

static void address(int family, const char *text, uint8_t *out)
{
	if (inet_pton(family, text, out) != 1) {
		fprintf(stderr, "spoof: '%s' is no address\n", text);
		exit(2);
	}
}

static void open_link(const char *name)
{
	struct ifreq ifr = { .ifr_flags = 0 };

	us.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (us.fd < 0)
		die("packet socket");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(us.fd, SIOCGIFHWADDR, &ifr) < 0)
		die(name);
	memcpy(us.mac, ifr.ifr_hwaddr.sa_data, 6);
	us.to.sll_family = AF_PACKET;
	us.to.sll_ifindex = (int)if_nametoindex(name);
	us.to.sll_halen = 6;
	memcpy(us.link6, (const uint8_t[]){ 0xfe, 0x80, 0, 0, 0, 0, 0, 0, us.mac[0] ^ 2, us.mac[1],
					    us.mac[2], 0xff, 0xfe, us.mac[3], us.mac[4],
					    us.mac[5] }, 16);
}

int main(int argc, char **argv)
{
	if (argc != 6 && argc != 8) {
		fprintf(stderr, "usage: spoof LINK hostile|honest OWN4 GATEWAY4 PEER4 "
			"[OWN6 GATEWAY6]\n");
		return 2;
	}
	open_link(argv[1]);
	address(AF_INET, argv[3], us.own4);
	address(AF_INET, argv[4], us.gateway4);
	address(AF_INET, argv[5], us.peer4);
	us.ipv6 = argc == 8;
	if (us.ipv6) {
		address(AF_INET6, argv[6], us.own6);
		address(AF_INET6, argv[7], us.gateway6);
	}
	if (strcmp(argv[2], "hostile") == 0)
		hostile();
	else
		honest();
	return 0;
}
