/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan: everything that will be done for one container, decided before anything is touched.
 * This is the one place that knows both OCI's words and the words of the plumbing.
 *
 *	bundle + facts + options -> plan_make() -> struct plan
 *	survey of the namespace  -> plan_set_network(), when the namespace is ready
 *
 * plan_make() and plan_set_network() are pure: no system call that sees or changes the host. The
 * plan borrows strings of the bundle and of the facts, which must outlive it.
 */
#ifndef RUNNC_CONTAINER_PLAN_H
#define RUNNC_CONTAINER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle/bundle.h"
#include "container/facts.h"
#include "container/guest.h"
#include "net/net.h"

/*
 * Memory. What the guest gets as its memory is a part of the container's limit: the rest pays for
 * the kernel's own image, the launch record with its files, the host's page tables for guest memory
 * (8 bytes per 4 KiB page, mapped in up to two places: 4 MiB per GiB) and kernel objects.
 */
#define PLAN_MEMORY_UNIT		(UINT64_C(2) << 20)	/* of abi/launch.h */
#define PLAN_MEMORY_MIN			(UINT64_C(64) << 20)
#define PLAN_MEMORY_MAX			(UINT64_C(32) << 30)
#define PLAN_MEMORY_DEFAULT		(UINT64_C(1) << 30)	/* or half of the host's */
#define PLAN_MEMORY_OVERHEAD		(UINT64_C(16) << 20)	/* plus the limit divided by: */
#define PLAN_MEMORY_OVERHEAD_SHARE	128

/*
 * The same for a unikernel, whose process is its memory and little else: page tables, and the
 * kernel's objects of one process.
 */
#define PLAN_SOLO5_MEMORY_UNIT		(UINT64_C(1) << 20)	/* nabla-run's --mem */
#define PLAN_SOLO5_MEMORY_MIN		(UINT64_C(2) << 20)	/* code from 1 MiB on, a stack */
#define PLAN_SOLO5_MEMORY_DEFAULT	(UINT64_C(512) << 20)	/* Solo5's own */
#define PLAN_SOLO5_MEMORY_OVERHEAD	(UINT64_C(1) << 20)
#define PLAN_SOLO5_MEMORY_OVERHEAD_SHARE 512

/* Files that are copied into the guest in place of bind mounts. */
#define PLAN_FILE_MAX			(1u << 20)	/* one bind-mounted file */
#define PLAN_VOLUME_MAX			(8u << 20)	/* one directory (volumes=copy) */

#define PLAN_DEFAULT_UID		65534u

/* Annotations of ours; any other that starts with PLAN_ANNOTATION is refused. */
#define PLAN_ANNOTATION			"org.runnc."
#define PLAN_ANNOTATION_NET_MODE	"org.runnc.net.mode"	/* tc | ... | auto */
#define PLAN_ANNOTATION_NET_MAC		"org.runnc.net.mac"	/* adopt | random */
#define PLAN_ANNOTATION_NET_LOOPBACK	"org.runnc.net.loopback"	/* pod | none */
#define PLAN_ANNOTATION_NET_SIDECARS	"org.runnc.net.sidecars"	/* keep | none */
#define PLAN_ANNOTATION_MEMORY		"org.runnc.memory"	/* bytes, or with K, M, G behind */
#define PLAN_ANNOTATION_UID		"org.runnc.uid"		/* host user and group id */
#define PLAN_ANNOTATION_VOLUMES		"org.runnc.volumes"	/* copy */

/*
 * Of a unikernel: the disk with the name NAME in its manifest is
 *	org.runnc.block.NAME = PATH[,ro][,sector=N][,mount=DIR]	a file in the root
 *	org.runnc.block.NAME = root:erofs | root:iso9660 [,...]		the root itself, read-only
 * and words of solo5_args.h.
 */
#define PLAN_ANNOTATION_BLOCK		"org.runnc.block."
#define PLAN_ANNOTATION_SUBSTITUTE	"org.runnc.solo5.substitute"	/* true */
#define PLAN_ANNOTATION_IPV6		"org.runnc.solo5.ipv6"		/* true */

/*
 * One of the annotations above, for `runnc features`; one that ends in "*" stands for all that
 * begin so. NULL behind the last one.
 */
const char *plan_annotation_name(size_t index);

