// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two programs between the loopback of a pod's namespace and its guest's: net/forward.h says
 * what they do, this how.
 *
 *     to_guest	  egress of lo: a packet that no socket of the namespace wants leaves by the tap
 *     from_guest ingress of the tap: a packet of the guest's goes to the ingress of lo, or to the
 *		  tap of the guest that it is for; a question about a port is answered; whatever is
 *		  not exactly such a packet ends here
 *
 * What a side sends keeps the address that it dialled; the other address, which both sides have, is
 * translated into one that stands for the other side:
 *
 *     the namespace dials:  127.0.0.1 -> 127.0.0.1:80   becomes   127.254.0.1 -> 127.0.0.1:80
 *     and is answered:      127.0.0.1 <- 127.0.0.1:80   from      127.254.0.1 <- 127.0.0.1:80
 *     the guest dials:      127.0.0.1 -> 127.253.0.1:53 becomes   127.253.0.1 -> 127.0.0.1:53
 *
 * Where there are several guests, each has its tap and its two programs; to_guest of the youngest
 * comes first and leaves to the next what is for no port of its own. A guest that dials another
 * one's port is passed on from tap to tap, as it is: to each the other is 127.253.0.1. Whose a port
 * is they have in one table (net/ports_table.h), into which from_guest writes what a guest claims.
 *
 * Compiled for the BPF machine and embedded into runnc as instructions; needs no library and no
 * relocation: all functions are inlined, the two maps' addresses are put in by net/bpf.c.
 * Linux 5.3 is the first that accepts it (bpf_skc_lookup_tcp, direct map values, loops).
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include "abi/ports.h"
#include "net/bpf_program.h"
#include "net/forward_table.h"
#include "net/ports_program.h"

struct ports {
	__u16 source;
	__u16 dest;
};

/* Of ICMP and ICMPv6 (RFC 792, RFC 4443); <linux/icmp.h> wants a C library. */
#define ICMP_SIZE 8			/* of the header before the packet that it is about */
#define ICMP_CHECK 2			/* where the checksum is */
#define ICMP_UNREACHABLE 3
#define ICMP_TOO_BIG 4			/* a code of it */
#define ICMP_EXCEEDED 11
#define ICMP_PARAMETER 12
#define ICMP6_UNREACHABLE 1
#define ICMP6_EXCEEDED 3
#define ICMP6_PARAMETER 4

/* Docker's: 127.0.0.11:53. */
#define RESOLVER net32(0x7f00000b)
#define RESOLVER_PORT 53

#define L3 ETH_HLEN

static inline const struct net_forward_table *the_table(void)
{
	const struct net_forward_table *t;

	asm volatile("%0 = %1 ll" : "=r"(t) : "i"(NET_BPF_TABLE_MARK));
	return t;
}

/* Does a socket of this namespace own @tuple's dest, for packets from its source? */
static inline bool is_owned(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 size,
			    __u8 protocol)
{
	struct bpf_sock *sock = protocol == IPPROTO_TCP ?
		bpf_skc_lookup_tcp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0) :
		bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);

	if (!sock)
		return false;
	bpf_sk_release(sock);
	return true;
}

static inline bool is_owned4(struct __sk_buff *skb, __u8 protocol, __u32 source, __u32 dest,
			     struct ports ports)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { source, dest, ports.source, ports.dest } };

	return is_owned(skb, &tuple, sizeof(tuple.ipv4), protocol);
}

static inline bool is_owned6(struct __sk_buff *skb, __u8 protocol, const struct in6_addr *source,
			     const struct in6_addr *dest, struct ports ports)
{
	struct bpf_sock_tuple tuple = { .ipv6.sport = ports.source, .ipv6.dport = ports.dest };

	__builtin_memcpy(tuple.ipv6.saddr, source, sizeof(*source));
	__builtin_memcpy(tuple.ipv6.daddr, dest, sizeof(*dest));
	return is_owned(skb, &tuple, sizeof(tuple.ipv6), protocol);
}

/* ---- IPv4 addresses ------------------------------------------------------------------------ */

static inline __u8 octet(__u32 address, int i)
{
	return (__u8)(address >> (8 * i));
}

