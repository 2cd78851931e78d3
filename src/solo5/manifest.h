/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unikernel's manifest: the devices that it declares. Untrusted; copied, then checked.
 *
 * The same bytes, with the attached devices filled in, are what the guest reads at boot.
 */
#ifndef RUNNC_SOLO5_MANIFEST_H
#define RUNNC_SOLO5_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SOLO5_NAME_MAX		67		/* letters and digits */
#define SOLO5_MANIFEST_ENTRIES	64		/* the reserved first one counts */
#define SOLO5_MANIFEST_VERSION	1u

enum solo5_device { SOLO5_BLOCK = 1, SOLO5_NET = 2, SOLO5_RESERVED_FIRST = 1 << 30 };

struct solo5_manifest_block {
	uint64_t capacity;		/* bytes */
	uint16_t sector_size;		/* bytes */
};

struct solo5_manifest_net {
	uint8_t mac[6];
	uint16_t mtu;
};

struct solo5_manifest_entry {
	char name[SOLO5_NAME_MAX + 1];
	uint32_t type;			/* enum solo5_device */
	union {
		struct solo5_manifest_block block;
		struct solo5_manifest_net net;
	};
	union {
		int32_t fd;
		uint64_t fd_space;
	};
	uint8_t attached;
	uint8_t padding[7];
};

struct solo5_manifest {
	uint32_t version;
	uint32_t entries;
	struct solo5_manifest_entry entry[SOLO5_MANIFEST_ENTRIES];
};

_Static_assert(offsetof(struct solo5_manifest_entry, type) == 68, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, block.capacity) == 72, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, block.sector_size) == 80, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, net.mac) == 72, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, net.mtu) == 78, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, fd) == 88, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest_entry, attached) == 96, "spt ABI");
_Static_assert(sizeof(struct solo5_manifest_entry) == 104, "spt ABI");
_Static_assert(offsetof(struct solo5_manifest, entry) == 8, "spt ABI");

/* 1 to SOLO5_NAME_MAX ASCII letters or digits. */
bool solo5_name_valid(const char *name);

/* Bytes of a manifest with @entries entries. */
size_t solo5_manifest_size(uint32_t entries);

/*
 * Copy @len bytes at @data to *@m and check them: size and version, entry 0 reserved and without a
 * name, each other entry a disk or network device with a valid name of its own, nothing attached.
 * Entries behind the last are zero. Returns 0, or -ENOEXEC with @e.
 */
int solo5_manifest_read(const void *data, size_t len, struct solo5_manifest *m, struct err *e);

/* The entry of that name, or NULL. */
struct solo5_manifest_entry *solo5_manifest_find(struct solo5_manifest *m, const char *name);

/* "disk", "network device". */
const char *solo5_device_name(uint32_t type);

#endif
