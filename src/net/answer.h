/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer: a neighbour that only the namespace knows is made known to a guest that asks for it.
 *
 * Some clusters give a pod a gateway that nobody answers for, and a permanent neighbour entry with
 * its MAC. The Linux guest gets that entry. A unikernel's stack cannot be told it, only asks: so an
 * eBPF program at the ingress of its tap, behind the guard, turns an ARP request or a neighbour
 * solicitation for such an address into the answer and sends it straight back. Anything else
 * passes on (TC_ACT_UNSPEC). Internal to src/net; for modes with a tap.
 */
#ifndef RUNNC_NET_ANSWER_H
#define RUNNC_NET_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "net/bpf_asm.h"
#include "net/net.h"
#include "net/tc.h"

/* Neighbours that one program can answer for; more are refused with -E2BIG. */
#define NET_ANSWER_MAX 256

/*
 * Append the program to @b for the permanent ones among @neighs, of guest device @link; it sends
 * answers out by the link @index. Pure. Failure sticks in @b. Returns how many neighbours it
 * answers for.
 */
size_t net_answer_program(struct net_bpf_asm *b, const struct gcfg_neigh *neighs, size_t nr,
			  uint32_t link, int index);

/*
 * Put that program at the ingress of the tap @index, whose clsact qdisc is there. Does nothing if
 * there is no such neighbour. It ends with the tap. Returns 0 or -errno, as net_guard_add().
 */
int net_answer_add(struct net_nl *nl, int index, const struct gcfg_neigh *neighs, size_t nr,
		   uint32_t link, struct err *e);

#endif