static inline bool is_loopback4(__u32 address)
{
	return octet(address, 0) == 127;
}

/* An address that stands for one of the other side's. */
static inline bool is_alias4(__u32 address, __u8 kind)
{
	return is_loopback4(address) && octet(address, 1) == kind;
}

/* The number of one of the pod's addresses, or -1. */
static inline int find4(const struct net_forward_table *t, __u32 address)
{
	for (int i = 0; i < NET_FORWARD_ADDRS; i++)
		if (t->addr4[i] == address)
			return (__u32)i < t->nr4 ? i : -1;
	return -1;
}

static inline __u32 loopback4(__u8 second, __u32 rest)
{
	return 127 | (__u32)second << 8 | (rest & 0xffff0000);
}

/* What stands for @address on the other side; 0: nothing does. */
static inline __u32 alias4(const struct net_forward_table *t, __u32 address, __u8 kind)
{
	int i;

	if (is_alias4(address, 0) && octet(address, 2) != NET_FORWARD_POD)
		return loopback4(kind, address);
	i = find4(t, address);
	if (i < 0)
		return 0;
	return loopback4(kind, (__u32)i << 24 | (__u32)NET_FORWARD_POD << 16);
}

/* What @alias stands for; 0: nothing. */
static inline __u32 real4(const struct net_forward_table *t, __u32 alias)
{
	__u32 i = octet(alias, 3);

	if (octet(alias, 2) != NET_FORWARD_POD)
		return loopback4(0, alias);
	if (i >= NET_FORWARD_ADDRS || i >= t->nr4)
		return 0;
	return t->addr4[bounded(i, NET_FORWARD_ADDRS)];
}

/* ---- changes ------------------------------------------------------------------------------- */

static inline __u32 checksum_at(__u32 l4, __u8 protocol)
{
	return l4 + (protocol == IPPROTO_TCP ? 16 : 6);
}

