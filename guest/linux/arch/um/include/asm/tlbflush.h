/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's mappings are the TLB (arch/um/nabla/tlb.c). A flush takes mappings away at the latest
 * before the next entry into user mode.
 */
#ifndef __UM_TLBFLUSH_H
#define __UM_TLBFLUSH_H

#include <linux/mm.h>

void nabla_tlb_flush(struct mm_struct *mm, unsigned long start, unsigned long end);
void nabla_tlb_flush_mm(struct mm_struct *mm);

/* Map or unmap a range of the kernel's vmalloc area as init_mm's tables say. */
void nabla_tlb_sync_kernel(unsigned long start, unsigned long end);

#define flush_tlb_mm(mm)			nabla_tlb_flush_mm(mm)
#define flush_tlb_range(vma, start, end)	nabla_tlb_flush((vma)->vm_mm, start, end)
#define flush_tlb_page(vma, addr) nabla_tlb_flush((vma)->vm_mm, addr, (addr) + PAGE_SIZE)
#define flush_tlb_kernel_range(start, end)	nabla_tlb_sync_kernel(start, end)

static inline void flush_tlb_all(void)
{
	flush_tlb_mm(current->mm);
}

#endif
