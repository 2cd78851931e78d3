/* SPDX-License-Identifier: GPL-2.0-only */
/* What the Nabla port keeps for a task. */
#ifndef __UM_PROCESSOR_GENERIC_H
#define __UM_PROCESSOR_GENERIC_H

struct pt_regs;
struct task_struct;
struct mm_struct;

#include <asm/ptrace.h>
#include <asm/layout.h>
#include <linux/prefetch.h>
#include <asm/cpufeatures.h>

struct thread_struct {
	struct pt_regs regs;		/* user registers; see nabla_user_state_save() */
	unsigned long ksp;		/* kernel stack pointer while switched out */
	struct task_struct *prev_sched;
	struct arch_thread arch;
	int (*fn)(void *);		/* kernel threads: what to run */
	void *fn_arg;
};

#define INIT_THREAD \
{ \
	.regs		= EMPTY_REGS, \
	.prev_sched	= NULL, \
	.arch		= INIT_ARCH_THREAD, \
}

#define TASK_SIZE	NABLA_TASK_SIZE

/* Each executed program lives in a slot of its own: arch/um/nabla/mmu.c. */
unsigned long nabla_slot_base(void);

#undef STACK_TOP
#undef STACK_TOP_MAX
#define STACK_TOP	(nabla_slot_base() + NABLA_SLOT_SIZE - 2 * PAGE_SIZE)
#define STACK_TOP_MAX	(TASK_SIZE - 2 * PAGE_SIZE)
#define TASK_UNMAPPED_BASE (nabla_slot_base() + (4UL << 30))

extern void start_thread(struct pt_regs *regs, unsigned long entry, unsigned long stack);

struct cpuinfo_um {
	unsigned long loops_per_jiffy;
	int cache_alignment;
	union {
		__u32		x86_capability[NCAPINTS + NBUGINTS];
		unsigned long	x86_capability_alignment;
	};
};

extern struct cpuinfo_um boot_cpu_data;

#define cpu_data(cpu)    boot_cpu_data
#define current_cpu_data boot_cpu_data
#define cache_line_size()	(boot_cpu_data.cache_alignment)

#define KSTK_REG(tsk, reg) (task_pt_regs(tsk)->regs.gp[reg])
extern unsigned long __get_wchan(struct task_struct *p);

#endif