/* A UDP checksum of 0 says that there is none. */
static inline __u64 checksum_flags(__u8 protocol)
{
	return protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

static inline void set_address4(struct __sk_buff *skb, __u32 field, __u32 l4, __u8 protocol,
				__u32 from, __u32 to)
{
	if (from == to)
		return;
	if (protocol != IPPROTO_ICMP)
		bpf_l4_csum_replace(skb, checksum_at(l4, protocol), from, to,
				    sizeof(to) | BPF_F_PSEUDO_HDR | checksum_flags(protocol));
	bpf_l3_csum_replace(skb, L3 + offsetof(struct iphdr, check), from, to, sizeof(to));
	bpf_skb_store_bytes(skb, field, &to, sizeof(to), 0);
}

/* The same in the header at @inner that an ICMP message carries: sums of it and around it stay. */
static inline void set_inner4(struct __sk_buff *skb, __u32 inner, __u32 field, __u32 from, __u32 to)
{
	bpf_l3_csum_replace(skb, inner + offsetof(struct iphdr, check), from, to, sizeof(to));
	bpf_skb_store_bytes(skb, inner + field, &to, sizeof(to), 0);
}

static inline void set_port(struct __sk_buff *skb, __u32 field, __u32 l4, __u8 protocol,
			    __u16 from, __u16 to)
{
	if (from == to)
		return;
	bpf_l4_csum_replace(skb, checksum_at(l4, protocol), from, to,
			    sizeof(to) | checksum_flags(protocol));
	bpf_skb_store_bytes(skb, field, &to, sizeof(to), 0);
}

/* @check: where the checksum is that covers the address; @flags: BPF_F_*. */
static inline void set_address6(struct __sk_buff *skb, __u32 field, __u32 check, __u64 flags,
				struct in6_addr *from, struct in6_addr *to)
{
	__s64 diff = bpf_csum_diff((__be32 *)from, sizeof(*from), (__be32 *)to, sizeof(*to), 0);

	bpf_l4_csum_replace(skb, check, 0, (__u32)diff, flags);
	bpf_skb_store_bytes(skb, field, to, sizeof(*to), 0);
}

/* ---- ways out ------------------------------------------------------------------------------ */

/* A guest that has ended took the tap with it: then the namespace is as if there was none. */
static inline bool has_guest(struct __sk_buff *skb, const struct net_forward_table *t)
{
	return t->tap && has_link(skb, t->tap);
}

static inline int leave_by_tap(struct __sk_buff *skb, const struct net_forward_table *t)
{
	bpf_skb_store_bytes(skb, 0, t->guest_mac, ETH_ALEN, 0);
	return (int)bpf_redirect(t->tap, 0);
}

static inline int enter_by_lo(struct __sk_buff *skb, const struct net_forward_table *t)
{
	/* lo's MAC: by another one it would be a packet for another host. */
	const __u8 lo_mac[2 * ETH_ALEN] = { 0 };

	bpf_skb_store_bytes(skb, 0, lo_mac, sizeof(lo_mac), 0);
	return (int)bpf_redirect(t->lo, BPF_F_INGRESS);
}

/* ---- several guests ------------------------------------------------------------------------- */

/* Is @port, in network byte order, this program's guest's? */
static inline bool is_ours(struct __sk_buff *skb, __u8 protocol, __u16 port)
{
	const struct net_forward_table *t = the_table();

	return is_mine(skb, t->number, t->alone, protocol, port);
}

/* The tap of another guest that has @port; 0: none has. */
static inline __u32 tap_of_other(struct __sk_buff *skb, __u8 protocol, __u16 port)
{
	__u32 owner = port_owner(protocol, port);

	return owner && owner != the_table()->number ? guest_tap(skb, owner) : 0;
}

/* A guest may speak to others only from a port of its own, which is then nobody else's. */
static inline int enter_by_tap(struct __sk_buff *skb, __u32 tap, __u8 protocol, __u16 source)
{
	const struct net_forward_table *t = the_table();

	if (port_owner(protocol, source) != t->number)
		return TC_ACT_SHOT;
	bpf_skb_store_bytes(skb, 0, t->guest_mac, ETH_ALEN, 0);
	return (int)bpf_redirect(tap, 0);
}

/* Does a socket of the namespace have @port at 127.0.0.1, ::1, or the first address of a family? */
static inline bool is_bound(struct __sk_buff *skb, __u8 protocol, __u16 port)
{
	const struct net_forward_table *t = the_table();
	const struct in6_addr one = { .in6_u.u6_addr8 = { [15] = 1 } };
	const __u32 one4 = net32(0x7f000001);
	const struct ports ports = { .dest = port };
	struct in6_addr first;

	__builtin_memcpy(&first, t->addr6[0], sizeof(first));
	return is_owned4(skb, protocol, one4, one4, ports) ||
	       is_owned6(skb, protocol, &one, &one, ports) ||
	       (t->nr4 && is_owned4(skb, protocol, t->addr4[0], t->addr4[0], ports)) ||
	       (t->nr6 && is_owned6(skb, protocol, &first, &first, ports));
}

static inline __u8 claim(struct __sk_buff *skb, const struct nabla_ports *asked)
{
	__u8 *claimed = the_claim(asked->protocol, asked->port);
	const __u8 number = the_table()->number, owner = *claimed;

	if (owner != number && ((owner && guest_tap(skb, owner)) ||
				is_bound(skb, asked->protocol, asked->port)))
		return NABLA_PORTS_TAKEN;
	*claimed = number;
	return NABLA_PORTS_GRANTED;
}

/* The guest in whose part the port is learns what became of it. */
static inline void tell(struct __sk_buff *skb, struct nabla_ports told, __u8 operation)
{
	const struct net_forward_table *t = the_table();
	__u32 owner = port_part(told.port), tap;

	tap = owner && owner != t->number ? guest_tap(skb, owner) : 0;
	if (!tap)
		return;
	told.operation = operation;
	bpf_skb_store_bytes(skb, 0, t->guest_mac, ETH_ALEN, 0);
	bpf_skb_store_bytes(skb, L3, &told, sizeof(told), 0);
	bpf_clone_redirect(skb, tap, 0);
}

/* abi/ports.h: what the guest's kernel asks before it binds a port. */
static inline int from_guest_ports(struct __sk_buff *skb)
{
	const struct net_forward_table *t = the_table();
	struct nabla_ports asked;
	__u8 *claimed;

	if (bpf_skb_load_bytes(skb, L3, &asked, sizeof(asked)) < 0 || !asked.port || !t->tap ||
	    (asked.protocol != IPPROTO_TCP && asked.protocol != IPPROTO_UDP))
		return TC_ACT_SHOT;
	if (asked.operation == NABLA_PORTS_RELEASE) {
		claimed = the_claim(asked.protocol, asked.port);
		if (*claimed == t->number) {
			*claimed = 0;
			tell(skb, asked, NABLA_PORTS_FREE);
		}
		return TC_ACT_SHOT;
	}
	if (asked.operation != NABLA_PORTS_CLAIM)
		return TC_ACT_SHOT;
	asked.answer = claim(skb, &asked);
	if (asked.answer == NABLA_PORTS_GRANTED)
		tell(skb, asked, NABLA_PORTS_RESERVE);
	bpf_skb_store_bytes(skb, L3, &asked, sizeof(asked), 0);
	return leave_by_tap(skb, t);
}

/* ---- namespace to guest -------------------------------------------------------------------- */

/*
 * What a server of the namespace at @address is called in the guest, with the resolver's own port
 * in *@port translated: the resolver keeps its address, others have stand-ins.
 */
static inline __u32 server4(const struct net_forward_table *t, __u32 address, __u8 protocol,
			    __u16 *port)
{
	if (address != RESOLVER)
		return alias4(t, address, NET_FORWARD_SERVER);
	if (*port && *port == (protocol == IPPROTO_TCP ? t->resolver_tcp : t->resolver_udp))
		*port = net16(RESOLVER_PORT);
	return address;
}

/* "Port unreachable" and its like, about a packet that the guest sent. */
static inline int to_guest_icmp4(struct __sk_buff *skb, const struct iphdr *ip)
{
	const struct net_forward_table *t = the_table();
	__u32 l4 = L3 + ip->ihl * 4, inner = l4 + ICMP_SIZE;
	__u32 client = real4(t, ip->daddr), source, dest;
	struct ports ports;
	struct iphdr about;
	__u16 port, none = 0;
	__u8 type;

	if (bpf_skb_load_bytes(skb, l4, &type, sizeof(type)) < 0 ||
	    (type != ICMP_UNREACHABLE && type != ICMP_EXCEEDED && type != ICMP_PARAMETER) ||
	    bpf_skb_load_bytes(skb, inner, &about, sizeof(about)) < 0 || about.ihl < 5 ||
	    bpf_skb_load_bytes(skb, inner + about.ihl * 4, &ports, sizeof(ports)) < 0 ||
	    about.saddr != ip->daddr)
		return TC_ACT_UNSPEC;
	port = ports.dest;
	source = server4(t, ip->saddr, about.protocol, &none);
	dest = server4(t, about.daddr, about.protocol, &port);
	if (!client || !source || !dest || !has_guest(skb, t) ||
	    !is_ours(skb, about.protocol, ports.source))
		return TC_ACT_UNSPEC;

	set_inner4(skb, inner, offsetof(struct iphdr, saddr), about.saddr, client);
	set_inner4(skb, inner, offsetof(struct iphdr, daddr), about.daddr, dest);
	if (port != ports.dest) {
		bpf_l4_csum_replace(skb, l4 + ICMP_CHECK, ports.dest, port, sizeof(port));
		bpf_skb_store_bytes(skb, inner + about.ihl * 4 + offsetof(struct ports, dest),
				    &port, sizeof(port), 0);
	}
	set_address4(skb, L3 + offsetof(struct iphdr, saddr), l4, IPPROTO_ICMP, ip->saddr, source);
	set_address4(skb, L3 + offsetof(struct iphdr, daddr), l4, IPPROTO_ICMP, ip->daddr, client);
	return leave_by_tap(skb, t);
}

/*
 * What the guest may call itself: as servers do, by any address that a client can have dialled.
 * Where Docker's resolver is, that is nobody else: its sockets are at other ports, so what was sent
 * in its name would not be known for a forgery, and the namespace's address translation would take
 * the next question for an answer.
 */
static inline bool is_guest4(const struct net_forward_table *t, __u32 address)
{
	if (address == RESOLVER && (t->resolver_udp || t->resolver_tcp))
		return false;
	if (is_loopback4(address))
		return octet(address, 1) != NET_FORWARD_CLIENT &&
		       octet(address, 1) != NET_FORWARD_SERVER;
	return find4(t, address) >= 0;
}

static inline int to_guest4(struct __sk_buff *skb)
{
	const struct net_forward_table *t = the_table();
	__u32 l4, source, dest;
	struct ports ports;
	struct iphdr ip;
	__u16 port;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || ip.ihl < 5 ||
	    (ip.frag_off & net16(0x3fff)))
		return TC_ACT_UNSPEC;
	dest = ip.daddr;
	if (ip.protocol == IPPROTO_ICMP && is_alias4(dest, NET_FORWARD_SERVER))
		return to_guest_icmp4(skb, &ip);
	l4 = L3 + ip.ihl * 4;
	if ((ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, l4, &ports, sizeof(ports)) < 0)
		return TC_ACT_UNSPEC;

	port = ports.source;
	if (is_alias4(dest, NET_FORWARD_SERVER)) {
		source = server4(t, ip.saddr, ip.protocol, &port);
		/*
		 * The guest dialled one of the pod's addresses, and from it. A server that leaves
		 * the choice to the kernel answers from 127.0.0.1.
		 */
		if (octet(dest, 2) == NET_FORWARD_POD && ip.saddr == net32(0x7f000001))
			source = dest;
		dest = real4(t, dest);
	} else {
		if (!is_guest4(t, dest) || is_owned4(skb, ip.protocol, ip.saddr, dest, ports))
			return TC_ACT_UNSPEC;
		source = alias4(t, ip.saddr, NET_FORWARD_CLIENT);
	}
	if (!source || !dest || !has_guest(skb, t) || !is_ours(skb, ip.protocol, ports.dest))
		return TC_ACT_UNSPEC;

	set_address4(skb, L3 + offsetof(struct iphdr, saddr), l4, ip.protocol, ip.saddr, source);
	set_address4(skb, L3 + offsetof(struct iphdr, daddr), l4, ip.protocol, ip.daddr, dest);
	set_port(skb, l4, l4, ip.protocol, ports.source, port);
	return leave_by_tap(skb, t);
}

