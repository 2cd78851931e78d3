/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local ports that several guests of one pod share: what a guest's kernel sends by its device with
 * NABLA_NET_PORTS before it binds one, and what it is answered.
 *
 * A pod of plain containers has one kernel, which knows whose a port is. Here each guest has a
 * kernel of its own. So one frame of this type is a question: the program at the host's end of the
 * device (src/net/loopback.bpf.c) notes in a map of the pod whose the port is, and sends the frame
 * back with the answer, before the write of it returns. First come, first served; a claim of what
 * is the guest's already is granted again. Ports that a guest chooses itself are in its own part
 * of net.ipv4.ip_local_port_range and are not claimed; it is told which of them another one has.
 *
 * Included by the guest's kernel, by the program, and by their tests.
 */
#ifndef NABLA_ABI_PORTS_H
#define NABLA_ABI_PORTS_H

#include <linux/types.h>

/* EtherType: "Local Experimental 1" of IEEE 802, on a device that leads nowhere else. */
#define NABLA_PORTS_TYPE 0x88b5

enum nabla_ports_operation {
	NABLA_PORTS_CLAIM = 1,		/* answered */
	NABLA_PORTS_RELEASE = 2,	/* not answered; only whose port it is gives it back */
	/* To a guest, unasked: another one has claimed, or given back, this port of its part. */
	NABLA_PORTS_RESERVE = 3,
	NABLA_PORTS_FREE = 4,
};

enum nabla_ports_answer {
	NABLA_PORTS_ASKED = 0,		/* what a guest sends */
	NABLA_PORTS_GRANTED = 1,
	NABLA_PORTS_TAKEN = 2,		/* by another guest, or a socket of the namespace */
};

/* Behind the 14 bytes of the Ethernet header. */
struct nabla_ports {
	__u8 operation;
	__u8 protocol;			/* IPPROTO_TCP or IPPROTO_UDP, both families */
	__u16 port;			/* network byte order; not 0 */
	__u8 answer;
	__u8 reserved[3];		/* zeros */
};

#endif
