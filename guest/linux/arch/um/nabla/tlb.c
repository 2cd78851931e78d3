// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's mappings as a software TLB.
 *
 * A page table entry reaches the host when a guest program faults on it: one mmap of the memory
 * descriptor (or of an image), widened to neighbours that are contiguous in address and in memory
 * and have the same rights: within the largest folio for memory, whose translations are all taken
 * at once (wider, each fill would replace its predecessors), within a page table for images, whose
 * pages the host faults in by itself. Flushes take mappings away. They are put off until user mode
 * is entered, because the commonest one, a write to a shared page, is followed by a fill of the
 * same place, which replaces the mapping anyway.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <asm/tlbflush.h>
#include "entry.h"
#include "host.h"

/* The flush that is put off: of one address space, one range. */
static struct {
	struct mm_struct *mm;
	unsigned long start, end;
} put_off;

static void unmap_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long stop;

	start = max(start, NABLA_USER_LOW);
	end = min(end, TASK_SIZE);
	while (start < end) {
		if (start >= NABLA_KERNEL_START && start < NABLA_USER_START)
			start = NABLA_USER_START;
		stop = start < NABLA_KERNEL_START ? NABLA_KERNEL_START :
			(start | (NABLA_SLOT_SIZE - 1)) + 1;
		stop = min(stop, end);
		if (start < stop && nabla_slot_owned(start, mm))
			host_unmap(start, stop - start);
		start = stop;
	}
}

void nabla_tlb_settle(void)
{
	struct mm_struct *mm = put_off.mm;

	if (!mm)
		return;
	put_off.mm = NULL;
	unmap_range(mm, put_off.start, put_off.end);
}

void nabla_tlb_forget(struct mm_struct *mm)
{
	if (put_off.mm == mm)
		put_off.mm = NULL;
}

void nabla_tlb_flush(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	if (!mm || start >= end)
		return;
	if (put_off.mm == mm && start <= put_off.end && end >= put_off.start) {
		put_off.start = min(start, put_off.start);
		put_off.end = max(end, put_off.end);
		return;
	}
	nabla_tlb_settle();
	put_off.mm = mm;
	put_off.start = start;
	put_off.end = end;
}

/* fork: only what the parent could write has lost a right. */
static void flush_private_writable(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma)
		if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE && vma->anon_vma)
			nabla_tlb_flush(mm, vma->vm_start, vma->vm_end);
}

