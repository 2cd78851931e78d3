/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each way to end: exit with the number of the command line, or "abort", "fault" (a read of an
 * address that is not mapped), "stack" (too deep), "undefined", "sleep" (for ever), "spin".
 */
#include "solo5.h"

SOLO5_NO_DEVICES;

static bool is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static int deep(volatile int *above)
{
	volatile int here[256];

	here[0] = *above + 1;
	return here[0] ? deep(here) + here[0] : 0;
}

int solo5_main(const char *cmdline)
{
	volatile int zero = 0;
	int status = 0;

	if (is(cmdline, "abort"))
		solo5_abort();
	if (is(cmdline, "fault"))
		return *(volatile int *)(uintptr_t)0x1000;
	if (is(cmdline, "stack"))
		return deep(&zero);
	if (is(cmdline, "undefined"))
		__asm__ volatile("ud2");
	if (is(cmdline, "sleep") || is(cmdline, "spin"))
		solo5_print("waiting\n");
	while (is(cmdline, "sleep"))
		solo5_yield(SOLO5_FOREVER);
	while (is(cmdline, "spin"))
		zero = 0;
	for (; *cmdline >= '0' && *cmdline <= '9'; cmdline++)
		status = 10 * status + *cmdline - '0';
	return status;
}
