/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network of a container: what an engine left in a network namespace becomes a guest's layer-2
 * device and its configuration.
 *
 *     net_survey -> net_plan (pure) -> net_record -> [caller stores the record] -> net_apply
 *                                                                    ... net_restore(record)
 *
 * Every function works in the network namespace of the calling thread; the caller enters it. This
 * folder knows interfaces, never OCI. The order is a rule: the record is on disk before net_apply()
 * changes anything, so that net_restore() can undo a half-made change after kill -9.
 *
 * Privileges: net_survey needs none beyond being there; net_apply and net_restore need
 * CAP_NET_ADMIN over the namespace, /dev/net/tun, and a writable /proc/sys/net.
 */
#ifndef RUNNC_NET_NET_H
#define RUNNC_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/guest_config.h"
#include "abi/launch.h"
#include "base/err.h"
#include "net/forward.h"
#include "net/share.h"

/* ---- survey: what is there ---------------------------------------------------------------- */

/*
 * A netlink message as the kernel sent it, whole: replayed by net_restore(), never interpreted
 * twice.
 */
struct net_raw {
	void *data;
	size_t len;
};

struct net_link {
	int index;
	int master;			/* 0: none */
	uint16_t type;			/* ARPHRD_* */
	bool carrier;
	/* the kernel keeps IPv6 settings for it: the next four are valid */
	bool ipv6;
	int32_t disable_ipv6;		/* net.ipv6.conf.NAME.* */
	int32_t accept_ra;
	int32_t accept_dad;
	int32_t forwarding6;
	uint32_t flags;			/* IFF_* */
	uint32_t mtu;
	uint32_t txqlen;
	bool has_mac;			/* false: the hardware address is not 6 bytes long */
	uint8_t mac[6];
	int lower;			/* of a VLAN, macvlan, ...: what it is on; 0: not told */
	bool clsact;			/* an ingress or clsact qdisc is there */
	bool ingress;			/* ... and it is the older one, which has no egress */
	/* ... with a filter that this runtime made (see net/tc.h) */
	bool plumbed;
	/* ... for guests that share it: net_survey_adopt() */
	bool shared;
	/* ... with filters that are somebody else's; the first link that they redirect to */
	bool filtered;
	int redirected;			/* 0: to none */
	char name[16];
	char kind[16];			/* "veth", "macvlan", "bridge", "tun", ...; "": none told */
};

/* Does the kernel believe routers there? A router itself only if it is told so: ip-sysctl. */
static inline bool net_link_listens(const struct net_link *l)
{
	return l->ipv6 && (l->accept_ra == 2 || (l->accept_ra == 1 && !l->forwarding6));
}

/*
 * Here `link` is the interface's index in the namespace; in a plan it is the guest device's
 * index.
 */
struct net_addr {
	struct gcfg_addr addr;		/* flags: all IFA_F_* that the kernel told */
	struct net_raw raw;
};

struct net_route {
	struct gcfg_route route;
	struct gcfg_hop *hops;		/* route.nr_hops of them; one for an ordinary route */
	bool kernel_made;		/* RTPROT_KERNEL: follows from an address */
	bool encap;			/* wraps packets up (MPLS, segments): not handed over */
	bool congestion;		/* names a congestion control: the guest uses its own */
	/* by a nexthop object that is not told (net.ipv4.nexthop_compat_mode=0): not handed over */
	bool hidden;
	struct net_raw raw;
};

struct net_neigh {
	struct gcfg_neigh neigh;	/* state: all NUD_* bits; mac zeros where there is none */
	bool proxy;			/* NTF_PROXY: an address that the namespace answers for */
	struct net_raw raw;
};

struct net_rule {
	struct gcfg_rule rule;
	bool odd;			/* it asks for what a gcfg_rule cannot say */
};

struct net_setting {
	int link;			/* 0: of the namespace */
	char *text;			/* "net/ipv4/tcp_keepalive_time=600" */
};

/*
 * Everything in the namespace, in the kernel's order: links; IPv4 and IPv6 addresses; routes of all
 * tables, but of those that the kernel makes in table local only the ones that have an order among
 * several interfaces; neighbours: permanent ones, proxies, and whatever is known of a default
 * route's gateway; policy rules of both families, the kernel's own three among them; settings that
 * are not the kernel's default (net/settings.h).
 */
struct net_survey {
	uint64_t netns;			/* inode number of the namespace, which may be reused */
	uint64_t cookie;		/* its SO_NETNS_COOKIE, which is not; 0: an older kernel */
	/* CLOCK_BOOTTIME of the survey: address lifetimes count from here */
	uint64_t boottime_ms;
	struct net_link *links;
	size_t nr_links;
	struct net_addr *addrs;
	size_t nr_addrs;
	struct net_route *routes;
	size_t nr_routes;
	struct net_neigh *neighs;
	size_t nr_neighs;
	struct net_rule *rules;
	size_t nr_rules;
	struct net_setting *settings;
	size_t nr_settings;
	/* by net_forward_survey() and net_share_survey(), not by net_survey() */
	struct net_forward_facts loopback;
	struct net_share_ports ports;
	struct net_share_guests guests;	/* by net_survey_adopt() */
};

