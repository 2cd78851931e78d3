/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory in this process: what is mapped, filled in, protected. */
#include "tender/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define MEM (4u << 20)

static FILE *file;
static struct err e;

static uint8_t *at(uint64_t address) { return (uint8_t *)(uintptr_t)address; }

/* 16 KiB in which byte n is the number of its page, and not 0. */
static int make_file(void **state)
{
	(void)state;
	file = tmpfile();
	for (int i = 0; file && i < 0x4000; i++)
		fputc(1 + i / 0x1000, file);
	return file && fflush(file) == 0 ? 0 : -1;
}

static int map(void **state)
{
	(void)state;
	return tender_memory_map(MEM, &e);
}

static int unmap(void **state)
{
	(void)state;
	return munmap(at(SOLO5_MEM_START), MEM - SOLO5_MEM_START);
}

/* 'r', 'w', 'x' of the page at @address, as the kernel has it. */
static void protection(uint64_t address, const char *wanted)
{
	unsigned long long from, to;
	char line[512], prot[5] = "";
	FILE *maps = fopen("/proc/self/maps", "re");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		char *end;

		from = strtoull(line, &end, 16);
		to = strtoull(end + 1, &end, 16);
		if (address >= from && address < to)
			memcpy(prot, end + 1, 4);
	}
	fclose(maps);
	assert_string_equal(prot, wanted);
}

static void test_segments(void **state)
{
	/* text from page 1 and a half; data whose offset is not congruent; one page of bss each */
	struct solo5_elf elf = {
		.nr_segments = 2,
		.segment = {
			{ .start = 0x100000, .end = 0x104000, .vaddr = 0x100800, .filesz = 0x2000,
			  .offset = 0x800, .exec = true },
			{ .start = 0x104000, .end = 0x107000, .vaddr = 0x104010, .filesz = 0x1800,
			  .offset = 0x2000, .write = true },
		},
	};

	(void)state;
	assert_int_equal(tender_memory_load(&elf, fileno(file), &e), 0);
	/* the file's bytes, and zero around them */
	assert_int_equal(*at(0x1007ff), 0);
	assert_int_equal(*at(0x100800), 1);
	assert_int_equal(*at(0x101000), 2);
	assert_int_equal(*at(0x102000), 3);
	assert_int_equal(*at(0x1027ff), 3);
	assert_int_equal(*at(0x102800), 0);
	assert_int_equal(*at(0x103fff), 0);
	assert_int_equal(*at(0x10400f), 0);
	assert_int_equal(*at(0x104010), 3);
	assert_int_equal(*at(0x105010), 4);
	assert_int_equal(*at(0x10580f), 4);
	assert_int_equal(*at(0x105810), 0);
	protection(0x100000, "r-xp");
	protection(0x101000, "r-xp");
	protection(0x103000, "r-xp");
	protection(0x104000, "rw-p");
	protection(0x106000, "rw-p");
	protection(0x107000, "rw-p");
	/* what the guest writes stays its own */
	*at(0x104010) = 77;
	elf.segment[0] = elf.segment[1];
	elf.nr_segments = 1;
	assert_int_equal(tender_memory_load(&elf, fileno(file), &e), 0);
	assert_int_equal(*at(0x104010), 3);
}

static void test_short_file(void **state)
{
	struct solo5_elf elf = {
		.nr_segments = 1,
		.segment = { { .start = 0x100000, .end = 0x106000, .vaddr = 0x100000,
			       .filesz = 0x5800, .offset = 0x10 } },
	};

	(void)state;
	assert_int_equal(tender_memory_load(&elf, fileno(file), &e), -EIO);
	assert_non_null(strstr(e.text, "load [0x100000, 0x106000)"));
}

static void test_boot_info(void **state)
{
	static char longest[TENDER_CMDLINE_MAX + 1];
	const char *args[] = { "one", "", "two words", NULL };
	const char *too_long[] = { longest, NULL }, *none[] = { NULL };
	struct solo5_elf elf = {.kernel_end = 0x123000, .manifest = {.version = 1, .entries = 2}};
	struct tender_boot_info info;

	(void)state;
	assert_int_equal(tender_memory_boot_info(&elf, MEM, args, 3, 4, &e), 0);
	memcpy(&info, at(0x11000), sizeof(info));
	assert_int_equal(info.mem_size, MEM);
	assert_int_equal(info.kernel_end, 0x123000);
	assert_int_equal(info.manifest, 0x11028);
	assert_int_equal(info.cmdline, 0x11028 + 8 + 2 * 104);
	assert_true(info.epoll_fd == 3 && info.timer_fd == 4);
	assert_memory_equal(at(info.manifest), &elf.manifest, 8 + 2 * 104);
	assert_string_equal((char *)at(info.cmdline), "one  two words");
	assert_int_equal(tender_memory_boot_info(&elf, MEM, none, 3, 4, &e), 0);
	assert_string_equal((char *)at(info.cmdline), "");
	memset(longest, 'a', TENDER_CMDLINE_MAX);
	assert_int_equal(tender_memory_boot_info(&elf, MEM, too_long, 3, 4, &e), -E2BIG);
	longest[TENDER_CMDLINE_MAX - 1] = '\0';
	assert_int_equal(tender_memory_boot_info(&elf, MEM, too_long, 3, 4, &e), 0);
}

static void test_guard(void **state)
{
	struct solo5_elf elf = { .heap_start = MEM - 2 * TENDER_STACK };

	(void)state;
	assert_int_equal(tender_memory_guard(&elf, MEM, &e), 0);
	protection(MEM - TENDER_STACK - 1, "rw-p");
	protection(MEM - TENDER_STACK, "---p");
	protection(MEM - TENDER_STACK + 0x1000, "rw-p");
}

static void test_no_guard(void **state)
{
	struct solo5_elf elf = { .heap_start = MEM - 2 * TENDER_STACK + 0x1000 };

	(void)state;
	assert_int_equal(tender_memory_guard(&elf, MEM, &e), 0);
	protection(MEM - TENDER_STACK, "rw-p");
}

static void test_in_use(void **state)
{
	(void)state;
	assert_true(tender_memory_map(MEM, &e) < 0);
	assert_non_null(strstr(e.text, "map 4 MiB of guest memory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_segments, map, unmap),
		cmocka_unit_test_setup_teardown(test_short_file, map, unmap),
		cmocka_unit_test_setup_teardown(test_boot_info, map, unmap),
		cmocka_unit_test_setup_teardown(test_guard, map, unmap),
		cmocka_unit_test_setup_teardown(test_no_guard, map, unmap),
		cmocka_unit_test_setup_teardown(test_in_use, map, unmap),
	};

	return cmocka_run_group_tests_name("tender-memory", tests, make_file, NULL);
}