/* ---- guest to namespace -------------------------------------------------------------------- */

/* What opens a connection: a guest dials by what stands for servers, and answers clients. */
static inline bool is_opening(struct __sk_buff *skb, __u8 protocol, __u32 l4)
{
	__u8 flags;

	return protocol == IPPROTO_TCP &&
	       (bpf_skb_load_bytes(skb, l4 + 13, &flags, sizeof(flags)) < 0 ||
		(flags & 0x12) == 0x02);
}

/*
 * Errors that end what they are about. Not "fragmentation needed": the namespace would keep the MTU
 * for whatever it sends to its own address, to everybody.
 */
static inline bool is_error4(const __u8 *type_and_code)
{
	if (type_and_code[0] == ICMP_UNREACHABLE)
		return type_and_code[1] != ICMP_TOO_BIG;
	return type_and_code[0] == ICMP_EXCEEDED || type_and_code[0] == ICMP_PARAMETER;
}

static inline bool is_error6(__u8 type)
{
	return type == ICMP6_UNREACHABLE || type == ICMP6_EXCEEDED || type == ICMP6_PARAMETER;
}

/* The guest has no listener there: "port unreachable" and its like, about a packet of ours. */
static inline int from_guest_icmp4(struct __sk_buff *skb, const struct iphdr *ip, __u32 dest)
{
	const struct net_forward_table *t = the_table();
	__u32 l4 = L3 + ip->ihl * 4, inner = l4 + ICMP_SIZE;
	struct ports ports, turned;
	struct iphdr about;
	__u32 client;
	__u8 type[2];

	if (bpf_skb_load_bytes(skb, l4, type, sizeof(type)) < 0 || !is_error4(type) ||
	    bpf_skb_load_bytes(skb, inner, &about, sizeof(about)) < 0 || about.ihl < 5 ||
	    (about.protocol != IPPROTO_TCP && about.protocol != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, inner + about.ihl * 4, &ports, sizeof(ports)) < 0 ||
	    !is_alias4(about.saddr, NET_FORWARD_CLIENT) || !is_guest4(t, about.daddr))
		return TC_ACT_SHOT;
	client = real4(t, about.saddr);
	turned = (struct ports){ ports.dest, ports.source };
	if (!client || tap_of_other(skb, about.protocol, ports.dest) ||
	    is_owned4(skb, about.protocol, client, about.daddr, ports) ||
	    !is_owned4(skb, about.protocol, about.daddr, client, turned))
		return TC_ACT_SHOT;

	set_inner4(skb, inner, offsetof(struct iphdr, saddr), about.saddr, client);
	set_address4(skb, L3 + offsetof(struct iphdr, daddr), l4, IPPROTO_ICMP, ip->daddr, dest);
	return enter_by_lo(skb, t);
}

