/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disk "storage": prints its size and the first byte of its first and last block; writes a pattern
 * to the second block and reads it again ("read-only": the write must fail); what is outside or not
 * aligned is refused.
 */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_BLOCK_DEVICE("storage"));

static uint8_t data[32768];

int solo5_main(const char *cmdline)
{
	unsigned int disk = solo5_block("storage");
	struct solo5_block_info b = solo5_block_info(disk);
	bool read_only = cmdline[0] == 'r';

	solo5_print_number(b.capacity);
	solo5_print(" bytes, blocks of ");
	solo5_print_number(b.block_size);
	if (!solo5_block_read(disk, 0, data))
		return 1;
	solo5_print(": ");
	solo5_print_number(data[0]);
	if (!solo5_block_read(disk, b.capacity - b.block_size, data))
		return 2;
	solo5_print(" ");
	solo5_print_number(data[b.block_size - 1]);
	solo5_print("\n");
	for (unsigned int i = 0; i < b.block_size; i++)
		data[i] = (uint8_t)('A' + i % 26);
	if (solo5_block_write(disk, b.block_size, data) == read_only)
		return 3;
	data[1] = 0;
	if (!solo5_block_read(disk, b.block_size, data) || (data[1] == 'B') == read_only)
		return 4;
	return solo5_block_read(disk, b.capacity, data) || solo5_block_read(disk, 1, data) ? 5 : 0;
}
