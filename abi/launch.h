/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launch record: what the runtime hands to a guest's launch stage.
 *
 * The runtime writes one memory file (memfd): this record at offset 0, then the sections that it
 * names by offset and length. It passes the file as descriptor NABLA_LAUNCH_FD to the launch stage
 * (nabla-linux for the Linux guest), which maps it read-only, lays out memory, confines itself and
 * enters the guest. Descriptors named here are inherited; every other descriptor but 0-2 is closed
 * by the launch stage before it confines itself. Descriptors 0, 1 and 2 are always open.
 *
 * Freestanding C11: host and guest both include this file. Integers are little-endian.
 */
#ifndef NABLA_LAUNCH_H
#define NABLA_LAUNCH_H

#include <stdint.h>

#define NABLA_LAUNCH_MAGIC	"nablaln"	/* with its NUL: 8 bytes */
#define NABLA_LAUNCH_VERSION	1u
#define NABLA_LAUNCH_FD		3

#define NABLA_LAUNCH_NETS	16
#define NABLA_LAUNCH_IMAGES	128
#define NABLA_LAUNCH_CMDLINE	4096	/* longest command line, with its NUL */

/* A byte range of the launch file. An empty section has length 0; the offset is then ignored. */
struct nabla_section {
	uint64_t offset;
	uint64_t length;
};

/* One layer-2 device: a TAP (or macvtap) descriptor opened with IFF_VNET_HDR, non-blocking. */
struct nabla_net {
	int32_t fd;
	uint32_t mtu;			/* 68..65535 */
	uint8_t mac[6];
	uint8_t flags;			/* NABLA_NET_* */
	uint8_t vnet_hdr_len;		/* 10 or 12: what TUNSETVNETHDRSZ was set to */
	char name[16];			/* the name inside the guest, NUL-terminated */
};

#define NABLA_NET_CSUM		0x01	/* the host accepts and delivers partial checksums */
#define NABLA_NET_TSO4		0x02	/* TUN_F_TSO4 set and accepted */
#define NABLA_NET_TSO6		0x04	/* TUN_F_TSO6 set and accepted */
#define NABLA_NET_PORTS		0x08	/* local ports are claimed here: abi/ports.h */

/* One read-only block image, mapped whole by the launch stage: /dev/nabla<index> in the guest. */
struct nabla_image {
	int32_t fd;
	uint32_t reserved;
	uint64_t size;			/* bytes, a multiple of 4096, not 0 */
};

struct nabla_launch {
	char magic[8];
	uint32_t version;
	uint32_t size;			/* sizeof(struct nabla_launch) */
	uint64_t mem_size;		/* guest memory in bytes, a multiple of 2 MiB */
	uint32_t flags;			/* NABLA_LAUNCH_* */
	uint32_t nr_nets;
	uint32_t nr_images;
	uint32_t reserved;
	struct nabla_section cmdline;	/* kernel command line, NUL included in the length */
	/* newc cpio archives, concatenated, offset a multiple of 4096 */
	struct nabla_section initrd;
	struct nabla_net net[NABLA_LAUNCH_NETS];
	struct nabla_image image[NABLA_LAUNCH_IMAGES];
};

/* descriptors 0-2 are one terminal (raw on the host side) */
#define NABLA_LAUNCH_TTY	0x1

_Static_assert(sizeof(struct nabla_section) == 16, "launch ABI");
_Static_assert(sizeof(struct nabla_net) == 32, "launch ABI");
_Static_assert(sizeof(struct nabla_image) == 16, "launch ABI");
_Static_assert(sizeof(struct nabla_launch) == 72 + 16 * 32 + 128 * 16, "launch ABI");

/*
 * How a launched guest ends. The application's own exit status is passed on unchanged; an
 * application that died by signal N gives 128 + N. The launch stage writes one line to descriptor 2
 * before it exits with NABLA_EXIT_LAUNCH; after confinement nothing is written but the guest's own
 * console.
 */
#define NABLA_EXIT_PANIC	255	/* the guest kernel panicked */
#define NABLA_EXIT_LAUNCH	125	/* the launch record or the host's state was unusable */

#endif
