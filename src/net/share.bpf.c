// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets a frame that arrives at an interface which the guest shares with the namespace's own
 * kernel: net/share.h says why. Ingress of the interface, behind the inbound guard:
 *
 *     the kernel
 *		a TCP segment or UDP datagram that a socket of the namespace wants
 *     both	what no port tells whose it is, and neither answers: broadcasts, ARP replies,
 *		advertisements, echo replies, ICMP errors, fragments without a port, group queries
 *     nobody	what says that it is from the pod itself: a guest has sent it, by way of a
 *		neighbour, and nobody in the pod sends to another this way
 *     the guest
 *		what is for its ports; and everything else: so there is one answer to a
 *		question about an address, to a ping, and for a port that nobody has; and what is
 *		not understood
 *
 * The kernel gets it by TC_ACT_OK, the guest by a redirect to its tap. Of several guests each has a
 * program here, the youngest first; one that came when there was another takes what is for its own
 * ports and a copy of what is for both, and leaves the rest to the next (TC_ACT_UNSPEC), at last to
 * the kernel. The frame is not changed, and nothing is kept of it. Only the headers that decide are
 * read, by bpf_skb_load_bytes(), which fails where a frame ends.
 *
 * Compiled and embedded as loopback.bpf.c is. Linux 5.3 is the first that accepts it.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <stddef.h>

#include "net/bpf_program.h"
#include "net/ports_program.h"
#include "net/share_table.h"

static long (*bpf_tcp_check_syncookie)(void *sock, void *ip, __u32 ip_len, struct tcphdr *tcp,
				       __u32 tcp_len) = (void *)BPF_FUNC_tcp_check_syncookie;

struct ports {
	__u16 source;
	__u16 dest;
};

#define L3 ETH_HLEN
#define EXTENSIONS_MAX 8		/* of IPv6; real hosts send one or two */
#define LISTEN 10			/* a state of TCP sockets, of <netinet/tcp.h> */

#define ICMP_ECHO 8			/* RFC 792 */
#define ICMP_SOLICITATION 10		/* RFC 1256 */
#define ICMP_TIMESTAMP 13
#define ICMP_INFORMATION 15
#define ICMP_MASK 17			/* RFC 950 */
#define ICMP_EXTENDED_ECHO 42		/* RFC 8335 */
#define ICMP6_ECHO 128			/* RFC 4443 */
#define ICMP6_ROUTER_SOLICITATION 133	/* RFC 4861 */
#define ICMP6_SOLICITATION 135
#define ICMP6_INFORMATION 139		/* RFC 4620 */
#define ICMP6_EXTENDED_ECHO 160

static inline const struct net_share_table *the_table(void)
{
	const struct net_share_table *t;

	asm volatile("%0 = %1 ll" : "=r"(t) : "i"(NET_BPF_TABLE_MARK));
	return t;
}

/* ---- what becomes of it -------------------------------------------------------------------- */

enum fate {
	KERNEL,
	GUEST,				/* this one, whatever others there are */
	FIRST,				/* a guest, but only one of them */
	OTHER,				/* another guest's */
	BOTH,
	NOBODY
};

/* A host end in hairpin mode (CNI, Docker) sends back what either of the two has said to all. */
static inline bool is_echo(struct __sk_buff *skb, const struct net_share_table *t)
{
	__u8 source[ETH_ALEN];

	return (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST) &&
	       bpf_skb_load_bytes(skb, ETH_ALEN, source, sizeof(source)) == 0 &&
	       source[0] == t->mac[0] && source[1] == t->mac[1] && source[2] == t->mac[2] &&
	       source[3] == t->mac[3] && source[4] == t->mac[4] && source[5] == t->mac[5];
}

static inline int act(struct __sk_buff *skb, enum fate fate)
{
	const struct net_share_table *t = the_table();
	int rest = t->alone ? TC_ACT_OK : TC_ACT_UNSPEC;

	if (fate == KERNEL)
		return TC_ACT_OK;
	if (fate == NOBODY)
		return TC_ACT_SHOT;
	/* To the namespace's kernel it would be another host that has its address. */
	if (fate == BOTH && t->alone && is_echo(skb, t))
		fate = GUEST;
	if (fate == FIRST)
		fate = t->alone ? GUEST : OTHER;
	if (fate == OTHER)
		return TC_ACT_UNSPEC;
	/* A guest that has ended took the tap with it: then all is the kernel's, as without one. */
	if (!has_link(skb, t->tap))
		return rest;
	if (fate == GUEST)
		return (int)bpf_redirect(t->tap, 0);
	bpf_clone_redirect(skb, t->tap, 0);
	return rest;
}

/* ---- whose it is --------------------------------------------------------------------------- */

/* No socket of the namespace wants what is for this port, in network byte order. */
static inline enum fate of_guests(struct __sk_buff *skb, __u8 protocol, __u16 port)
{
	const struct net_share_table *t = the_table();

	return is_mine(skb, t->number, t->alone, protocol, port) ? GUEST : OTHER;
}

/*
 * An address of the pod as the source: a guest has sent it by way of a neighbour, and must not
 * speak to the others' sockets in the name of any there.
 */