static inline int from_guest4(struct __sk_buff *skb)
{
	const struct net_forward_table *t = the_table();
	__u32 l4, source, dest, other = 0;
	struct ports ports, turned;
	struct iphdr ip;
	__u16 port;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || ip.version != 4 || ip.ihl < 5 ||
	    (ip.frag_off & net16(0x3fff)) || !is_guest4(t, ip.saddr))
		return TC_ACT_SHOT;
	l4 = L3 + ip.ihl * 4;
	if (ip.protocol == IPPROTO_ICMP) {
		dest = is_alias4(ip.daddr, NET_FORWARD_CLIENT) ? real4(t, ip.daddr) : 0;
		return dest ? from_guest_icmp4(skb, &ip, dest) : TC_ACT_SHOT;
	}
	if ((ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, l4, &ports, sizeof(ports)) < 0 ||
	    tap_of_other(skb, ip.protocol, ports.source))
		return TC_ACT_SHOT;

	port = ports.dest;
	if (is_alias4(ip.daddr, NET_FORWARD_CLIENT)) {
		source = ip.saddr;
		dest = real4(t, ip.daddr);
		turned = (struct ports){ port, ports.source };
		if (is_opening(skb, ip.protocol, l4) ||
		    is_owned4(skb, ip.protocol, dest, source, turned))
			return TC_ACT_SHOT;
	} else if (is_alias4(ip.daddr, NET_FORWARD_SERVER)) {
		source = alias4(t, ip.saddr, NET_FORWARD_SERVER);
		dest = real4(t, ip.daddr);
		if (source && dest && !is_owned4(skb, ip.protocol, source, dest, ports))
			other = tap_of_other(skb, ip.protocol, port);
	} else if (ip.daddr == RESOLVER) {
		source = alias4(t, ip.saddr, NET_FORWARD_SERVER);
		dest = ip.daddr;
		if (port == net16(RESOLVER_PORT))
			port = ip.protocol == IPPROTO_TCP ? t->resolver_tcp : t->resolver_udp;
	} else {
		return TC_ACT_SHOT;
	}
	if (!source || !dest)
		return TC_ACT_SHOT;

	set_address4(skb, L3 + offsetof(struct iphdr, saddr), l4, ip.protocol, ip.saddr, source);
	set_address4(skb, L3 + offsetof(struct iphdr, daddr), l4, ip.protocol, ip.daddr, dest);
	set_port(skb, l4 + offsetof(struct ports, dest), l4, ip.protocol, ports.dest, port);
	return other ? enter_by_tap(skb, other, ip.protocol, ports.source) : enter_by_lo(skb, t);
}

