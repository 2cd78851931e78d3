// SPDX-License-Identifier: GPL-2.0-only
/* Page faults of guest programs, and of the kernel on their behalf (uaccess.c). */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/debug.h>
#include <linux/hugetlb.h>
#include <linux/uaccess.h>
#include <linux/perf_event.h>
#include <asm/tlbflush.h>
#include <kern_util.h>
#include <skas.h>
#include "entry.h"

/* May an access of this kind touch @vma at all? */
static bool vma_allows(struct vm_area_struct *vma, int is_write, bool exec)
{
	if (is_write)
		return vma->vm_flags & VM_WRITE;
	if (exec)
		return vma->vm_flags & VM_EXEC;
	return vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC);
}

static int fault(unsigned long address, int is_write, bool exec, int *code)
{
	unsigned int flags = FAULT_FLAG_DEFAULT | FAULT_FLAG_USER;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t ret;

	*code = SEGV_MAPERR;
	if (!mm || faulthandler_disabled())
		return -EFAULT;
	if (is_write)
		flags |= FAULT_FLAG_WRITE;
	if (exec)
		flags |= FAULT_FLAG_INSTRUCTION;
retry:
	vma = lock_mm_and_find_vma(mm, address, NULL);
	if (!vma)
		return -EFAULT;
	*code = SEGV_ACCERR;
	if (!vma_allows(vma, is_write, exec)) {
		mmap_read_unlock(mm);
		return -EFAULT;
	}
	ret = handle_mm_fault(vma, address, flags, NULL);
	if ((ret & VM_FAULT_RETRY) && fatal_signal_pending(current))
		return -EFAULT;
	if (ret & VM_FAULT_COMPLETED)
		return 0;
	if (ret & VM_FAULT_RETRY) {
		flags |= FAULT_FLAG_TRIED;
		goto retry;
	}
	mmap_read_unlock(mm);
	if (!(ret & VM_FAULT_ERROR))
		return 0;
	if (ret & VM_FAULT_OOM) {
		pagefault_out_of_memory();
		return 0;
	}
	return ret & VM_FAULT_SIGSEGV ? -EFAULT : -EACCES;
}

/* uaccess.c: make @address accessible. 0, -EFAULT (no such memory) or -EACCES (SIGBUS). */
int handle_page_fault(unsigned long address, unsigned long ip, int is_write, int is_user,
		      int *code_out)
{
	return fault(address, is_write, false, code_out);
}

static void report(struct uml_pt_regs *regs)
{
	struct faultinfo *fi = UPT_FAULTINFO(regs);

	if (!unhandled_signal(current, SIGSEGV) || !printk_ratelimit())
		return;
	pr_info("%s[%d]: segfault at %lx ip %lx sp %lx error %x\n", current->comm,
		task_pid_nr(current), fi->cr2, UPT_IP(regs), UPT_SP(regs), fi->error_code);
}

/* A guest program faulted, with @regs saved. */
void segv_handler(int sig, struct siginfo *unused, struct uml_pt_regs *regs)
{
	struct faultinfo fi = *UPT_FAULTINFO(regs);
	int err, code;

	if (fi.trap_no != 14) {		/* general protection: no address */
		current->thread.arch.faultinfo = fi;
		report(regs);
		force_sig(SIGSEGV);
		return;
	}
	if (fi.error_code & 32) {		/* the program's own protection keys */
		err = -EFAULT;
		code = SEGV_PKUERR;
	} else if (fi.cr2 >= TASK_SIZE ||
	    (fi.cr2 >= NABLA_KERNEL_START && fi.cr2 < NABLA_USER_START)) {
		err = -EFAULT;
		code = SEGV_MAPERR;
	} else {
		err = fault(fi.cr2, fi.error_code & 2, fi.error_code & 16, &code);
	}
	if (!err)
		return;
	nabla_rewrite_normalise(regs);
	current->thread.arch.faultinfo = fi;
	if (err == -EACCES) {
		force_sig_fault(SIGBUS, BUS_ADRERR, (void __user *)fi.cr2);
	} else {
		report(regs);
		force_sig_fault(SIGSEGV, code, (void __user *)fi.cr2);
	}
}

void fatal_sigsegv(void)
{
	force_fatal_sig(SIGSEGV);
	do_signal(&current->thread.regs);
	panic("a task survived a fatal signal");
}
