/* SPDX-License-Identifier: GPL-2.0-only */
/* What the Nabla port keeps for an address space. */
#ifndef __ARCH_UM_MMU_H
#define __ARCH_UM_MMU_H

#include <linux/types.h>
#include <linux/bitmap.h>
#include <asm/layout.h>

struct nabla_stubs;

typedef struct mm_context {
	/*
	 * Slots in which this address space may have mappings: owned before user mode is entered.
	 */
	DECLARE_BITMAP(slots, NABLA_SLOTS);
	unsigned int slot;		/* where exec put the program; children of fork share it */
	unsigned long vdso;		/* where exec put the vDSO's text; 0: nowhere */
	bool inherited;			/* copied by fork, init_new_context() has not seen it yet */
	struct nabla_stubs *stubs;	/* rewritten system call sites (rewrite.c), or NULL */
} mm_context_t;

#endif