/* ---- IPv6 ---------------------------------------------------------------------------------- */

static inline bool same6(const struct in6_addr *a, const __u32 *b)
{
	return a->in6_u.u6_addr32[0] == b[0] && a->in6_u.u6_addr32[1] == b[1] &&
	       a->in6_u.u6_addr32[2] == b[2] && a->in6_u.u6_addr32[3] == b[3];
}

/* Number 0 is ::1, others are the pod's addresses; -1: none of them. */
static inline int find6(const struct net_forward_table *t, const struct in6_addr *address)
{
	const __u32 one[4] = { 0, 0, 0, net32(1) };

	if (same6(address, one))
		return 0;
	for (int i = 0; i < NET_FORWARD_ADDRS; i++)
		if (same6(address, t->addr6[i]))
			return (__u32)i < t->nr6 ? i + 1 : -1;
	return -1;
}

static inline void alias6(int number, struct in6_addr *alias)
{
	const __u8 prefix[16] = { NET_FORWARD_PREFIX6, [13] = NET_FORWARD_CLIENT6 };

	__builtin_memcpy(alias, prefix, sizeof(*alias));
	alias->in6_u.u6_addr8[12] = 0;
	alias->in6_u.u6_addr8[15] = (__u8)number;
}

/* False: @alias is none. */
static inline bool real6(const struct net_forward_table *t, const struct in6_addr *alias,
			 struct in6_addr *address)
{
	struct in6_addr expected;
	__u32 number = alias->in6_u.u6_addr8[15];