/* A mount that the guest's init makes. */
struct plan_mount {
	const char *destination;
	const char *type;
	const char *source;
	char *data;
	uint64_t flags;			/* MS_* */
	uint64_t propagation;
};

/* A regular file that the guest gets a copy of. Its contents are read at create. */
struct plan_file {
	char *destination;
	char *source;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	bool readonly;
	uint64_t size;			/* of the facts: only for printing */
};

enum plan_disk_kind {
	PLAN_DISK_FILE,			/* a file in the root; a copy of it, unless read-only */
	PLAN_DISK_EROFS,		/* the root as an EROFS image */
	PLAN_DISK_ISO9660		/* the root as an ISO 9660 image */
};

#define PLAN_DISK_SECTOR	512u	/* default sector size */
#define PLAN_DISK_SECTOR_MAX	32768u

struct plan_disk {
	const char *name;		/* in the manifest */
	enum plan_disk_kind kind;
	char *path;			/* in the root; NULL: the root itself */
	bool readonly;
	uint32_t sector;		/* bytes, a power of two */
	char *mount;			/* rumprun: where to mount it; NULL: nowhere */
};

/* What only a unikernel has. Its devices are in the manifest's order. */
struct plan_solo5 {
	const char *binary;		/* path in the root */
	bool entry_point;		/* it is what process.args[0] names */
	const char *urunc_cmdline;	/* NULL: none */
	const char *dns;		/* "" if none is known */
	const char *nets[NABLA_LAUNCH_NETS];
	size_t nr_nets;
	struct plan_disk *disks;
	size_t nr_disks;
	bool substitute;
	bool ipv6;
};

enum plan_network {
	PLAN_NETWORK_NONE,		/* no namespace of its own: no network */
	PLAN_NETWORK_LATER,		/* a new namespace, which hooks may fill during create */
	PLAN_NETWORK_SURVEYED		/* plan_set_network() was called */
};

struct plan {
	const struct bundle *bundle;
	struct guest_choice guest;
	struct plan_solo5 solo5;	/* if guest.kind is GUEST_SOLO5 */

	uint32_t host_uid;		/* and group, as the process's user namespace calls it */
	bool mem_limited;		/* resources.memory.limit is there: */
	uint64_t mem_limit;
	uint64_t mem_size;		/* the guest's memory */

	struct plan_mount *mounts;
	size_t nr_mounts;
	struct plan_file *files;
	size_t nr_files;
	const struct bundle_device **devices;	/* those that the guest would not have by itself */
	size_t nr_devices;
	const char **masked;		/* beside the bundle's: /dev/null is bound there */
	size_t nr_masked;

	struct net_request net_request;	/* its entropy is the caller's business */
	bool loopback;			/* the pod's is to be looked at, and connected */
	enum plan_network network;
	struct net_plan net;		/* empty unless PLAN_NETWORK_SURVEYED */

	/* Images of the root, lowest first: 1, unless create finds an overlay's layers. */
	unsigned int nr_layers;

	const char *cmdline;		/* the guest kernel's */
	char hostname[NS_HOSTNAME_MAX + 1];	/* empty: the guest's own */

	/* What is accepted and done differently from a plain container, one line each. */
	char **notes;
	size_t nr_notes;
};

struct plan_options {
	const char *net_mode;		/* --net-mode: wins over the annotation; NULL: not given */
	/* the operator's consent, never the bundle's: CAP_NET_RAW or _ADMIN is not guarded then */
	bool allow_spoofing;
	bool debug;			/* --debug: let the guest's kernel speak */
};

/*
 * Decide. *@p is filled in and the caller's, to be given to plan_free() in either case. @facts must
 * be of the same bundle, with trees if plan_wants_trees(). Returns 0, or -EINVAL for what cannot be
 * done (the message names it), or -ENOMEM.
 */
int plan_make(const struct bundle *b, const struct facts *facts, const struct plan_options *options,
	      struct plan *p, struct err *e);

/* The bundle asks for copies of directories, so the facts must list them. */
bool plan_wants_trees(const struct bundle *b);

/*
 * Add what was found in the container's network namespace. Returns 0, -ENOMEM, or -EINVAL if a
 * unikernel has more network devices than there are interfaces.
 */
int plan_set_network(struct plan *p, const struct net_survey *survey, struct err *e);

void plan_free(struct plan *p);
#define _autoplan_ __attribute__((cleanup(plan_free)))

#endif
