/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables of the Nabla port: four levels, 4 KiB pages, huge pages of 2 MiB.
 *
 * The tables are walked by software only (arch/um/nabla/tlb.c copies entries into the host's
 * address space on demand), so the layout of an entry is ours. The host's mappings are a software
 * TLB: generic code calls flush_tlb_*() whenever it takes a right away, exactly as for hardware,
 * and a missing translation is filled at the next fault. No entry records whether the host maps it.
 *
 *	bit 0 present	1 special (no struct page)	2 execute	4 PROT_NONE
 *	bit 5 write	6 user	7 accessed	8 dirty		9 huge (pmd)
 *	bit 10 exclusive (swap entries)
 */
#ifndef __UM_PGTABLE_H
#define __UM_PGTABLE_H

#include <asm/fixmap.h>

#define _PAGE_PRESENT	0x001
#define _PAGE_SPECIAL	0x002
#define _PAGE_EXEC	0x004
#define _PAGE_PROTNONE	0x010	/* with _PAGE_PRESENT clear: mapped PROT_NONE */
#define _PAGE_RW	0x020
#define _PAGE_USER	0x040
#define _PAGE_ACCESSED	0x080
#define _PAGE_DIRTY	0x100
#define _PAGE_HUGE	0x200
#define _PAGE_SWP_EXCLUSIVE	0x400

#include <asm-generic/pgtable-nop4d.h>

#define PGDIR_SHIFT	39
#define PGDIR_SIZE	(1UL << PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))
#define PUD_SHIFT	30
#define PUD_SIZE	(1UL << PUD_SHIFT)
#define PUD_MASK	(~(PUD_SIZE - 1))
#define PMD_SHIFT	21
#define PMD_SIZE	(1UL << PMD_SHIFT)
#define PMD_MASK	(~(PMD_SIZE - 1))

#define HPAGE_SHIFT	PMD_SHIFT
#define HPAGE_SIZE	(1UL << HPAGE_SHIFT)
#define HPAGE_MASK	(~(HPAGE_SIZE - 1))

#define PTRS_PER_PTE	512
#define PTRS_PER_PMD	512
#define PTRS_PER_PUD	512
#define PTRS_PER_PGD	512
#define USER_PTRS_PER_PGD ((TASK_SIZE + (PGDIR_SIZE - 1)) / PGDIR_SIZE)

#define pte_ERROR(e) pr_err("%s:%d: bad pte %016lx\n", __FILE__, __LINE__, pte_val(e))
#define pmd_ERROR(e) pr_err("%s:%d: bad pmd %016lx\n", __FILE__, __LINE__, pmd_val(e))
#define pud_ERROR(e) pr_err("%s:%d: bad pud %016lx\n", __FILE__, __LINE__, pud_val(e))
#define pgd_ERROR(e) pr_err("%s:%d: bad pgd %016lx\n", __FILE__, __LINE__, pgd_val(e))

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
extern unsigned long *empty_zero_page;
#define ZERO_PAGE(vaddr) virt_to_page(empty_zero_page)

/* All struct pages, in one piece of guest memory (memory.c). */
extern struct page *nabla_vmemmap;
#define vmemmap nabla_vmemmap

/* The kernel's own mappings beside its memory: layout.h fixes where they are. */
#define VMALLOC_START	NABLA_VMALLOC_START
#define VMALLOC_END	NABLA_VMALLOC_END
#define MODULES_VADDR	VMALLOC_START
#define MODULES_END	VMALLOC_END
#define MODULES_LEN	(MODULES_END - MODULES_VADDR)

#define _PAGE_TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _KERNPG_TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_CHG_MASK	(PAGE_MASK | _PAGE_SPECIAL | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_USER_RO	(_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)

#define PAGE_NONE	__pgprot(_PAGE_PROTNONE | _PAGE_ACCESSED)
#define PAGE_READONLY	__pgprot(_PAGE_USER_RO)
#define PAGE_READONLY_EXEC __pgprot(_PAGE_USER_RO | _PAGE_EXEC)
#define PAGE_COPY	PAGE_READONLY
#define PAGE_COPY_EXEC	PAGE_READONLY_EXEC
#define PAGE_SHARED	__pgprot(_PAGE_USER_RO | _PAGE_RW)
#define PAGE_SHARED_EXEC __pgprot(_PAGE_USER_RO | _PAGE_RW | _PAGE_EXEC)
#define PAGE_KERNEL	__pgprot(_KERNPG_TABLE)
#define PAGE_KERNEL_EXEC __pgprot(_KERNPG_TABLE | _PAGE_EXEC)