	alias6((int)number, &expected);
	if (!same6(alias, expected.in6_u.u6_addr32))
		return false;
	__builtin_memset(address, 0, sizeof(*address));
	address->in6_u.u6_addr8[15] = 1;
	if (number == 0)
		return true;
	if (number > NET_FORWARD_ADDRS || number > t->nr6)
		return false;
	__builtin_memcpy(address, t->addr6[bounded(number - 1, NET_FORWARD_ADDRS)],
			 sizeof(*address));
	return true;
}

#define L4_6 (L3 + sizeof(struct ipv6hdr))
#define SOURCE_6 (L3 + offsetof(struct ipv6hdr, saddr))
#define DEST_6 (L3 + offsetof(struct ipv6hdr, daddr))

/*
 * Where the transport header is, and of which protocol. Before TCP there may be a jumbogram's
 * option, 8 bytes: Linux since 5.19 puts it in front of more than 64 KiB for segmentation, which it
 * then leaves to nobody else and removes it.
 */
static inline __u32 find_l4_6(struct __sk_buff *skb, const struct ipv6hdr *ip, __u8 *protocol)
{
	__u8 jumbo[8];

	*protocol = ip->nexthdr;
	if (ip->nexthdr != IPPROTO_HOPOPTS || ip->payload_len != 0 ||
	    bpf_skb_load_bytes(skb, L4_6, jumbo, sizeof(jumbo)) < 0 ||
	    jumbo[0] != IPPROTO_TCP || jumbo[1] != 0 || jumbo[2] != IPV6_TLV_JUMBO)
		return L4_6;
	*protocol = IPPROTO_TCP;
	return L4_6 + sizeof(jumbo);
}

static inline int to_guest6(struct __sk_buff *skb)
{
	const struct net_forward_table *t = the_table();
	struct in6_addr source;
	struct ports ports;
	struct ipv6hdr ip;
	__u8 protocol;
	int number;
	__u32 l4;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || find6(t, &ip.daddr) < 0)
		return TC_ACT_UNSPEC;
	l4 = find_l4_6(skb, &ip, &protocol);
	number = find6(t, &ip.saddr);
	if (number < 0 || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, l4, &ports, sizeof(ports)) < 0 ||
	    is_owned6(skb, protocol, &ip.saddr, &ip.daddr, ports) || !has_guest(skb, t) ||
	    !is_ours(skb, protocol, ports.dest))
		return TC_ACT_UNSPEC;

	alias6(number, &source);
	set_address6(skb, SOURCE_6, checksum_at(l4, protocol),
		     BPF_F_PSEUDO_HDR | checksum_flags(protocol), &ip.saddr, &source);
	return leave_by_tap(skb, t);
}

/* One of the addresses that the guest has: pod0's own is for answers only. */
static inline bool find_guest6(const struct net_forward_table *t, const struct in6_addr *address)
{
	const __u8 own[16] = { NET_FORWARD_OWN6 };
	__u32 words[4];

	__builtin_memcpy(words, own, sizeof(words));
	return same6(address, words) || find6(t, address) >= 0;
}

