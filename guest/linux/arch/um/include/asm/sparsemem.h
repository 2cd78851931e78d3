/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Struct pages are initialised by sections of 64 MiB (1 MiB of struct pages), when the memory
 * before is used up: see memory.c. Physical addresses go up to the end of the images, which have no
 * struct pages.
 */
#ifndef __UM_SPARSEMEM_H
#define __UM_SPARSEMEM_H

#define SECTION_SIZE_BITS	26
#define MAX_PHYSMEM_BITS	38	/* NABLA_VMALLOC_START - NABLA_KERNEL_START */

#endif
