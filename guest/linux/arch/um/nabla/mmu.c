// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces in one host address space: slots.
 *
 * The host process has one address space, guest programs have many. Each executed program gets a
 * slot of 256 GiB for everything whose place is free to choose (position independent text, heap,
 * stack, mmap), so that different programs stay mapped side by side and switching between them
 * costs nothing. A slot has one owner: the address space whose pages are mapped there. Before user
 * mode is entered, the current address space takes every slot in which it has memory; what another
 * one had mapped there is dropped and comes back by faults. That happens to children of fork, which
 * share their parent's slot (what neither of the two has written since then stays), and to programs
 * linked to fixed addresses, which share slot 0.
 *
 * The kernel's own range is in no slot, and no program can map anything there.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <asm/mmu_context.h>
#include <asm/tlbflush.h>
#include <asm/unistd.h>
#include <sysdep/ptrace.h>
#include "entry.h"
#include "host.h"
#include "rewrite.h"

static struct mm_struct *owner[NABLA_SLOTS];
static unsigned int users[NABLA_SLOTS];		/* address spaces that live there */
static struct mm_struct *loaded;		/* owns all slots that it has memory in */

static unsigned int slot_of(unsigned long addr)
{
	return addr >> NABLA_SLOT_SHIFT;
}

bool nabla_slot_owned(unsigned long addr, struct mm_struct *mm)
{
	return addr < TASK_SIZE && owner[slot_of(addr)] == mm;
}

void nabla_slot_flush(unsigned int slot)
{
	unsigned long start = (unsigned long)slot << NABLA_SLOT_SHIFT;

	if (slot == 0)
		host_unmap(NABLA_USER_LOW, NABLA_KERNEL_START - NABLA_USER_LOW);
	else
		host_unmap(start, NABLA_SLOT_SIZE);
}

static void claim(unsigned int slot, struct mm_struct *mm)
{
	unsigned long start = (unsigned long)slot << NABLA_SLOT_SHIFT;
	struct mm_struct *last = owner[slot];

	if (last == mm)
		return;
	owner[slot] = mm;
	if (last && (last->context.slot != mm->context.slot ||
		     !nabla_tlb_hand_over(last, mm, start, start + NABLA_SLOT_SIZE)))
		nabla_slot_flush(slot);
}

/* The host has no room for another mapping: start over with an empty TLB. */
void nabla_slots_flush_all(void)
{
	unsigned int slot;

	for (slot = 0; slot < NABLA_SLOTS; slot++)
		if (owner[slot])
			nabla_slot_flush(slot);
}

void nabla_mm_enter(void)
{
	struct mm_struct *mm = current->mm;
	unsigned int slot;

	nabla_tlb_settle();
	if (loaded == mm)
		return;
	for_each_set_bit(slot, mm->context.slots, NABLA_SLOTS)
		claim(slot, mm);
	loaded = mm;
}

static void note_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned int slot;

	for (slot = slot_of(start); slot <= slot_of(end - 1) && slot < NABLA_SLOTS; slot++)
		if (!__test_and_set_bit(slot, mm->context.slots) && loaded == mm)
			loaded = NULL;
}

static void note_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		note_range(mm, vma->vm_start, vma->vm_end);
	mmap_read_unlock(mm);
}

/* A program has been loaded. */
void nabla_mm_start(void)
{
	note_all(current->mm);
}

/* System calls after which an address space may have memory in another slot. */
void nabla_mm_after_syscall(struct uml_pt_regs *regs, long nr)
{
	unsigned long ret = regs->gp[HOST_AX];

	switch (nr) {
	case __NR_mmap:
		if (!IS_ERR_VALUE(ret))
			note_range(current->mm, ret, ret + max(regs->gp[HOST_SI], 1UL));
		break;
	case __NR_mremap:
		if (!IS_ERR_VALUE(ret))
			note_range(current->mm, ret, ret + max(regs->gp[HOST_DX], 1UL));
		break;
	case __NR_brk:
	case __NR_shmat:
	case __NR_io_setup:
		if (current->mm)
			note_all(current->mm);
		break;
	}
}

/* The least used slot, beginning behind the last one given out. */
static unsigned int new_slot(void)
{
	static unsigned int last;
	unsigned int i, slot, best = 0;

	for (i = 0; i < NABLA_SLOTS - 2; i++) {
		/* the last one is exec's first stack */
		slot = 1 + (last + i) % (NABLA_SLOTS - 2);
		if (!best || users[slot] < users[best])
			best = slot;
		if (!users[slot])
			break;
	}
	last = best;
	return best;
}

unsigned long nabla_slot_base(void)
{
	struct mm_struct *mm = current->mm;

	return (unsigned long)(mm && mm->context.slot ? mm->context.slot : 1) << NABLA_SLOT_SHIFT;
}

int init_new_context(struct task_struct *task, struct mm_struct *mm)
{
	int err = nabla_stubs_copy(&mm->context);

	if (err)
		return err;
	/* exec: a new program; fork has copied its parent's */
	if (!mm->context.slot)
		mm->context.slot = new_slot();
	users[mm->context.slot]++;
	return 0;
}

void destroy_context(struct mm_struct *mm)
{
	unsigned int slot;

	nabla_tlb_forget(mm);
	for_each_set_bit(slot, mm->context.slots, NABLA_SLOTS) {
		if (owner[slot] != mm)
			continue;
		nabla_slot_flush(slot);
		owner[slot] = NULL;
	}
	if (loaded == mm)
		loaded = NULL;
	users[mm->context.slot]--;
	nabla_stubs_put(&mm->context);
}

static bool touches_kernel(unsigned long addr, unsigned long len)
{
	return addr < NABLA_USER_START && addr + len > NABLA_KERNEL_START;
}

/* Called for every new mapping, with its final address if MAP_FIXED is set. */
unsigned long nabla_mmap_check(unsigned long addr, unsigned long len, unsigned long flags)
{
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return 0;
	if (addr < NABLA_USER_LOW)
		return -EPERM;
	if (touches_kernel(addr, len))
		return -ENOMEM;
	return 0;
}

unsigned long arch_get_unmapped_area(struct file *filp, unsigned long addr, unsigned long len,
				     unsigned long pgoff, unsigned long flags, vm_flags_t vm_flags)
{
	struct vm_unmapped_area_info info = {
		.length = len,
		.low_limit = current->mm->mmap_base,
		.high_limit = TASK_SIZE,
	};
	struct vm_area_struct *vma, *prev;

	if (len > TASK_SIZE - mmap_min_addr)
		return -ENOMEM;
	if (flags & MAP_FIXED)
		return addr;
	if (addr) {
		addr = PAGE_ALIGN(addr);
		vma = find_vma_prev(current->mm, addr, &prev);
		if (TASK_SIZE - len >= addr && addr >= mmap_min_addr &&
		    !touches_kernel(addr, len) &&
		    (!vma || addr + len <= vm_start_gap(vma)) &&
		    (!prev || addr >= vm_end_gap(prev)))
			return addr;
	}
	return vm_unmapped_area(&info);
}