static inline int from_guest_icmp6(struct __sk_buff *skb, struct ipv6hdr *ip)
{
	const struct net_forward_table *t = the_table();
	__u32 inner = L4_6 + ICMP_SIZE;
	__u32 check = L4_6 + ICMP_CHECK;
	struct ports ports, turned;
	struct in6_addr client;
	struct ipv6hdr about;
	__u8 type;

	if (bpf_skb_load_bytes(skb, L4_6, &type, sizeof(type)) < 0 ||
	    !is_error6(type) || bpf_skb_load_bytes(skb, inner, &about, sizeof(about)) < 0 ||
	    (about.nexthdr != IPPROTO_TCP && about.nexthdr != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, inner + sizeof(about), &ports, sizeof(ports)) < 0 ||
	    !real6(t, &about.saddr, &client) || find6(t, &about.daddr) < 0)
		return TC_ACT_SHOT;
	turned = (struct ports){ ports.dest, ports.source };
	if (tap_of_other(skb, about.nexthdr, ports.dest) ||
	    is_owned6(skb, about.nexthdr, &client, &about.daddr, ports) ||
	    !is_owned6(skb, about.nexthdr, &about.daddr, &client, turned))
		return TC_ACT_SHOT;

	set_address6(skb, inner + offsetof(struct ipv6hdr, saddr), check, 0, &about.saddr,
		     &client);
	set_address6(skb, SOURCE_6, check, BPF_F_PSEUDO_HDR, &ip->saddr, &about.daddr);
	real6(t, &ip->daddr, &client);
	set_address6(skb, DEST_6, check, BPF_F_PSEUDO_HDR, &ip->daddr, &client);
	return enter_by_lo(skb, t);
}

static inline int from_guest6(struct __sk_buff *skb)
{
	const struct net_forward_table *t = the_table();
	struct in6_addr source, dest;
	struct ports ports, turned;
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, L3, &ip, sizeof(ip)) < 0 || ip.version != 6 ||
	    !real6(t, &ip.daddr, &dest))
		return TC_ACT_SHOT;
	if (ip.nexthdr == IPPROTO_ICMPV6 && find_guest6(t, &ip.saddr))
		return from_guest_icmp6(skb, &ip);
	if ((ip.nexthdr != IPPROTO_TCP && ip.nexthdr != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, L4_6, &ports, sizeof(ports)) < 0)
		return TC_ACT_SHOT;
	/* ::1 is answered by ::1, whatever address the kernel chose for a server that did not. */
	source = ip.nexthdr == IPPROTO_UDP && find6(t, &dest) == 0 &&
		 find_guest6(t, &ip.saddr) ? dest : ip.saddr;
	turned = (struct ports){ ports.dest, ports.source };
	if (find6(t, &source) < 0 || is_opening(skb, ip.nexthdr, L4_6) ||
	    is_owned6(skb, ip.nexthdr, &dest, &source, turned) ||
	    tap_of_other(skb, ip.nexthdr, ports.source))
		return TC_ACT_SHOT;

	set_address6(skb, SOURCE_6, checksum_at(L4_6, ip.nexthdr),
		     BPF_F_PSEUDO_HDR | checksum_flags(ip.nexthdr), &ip.saddr, &source);
	set_address6(skb, DEST_6, checksum_at(L4_6, ip.nexthdr),
		     BPF_F_PSEUDO_HDR | checksum_flags(ip.nexthdr), &ip.daddr, &dest);
	return enter_by_lo(skb, t);
}

/* ---- the programs -------------------------------------------------------------------------- */

section("to_guest") int program_to_guest(struct __sk_buff *skb)
{
	if (skb->protocol == net16(ETH_P_IP))
		return to_guest4(skb);
	if (skb->protocol == net16(ETH_P_IPV6))
		return to_guest6(skb);
	return TC_ACT_UNSPEC;
}

section("from_guest") int program_from_guest(struct __sk_buff *skb)
{
	if (skb->protocol == net16(ETH_P_IP))
		return from_guest4(skb);
	if (skb->protocol == net16(ETH_P_IPV6))
		return from_guest6(skb);
	return skb->protocol == net16(NABLA_PORTS_TYPE) ? from_guest_ports(skb) : TC_ACT_SHOT;
}
