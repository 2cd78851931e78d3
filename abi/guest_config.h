/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest configuration: what the guest's init (PID 1 inside the Linux guest) must set up and
 * run.
 *
 * The runtime writes it as the file /config into the second cpio archive of the launch record's
 * initrd section: struct gcfg_header, then `count` records, each a struct gcfg_record followed by
 * `len` bytes and padding with zeros to a multiple of 8. Records are applied in the order in which
 * init needs them, not in file order, except that records of one type keep their order. Strings in
 * payloads are NUL-terminated. Unknown types are an error (both ends come from one build).
 *
 * Freestanding C11: host and guest both include this file. Integers are little-endian; addresses
 * are in network byte order, IPv4 in the first 4 bytes of the 16.
 */
#ifndef NABLA_GUEST_CONFIG_H
#define NABLA_GUEST_CONFIG_H

#include <stdint.h>

#define GCFG_MAGIC	"nablacf"	/* with its NUL: 8 bytes */
#define GCFG_VERSION	1u
#define GCFG_PATH	"/config"
#define GCFG_MAX_SIZE	(16u << 20)

struct gcfg_header {
	char magic[8];
	uint32_t version;
	uint32_t size;			/* header, records and padding, in bytes */
	uint32_t count;
	uint32_t reserved;
};

struct gcfg_record {
	uint16_t type;			/* enum gcfg_type */
	uint16_t reserved;
	uint32_t len;			/* bytes of payload, without padding */
};

enum gcfg_type {
	/* the process */
	GCFG_ARG = 1,			/* string, one each, in order */
	GCFG_ENV,			/* string "NAME=value", one each, in order */
	GCFG_CWD,			/* string, absolute */
	GCFG_USER,			/* struct gcfg_user */
	GCFG_RLIMIT,			/* struct gcfg_rlimit */
	GCFG_CAPS,			/* struct gcfg_caps */
	GCFG_FLAGS,			/* struct gcfg_flags */
	GCFG_OOM_SCORE_ADJ,		/* struct gcfg_oom */
	/* the system */
	GCFG_HOSTNAME = 32,		/* string */
	GCFG_DOMAINNAME,		/* string */
	/* string "net.ipv4.ip_forward=1", dots or slashes; "-...": that it fails does not matter */
	GCFG_SYSCTL,
	/* the root file system */
	GCFG_LAYER = 64,		/* struct gcfg_layer: lowest first */
	GCFG_ROOT,			/* struct gcfg_root */
	GCFG_MOUNT,			/* struct gcfg_mount + 4 strings */
	GCFG_FILE,			/* struct gcfg_file + path string + contents */
	GCFG_DEVICE,			/* struct gcfg_device + path string */
	GCFG_MASKED_PATH,		/* string, absolute */
	GCFG_READONLY_PATH,		/* string, absolute */
	/* the network */
	GCFG_LINK = 96,			/* struct gcfg_link */
	GCFG_ADDR,			/* struct gcfg_addr */
	GCFG_ROUTE,			/* struct gcfg_route + nr_hops struct gcfg_hop */
	GCFG_NEIGH,			/* struct gcfg_neigh */
	GCFG_RULE,			/* struct gcfg_rule: all of a family, if any */
};

struct gcfg_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t umask;			/* octal bits; 0xffffffff: leave 0022 */
	uint32_t nr_groups;		/* additional groups, followed by as many uint32_t */
};

struct gcfg_rlimit {
	uint32_t resource;		/* RLIMIT_* of x86-64 Linux */
	uint32_t reserved;
	uint64_t soft;			/* all ones: unlimited */
	uint64_t hard;
};

struct gcfg_caps {			/* bit N: capability N */
	uint64_t bounding;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t permitted;
	uint64_t ambient;
};

struct gcfg_flags {
	uint32_t flags;			/* GCFG_FLAG_* */
	uint32_t reserved;
};

#define GCFG_FLAG_NO_NEW_PRIVS	0x1
#define GCFG_FLAG_TERMINAL	0x2	/* stdio is NABLA_DEV_TTY */
#define GCFG_FLAG_NO_CAPS	0x4	/* config.json has no capabilities object: keep none */

struct gcfg_oom {
	int32_t adj;
	uint32_t reserved;
};

struct gcfg_layer {
	uint32_t image;			/* index in the launch record */
	uint32_t reserved;
};

struct gcfg_root {
	uint32_t flags;			/* GCFG_ROOT_* */
	uint32_t reserved;
	/* bytes of the writable tmpfs layer; 0: the kernel's default */
	uint64_t upper_size;
};

#define GCFG_ROOT_READONLY	0x1	/* no writable layer, no writes */

struct gcfg_mount {
	uint64_t flags;			/* MS_* of mount(2) */
	uint64_t propagation;		/* MS_SHARED ... or 0 */
	uint32_t reserved[2];
	/* then: type, source, destination (absolute, inside the root), data */
};

struct gcfg_file {			/* a regular file put in place of a bind mount */
	uint32_t mode;			/* permission bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t flags;			/* GCFG_FILE_* */
	uint64_t size;			/* of the contents, which follow the path string at once */
};