static inline bool is_own4(__u32 address)
{
	const struct net_share_table *t = the_table();

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NET_SHARE_ADDRS && i < t->nr4; i++)
		if (t->addr4[i] == address)
			return true;
	return false;
}

/* By the pod's MAC, as every kernel makes one for a prefix that a router tells: RFC 4291. */
static inline bool is_eui64(const __u8 *id, const __u8 *mac)
{
	return id[0] == (mac[0] ^ 2) && id[1] == mac[1] && id[2] == mac[2] && id[3] == 0xff &&
	       id[4] == 0xfe && id[5] == mac[3] && id[6] == mac[4] && id[7] == mac[5];
}

static inline bool is_own6(const struct in6_addr *address)
{
	const __u32 *a = address->in6_u.u6_addr32;
	const struct net_share_table *t = the_table();

	if (is_eui64(address->in6_u.u6_addr8 + 8, t->mac))
		return true;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NET_SHARE_ADDRS && i < t->nr6; i++)
		if (t->addr6[i][0] == a[0] && t->addr6[i][1] == a[1] &&
		    t->addr6[i][2] == a[2] && t->addr6[i][3] == a[3])
			return true;
	return false;
}

/*
 * A port on which the namespace listens may be one that the guest has chosen for a connection of
 * its own: a listener wants nothing but what opens a connection.
 */
static inline bool is_wanted(struct bpf_sock *sock, void *ip, __u32 ip_len, struct tcphdr *tcp)
{
	if (sock->state != LISTEN || (tcp->syn && !tcp->ack && !tcp->rst))
		return true;
	return bpf_tcp_check_syncookie(sock, ip, ip_len, tcp, sizeof(*tcp)) == 0;
}

static inline enum fate tcp(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size,
			    void *ip, __u32 ip_len, struct tcphdr *tcp)
{
	struct bpf_sock *sock = bpf_skc_lookup_tcp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
	bool wanted;

	if (!sock)
		return of_guests(skb, IPPROTO_TCP, tcp->dest);
	wanted = is_wanted(sock, ip, ip_len, tcp);
	bpf_sk_release(sock);
	return wanted ? KERNEL : of_guests(skb, IPPROTO_TCP, tcp->dest);
}

static inline enum fate udp(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size,
			    __u16 port)
{
	struct bpf_sock *sock = bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!sock)
		return of_guests(skb, IPPROTO_UDP, port);
	bpf_sk_release(sock);
	return KERNEL;
}

/* ---- IPv4 ---------------------------------------------------------------------------------- */

static inline enum fate icmp(struct __sk_buff *skb, __u32 at)
{
	__u8 type;

	if (bpf_skb_load_bytes(skb, at, &type, sizeof(type)) < 0)
		return FIRST;
	switch (type) {
	case ICMP_ECHO:
	case ICMP_SOLICITATION:
	case ICMP_TIMESTAMP:
	case ICMP_INFORMATION:
	case ICMP_MASK:
	case ICMP_EXTENDED_ECHO:
		return FIRST;
	}
	return BOTH;
}

static inline enum fate tcp4(struct __sk_buff *skb, struct iphdr *ip, __u32 at)
{
	struct tcphdr head;
	struct bpf_sock_tuple tuple = { .ipv4 = { .saddr = ip->saddr, .daddr = ip->daddr } };

	if (bpf_skb_load_bytes(skb, at, &head, sizeof(head)) < 0)
		return FIRST;
	tuple.ipv4.sport = head.source;
	tuple.ipv4.dport = head.dest;
	return tcp(skb, &tuple, sizeof(tuple.ipv4), ip, sizeof(*ip), &head);
}

static inline enum fate udp4(struct __sk_buff *skb, const struct iphdr *ip, __u32 at)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { .saddr = ip->saddr, .daddr = ip->daddr } };
	struct ports ports;

	/* Groups, and the broadcast address of all networks; those of one come as broadcasts. */
	if ((__u8)ip->daddr >= 224 || skb->pkt_type == PACKET_BROADCAST ||
	    skb->pkt_type == PACKET_MULTICAST)
		return BOTH;
	if (bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)) < 0)
		return FIRST;
	tuple.ipv4.sport = ports.source;
	tuple.ipv4.dport = ports.dest;
	return udp(skb, &tuple, sizeof(tuple.ipv4), ports.dest);
}

static inline enum fate ipv4(struct __sk_buff *skb)
{
	struct iphdr ip;
	__u32 at;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || ip.version != 4 || ip.ihl < 5)
		return FIRST;
	if (is_own4(ip.saddr))
		return NOBODY;
	if (ip.frag_off & net16(0x1fff))
		return BOTH;
	at = L3 + ip.ihl * 4;
	switch (ip.protocol) {
	case IPPROTO_TCP:
		return tcp4(skb, &ip, at);
	case IPPROTO_UDP:
		return udp4(skb, &ip, at);
	case IPPROTO_ICMP:
		return icmp(skb, at);
	case IPPROTO_IGMP:
		return BOTH;
	}
	return FIRST;
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