/*
 * Fill in *@out, which need not be initialised. On success free it with net_survey_free().
 * Returns 0, or a negative errno with @e filled in (then *@out is empty, freeing it is allowed):
 * -EBADMSG for a malformed reply, -E2BIG beyond 65536 objects of a kind.
 */
int net_survey(struct net_survey *out, struct err *e);
void net_survey_free(struct net_survey *s);

/* Is it the same namespace? */
bool net_survey_is_same(const struct net_survey *now, const struct net_survey *was);

/*
 * @record is of another container, which may have a guest in this namespace. If it shares the
 * interfaces, then so can a further one: its number is noted in @s, and what it has changed is told
 * as it was before, so that whoever of them is deleted last restores that. A record of another
 * namespace, or of a guest that shares nothing, changes nothing. Returns 0 or -errno, as
 * net_record_read().
 */
int net_survey_adopt(struct net_survey *s, const char *record, struct err *e);

/* The link with this index, or NULL. Borrowed from @s. */
const struct net_link *net_survey_link(const struct net_survey *s, int index);

/* ---- plan: what will be done -------------------------------------------------------------- */

enum net_mode {
	NET_MODE_TC,			/* redirected by tc, both ways, to and from a tap */
	NET_MODE_BRIDGE,		/* the interface and a tap are ports of a bridge */
	NET_MODE_MACVTAP,		/* a macvtap on the interface, mode passthru */
	NET_MODE_PACKET,		/* a packet socket; the namespace's kernel sees nothing */
	/* Only in a request: the first of these that works there (net/choose.c). */
	NET_MODE_AUTO,
};

enum net_mac {
	NET_MAC_ADOPT,			/* the guest gets the interface's original MAC */
	NET_MAC_RANDOM,			/* it gets a new one: shows the blog post's failure */
};

/*
 * "tc", "bridge", "macvtap", "packet", "auto"; "adopt", "random". The parsers return false for any
 * other text.
 */
const char *net_mode_name(enum net_mode mode);
const char *net_mac_name(enum net_mac mac);
bool net_mode_parse(const char *text, enum net_mode *mode);
bool net_mac_parse(const char *text, enum net_mac *mac);

/* What this host's kernel can do, for mode auto. Found by net_probe(). */
struct net_host {
	bool tun;			/* /dev/net/tun makes a tap */
	bool clsact;			/* qdisc clsact, and a filter with act_mirred */
	bool bridge;
	bool macvtap;
	bool packet;			/* a packet socket with a virtio header */
};

struct net_request {
	enum net_mode mode;
	enum net_mac mac;
	struct net_host host;		/* mode auto: from net_probe(); otherwise not looked at */
	/* where new MACs come from, so that net_plan() stays pure */
	uint8_t entropy[16];
	/* a Solo5 guest: taps carry bare Ethernet frames, no virtio header and no offloads */
	bool bare_frames;
	/* the operator lets the guest send under any MAC and address: no guard (net/guard.h) */
	bool unguarded;
	/* mode tc: the namespace's kernel keeps its network at the interfaces (net/share.h) */
	bool shared;
	uint32_t max_ports;		/* as many as the guest has devices; 0: NABLA_LAUNCH_NETS */
};

/* Mode tc, MAC adopted, fresh entropy. Returns 0 or -errno with @e filled in. */
int net_request_init(struct net_request *r, struct err *e);

/*
 * Try it out in a network namespace of its own, which is gone afterwards: in a child process, as
 * the caller's namespace must not be touched. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN. Returns 0, or
 * -errno if nothing can be tried.
 */
int net_probe(struct net_host *host, struct err *e);

/* How one interface of the namespace is connected to one guest device. */
struct net_port {
	int index;			/* of the interface in the namespace */
	char name[16];			/* its name, which the guest's device gets as well */
	enum net_mode mode;		/* never NET_MODE_AUTO */
	const char *why;		/* mode auto's reason, constant; NULL: asked for */
	enum net_mac mac_mode;
	uint32_t mtu;
	uint32_t host_flags;		/* its IFF_* before the change */
	bool ipv6;			/* IPv6 must be disabled on it */
	bool clsact;			/* has an ingress or clsact qdisc already */
	/* VLAN interfaces are on it: what has a tag is theirs, and not taken */
	bool vlans;
	bool bare_frames;		/* as in struct net_request */
	bool unguarded;			/* likewise */
	bool shared;			/* likewise */
	bool accept_dad;		/* shared: it is on, and must not be meanwhile */
	bool slaac;			/* router advertisements give the guest further addresses */
	uint8_t host_mac[6];		/* its original MAC */
	uint8_t new_mac[6];		/* bridge and adopt: what the interface gets instead */
	uint8_t bridge_mac[6];		/* bridge: the bridge's own */
	uint8_t guest_mac[6];
	char tap[16];			/* names that were free at the survey; "" in mode packet */
	char bridge[16];		/* "" in all modes but bridge */
};