/* Page table entries. */
#define pte_clear(mm, addr, ptep) ((ptep)->pte = 0)
#define pte_none(x)	(!pte_val(x))
#define pte_present(x)	(pte_val(x) & (_PAGE_PRESENT | _PAGE_PROTNONE))
#define pte_page(x)	pfn_to_page(pte_pfn(x))
#define pte_same(a, b)	(pte_val(a) == pte_val(b))
#define __HAVE_ARCH_PTE_SAME

static inline unsigned long pte_pfn(pte_t pte) { return pte_val(pte) >> PAGE_SHIFT; }
static inline int pte_read(pte_t pte) { return pte_val(pte) & _PAGE_USER; }
static inline int pte_exec(pte_t pte) { return pte_val(pte) & _PAGE_EXEC; }
static inline int pte_write(pte_t pte) { return pte_val(pte) & _PAGE_RW; }
static inline int pte_dirty(pte_t pte) { return pte_val(pte) & _PAGE_DIRTY; }
static inline int pte_young(pte_t pte) { return pte_val(pte) & _PAGE_ACCESSED; }
static inline int pte_special(pte_t pte) { return pte_val(pte) & _PAGE_SPECIAL; }

#define NABLA_PTE_SET(name, bits) \
	static inline pte_t pte_##name(pte_t pte) { return __pte(pte_val(pte) | (bits)); }
#define NABLA_PTE_CLEAR(name, bits)                                  \
	static inline pte_t pte_##name(pte_t pte)                    \
	{                                                            \
		return __pte(pte_val(pte) & ~(unsigned long)(bits)); \
	}

NABLA_PTE_SET(mkdirty, _PAGE_DIRTY)
NABLA_PTE_SET(mkyoung, _PAGE_ACCESSED)
NABLA_PTE_SET(mkwrite_novma, _PAGE_RW)
NABLA_PTE_SET(mkspecial, _PAGE_SPECIAL)
NABLA_PTE_SET(swp_mkexclusive, _PAGE_SWP_EXCLUSIVE)
NABLA_PTE_CLEAR(mkclean, _PAGE_DIRTY)
NABLA_PTE_CLEAR(mkold, _PAGE_ACCESSED)
NABLA_PTE_CLEAR(wrprotect, _PAGE_RW)
NABLA_PTE_CLEAR(swp_clear_exclusive, _PAGE_SWP_EXCLUSIVE)
static inline int pte_swp_exclusive(pte_t pte) { return pte_val(pte) & _PAGE_SWP_EXCLUSIVE; }

static inline void set_pte(pte_t *ptep, pte_t pte) { *ptep = pte; }

#define PFN_PTE_SHIFT	PAGE_SHIFT

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte((pfn << PAGE_SHIFT) | pgprot_val(prot));
}
#define mk_pte(page, prot) pfn_pte(page_to_pfn(page), prot)

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & _PAGE_CHG_MASK) | pgprot_val(prot));
}

#define update_mmu_cache(vma, address, ptep) do {} while (0)
#define update_mmu_cache_range(vmf, vma, address, ptep, nr) do {} while (0)

/* Middle and upper directories. */
#define pmd_none(x)	(!pmd_val(x))
#define pmd_bad(x)	((pmd_val(x) & (~PAGE_MASK & ~_PAGE_USER)) != _KERNPG_TABLE)
#define pmd_present(x)	(pmd_val(x) & (_PAGE_PRESENT | _PAGE_PROTNONE | _PAGE_HUGE))
#define pmd_clear(xp)	(pmd_val(*(xp)) = 0)
#define set_pmd(pmdp, pmd) (*(pmdp) = (pmd))
#define pmd_pfn(pmd)	(pmd_val(pmd) >> PAGE_SHIFT)
#define pmd_page(pmd)	pfn_to_page(pmd_pfn(pmd))
#define pmd_page_vaddr(pmd) ((unsigned long)__va(pmd_val(pmd) & PAGE_MASK))

#define pud_none(x)	(!pud_val(x))
#define pud_bad(x)	((pud_val(x) & (~PAGE_MASK & ~_PAGE_USER)) != _KERNPG_TABLE)
#define pud_present(x)	(pud_val(x) & _PAGE_PRESENT)
#define set_pud(pudp, pud) (*(pudp) = (pud))
#define pud_clear(pudp)	set_pud(pudp, __pud(0))
#define pud_populate(mm, pud, pmd) set_pud(pud, __pud(_PAGE_TABLE + __pa(pmd)))
#define pud_page(pud)	pfn_to_page(pud_val(pud) >> PAGE_SHIFT)
#define pud_pgtable(pud) ((pmd_t *)__va(pud_val(pud) & PAGE_MASK))