static inline enum fate icmp6(struct __sk_buff *skb, __u32 at)
{
	__u8 type;

	if (bpf_skb_load_bytes(skb, at, &type, sizeof(type)) < 0)
		return FIRST;
	switch (type) {
	case ICMP6_ECHO:
	case ICMP6_ROUTER_SOLICITATION:
	case ICMP6_SOLICITATION:
	case ICMP6_INFORMATION:
	case ICMP6_EXTENDED_ECHO:
		return FIRST;
	}
	return BOTH;
}

static inline void addresses6(struct bpf_sock_tuple *tuple, const struct ipv6hdr *ip)
{
	__builtin_memcpy(tuple->ipv6.saddr, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(tuple->ipv6.daddr, &ip->daddr, sizeof(ip->daddr));
}

static inline enum fate tcp6(struct __sk_buff *skb, struct ipv6hdr *ip, __u32 at)
{
	struct bpf_sock_tuple tuple;
	struct tcphdr head;

	if (bpf_skb_load_bytes(skb, at, &head, sizeof(head)) < 0)
		return FIRST;
	addresses6(&tuple, ip);
	tuple.ipv6.sport = head.source;
	tuple.ipv6.dport = head.dest;
	return tcp(skb, &tuple, sizeof(tuple.ipv6), ip, sizeof(*ip), &head);
}

static inline enum fate udp6(struct __sk_buff *skb, const struct ipv6hdr *ip, __u32 at)
{
	struct bpf_sock_tuple tuple;
	struct ports ports;

	if (ip->daddr.in6_u.u6_addr8[0] == 0xff)
		return BOTH;
	if (bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)) < 0)
		return FIRST;
	addresses6(&tuple, ip);
	tuple.ipv6.sport = ports.source;
	tuple.ipv6.dport = ports.dest;
	return udp(skb, &tuple, sizeof(tuple.ipv6), ports.dest);
}

struct extension {
	__u8 next;
	__u8 length;
	__u16 offset;			/* of a fragment, in its upper 13 bits */
};

enum walk { WALK_DONE, WALK_FRAGMENT, WALK_CUT };

/* Go to the first header that is no extension: *@next is what it is, *@at where. */
static inline enum walk walk6(struct __sk_buff *skb, __u8 *next, __u32 *at)
{
	struct extension head;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (*next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING &&
		    *next != IPPROTO_DSTOPTS && *next != IPPROTO_FRAGMENT && *next != IPPROTO_AH)
			return WALK_DONE;
		if (bpf_skb_load_bytes(skb, *at, &head, sizeof(head)) < 0)
			return WALK_CUT;
		if (*next == IPPROTO_FRAGMENT) {
			if (head.offset & net16(0xfff8))
				return WALK_FRAGMENT;
			*at += 8;
		} else if (*next == IPPROTO_AH) {
			*at += (head.length + 2) * 4;
		} else {
			*at += (head.length + 1) * 8;
		}
		*next = head.next;
	}
	return WALK_CUT;
}

static inline enum fate ipv6(struct __sk_buff *skb)
{
	__u32 at = L3 + sizeof(struct ipv6hdr);
	struct ipv6hdr ip;
	__u8 next;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || ip.version != 6)
		return FIRST;
	if (is_own6(&ip.saddr))
		return NOBODY;
	next = ip.nexthdr;
	switch (walk6(skb, &next, &at)) {
	case WALK_CUT:
		return FIRST;
	case WALK_FRAGMENT:
		return BOTH;
	case WALK_DONE:
		break;
	}
	switch (next) {
	case IPPROTO_TCP:
		return tcp6(skb, &ip, at);
	case IPPROTO_UDP:
		return udp6(skb, &ip, at);
	case IPPROTO_ICMPV6:
		return icmp6(skb, at);
	}
	return FIRST;
}

/* ---- ARP ----------------------------------------------------------------------------------- */

struct arp {
	__u8 types[6];
	__u16 operation;
	__u8 sender_mac[ETH_ALEN];
	__u8 sender[4];
	__u8 target_mac[ETH_ALEN];
	__u8 target[4];
};

/* A question whose sender is its target is an announcement. */
static inline enum fate arp(struct __sk_buff *skb)
{
	struct arp a;

	if (bpf_skb_load_bytes(skb, L3, &a, sizeof(a)) < 0)
		return FIRST;
	if (a.operation == net16(2) ||
	    (a.operation == net16(1) && a.sender[0] == a.target[0] && a.sender[1] == a.target[1] &&
	     a.sender[2] == a.target[2] && a.sender[3] == a.target[3]))
		return BOTH;
	return FIRST;
}

/* ---- the program --------------------------------------------------------------------------- */

static inline enum fate fate_of(struct __sk_buff *skb)
{
	switch (skb->protocol) {
	case net16(ETH_P_IP):
		return ipv4(skb);
	case net16(ETH_P_IPV6):
		return ipv6(skb);
	case net16(ETH_P_ARP):
		return arp(skb);
	}
	return FIRST;
}

section("share") int program_share(struct __sk_buff *skb)
{
	/* The redirect behind this one knows whose tags are. */
	return skb->vlan_present ? TC_ACT_UNSPEC : act(skb, fate_of(skb));
}
