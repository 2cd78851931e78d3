/* SPDX-License-Identifier: GPL-2.0-only */
/* The smallest one: says hello and its command line, and ends. */
#include "solo5.h"

SOLO5_NO_DEVICES;

int solo5_main(const char *cmdline)
{
	solo5_print("hello");
	if (cmdline[0]) {
		solo5_print(", ");
		solo5_print(cmdline);
	}
	solo5_print("\n");
	return 0;
}
