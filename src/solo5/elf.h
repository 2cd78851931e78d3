/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Solo5 unikernel's ELF file: is it one, for which target, what is loaded where.
 *
 * The file is untrusted: every offset and size is checked before it is used, with overflow checks.
 * Nothing is mapped, and nothing of the file stays referenced: all results are copies.
 */
#ifndef RUNNC_SOLO5_ELF_H
#define RUNNC_SOLO5_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "solo5/manifest.h"

#define SOLO5_PAGE		4096u
#define SOLO5_MEM_START		0x10000u	/* below it nothing is mapped */
#define SOLO5_GUEST_MIN		0x100000u	/* the lowest address of a segment */

/* Targets of the ABI note. */
enum solo5_target {
	SOLO5_HVT = 1, SOLO5_SPT = 2, SOLO5_VIRTIO = 3, SOLO5_MUEN = 4, SOLO5_GENODE = 5,
	SOLO5_XEN = 6,
};

/* a named condition: an ELF file, or none, without the note */
#define SOLO5_NOT_SOLO5	1

#define SOLO5_SEGMENTS	64		/* loadable, at most; more are refused */
#define SOLO5_PHNUM_MAX	512		/* program headers, at most; more are refused */

/*
 * Where the bytes come from: @read copies exactly @len bytes from @offset to @to and returns 0, or
 * -errno (-EIO if the file ends before). @size is the file's.
 */
struct solo5_source {
	int (*read)(const struct solo5_source *s, uint64_t offset, void *to, size_t len);
	uint64_t size;
	int fd;				/* of solo5_source_fd() */
	const uint8_t *data;		/* of solo5_source_memory() */
};

/*
 * A source that reads @fd (borrowed) with pread. Returns 0, or -errno with @e if it is not a
 * regular file or block device.
 */
int solo5_source_fd(struct solo5_source *s, int fd, struct err *e);

/* A source that reads @len bytes at @data, borrowed. */
void solo5_source_memory(struct solo5_source *s, const void *data, size_t len);

/* What the ABI note says. */
struct solo5_abi {
	/* enum solo5_target, or a number that this page does not know */
	uint32_t target;
	uint32_t version;
};

/* "spt" and so on; "unknown" for another number. */
const char *solo5_target_name(uint32_t target);

/*
 * Is it a Solo5 unikernel, and for which target? For any file, of any machine and size.
 * Returns 0 with *@abi, SOLO5_NOT_SOLO5 (not ELF, or no note: @e is not touched), or -errno with @e
 * (unreadable, or the note is there and malformed).
 */
int solo5_elf_identify(const struct solo5_source *s, struct solo5_abi *abi, struct err *e);

/*
 * One loadable segment. [start, end) are whole pages; [vaddr, vaddr + filesz) is filled from
 * @offset of the file, the rest of the pages is zero.
 */
struct solo5_segment {
	uint64_t start, end;
	uint64_t vaddr, filesz, offset;
	bool write, exec;		/* never both */
};

struct solo5_elf {
	struct solo5_abi abi;		/* spt, version 1 or 2 */
	uint64_t entry;
	/* page-rounded end of the last segment that has file contents */
	uint64_t kernel_end;
	uint64_t heap_start;		/* page-rounded end of the last segment at all, .bss too */
	size_t nr_segments;
	struct solo5_segment segment[SOLO5_SEGMENTS];	/* ascending, no overlap */
	struct solo5_manifest manifest;
};

/*
 * Read and check everything that is needed to load @s as an spt guest into [SOLO5_MEM_START,
 * @mem_size). Returns 0, or -errno with @e: -ENOEXEC for a file that breaks a rule (the text says
 * which), else what reading gave.
 */
int solo5_elf_read(const struct solo5_source *s, uint64_t mem_size, struct solo5_elf *elf,
		   struct err *e);

#endif
