/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interface for several: the guest, the namespace's own kernel with its sockets, and further
 * guests, so that the pod's other containers keep their network. Mode tc (net_request.shared).
 *
 * Nothing is taken off the interface. Both have its MAC and its addresses; a program (share.bpf.c)
 * at its ingress tells by the namespace's sockets whose a frame is. What the guest sends leaves as
 * ever, what the namespace sends is not touched; neither reaches the other this way, not even by
 * way of a neighbour.
 *
 * Both choose the local port of a connection themselves, and must not choose the same for one
 * peer: net.ipv4.ip_local_port_range of the namespace becomes its first eighth, the first guest
 * gets half of it, without the ports that the namespace's sockets have there already.
 *
 * Further guests may come, NET_PORTS_GUESTS in all: two more get an eighth each, the others divide
 * the last one. Each has a program of its own in front of the older ones, and takes what is for its
 * own ports, be they in its part or claimed by it (abi/ports.h). What is for no port, and is not
 * for all, is the first one's; if that one is gone, the kernel's.
 */
#ifndef RUNNC_NET_SHARE_H
#define RUNNC_NET_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/share_table.h"

struct net_nl;
struct nlmsghdr;
struct net_plan;
struct net_survey;

#define NET_SHARE_RANGE "net/ipv4/ip_local_port_range"
#define NET_SHARE_RESERVED "net/ipv4/ip_local_reserved_ports"

struct net_share_range {
	uint16_t first;
	uint16_t last;
};

struct net_share {
	bool on;
	/* the guest's, among those that share the namespace: 1 to NET_PORTS_GUESTS */
	unsigned int number;
	bool alone;			/* there is no other one yet */
	bool split;			/* the ports are: the next three are valid */
	struct net_share_range was;	/* the namespace's, before the first guest */
	struct net_share_range kept;	/* what it keeps */
	struct net_share_range given;	/* the guest's */
};

/* The guests that share a namespace already, as their records tell: net_survey_adopt(). */
struct net_share_guests {
	uint32_t numbers;		/* bit N: there is number N; 0: there are none */
	bool split;			/* the ports have been divided, which were these: */
	struct net_share_range was;
};

/* The local ports of the namespace's sockets, TCP's and UDP's of both families in one. */
struct net_share_ports {
	uint64_t busy[65536 / 64];	/* port P: bit P % 64 of busy[P / 64] */
	bool unknown;			/* the kernel does not list all of them */
};

/*
 * Divide the namespace's ports, and give the guest a number. Pure. out->on is set; where there are
 * too few of them to be divided *@why says so, for a notice; otherwise it is NULL. Returns 0 or,
 * with @e filled in, -EBUSY: there are other guests already, and no number or no part for one more.
 */
int net_share_plan(const struct net_survey *s, struct net_share *out, const char **why,
		   struct err *e);

/* "32768 60999", as the kernel writes and reads it. Returns false for anything else. */
bool net_share_parse(const char *text, struct net_share_range *range);

/* Note that @port has somebody. */
void net_share_busy(struct net_share_ports *p, uint16_t port);

/* List the sockets of the current namespace. Returns 0 or -errno with @e filled in. */
int net_share_survey(struct net_share_ports *out, struct err *e);

/*
 * Add what guests have claimed who share the current namespace (net/ports.h). Returns 0, also where
 * there are none, or -errno.
 */
int net_ports_survey(struct net_share_ports *out, struct err *e);

/*
 * Note the port of which @m tells, of which nlmsg_len bytes are readable; false if it tells of
 * none. Reads untrusted bytes: fuzzed by tests/fuzz/fuzz-netlink.c.
 */
bool net_share_parse_socket(const struct nlmsghdr *m, struct net_share_ports *p);

/*
 * The guest's net.ipv4.ip_local_reserved_ports, whose ports are @range: @also (the namespace's own,
 * or ""), then those of @p that are in it. Pure. *@why is what a notice says if some of them cannot
 * be told, or NULL. Returns the text, which the caller frees, at most 4095 bytes unless @also is
 * longer; NULL if there is no memory.
 */
char *net_share_reserved(const struct net_share_ports *p, struct net_share_range range,
			 const char *also, const char **why);

/* Make @range the namespace's, unless it is already. Returns 0 or -errno with @e filled in. */
int net_share_set(struct net_share_range range, struct err *e);

/*
 * What the program for ports[@port] of @p is told, whose tap has the index @tap. Pure. Returns 0 or
 * -E2BIG with @e filled in.
 */
int net_share_table(const struct net_plan *p, size_t port, int tap, struct net_share_table *out,
		    struct err *e);

/*
 * Load the program with @t and the table of the pod's ports (net/ports.h). *@prog is close-on-exec
 * and the caller's. Returns 0 or -errno, as net_bpf_compiled().
 */
int net_share_load(const struct net_share_table *t, int ports, int *prog, struct err *e);

/* Put it at the ingress of link @index, whose clsact qdisc is there. Returns 0 or -errno. */
int net_share_add(struct net_nl *nl, int index, const struct net_share_table *t, int ports,
		  struct err *e);

#endif
