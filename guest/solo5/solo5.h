/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Solo5's spt ABI, for unikernels in C: what the tender gives and what may be asked of the host.
 *
 * A unikernel is bindings.c, linked by guest.lds, and a file with solo5_main(). Its devices are
 * named by SOLO5_DEVICES:
 *
 *	#include "solo5.h"
 *	SOLO5_DEVICES(SOLO5_NET_DEVICE("service"), SOLO5_BLOCK_DEVICE("storage"));
 *	int solo5_main(const char *cmdline) { solo5_print("hello\n"); return 0; }
 */
#ifndef GUEST_SOLO5_H
#define GUEST_SOLO5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The guest's own program; its return value is the exit status. */
int solo5_main(const char *cmdline);

void solo5_exit(int status) __attribute__((noreturn));
void solo5_abort(void) __attribute__((noreturn));	/* status 255 */

void solo5_write(const char *text, size_t len);		/* to the console */
void solo5_print(const char *text);
void solo5_print_number(uint64_t n);

uint64_t solo5_monotonic(void);				/* nanoseconds */
uint64_t solo5_wall(void);				/* nanoseconds since 1970 */

/*
 * Sleep until @deadline (solo5_monotonic()) or until a network device has a frame. Returns a set of
 * bits, 1 << handle for each such device; 0 after the deadline.
 */
uint64_t solo5_yield(uint64_t deadline);
#define SOLO5_FOREVER UINT64_MAX			/* a deadline that never comes */

/*
 * Devices by their names in the manifest: a handle from 1 on, or 0 if there is none of that type.
 */
unsigned int solo5_net(const char *name);
unsigned int solo5_block(const char *name);

struct solo5_net_info {
	uint8_t mac[6];
	uint16_t mtu;
};
struct solo5_block_info {
	uint64_t capacity;				/* bytes */
	uint16_t block_size;
};
struct solo5_net_info solo5_net_info(unsigned int net);
struct solo5_block_info solo5_block_info(unsigned int block);

/* A frame: its length, or 0 if there is none. */
size_t solo5_net_read(unsigned int net, void *frame, size_t size);
bool solo5_net_write(unsigned int net, const void *frame, size_t len);

/* One block at @offset, a multiple of the block size inside the capacity; else false. */
bool solo5_block_read(unsigned int block, uint64_t offset, void *data);
bool solo5_block_write(unsigned int block, uint64_t offset, const void *data);

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);

/* Memory between the guest's image and its stack. */
extern char *solo5_heap;
extern size_t solo5_heap_size;

/* A host call as it is; for guests that try what they may not. */
long solo5_call(long nr, long a, long b, long c, long d, long e, long f);

/* The boot information and manifest, as the tender writes them. */
struct solo5_boot_info {
	uint64_t mem_size;
	uint64_t kernel_end;
	const char *cmdline;
	const struct solo5_mft *manifest;
	int32_t epoll_fd;
	int32_t timer_fd;
};
extern const struct solo5_boot_info *solo5_boot;

struct solo5_mft_entry {
	char name[68];
	uint32_t type;
	union {
		struct solo5_block_info block;
		struct solo5_net_info net;
	};
	union {
		int32_t fd;
		uint64_t fd_space;
	};
	bool attached;
	uint8_t padding[7];
};
struct solo5_mft {
	uint32_t version;
	uint32_t entries;
	struct solo5_mft_entry entry[];
};
_Static_assert(sizeof(struct solo5_mft_entry) == 104, "spt ABI");

#define SOLO5_TYPE_BLOCK	1u
#define SOLO5_TYPE_NET		2u
#define SOLO5_TYPE_FIRST	(1u << 30)

/*
 * The notes. Each is in a section, and by guest.lds in a program header, of its own. The manifest
 * is aligned to 8, behind 4 bytes that count.
 */
#define SOLO5_NET_DEVICE(n)	{ .name = n, .type = SOLO5_TYPE_NET }
#define SOLO5_BLOCK_DEVICE(n)	{ .name = n, .type = SOLO5_TYPE_BLOCK }

#define SOLO5_ENTRIES(...) \
	(sizeof((const struct solo5_mft_entry[]){ __VA_ARGS__ }) / sizeof(struct solo5_mft_entry))

#define SOLO5_DEVICES(...) \
	static const struct __attribute__((packed, aligned(8))) { \
		uint32_t namesz, descsz, type; \
		char name[8]; \
		uint32_t pad, version, entries; \
		struct solo5_mft_entry entry[1 + SOLO5_ENTRIES(__VA_ARGS__)]; \
	} solo5_manifest_note __attribute__((section(".note.solo5.manifest"), used)) = { \
		6, 12 + 104 * (1 + SOLO5_ENTRIES(__VA_ARGS__)), 0x3154464d, "Solo5", 0, 1, \
		1 + SOLO5_ENTRIES(__VA_ARGS__), \
		{ { .type = SOLO5_TYPE_FIRST }, __VA_ARGS__ } \
	}

/* For a unikernel without devices. */
#define SOLO5_NO_DEVICES \
	static const struct __attribute__((packed, aligned(8))) { \
		uint32_t namesz, descsz, type; \
		char name[8]; \
		uint32_t pad, version, entries; \
		struct solo5_mft_entry entry[1]; \
	} solo5_manifest_note __attribute__((section(".note.solo5.manifest"), used)) = { \
		6, 12 + 104, 0x3154464d, "Solo5", 0, 1, 1, { { .type = SOLO5_TYPE_FIRST } } \
	}

#endif
