/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One attempt for each claim about confinement, by the first word of the command line; numbers
 * behind it are in hexadecimal. Prints "trying" before; "got through" and status 0 mean that the
 * claim is wrong.
 */
#include "solo5.h"

SOLO5_DEVICES(SOLO5_BLOCK_DEVICE("storage"));

#define STACK_PAGES 0x80000
#define NR_MPROTECT 10
#define NR_CLOCK_GETTIME 228
#define NR_EPOLL_PWAIT 281

static uint8_t data[4096] __attribute__((aligned(4096))) = { 0xc3 };	/* a return instruction */
static const uint8_t constant[64] = { 0xc3 };
static unsigned long number[7];

static void run_at(unsigned long address) { ((void (*)(void))address)(); }
static void write_at(unsigned long address) { *(volatile char *)address = 0; }
static void read_at(unsigned long address) { (void)*(volatile char *)address; }

static long disk(long nr, long size, unsigned long offset)
{
	unsigned int handle = solo5_block("storage");

	return solo5_call(nr, solo5_boot->manifest->entry[handle].fd, (long)data, size,
			  (long)offset, 0, 0);
}

/* A host call by its numbers. */
static void attempt_call(void)
{
	solo5_call((long)number[0], (long)number[1], (long)number[2], (long)number[3],
		   (long)number[4], (long)number[5], (long)number[6]);
}

static void attempt_int80(void)
{
	long nr = (long)number[0];

	__asm__ volatile("int $0x80" : "+a"(nr) : "b"(0) : "memory");
}

static void attempt_write(void) { solo5_call(1, (long)number[0], (long)"x\n", 2, 0, 0, 0); }
static void attempt_read(void) { solo5_call(0, (long)number[0], (long)data, 1, 0, 0, 0); }

/* Length and offset of a transfer; "wdisk" writes. */
static void attempt_rdisk(void) { disk(17, (long)number[0], number[1]); }
static void attempt_wdisk(void) { disk(18, (long)number[0], number[1]); }

static void attempt_mask(void)
{
	solo5_call(NR_EPOLL_PWAIT, solo5_boot->epoll_fd, (long)data, 1, 0, (long)data, 8);
}

static void attempt_clock(void)
{
	solo5_call(NR_CLOCK_GETTIME, (long)number[0], (long)data, 0, 0, 0, 0);
}

static void attempt_protect(void)
{
	solo5_call(NR_MPROTECT, (long)data, sizeof(data), 7, 0, 0, 0);
}

static void attempt_rundata(void) { run_at((unsigned long)data); }
static void attempt_runconst(void) { run_at((unsigned long)constant); }
static void attempt_runheap(void) { solo5_heap[0] = (char)0xc3; run_at((unsigned long)solo5_heap); }
static void attempt_runstack(void)
{
	volatile uint8_t code = 0xc3;

	run_at((unsigned long)&code);
}
static void attempt_writetext(void) { write_at((unsigned long)solo5_main); }
static void attempt_writeconst(void) { write_at((unsigned long)constant); }
static void attempt_guard(void) { write_at(solo5_boot->mem_size - STACK_PAGES + 100); }
static void attempt_run(void) { run_at(number[0]); }
static void attempt_get(void) { read_at(number[0]); }
static void attempt_put(void) { write_at(number[0]); }

static const struct {
	char name[12];
	void (*run)(void);
} attempts[] = {
	{ "call", attempt_call }, { "int80", attempt_int80 }, { "write", attempt_write },
	{ "read", attempt_read }, { "rdisk", attempt_rdisk }, { "wdisk", attempt_wdisk },
	{ "mask", attempt_mask }, { "clock", attempt_clock }, { "protect", attempt_protect },
	{ "rundata", attempt_rundata }, { "runconst", attempt_runconst },
	{ "runheap", attempt_runheap }, { "runstack", attempt_runstack },
	{ "writetext", attempt_writetext }, { "writeconst", attempt_writeconst },
	{ "guard", attempt_guard }, { "run", attempt_run }, { "get", attempt_get },
	{ "put", attempt_put },
};

/* The word at *@text, which is moved behind it and a space. */
static bool word_is(const char *text, const char *word, const char **rest)
{
	while (*word && *text == *word)
		text++, word++;
	if (*word || (*text && *text != ' '))
		return false;
	*rest = *text ? text + 1 : text;
	return true;
}

static void parse_numbers(const char *text)
{
	for (int i = 0; i < 7 && *text; i++) {
		for (; *text && *text != ' '; text++)
			number[i] = number[i] << 4 |
				    (unsigned long)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
		text += *text == ' ';
	}
}

int solo5_main(const char *cmdline)
{
	const char *rest;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (!word_is(cmdline, attempts[i].name, &rest))
			continue;
		parse_numbers(rest);
		solo5_print("trying\n");
		attempts[i].run();
		solo5_print("got through\n");
		return 0;
	}
	solo5_print("no such attempt\n");
	return 1;
}
