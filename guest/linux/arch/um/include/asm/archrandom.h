/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Randomness: seeded at launch with getrandom(2), before confinement; later from the CPU, whose
 * instruction needs no call to the host.
 */
#ifndef __ASM_UM_ARCHRANDOM_H__
#define __ASM_UM_ARCHRANDOM_H__

#include <linux/types.h>

extern bool nabla_has_rdrand;

static inline bool nabla_rdrand(unsigned long *v)
{
	unsigned int tries = 10;
	bool ok;

	do {
		asm volatile("rdrand %[out]" : "=@ccc" (ok), [out] "=r" (*v));
	} while (!ok && --tries);
	return ok;
}

static inline size_t __must_check arch_get_random_longs(unsigned long *v, size_t max_longs)
{
	return max_longs && nabla_has_rdrand && nabla_rdrand(v) ? 1 : 0;
}

static inline size_t __must_check arch_get_random_seed_longs(unsigned long *v, size_t max_longs)
{
	return 0;
}

#endif
