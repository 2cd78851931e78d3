// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that only x86-64 has. FS and GS base are live in the CPU: see arch/um/nabla/user.c.
 */
#include <linux/sched.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/prctl.h>
#include <asm/ptrace.h>
#include "../../um/nabla/entry.h"

static long prctl_current(int option, unsigned long arg)
{
	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (arg >= TASK_SIZE)
			return -EPERM;
		if (option == ARCH_SET_FS)
			nabla_set_fs_base(arg);
		else
			nabla_set_gs_base(arg);
		return 0;
	case ARCH_GET_FS:
		return put_user(nabla_fs_base(), (unsigned long __user *)arg);
	case ARCH_GET_GS:
		return put_user(nabla_gs_base(), (unsigned long __user *)arg);
	default:
		return -EINVAL;
	}
}

/* ptrace(PTRACE_ARCH_PRCTL) of a task that is stopped, so its bases are saved. */
long arch_prctl(struct task_struct *task, int option, unsigned long __user *arg)
{
	unsigned long *gp = task->thread.regs.regs.gp;

	if (task == current)
		return prctl_current(option, (unsigned long)arg);
	if ((option == ARCH_SET_FS || option == ARCH_SET_GS) && (unsigned long)arg >= TASK_SIZE)
		return -EPERM;
	switch (option) {
	case ARCH_SET_FS:
		gp[HOST_FS_BASE] = (unsigned long)arg;
		return 0;
	case ARCH_SET_GS:
		gp[HOST_GS_BASE] = (unsigned long)arg;
		return 0;
	case ARCH_GET_FS:
		return put_user(gp[HOST_FS_BASE], arg);
	case ARCH_GET_GS:
		return put_user(gp[HOST_GS_BASE], arg);
	default:
		return -EINVAL;
	}
}

SYSCALL_DEFINE2(arch_prctl, int, option, unsigned long, arg)
{
	return prctl_current(option, arg);
}

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, unsigned long, off)
{
	if (off & ~PAGE_MASK)
		return -EINVAL;
	return ksys_mmap_pgoff(addr, len, prot, flags, fd, off >> PAGE_SHIFT);
}
