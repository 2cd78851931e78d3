/* SPDX-License-Identifier: GPL-2.0-only */
/* A unikernel's ELF file, whatever it is: refused with a reason, or a load plan that holds. */
#include <stdlib.h>

#include "solo5/elf.h"

#define MEM (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct solo5_source s;
	struct solo5_abi abi;
	struct solo5_elf elf;
	uint64_t before = SOLO5_GUEST_MIN;
	int ret;

	solo5_source_memory(&s, data, size);
	ret = solo5_elf_identify(&s, &abi, &e);
	require(ret == 0 || ret == SOLO5_NOT_SOLO5 || (ret < 0 && e.text[0]));
	ret = solo5_elf_read(&s, MEM, &elf, &e);
	if (ret != 0) {
		require(ret < 0 && e.text[0]);
		return 0;
	}
	require(elf.abi.target == SOLO5_SPT && elf.entry >= before && elf.entry < MEM);
	require(elf.nr_segments >= 1 && elf.nr_segments <= SOLO5_SEGMENTS);
	for (size_t i = 0; i < elf.nr_segments; i++) {
		const struct solo5_segment *seg = &elf.segment[i];

		require(seg->start >= before && seg->end >= seg->start && seg->end <= MEM);
		require(seg->start % SOLO5_PAGE == 0 && seg->end % SOLO5_PAGE == 0);
		require(seg->vaddr >= seg->start && seg->filesz <= seg->end - seg->vaddr);
		require(seg->offset <= size && seg->filesz <= size - seg->offset);
		require(!(seg->write && seg->exec));
		before = seg->end;
	}
	require(elf.kernel_end == before && elf.heap_start <= MEM);
	require(elf.manifest.entries >= 1 && elf.manifest.entries <= SOLO5_MANIFEST_ENTRIES);
	return 0;
}