#define GCFG_FILE_READONLY	0x1

struct gcfg_device {
	uint32_t mode;			/* S_IFCHR, S_IFBLK or S_IFIFO, with permission bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t major;
	uint32_t minor;
	uint32_t reserved;
};

struct gcfg_link {
	/* of the device in the launch record; the guest's name is there */
	uint32_t index;
	uint32_t mtu;
	uint32_t txqlen;		/* 0: leave */
	uint32_t flags;			/* GCFG_LINK_* */
	uint8_t mac[6];
	uint8_t reserved[2];
	char name[16];
};

#define GCFG_LINK_ANNOUNCE	0x1	/* gratuitous ARP and unsolicited NA for each address */
#define GCFG_LINK_NO_IPV6	0x2	/* disable_ipv6=1 on it */
/* the way to the loopback of the pod's namespace: no ARP; 127.0.0.0/8 and ::1 are taken from it */
#define GCFG_LINK_POD		0x4

struct gcfg_addr {
	uint32_t link;			/* gcfg_link.index */
	uint8_t family;			/* AF_INET 2 or AF_INET6 10 */
	uint8_t prefix;
	uint8_t scope;			/* RT_SCOPE_* */
	uint8_t reserved;
	uint32_t flags;			/* IFA_F_*; IFA_F_NODAD is added by init */
	uint32_t valid_lft;		/* seconds; all ones: forever */
	uint32_t preferred_lft;
	uint8_t local[16];
	uint8_t peer[16];		/* equals local where there is no peer */
	uint8_t broadcast[16];		/* zeros: none */
	uint32_t metric;		/* of the route to its prefix; 0: the kernel's default */
};

struct gcfg_hop {
	uint32_t link;
	uint32_t weight;		/* rtnh_hops: weight - 1 */
	uint32_t flags;			/* RTNH_F_* */
	uint8_t gateway_family;		/* 0: none */
	uint8_t reserved[3];
	uint8_t gateway[16];
};

#define GCFG_METRICS 18			/* RTAX_MAX + 1 of Linux 6.12 */

struct gcfg_route {
	uint8_t family;
	uint8_t dst_prefix;
	uint8_t src_prefix;
	uint8_t tos;
	uint8_t type;			/* RTN_* */
	uint8_t scope;
	uint8_t protocol;
	uint8_t nr_hops;		/* 0 for blackhole and its like */
	uint32_t table;
	uint32_t metric;
	uint32_t mtu;			/* RTAX_MTU; 0: none */
	uint32_t lifetime;		/* IPv6: seconds from now; 0: forever */
	uint8_t dst[16];
	uint8_t src[16];
	uint8_t prefsrc[16];		/* zeros: none */
	/* The others, by RTAX_*; 0: none. RTAX_MTU and RTAX_CC_ALGO are not in it. */
	uint32_t metrics[GCFG_METRICS];
	uint8_t pref;			/* ICMPV6_ROUTER_PREF_* */
	uint8_t padding[3];
};

struct gcfg_neigh {
	uint32_t link;
	uint8_t family;
	uint8_t reserved[3];
	uint8_t addr[16];
	uint8_t mac[6];
	uint16_t state;			/* NUD_PERMANENT or NUD_REACHABLE */
};

/*
 * A policy rule. With the first one of a family come all of that family, in their order, the
 * kernel's own three among them: init removes those of the guest's that are not told.
 */
struct gcfg_rule {
	uint8_t family;
	uint8_t dst_prefix;
	uint8_t src_prefix;
	uint8_t tos;
	uint8_t action;			/* FR_ACT_* */
	uint8_t protocol;		/* RTPROT_* */
	uint8_t ip_proto;		/* 0: any */
	uint8_t reserved;
	uint32_t flags;			/* FIB_RULE_INVERT */
	uint32_t has;			/* GCFG_RULE_*: which of the optional fields are told */
	uint32_t priority;
	uint32_t table;
	uint32_t target;		/* FR_ACT_GOTO: a priority */
	uint32_t mark;
	uint32_t mask;
	uint32_t suppress_prefix;	/* all ones: none */
	uint32_t uid_first;
	uint32_t uid_last;
	uint16_t sport_first;
	uint16_t sport_last;
	uint16_t dport_first;
	uint16_t dport_last;
	char iif[16];			/* "": any */
	char oif[16];
	uint8_t dst[16];
	uint8_t src[16];
};

#define GCFG_RULE_MARK	0x1		/* mark, mask */
#define GCFG_RULE_UIDS	0x2
#define GCFG_RULE_SPORT	0x4
#define GCFG_RULE_DPORT	0x8

_Static_assert(sizeof(struct gcfg_header) == 24, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_record) == 8, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_mount) == 24, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_file) == 24, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_link) == 40, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_addr) == 72, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_hop) == 32, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_route) == 148, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_neigh) == 32, "guest configuration ABI");
_Static_assert(sizeof(struct gcfg_rule) == 120, "guest configuration ABI");

#endif