/*
 * ports[i] belongs to links[i], whose index is i. Addresses, routes, hops and neighbours name guest
 * devices by that index. Routes come in an order in which each can be added: those without a
 * gateway first. hops are stored in the order of the routes: a route's hops follow those of the
 * route before.
 */
struct net_plan {
	struct net_port ports[NABLA_LAUNCH_NETS];
	struct gcfg_link links[NABLA_LAUNCH_NETS];
	size_t nr_ports;		/* 0: the container has no network */
	struct gcfg_addr *addrs;
	size_t nr_addrs;
	struct gcfg_route *routes;
	size_t nr_routes;
	struct gcfg_hop *hops;
	size_t nr_hops;
	struct gcfg_neigh *neighs;
	size_t nr_neighs;
	/* all of a family that has others than the kernel's own three; otherwise none */
	struct gcfg_rule *rules;
	size_t nr_rules;
	char **sysctls;			/* for GCFG_SYSCTL: "-net/ipv4/tcp_fin_timeout=30" */
	size_t nr_sysctls;
	char **notices;			/* one line each: what is not handed over, and why */
	size_t nr_notices;
	struct net_forward forward;	/* the pod's loopback */
	struct net_share share;		/* off unless a port is shared */
};

/*
 * Pure. Every Ethernet interface that is up, has carrier and an address beyond IPv6 link-local
 * becomes a guest device, the one with the default route first, up to NABLA_LAUNCH_NETS; anything
 * else that carries an address gets a notice. A namespace without such an interface gives an empty
 * plan, but for the loopback's part. *@out need not be initialised. On success free it with
 * net_plan_free().
 * Returns 0, or -errno with @e filled in (then *@out is empty): -EOPNOTSUPP where the mode cannot
 * be had (net/choose.h), -ENOMEM.
 */
int net_plan(const struct net_survey *s, const struct net_request *r, struct net_plan *out,
	     struct err *e);
void net_plan_free(struct net_plan *p);

/* ---- record, apply, restore --------------------------------------------------------------- */

/*
 * *@json becomes a JSON text, the caller's to free(), from which net_restore() brings back what @p
 * will change. For an empty plan it is a valid record that restores nothing.
 * Returns 0 or -errno with @e filled in.
 */
int net_record(const struct net_survey *s, const struct net_plan *p, char **json, struct err *e);

/*
 * Carry out @p, in an order that loses and leaks no frame. nets[0..*@nr-1] are filled in; their
 * descriptors (tap, macvtap or packet socket, vnet_hdr of 10 bytes or, with bare_frames, none
 * (vnet_hdr_len 0), non-blocking, close-on-exec) are the caller's to close.
 * A tap lives as long as its descriptor. Returns 0 or -errno with @e filled in; then no descriptor
 * is handed out, and the caller must call net_restore() with the record.
 */
int net_apply(const struct net_plan *p, struct nabla_net nets[NABLA_LAUNCH_NETS], unsigned int *nr,
	      struct err *e);

/*
 * Bring the namespace back to what @record says: links made for the guest are deleted; MAC, MTU,
 * flags, settings, addresses with their flags and remaining lifetimes, routes, and permanent
 * neighbours are put back in their order. Idempotent, from any state in which net_apply() or
 * net_restore() was interrupted. Another namespace than the recorded one, or an interface that is
 * gone, needs no restoring: success. With @others there are other guests that share the namespace:
 * only this one's links and filters go.
 * Returns 0, or -errno with @e filled in: -EINVAL for a record that is none; otherwise as much as
 * possible has been restored, @e names all that could not be and why, and the call may be repeated.
 */
int net_restore(const char *record, bool others, struct err *e);

/* What the record of another container says about one's own. */
enum net_meeting {
	NET_MEETING_NONE,		/* nothing; or one of the two is no record */
	NET_MEETING_SHARED,		/* the guests share one namespace's interfaces */
	/*
	 * The other one got, later, all the interfaces that this record has, and found them as this
	 * one had: what it had changed was restored by then, or never came to be. Restoring it
	 * would take the other's.
	 */
	NET_MEETING_OVER
};
enum net_meeting net_record_meeting(const char *own, const char *other);

#endif
