/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As many devices as a manifest has room for: 63 disks, each read and written; "d00" has byte 1...
 */
#include "solo5.h"

#define DISK(n) SOLO5_BLOCK_DEVICE("d" n)
#define TEN(n) DISK(n "0"), DISK(n "1"), DISK(n "2"), DISK(n "3"), DISK(n "4"), DISK(n "5"), \
	       DISK(n "6"), DISK(n "7"), DISK(n "8"), DISK(n "9")

SOLO5_DEVICES(TEN("0"), TEN("1"), TEN("2"), TEN("3"), TEN("4"), TEN("5"), DISK("60"), DISK("61"),
	      DISK("62"));

static uint8_t data[512];

int solo5_main(const char *cmdline)
{
	(void)cmdline;
	for (unsigned int i = 0; i < 63; i++) {
		char name[4] = { 'd', (char)('0' + i / 10), (char)('0' + i % 10), '\0' };
		unsigned int disk = solo5_block(name);

		if (!disk || !solo5_block_read(disk, 0, data) || data[0] != i + 1)
			return (int)i + 1;
		data[0] = (uint8_t)(100 + i);
		if (!solo5_block_write(disk, 512, data))
			return (int)i + 101;
	}
	solo5_print("63 disks\n");
	return 0;
}
