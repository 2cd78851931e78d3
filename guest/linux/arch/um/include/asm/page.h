/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of the Nabla port. */
#ifndef __UM_PAGE_H
#define __UM_PAGE_H

#include <linux/const.h>
#include <asm/layout.h>

#define PAGE_SHIFT	CONFIG_PAGE_SHIFT
#define PAGE_SIZE	(_AC(1, UL) << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#ifndef __ASSEMBLY__

struct page;

#include <linux/pfn.h>
#include <linux/types.h>
#include <asm/vm-flags.h>

/* As in string.S: fast on every CPU of the last ten years. */
static inline void clear_page(void *page)
{
	unsigned long n = PAGE_SIZE;

	asm volatile("rep stosb" : "+D" (page), "+c" (n) : "a" (0) : "memory");
}

static inline void copy_page(void *to, const void *from)
{
	unsigned long n = PAGE_SIZE;

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

/* backing.c */
#define HAVE_ARCH_ALLOC_PAGE
void arch_alloc_page(struct page *page, int order);

#define clear_user_page(page, vaddr, pg)	clear_page((void *)(page))
#define copy_user_page(to, from, vaddr, pg)	copy_page((void *)(to), (void *)(from))

typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long pgd; } pgd_t;
typedef struct { unsigned long pgprot; } pgprot_t;
typedef struct page *pgtable_t;
typedef unsigned long phys_t;

#define pte_val(x)	((x).pte)
#define pmd_val(x)	((x).pmd)
#define pud_val(x)	((x).pud)
#define pgd_val(x)	((x).pgd)
#define pgprot_val(x)	((x).pgprot)

#define __pte(x)	((pte_t) { (x) })
#define __pmd(x)	((pmd_t) { (x) })
#define __pud(x)	((pud_t) { (x) })
#define __pgd(x)	((pgd_t) { (x) })
#define __pgprot(x)	((pgprot_t) { (x) })

/* Guest memory and images are mapped one to one from NABLA_KERNEL_START on. */
#define PAGE_OFFSET	NABLA_KERNEL_START
#define KERNELBASE	PAGE_OFFSET
#define __pa(virt)	((unsigned long)(virt) - PAGE_OFFSET)
#define __va(phys)	((void *)((unsigned long)(phys) + PAGE_OFFSET))

#define phys_to_pfn(p)		((p) >> PAGE_SHIFT)
#define pfn_to_phys(pfn)	PFN_PHYS(pfn)
#define virt_addr_valid(v)	pfn_valid(phys_to_pfn(__pa(v)))

#include <asm-generic/memory_model.h>
#include <asm-generic/getorder.h>

#endif
#endif
