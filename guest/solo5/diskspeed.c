/* SPDX-License-Identifier: GPL-2.0-only */
/* For bench/solo5: nanoseconds for a read and for a write of one block of "storage", in order. */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_BLOCK_DEVICE("storage"));

#define TIMES 100000u

static uint8_t data[32768] __attribute__((aligned(4096)));

static uint64_t each(bool write, unsigned int disk, struct solo5_block_info b)
{
	uint64_t offset = 0, begin = solo5_monotonic();

	for (unsigned int i = 0; i < TIMES; i++) {
		if (!(write ? solo5_block_write(disk, offset, data)
			    : solo5_block_read(disk, offset, data)))
			solo5_abort();
		offset += b.block_size;
		if (offset == b.capacity)
			offset = 0;
	}
	return (solo5_monotonic() - begin) / TIMES;
}

int solo5_main(const char *cmdline)
{
	unsigned int disk = solo5_block("storage");
	struct solo5_block_info b = solo5_block_info(disk);

	(void)cmdline;
	solo5_print_number(each(false, disk, b));
	solo5_print(" ");
	solo5_print_number(each(true, disk, b));
	solo5_print("\n");
	return 0;
}
