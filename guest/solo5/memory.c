/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory is as the ABI says: .bss and heap are zero, data is what it was, all of the heap can be
 * written, as can the stack down to its 512 KiB; boot information and registers are plausible.
 */
#include "solo5.h"

SOLO5_NO_DEVICES;

static char zero[40000];
static char set[5000] = { [0] = 1, [4999] = 2 };

#define CHECK(what)                                           \
	do {                                                  \
		if (!(what)) {                                \
			solo5_print("not true: " #what "\n"); \
			solo5_abort();                        \
		}                                             \
	} while (0)

int solo5_main(const char *cmdline)
{
	volatile char *stack = (char *)(solo5_boot->mem_size - 0x80000 + 0x2000);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	(void)cmdline;
	for (size_t i = 0; i < sizeof(zero); i++)
		CHECK(zero[i] == 0);
	CHECK(set[0] == 1 && set[4999] == 2 && set[1] == 0 && set[2500] == 0);
	CHECK((uintptr_t)solo5_boot == 0x11000);
	CHECK((uintptr_t)solo5_boot->manifest == 0x11028);
	CHECK((uintptr_t)solo5_boot->cmdline == 0x11028 + 8 + 104);
	CHECK(solo5_boot->kernel_end > 0x100000 && solo5_boot->kernel_end % 4096 == 0);
	CHECK(solo5_boot->mem_size % 0x100000 == 0);
	CHECK(here > solo5_boot->mem_size - 4096 && here < solo5_boot->mem_size);
	for (size_t i = 0; i < solo5_heap_size; i += 4096) {
		CHECK(solo5_heap[i] == 0);
		solo5_heap[i] = 1;
	}
	CHECK(solo5_heap + solo5_heap_size == (char *)(solo5_boot->mem_size - 0x80000));
	solo5_heap[solo5_heap_size - 1] = 1;
	*stack = 1;
	/* the pages below the image and the boot information are memory too */
	for (char *p = (char *)0x10000; p < (char *)0x11000; p++)
		CHECK(*(volatile char *)p == 0);
	*(volatile char *)0x10000 = 1;
	*(volatile char *)0xff000 = 1;
	/* the filter was in the stack's first pages: it is wiped */
	for (char *p = (char *)(solo5_boot->mem_size - 3 * 4096); p < (char *)(here - 1024); p++)
		CHECK(*p == 0);
	solo5_print("memory is right, ");
	solo5_print_number(solo5_heap_size);
	solo5_print(" bytes of heap\n");
	return 0;
}
