/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The explainer's facts: what the kernel tells about a pod's network namespace and about those
 * around it, as far as they can be reached. Nothing is changed by gathering them.
 *
 *     explain_facts_gather -> explain_path_find (pure) -> explain_inspect (pure) -> explain_probe
 *                                                     \-> explain_draw_* (pure)
 *
 * src/explain reads interfaces as src/net does, and shares its transport and its parsers; it knows
 * no OCI and no state files.
 */
#ifndef RUNNC_EXPLAIN_FACTS_H
#define RUNNC_EXPLAIN_FACTS_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/guard.h"
#include "net/net.h"

/* More are not looked into; the pod's and its host's come first. */
#define EXPLAIN_MAX_SPACES	64
#define EXPLAIN_NAME_MAX	64

/* What a survey does not tell about a link. */
struct explain_link {
	int index;
	/* IFLA_LINK: a veth's peer, or what a macvlan or VLAN lies upon; 0: none */
	int other;
	int32_t other_nsid;		/* its namespace's id, as this one calls it; -1: this one */
	bool proxy;			/* IPv4: answers ARP for what it can route elsewhere */
	bool forwarding;		/* IPv4 */
	bool nf_call;			/* bridge: its frames pass the namespace's IPv4 firewall */
};

/* One filter of tc. */
struct explain_filter {
	int link;
	bool egress;
	bool ours;			/* runnc's, by its cookie or its priority (net/tc.h) */
	bool drops;			/* an action, or the program itself, that drops */
	int redirect;			/* mirred: the link's index; 0: none */
	uint16_t priority;
	uint32_t handle;		/* of runnc's programs: the guest's number */
	char kind[16];			/* "bpf", "u32", ... */
	char name[32];			/* bpf: the program's; "" otherwise */
	uint64_t packets;		/* of its last action; 0 where there is none */
	uint64_t dropped;
};

/* One entry of a bridge's forwarding table. */
struct explain_fdb {
	int link;			/* the port */
	int bridge;			/* 0: the device's own list, no bridge's */
	uint8_t mac[6];
	bool local;			/* the bridge keeps such frames for its own host */
	bool fixed;			/* put there by hand: static or permanent */
};

/* A base chain of nftables in the hook that bridged and routed frames pass. */
struct explain_chain {
	uint8_t family;			/* NFPROTO_IPV4, _IPV6, _INET or _BRIDGE */
	bool drop;			/* its policy */
	char table[32];
	char name[32];
};

/* A guard of the pod's namespace (net/guard.h), and what it has dropped. */
struct explain_guard {
	int link;
	bool egress;
	struct net_guard_stats stats;
};

/* A namespace that this one has a number for. */
struct explain_nsid {
	int32_t id;
	uint64_t inode;
};

struct explain_space {
	char name[EXPLAIN_NAME_MAX];	/* for people: "/run/netns/x", "the host", ... */
	int fd;				/* of the namespace, for setns(); -1: facts of a test */
	uint64_t inode;
	struct net_survey all;		/* with every neighbour, not only those a plan wants */
	struct explain_link *links;
	size_t nr_links;
	struct explain_filter *filters;
	size_t nr_filters;
	struct explain_fdb *fdb;
	size_t nr_fdb;
	struct explain_chain *chains;
	size_t nr_chains;
	struct explain_guard *guards;
	size_t nr_guards;
	struct explain_nsid *nsids;
	size_t nr_nsids;
	bool nf_call;			/* net.bridge.bridge-nf-call-iptables */
};

struct explain_facts {
	struct explain_space *spaces;	/* [0]: the pod's */
	size_t nr_spaces;
	bool cut;			/* there were more than EXPLAIN_MAX_SPACES */
};

/*
 * Read the namespace @path, and those its links lead to: the other ends of its veth pairs, and of
 * the ports of the bridges that these are on. They are found among the names in /run/netns, the
 * namespace of process 1 and the caller's. The calling thread is back in its own namespace
 * afterwards; if it cannot get back the process ends. *@f need not be initialised. On success free
 * it with explain_facts_free(). Returns 0 or -errno with @e filled in (then *@f is empty).
 */
int explain_facts_gather(const char *path, struct explain_facts *f, struct err *e);
void explain_facts_free(struct explain_facts *f);
#define _autofacts_explain_ __attribute__((cleanup(explain_facts_free)))

/* NULL for an index or a number that is not there. Borrowed. */
const struct net_link *explain_net_link(const struct explain_space *x, int index);
const struct explain_link *explain_link(const struct explain_space *x, int index);
int explain_link_index(const struct explain_space *x, const char *name);	/* 0: none */

/* ---- parts, for tests and fuzz targets ------------------------------------------------------ */

void explain_space_free(struct explain_space *x);

/*
 * Add the object in @m, all of whose nlmsg_len bytes are readable, to @x, also to its survey. Links
 * must come first. @egress: for filters, which do not say it. Returns 0, -EBADMSG (malformed),
 * -E2BIG beyond NET_PARSE_MAX of a kind, or -ENOMEM.
 */
int explain_parse_message(struct explain_space *x, const struct nlmsghdr *m, bool egress);

/* The same for a message of nftables. */
int explain_parse_chain(struct explain_space *x, const struct nlmsghdr *m);

#endif