void nabla_tlb_flush_mm(struct mm_struct *mm)
{
	if (mm && mm == current->mm && rwsem_is_locked(&mm->mmap_lock) &&
	    atomic_read(&mm->mm_users))
		flush_private_writable(mm);
	else
		nabla_tlb_flush(mm, NABLA_USER_LOW, TASK_SIZE);
}

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d = p4d_offset(pgd, addr);
	pud_t *pud;
	pmd_t *pmd;

	if (!p4d_present(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (!pud_present(*pud))
		return NULL;
	pmd = pmd_offset(pud, addr);
	return pmd_present(*pmd) ? pmd : NULL;
}

static bool pmd_huge_leaf(pmd_t pmd)
{
	return pmd_val(pmd) & _PAGE_HUGE;
}

pte_t *virt_to_pte(struct mm_struct *mm, unsigned long addr)
{
	static pte_t huge;	/* one CPU, no preemption: a read-only copy */
	pmd_t *pmd;

	if (!mm || addr >= TASK_SIZE)
		return NULL;
	pmd = find_pmd(mm, addr);
	if (!pmd)
		return NULL;
	if (pmd_huge_leaf(*pmd)) {
		huge = __pte((pmd_val(*pmd) & ~(unsigned long)_PAGE_HUGE) +
			     (addr & ~PMD_MASK & PAGE_MASK));
		return &huge;
	}
	return pte_offset_kernel(pmd, addr);
}

/* What the host may allow: not readable before it is young, not writable before it is dirty. */
static int host_prot(unsigned long val)
{
	int prot = 0;

	if (!(val & _PAGE_PRESENT) || !(val & _PAGE_USER) || !(val & _PAGE_ACCESSED))
		return 0;
	prot = PROT_READ;
	if ((val & (_PAGE_RW | _PAGE_DIRTY)) == (_PAGE_RW | _PAGE_DIRTY))
		prot |= PROT_WRITE;
	if (val & _PAGE_EXEC)
		prot |= PROT_EXEC;
	return prot;
}

static bool allows(int prot, unsigned int error_code)
{
	if (error_code & 2)
		return prot & PROT_WRITE;
	if (error_code & 16)
		return prot & PROT_EXEC;
	return prot & PROT_READ;
}

static void map_run(unsigned long start, unsigned long len, int prot, unsigned long phys)
{
	u64 offset;
	int fd = nabla_phys_mapping(phys, &offset);
	long err;

	/* What the run replaces need not be taken away first. */
	if (put_off.mm == current->mm && put_off.start >= start && put_off.end <= start + len)
		put_off.mm = NULL;
	err = host_map(start, len, prot, fd, offset);
	if (err == -ENOMEM) {
		nabla_slots_flush_all();
		err = host_map(start, len, prot, fd, offset);
	}
	if (err)
		panic("map %lx+%lx to %lx: %ld", start, len, phys, err);
}

/* A run of pages that the host may map for one address space and must not for another. */
struct run {
	unsigned long start, end;
};

static void run_end(struct run *run)
{
	if (run->end > run->start)
		host_unmap(run->start, run->end - run->start);
	run->start = run->end = 0;
}

static void run_add(struct run *run, unsigned long start, unsigned long end)
{
	if (!run->end)
		run->start = start;
	run->end = end;
}

/* Within one page table; @theirs and @ours are the entries of @addr, @ours may be NULL. */
static void compare_ptes(struct run *run, const pte_t *theirs, const pte_t *ours,
			 unsigned long addr, unsigned long end)
{
	for (; addr < end; addr += PAGE_SIZE, theirs++) {
		unsigned long val = pte_val(*theirs);

		if (host_prot(val)) {
			if (ours && pte_val(*ours) == val)
				run_end(run);
			else
				run_add(run, addr, addr + PAGE_SIZE);
		}
		if (ours)
			ours++;
	}
}

static void compare_vma(struct run *run, struct mm_struct *theirs, struct mm_struct *ours,
			unsigned long addr, unsigned long end)
{
	unsigned long next;
	pmd_t *t, *o;

	for (; addr < end; addr = next) {
		next = min(pmd_addr_end(addr, end), end);
		t = find_pmd(theirs, addr);
		if (!t)
			continue;
		o = find_pmd(ours, addr);
		if (pmd_huge_leaf(*t) || (o && pmd_huge_leaf(*o)))
			run_add(run, addr, next);
		else
			compare_ptes(run, pte_offset_kernel(t, addr),
				     o ? pte_offset_kernel(o, addr) : NULL, addr, next);
	}
}

/* Comparing costs a few nanoseconds a page: above this, start from nothing instead. */
#define COMPARE_PAGES 16384

/*
 * The slots [start, end) pass from @theirs to @ours, a relative by fork. What both map alike, which
 * is all that neither has written since, stays; the rest goes. Returns false if it cannot tell.
 */
bool nabla_tlb_hand_over(struct mm_struct *theirs, struct mm_struct *ours, unsigned long start,
			 unsigned long end)
{
	struct vm_area_struct *vma;
	struct run run = { };

	if (!atomic_read(&theirs->mm_users) || theirs->total_vm > COMPARE_PAGES ||
	    !mmap_read_trylock(theirs))
		return false;
	{
		VMA_ITERATOR(vmi, theirs, start);

		for_each_vma_range(vmi, vma, end) compare_vma(
			&run, theirs, ours, max(vma->vm_start, start), min(vma->vm_end, end));
	}
	run_end(&run);
	mmap_read_unlock(theirs);
	return true;
}

/* Pages; the largest folio that thp_anon allows (launch.c). */
#define MEMORY_WINDOW 16

#define SAME (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | _PAGE_RW | _PAGE_DIRTY | _PAGE_EXEC)

/* The entry at @addr to the host, if it allows the access. Returns 1 if so. */
static int fill(struct mm_struct *mm, unsigned long addr, unsigned int error_code)
{
	unsigned long lo, hi, phys, val;
	pte_t *pte, *first, *last, *p;
	unsigned int window;
	pmd_t *pmd;
	int prot;

	pmd = find_pmd(mm, addr);
	if (!pmd)
		return 0;
	addr &= PAGE_MASK;
	if (pmd_huge_leaf(*pmd)) {
		prot = host_prot(pmd_val(*pmd));
		if (!allows(prot, error_code))
			return 0;
		map_run(addr & PMD_MASK, PMD_SIZE, prot, pmd_val(*pmd) & PAGE_MASK);
		return 1;
	}

	pte = pte_offset_kernel(pmd, addr);
	val = pte_val(*pte);
	prot = host_prot(val);
	if (!allows(prot, error_code))
		return 0;
	window = nabla_is_memory(val & PAGE_MASK) ? MEMORY_WINDOW : PTRS_PER_PTE;
	first = pte - (pte_index(addr) & (window - 1));
	last = first + window;
	lo = addr;
	hi = addr + PAGE_SIZE;
	phys = val & PAGE_MASK;
	val &= SAME;
	for (p = pte - 1; p >= first; p--, lo -= PAGE_SIZE, phys -= PAGE_SIZE)
		if ((pte_val(*p) & (PAGE_MASK | SAME)) != ((phys - PAGE_SIZE) | val))
			break;
	for (p = pte + 1; p < last; p++, hi += PAGE_SIZE)
		if ((pte_val(*p) & (PAGE_MASK | SAME)) != ((phys + (hi - lo)) | val))
			break;
	map_run(lo, hi - lo, prot, phys);
	return 1;
}

/*
 * A guest program faulted at @addr with the CPU's @error_code. Returns 1 if the page tables allow
 * the access and the host has the mapping now, 0 if it is a fault for the kernel.
 */
int nabla_tlb_fill(unsigned long addr, unsigned int error_code)
{
	struct mm_struct *mm = current->mm;

	return mm && addr < TASK_SIZE && fill(mm, addr, error_code);
}

void nabla_tlb_sync_kernel(unsigned long start, unsigned long end)
{
	unsigned long addr, run = start, phys = 0, val;
	pmd_t *pmd;
	u64 offset;
	int fd;

	/* The direct map below is the host's memory as it is: what is flushed may begin there. */
	start = run = max(start, VMALLOC_START);
	if (start >= end)
		return;
	host_unmap(start, end - start);
	for (addr = start; addr <= end; addr += PAGE_SIZE) {
		pmd = addr < end ? find_pmd(&init_mm, addr) : NULL;
		val = pmd ? pte_val(*pte_offset_kernel(pmd, addr)) : 0;
		if (addr > run && (!(val & _PAGE_PRESENT) ||
				   (val & PAGE_MASK) != phys + (addr - run))) {
			fd = nabla_phys_mapping(phys, &offset);
			if (host_map(run, addr - run, PROT_READ | PROT_WRITE, fd, offset))
				panic("vmalloc: map %lx", run);
			run = addr;
		}
		if (addr == run) {
			phys = val & PAGE_MASK;
			if (!(val & _PAGE_PRESENT))
				run = addr + PAGE_SIZE;
		}
	}
}
