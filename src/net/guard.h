/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: only frames whose sender is the pod leave it. A guest has a raw layer-2 device, which
 * a plain container without CAP_NET_RAW has not; without the guard it could take over a neighbour's
 * address. docs/spoofing.md lists the rules and where each comes from.
 *
 *     plan -> net_guard_rules() -> net_guard_program() (pure) -> net_guard_add()
 *
 * It is an eBPF program in a direct-action cls_bpf filter that drops what is not the pod's and
 * passes on (TC_ACT_UNSPEC) what is, so that it stands in front of any other filter and in any
 * mode. In mode tc it does the redirect itself, which costs less than the next filter's action
 * (docs/spoofing.md); that one remains for a guest without guard, and as the mark of our plumbing.
 *
 *     tc, bridge       ingress of the tap
 *     macvtap          egress of the macvtap
 *     packet           egress of the interface
 *
 * A second, small program stands at the ingress of the interface and drops what claims to come from
 * or go to a loopback address, or one of those that stand for clients of the loopback
 * (net/forward.h): a guest, and the path from the namespace to it, trust those.
 *
 * Both count what they drop by reason, in a map that lives as long as the filter and is found again
 * from the filter (net_guard_stats()). They end with their filter, and that with its link or by
 * net_tc_ours_remove().
 */
#ifndef RUNNC_NET_GUARD_H
#define RUNNC_NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/bpf_asm.h"
#include "net/net.h"
#include "net/tc.h"

/* Why a frame was dropped. The first reason that applies, in the order of the checks. */
enum net_guard_reason {
	NET_GUARD_VLAN,			/* has an 802.1Q or 802.1ad tag */
	NET_GUARD_SHORT,		/* ends before its headers do, or its length field lies */
	NET_GUARD_MAC,			/* Ethernet source is not the guest's MAC */
	NET_GUARD_TYPE,			/* neither ARP nor IPv4 nor IPv6 */
	NET_GUARD_ARP,			/* ARP sender's MAC or address is not the pod's */
	NET_GUARD_IPV4,			/* IPv4 source is not the pod's */
	NET_GUARD_IPV6,			/* IPv6 source is not the pod's */
	NET_GUARD_ND,			/* neighbour discovery for what is not the pod's */
	NET_GUARD_ROUTER,		/* a router's: advertisements, redirects, queries */
	NET_GUARD_DHCP,			/* what only DHCP servers send; a request for another MAC */
	NET_GUARD_OPTIONS,		/* source routing, IPv4 options, many extensions */
	NET_GUARD_CHECKSUM,		/* a checksum is to be put elsewhere than in UDP or TCP */
	NET_GUARD_LOOPBACK,		/* inbound: an address of the loopback on the wire */
	NET_GUARD_REASONS
};

/* "vlan", "short", "mac", ...: for people and JSON. */
const char *net_guard_reason_name(enum net_guard_reason reason);

/* Addresses of one family that a guard can hold; more are refused with -E2BIG. */
#define NET_GUARD_ADDRS_MAX 128

struct net_guard_addr {
	uint8_t family;			/* AF_INET, AF_INET6 */
	uint8_t addr[16];
};

/* What may leave through one port of a plan. */
struct net_guard_rules {
	uint8_t mac[6];
	/*
	 * The guest makes addresses from router advertisements: any global or unique local prefix
	 * with the interface identifier of @mac (EUI-64) is its own. Temporary and stable-privacy
	 * addresses are only those in @addrs.
	 */
	bool slaac;
	/*
	 * Frames that the host's kernel has tagged pass: in mode packet the interface's VLANs leave
	 * by it too, each guarded at its own device. A tag that the guest wrote is dropped.
	 */
	bool vlans;
	/*
	 * The device takes virtio headers: the guest may ask the host to put a checksum somewhere
	 * into the frame later. Only UDP's and TCP's: all that is looked at must stay as it is.
	 */
	bool offloads;
	struct net_guard_addr *addrs;
	size_t nr_addrs;
};

/*
 * The rules for ports[@port] of @p: its MAC; all IPv4 and global IPv6 addresses of the pod (a host
 * may use any of its addresses at any of its interfaces, and asks ARP with them); link-local ones
 * of this port only, with the one that the guest makes from its MAC. Pure.
 * On success *@out is the caller's to give to net_guard_rules_free(). Returns 0 or -ENOMEM.
 */
int net_guard_rules(const struct net_plan *p, size_t port, struct net_guard_rules *out,
		    struct err *e);
void net_guard_rules_free(struct net_guard_rules *rules);

/*
 * Append the program for @rules to @b, which counts in map descriptor @map. It returns TC_ACT_SHOT
 * or, for a frame that may pass, TC_ACT_UNSPEC; with @redirect, the index of a link, it sends that
 * frame out there instead. Pure. Failure sticks in @b (see net/bpf_asm.h).
 */
void net_guard_program(struct net_bpf_asm *b, const struct net_guard_rules *rules, int redirect,
		       int map);

/* The same for what arrives at the interface. */
void net_guard_inbound_program(struct net_bpf_asm *b, int redirect, int map);

/*
 * Put the guard for @rules at @side of link @index, whose clsact qdisc is there. Returns 0 or
 * -errno with @e filled in: -E2BIG (too many addresses), -ENOENT or -EOPNOTSUPP (no cls_bpf in this
 * kernel), -EPERM (bpf(2) is not allowed). Then nothing is there, and nothing must be let out.
 */
int net_guard_add(struct net_nl *nl, int index, enum net_tc_side side,
		  const struct net_guard_rules *rules, int redirect, struct err *e);

/*
 * Put the inbound guard at the ingress of link @index, whose clsact qdisc is there, for guest
 * @number, as in struct net_tc_place. Returns as above.
 */
int net_guard_inbound_add(struct net_nl *nl, int index, uint32_t number, int redirect,
			  struct err *e);

/*
 * For mode packet, whose socket sees frames before any filter of the link: let @fd, an AF_PACKET
 * socket of type SOCK_RAW, receive only what the inbound guard passes. What it drops is not
 * counted. Returns 0 or -errno.
 */
int net_guard_inbound_socket(int fd, struct err *e);

/*
 * All of that for ports[@i] of @p, as its mode and its guest need it: the last step of connecting
 * it, before its descriptor @fd is anybody's who could write to it. Returns 0 or -errno.
 */
int net_guard_port(struct net_nl *nl, const struct net_plan *p, size_t i, int fd, struct err *e);

struct net_guard_stats {
	uint64_t drops[NET_GUARD_REASONS];
};

#define NET_GUARD_NONE 1

/*
 * Read the counters of the guard at @side of link @index in the current network namespace, of guest
 * @number where several share it (0: the one that is there). Needs CAP_SYS_ADMIN. Returns 0;
 * NET_GUARD_NONE if no guard of ours is there; or -errno.
 */
int net_guard_stats(int index, enum net_tc_side side, uint32_t number, struct net_guard_stats *out,
		    struct err *e);

#endif
