/* SPDX-License-Identifier: GPL-2.0-only */
/* Rewritten system call sites of an address space (rewrite.c). */
#ifndef NABLA_REWRITE_H
#define NABLA_REWRITE_H

#include <asm/mmu.h>

/*
 * fork: @context is a byte copy of the parent's; give it a table of its own with the same contents.
 * exec: it is all zeros. Returns 0 or -ENOMEM.
 */
int nabla_stubs_copy(mm_context_t *context);
void nabla_stubs_put(mm_context_t *context);

#endif
