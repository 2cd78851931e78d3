// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's vDSO: mapped into each program at exec, and told of changes to the clocks.
 *
 * The guest's clocksource is the host's monotonic clock in nanoseconds, so as long as nobody
 * disciplines the guest's time (adjtimex), its clocks differ from it by constants.
 */
#include <linux/binfmts.h>
#include <linux/init.h>
#include <linux/linkage.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/timekeeper_internal.h>
#include <asm/elf.h>

#include "../entry.h"
#include "vdso.h"

extern const char nabla_vdso_image[], nabla_vdso_image_end[];
extern long (*nabla_vdso_clock_gettime)(int clock, struct __kernel_timespec *ts);

static struct nabla_vdso_data *data;	/* the page that programs see */
static struct page *data_page[2], *text_page[2];

static const struct vm_special_mapping data_mapping = { .name = "[vvar]", .pages = data_page };
static const struct vm_special_mapping text_mapping = { .name = "[vdso]", .pages = text_page };

/* Nanoseconds between the host's clock and what @tkr makes of it; false: no constant. */
static bool offset_of(const struct tk_read_base *tkr, long *offset)
{
	if (tkr->mult != 1u << tkr->shift)
		return false;
	*offset = ktime_to_ns(tkr->base) + (long)(tkr->xtime_nsec >> tkr->shift) -
		  (long)tkr->cycle_last;
	return true;
}

/* Called with the timekeeper's lock held, at each tick and change. */
void update_vsyscall(struct timekeeper *tk)
{
	long mono, raw;

	if (!data)
		return;
	if (!offset_of(&tk->tkr_mono, &mono) || !offset_of(&tk->tkr_raw, &raw)) {
		WRITE_ONCE(data->host_clock, NULL);
		return;
	}
	WRITE_ONCE(data->offset[CLOCK_MONOTONIC], mono);
	WRITE_ONCE(data->offset[CLOCK_MONOTONIC_COARSE], mono);
	WRITE_ONCE(data->offset[CLOCK_MONOTONIC_RAW], raw);
	WRITE_ONCE(data->offset[CLOCK_BOOTTIME], mono + ktime_to_ns(tk->offs_boot));
	WRITE_ONCE(data->offset[CLOCK_REALTIME], mono + ktime_to_ns(tk->offs_real));
	WRITE_ONCE(data->offset[CLOCK_REALTIME_COARSE], mono + ktime_to_ns(tk->offs_real));
	WRITE_ONCE(data->host_clock, (void *)nabla_vdso_clock_gettime);
}

void update_vsyscall_tz(void)
{
}

static int __init nabla_vdso_init(void)
{
	size_t size = nabla_vdso_image_end - nabla_vdso_image;

	BUILD_BUG_ON(sizeof(struct nabla_vdso_data) > PAGE_SIZE);
	if (WARN_ON(size > PAGE_SIZE))
		return -E2BIG;
	data_page[0] = alloc_page(GFP_KERNEL | __GFP_ZERO);
	text_page[0] = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!data_page[0] || !text_page[0])
		return -ENOMEM;
	memcpy(page_address(text_page[0]), nabla_vdso_image, size);
	data = page_address(data_page[0]);
	data->syscall_entry = nabla_syscall_entry;	/* host_clock comes with the next tick */
	return 0;
}
core_initcall(nabla_vdso_init);

/* exec: map it anywhere in the program's slot. */
int arch_setup_additional_pages(struct linux_binprm *bprm, int uses_interp)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long addr;

	mm->context.vdso = 0;
	if (!data)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	addr = get_unmapped_area(NULL, 0, 2 * PAGE_SIZE, 0, 0);
	if (IS_ERR_VALUE(addr))
		goto out;
	vma = _install_special_mapping(mm, addr, PAGE_SIZE, VM_READ | VM_MAYREAD, &data_mapping);
	if (IS_ERR(vma)) {
		addr = PTR_ERR(vma);
		goto out;
	}
	vma = _install_special_mapping(mm, addr + PAGE_SIZE, PAGE_SIZE,
				       VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
				       &text_mapping);
	if (IS_ERR(vma)) {
		addr = PTR_ERR(vma);
		goto out;
	}
	mm->context.vdso = addr + PAGE_SIZE;
out:
	mmap_write_unlock(mm);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}
