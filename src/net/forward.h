/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pod's loopback: who dials 127.0.0.1:PORT, [::1]:PORT or the pod's own address inside of the
 * pod's namespace reaches the guest, as in a pod of plain containers, where all share one loopback.
 *
 *     survey (net_forward_survey) -> net_forward_plan (pure) -> record -> apply ... restore
 *
 * A second tap, the guest's device "pod0", connects the namespace's loopback with the guest's, and
 * nothing else: no frame of eth0 comes to it, none of its leaves by eth0, in any mode. Two eBPF
 * programs (loopback.bpf.c) are all that reads and writes it, at the egress of lo and at the
 * ingress of the tap. They keep no state: addresses are translated one to one,
 *
 *     127.0.x.y or ::1 of the other side, as a client      127.254.x.y     fd6e:6162:6c61::fe:0
 *     the pod's address number N, as a client              127.254.255.N   fd6e:6162:6c61::fe:N+1
 *     127.0.x.y of the other side, as a server             127.253.x.y
 *     the pod's address number N, as a server              127.253.255.N
 *
 * and a packet goes to the guest only if no socket of the namespace wants it: a port that somebody
 * in the namespace listens on stays his. The guest may speak to the namespace from no address and
 * port that belong to a socket there, so it can not meddle with connections inside the namespace.
 *
 * What changes in the namespace, and is restored: lo is up, gets the pod's addresses (eth0 has lost
 * them, unless it is shared: net/share.h), a clsact qdisc and a filter, and route_localnet=1 and
 * accept_local=1, so that it accepts what the guest answers. Frames reach lo from inside the
 * namespace only.
 *
 * Docker's resolver, 127.0.0.11:53 behind a translation to another port, is reached by the guest
 * under its usual address.
 *
 * Guests that share the namespace (net/share.h) have a tap and programs each, and reach one another
 * as they reach a server of the namespace. Each claims the ports that its programs bind
 * (abi/ports.h).
 */
#ifndef RUNNC_NET_FORWARD_H
#define RUNNC_NET_FORWARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/guest_config.h"
#include "abi/launch.h"
#include "base/err.h"
#include "net/forward_table.h"

struct net_nl;
struct net_plan;
struct net_share;
struct net_survey;

#define NET_FORWARD_LINK "pod0"		/* the guest's device */
#define NET_FORWARD_MTU 65535u		/* as long as IP allows: lo's is 65536 */
#define NET_FORWARD_ROUTES (4 + 3 * NET_FORWARD_ADDRS)

/* What the namespace's loopback is like, and what its kernel can do. All zeros: not wanted. */
struct net_forward_facts {
	bool known;			/* net_forward_survey() was called */
	/* why the programs cannot be loaded: 0 or a negative errno */
	int unsupported;
	bool ours;			/* lo carries our filter already: another container's */
	/* ... whose guest shares the namespace: net_survey_adopt(). What lo was like before it: */
	bool shared;
	bool was_up;
	bool was_new;			/* as lo_new below */
	bool was_clsact;
	int32_t route_localnet;		/* of lo */
	int32_t accept_local;
	/* ports of Docker's resolver at 127.0.0.11, host byte order; 0: there is none */
	uint16_t resolver_udp;
	uint16_t resolver_tcp;
};

struct net_forward {
	bool on;
	/* what is there before: to be restored */
	uint32_t lo;			/* index of the loopback */
	bool lo_up;
	/*
	 * it gets 127.0.0.1/8 from the kernel when it goes up: it is down, and has not been up yet
	 */
	bool lo_new;
	bool lo_clsact;
	int32_t lo_route_localnet;
	int32_t lo_accept_local;
	char tap[16];			/* a name that was free at the survey */
	struct net_forward_table table;	/* .tap is filled in by apply */
	/* The pod's addresses that lo does not have yet: lo gets them. */
	struct gcfg_addr addrs[2 * NET_FORWARD_ADDRS];
	size_t nr_addrs;
	/* for the guest: its device, whose index is the plan's nr_ports, and the routes to it */
	struct gcfg_link link;
	struct gcfg_addr own;		/* of its device, IPv6; family 0: none */
	struct gcfg_route routes[NET_FORWARD_ROUTES];
	struct gcfg_hop hops[NET_FORWARD_ROUTES];
	size_t nr_routes;
};

/*
 * Look at lo and at the kernel. Loads the programs and drops them again: needs CAP_BPF and
 * CAP_NET_ADMIN to find them supported. Returns 0 or -errno with @e filled in.
 */
int net_forward_survey(struct net_forward_facts *f, struct err *e);

/*
 * Pure. @p has its ports and addresses already. Fills in *@out; *@why is NULL, or what is missing
 * and why, for a notice. Where s->loopback is not known it is off without a reason.
 */
void net_forward_plan(const struct net_survey *s, const struct net_plan *p,
		      struct net_forward *out, const char **why);

/*
 * What net_forward_restore() needs, as an object for the record; NULL if there is no memory. Not to
 * be called for one that is off.
 */
json_t *net_forward_record(const struct net_forward *f);

/*
 * What lo was like, from such an object of another guest's record, into @f. Returns 0 or -EINVAL
 * for an object that is none.
 */
int net_forward_adopt(const json_t *record, struct net_forward_facts *f);

/*
 * Connect: *@net is filled in, its descriptor is the caller's. After the interfaces, which give up
 * the addresses. @ports is the table of the pod's ports (net/ports.h), @share whose part of them is
 * the guest's. Returns 0 or -errno with @e filled in; then no descriptor is handed out, and the
 * caller must restore.
 */
int net_forward_apply(struct net_nl *nl, const struct net_forward *f,
		      const struct net_share *share, int ports, struct nabla_net *net,
		      struct err *e);

/*
 * Undo, from the object in the record, however far net_forward_apply() or an earlier call came;
 * before the interfaces get their addresses back. With @others other guests share the namespace:
 * only what is guest @number's goes. Returns 0 or -errno with @e filled in: -EINVAL for an object
 * that is none; otherwise as much as possible has been restored.
 */
int net_forward_restore(struct net_nl *nl, const json_t *record, unsigned int number, bool others,
			struct err *e);

#endif
