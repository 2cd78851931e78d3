/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks go on, a sleep is as long as it says, a deadline that is past costs no timer. */
#include "solo5.h"

SOLO5_NO_DEVICES;

#define MS 1000000ull

int solo5_main(const char *cmdline)
{
	uint64_t begin = solo5_monotonic(), wall = solo5_wall(), now;

	(void)cmdline;
	solo5_yield(begin + 50 * MS);
	now = solo5_monotonic();
	if (now < begin + 50 * MS || now > begin + 5000 * MS)
		solo5_abort();
	if (solo5_wall() < wall + 40 * MS || wall < 1700000000ull * 1000 * MS)
		solo5_abort();
	/* twice more: the timer that was due does not end the next sleep */
	for (int i = 0; i < 2; i++) {
		begin = solo5_monotonic();
		solo5_yield(begin + 20 * MS);
		if (solo5_monotonic() < begin + 20 * MS)
			solo5_abort();
	}
	/* a longer deadline, then a shorter one: each is kept */
	begin = solo5_monotonic();
	solo5_yield(begin + 10 * MS);
	solo5_yield(begin + 60 * MS);
	if (solo5_monotonic() < begin + 60 * MS)
		solo5_abort();
	solo5_yield(solo5_monotonic() + 10 * MS);
	if (solo5_monotonic() > begin + 5000 * MS)
		solo5_abort();
	begin = solo5_monotonic();
	for (int i = 0; i < 1000; i++)
		solo5_yield(begin);
	solo5_print("past deadline: ");
	solo5_print_number((solo5_monotonic() - begin) / 1000);
	solo5_print(" ns\nwall clock: ");
	solo5_print_number(solo5_wall() / (1000 * MS));
	solo5_print("\n");
	return 0;
}
