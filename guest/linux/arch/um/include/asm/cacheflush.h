/* SPDX-License-Identifier: GPL-2.0-only */
/* No caches to flush; vmalloc mappings are made and dropped at once. */
#ifndef __UM_ASM_CACHEFLUSH_H
#define __UM_ASM_CACHEFLUSH_H

#include <asm/tlbflush.h>
#define flush_cache_vmap nabla_tlb_sync_kernel
#define flush_cache_vmap_early nabla_tlb_sync_kernel
#define flush_cache_vunmap(start, end) do {} while (0)

#include <asm-generic/cacheflush.h>
#endif
