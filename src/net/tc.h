/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traffic control: filters of ours on a qdisc that may be somebody else's. Internal to src/net.
 *
 * What they do with a frame, in the order of their priorities, at the ingress of the tap: one for
 * the namespace itself is let through to it (FORWARD: TC_ACT_OK ends the search); of the others
 * those that are not the pod's are dropped (GUARD), some are answered (ANSWER), the rest leaves by
 * the interface (REDIRECT). At the interface: inbound or outbound GUARD; if the namespace's kernel
 * shares it, what is for that one ends the search (SHARE: TC_ACT_OK); then REDIRECT to the tap. Of
 * several guests each has a GUARD and a SHARE there, the first one alone a REDIRECT.
 */
#ifndef RUNNC_NET_TC_H
#define RUNNC_NET_TC_H

#include <stdbool.h>
#include <stdint.h>

#include "net/netlink.h"

/* Our redirects are known by this mark, all our filters by their priorities. */
#define NET_TC_COOKIE "runnc"
#define NET_TC_PRIORITY_FORWARD 0x6e5fu
#define NET_TC_PRIORITY_GUARD 0x6e60u
#define NET_TC_PRIORITY_ANSWER 0x6e61u
/* at an interface; ANSWER is at a tap */
#define NET_TC_PRIORITY_SHARE NET_TC_PRIORITY_ANSWER
#define NET_TC_SHARE_NAME "runnc-share"	/* by which the explainer tells the two */
#define NET_TC_PRIORITY 0x6e62u		/* of a redirect */

enum net_tc_side {
	NET_TC_INGRESS,
	NET_TC_EGRESS			/* needs clsact; the older "ingress" has none */
};

/* Where a filter of ours is. */
struct net_tc_place {
	int index;			/* of the link, whose clsact qdisc is there */
	enum net_tc_side side;
	uint16_t priority;
	/*
	 * Of several programs with one priority: the number of the guest whose it is. The kernel
	 * asks the one first that came last. 0: to be chosen by the kernel, which begins with 1; to
	 * remove: all of that priority.
	 */
	uint32_t handle;
};

/* Add a clsact qdisc. One that is there already (also the older "ingress") is fine. 0 or -errno. */
int net_tc_clsact_add(struct net_nl *nl, int index, struct err *e);

/* Remove it with its filters. None there: success. */
int net_tc_clsact_remove(struct net_nl *nl, int index, struct err *e);

/*
 * Every frame that arrives at @from leaves by @to, and nothing else sees it. With @untagged, frames
 * that have a VLAN tag go their way instead: to the VLAN interfaces on @from. With cls_bpf, or with
 * cls_u32, which cannot tell tags, where the kernel has no cls_bpf. Returns 0 or -errno.
 */
int net_tc_redirect_add(struct net_nl *nl, int from, int to, bool untagged, struct err *e);

/*
 * Every frame that arrives at @index is lost, but for packet sockets, which have seen it before.
 * With cls_bpf only. Removed as a redirect. Returns 0 or -errno.
 */
int net_tc_drop_add(struct net_nl *nl, int index, bool untagged, struct err *e);

/* Remove our filter only. None there: success. */
int net_tc_redirect_remove(struct net_nl *nl, int from, struct err *e);

/*
 * Let the eBPF program @prog, called @name, decide about each frame that comes by @at, by its
 * return value (TC_ACT_*); TC_ACT_UNSPEC leaves it to older ones there and then to filters of a
 * higher priority. The filter keeps the program. Returns 0 or -errno: -ENOENT or -EOPNOTSUPP if the
 * kernel has no cls_bpf.
 */
int net_tc_program_add(struct net_nl *nl, const struct net_tc_place *at, int prog,
		       const char *name, struct err *e);

/* Remove what is at @at. None there: success. */
int net_tc_remove(struct net_nl *nl, const struct net_tc_place *at, struct err *e);

/*
 * Remove filters of ours from a qdisc that stays: those of guest number @handle, or with 0 all, and
 * with @redirect the redirect, which has no number. None there: success.
 */
int net_tc_ours_remove(struct net_nl *nl, int index, uint32_t handle, bool redirect,
		       struct err *e);

#define NET_TC_NONE 1

/*
 * The id of the eBPF program in our filter at @at, whose handle 0 means any. Returns 0, NET_TC_NONE
 * if there is no such filter or link, or -errno.
 */
int net_tc_program_id(struct net_nl *nl, const struct net_tc_place *at, uint32_t *id,
		      struct err *e);

/*
 * Does @m, a reply to a request for filters, tell of a program with the priority and the handle of
 * @at? Reads untrusted bytes. Returns true with its id in *@id.
 */
bool net_tc_parse_program(const struct nlmsghdr *m, const struct net_tc_place *at, uint32_t *id);

#endif