#define p4d_none(x)	(!p4d_val(x))
#define p4d_bad(x)	((p4d_val(x) & (~PAGE_MASK & ~_PAGE_USER)) != _KERNPG_TABLE)
#define p4d_present(x)	(p4d_val(x) & _PAGE_PRESENT)
#define set_p4d(p4dp, p4d) (*(p4dp) = (p4d))
#define p4d_clear(p4dp)	set_p4d(p4dp, __p4d(0))
#define p4d_populate(mm, p4d, pud) set_p4d(p4d, __p4d(_PAGE_TABLE + __pa(pud)))
#define p4d_page(p4d)	pfn_to_page(p4d_val(p4d) >> PAGE_SHIFT)
#define p4d_pgtable(p4d) ((pud_t *)__va(p4d_val(p4d) & PAGE_MASK))

static inline pmd_t pfn_pmd(unsigned long pfn, pgprot_t prot)
{
	return __pmd((pfn << PAGE_SHIFT) | pgprot_val(prot));
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
static inline pte_t pmd_pte(pmd_t pmd) { return __pte(pmd_val(pmd)); }
static inline pmd_t pte_pmd(pte_t pte) { return __pmd(pte_val(pte)); }
static inline int pmd_trans_huge(pmd_t pmd) { return !!(pmd_val(pmd) & _PAGE_HUGE); }
#define pmd_leaf(x)	pmd_trans_huge(x)
#define pmd_young(pmd)	pte_young(pmd_pte(pmd))
#define pmd_dirty(pmd)	pte_dirty(pmd_pte(pmd))
#define pmd_write	pmd_write
static inline int pmd_write(pmd_t pmd) { return pte_write(pmd_pte(pmd)); }
#define pmd_mkold(pmd)	pte_pmd(pte_mkold(pmd_pte(pmd)))
#define pmd_mkyoung(pmd) pte_pmd(pte_mkyoung(pmd_pte(pmd)))
#define pmd_mkclean(pmd) pte_pmd(pte_mkclean(pmd_pte(pmd)))
#define pmd_mkdirty(pmd) pte_pmd(pte_mkdirty(pmd_pte(pmd)))
#define pmd_wrprotect(pmd) pte_pmd(pte_wrprotect(pmd_pte(pmd)))
#define pmd_mkwrite_novma(pmd) pte_pmd(pte_mkwrite_novma(pmd_pte(pmd)))
#define pmd_mkhuge(pmd)	__pmd(pmd_val(pmd) | _PAGE_HUGE)
#define pmd_mkinvalid(pmd) __pmd(pmd_val(pmd) & ~(unsigned long)_PAGE_PRESENT)
#define mk_pmd(page, prot) pfn_pmd(page_to_pfn(page), prot)

static inline pmd_t pmd_modify(pmd_t pmd, pgprot_t prot)
{
	return __pmd((pmd_val(pmd) & (_PAGE_CHG_MASK | _PAGE_HUGE)) | pgprot_val(prot));
}

static inline void set_pmd_at(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, pmd_t pmd)
{
	set_pmd(pmdp, pmd);
}

#define pmdp_establish generic_pmdp_establish
#define update_mmu_cache_pmd(vma, address, pmd) do {} while (0)
#endif

#define phys_to_page(phys) pfn_to_page(phys_to_pfn(phys))
#define page_to_phys(page) pfn_to_phys(page_to_pfn(page))
#define virt_to_page(addr) phys_to_page(__pa((unsigned long)(addr)))

struct mm_struct;
/*
 * The leaf entry for @addr, NULL if there is no table for it. A huge pmd is given as a read-only
 * copy.
 */
extern pte_t *virt_to_pte(struct mm_struct *mm, unsigned long addr);

/*
 * The program loaded by exec uses generic code's search for free ranges, within its slot (mmu.c).
 */
#define HAVE_ARCH_UNMAPPED_AREA

/* Nothing is mapped into the kernel's own range (mmu.c). */
unsigned long nabla_mmap_check(unsigned long addr, unsigned long len, unsigned long flags);
#define arch_mmap_check nabla_mmap_check

/* Swap entries: bits 0 and 4 clear, type in 5-9, exclusive in 10, offset from 11. */
#define __swp_type(x)			(((x).val >> 5) & 0x1f)
#define __swp_offset(x)			((x).val >> 11)
#define __swp_entry(type, offset) \
	((swp_entry_t) { (((type) & 0x1f) << 5) | ((offset) << 11) })
#define __pte_to_swp_entry(pte)		((swp_entry_t) { pte_val(pte) })
#define __swp_entry_to_pte(x)		((pte_t) { (x).val })

#endif
