// SPDX-License-Identifier: GPL-2.0-only
/* Tasks: created, switched, ended. */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/resume_user_mode.h>
#include <linux/elfcore.h>
#include <linux/cpu.h>
#include <asm/ptrace.h>
#include <asm/switch_to.h>
#include <asm/exec.h>
#include <kern_util.h>
#include <registers.h>
#include <skas.h>
#include "entry.h"
#include "host.h"

struct task_struct *__switch_to(struct task_struct *from, struct task_struct *to)
{
	to->thread.prev_sched = from;
	nabla_user_state_switch(to);
	nabla_switch(&from->thread.ksp, to->thread.ksp);
	return current->thread.prev_sched;
}

void arch_switch_to(struct task_struct *to)
{
}

void interrupt_end(void)
{
	struct pt_regs *regs = &current->thread.regs;
	unsigned long flags;

	while ((flags = read_thread_flags()) & _TIF_WORK_MASK) {
		if (flags & _TIF_NEED_RESCHED)
			schedule();
		if (flags & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL))
			do_signal(regs);
		if (flags & _TIF_NOTIFY_RESUME)
			resume_user_mode_work(regs);
	}
}

/* The first C code of a new task, on its own stack with interrupts disabled. */
static void first_code(void)
{
	struct thread_struct *thread = &current->thread;

	schedule_tail(thread->prev_sched);
	thread->prev_sched = NULL;
	if (thread->fn)
		/* returns if a kernel thread has become a program */
		thread->fn(thread->fn_arg);
	userspace(&current->thread.regs.regs);
}

/* What nabla_switch() pops: r15, r14, r13, r12, rbp, rbx, return address. */
static unsigned long first_frame(struct task_struct *p)
{
	unsigned long *sp = (unsigned long *)(task_stack_page(p) + THREAD_SIZE) - 2;

	*--sp = (unsigned long)nabla_new_thread;
	*--sp = (unsigned long)first_code;
	memset(sp - 5, 0, 5 * sizeof(*sp));
	return (unsigned long)(sp - 5);
}

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct uml_pt_regs *regs = &p->thread.regs.regs;

	if (!args->fn && (args->flags & CLONE_SETTLS) && args->tls >= TASK_SIZE)
		return -EPERM;
	p->thread = (struct thread_struct) INIT_THREAD;
	p->thread.fn = args->fn;
	p->thread.fn_arg = args->fn_arg;
	if (args->fn) {
		get_safe_registers(regs->gp, regs->fp);
	} else {
		nabla_user_state_save();
		memcpy(regs, &current_pt_regs()->regs, sizeof(*regs));
		regs->gp[HOST_AX] = 0;
		if (args->stack)
			regs->gp[HOST_SP] = args->stack;
		if (args->flags & CLONE_SETTLS)
			regs->gp[HOST_FS_BASE] = args->tls;
	}
	p->thread.ksp = first_frame(p);
	return 0;
}

int arch_set_tls(struct task_struct *t, unsigned long tls)
{
	if (tls >= TASK_SIZE)
		return -EPERM;
	t->thread.regs.regs.gp[HOST_FS_BASE] = tls;
	return 0;
}

/* exec: forget the old program's registers. */
void flush_thread(void)
{
	struct uml_pt_regs *regs = &current_pt_regs()->regs;

	nabla_user_state_drop(current);
	get_safe_registers(regs->gp, regs->fp);
	nabla_user_state_save();
	nabla_user_state_load(current);
}

void start_thread(struct pt_regs *regs, unsigned long entry, unsigned long stack)
{
	PT_REGS_IP(regs) = entry;
	PT_REGS_SP(regs) = stack;
	clear_thread_flag(TIF_SINGLESTEP);
	nabla_mm_start();
}

void exit_thread(struct task_struct *tsk)
{
	nabla_user_state_drop(tsk);
}


unsigned long __get_wchan(struct task_struct *p)
{
	unsigned long *sp = (unsigned long *)p->thread.ksp;
	unsigned long *end = task_stack_page(p) + THREAD_SIZE;
	bool scheduled = false;

	for (; sp < end; sp++) {
		if (in_sched_functions(*sp))
			scheduled = true;
		else if (scheduled && kernel_text_address(*sp))
			return *sp;
	}
	return 0;
}

int elf_core_copy_task_fpregs(struct task_struct *t, elf_fpregset_t *fpu)
{
	nabla_user_state_save();
	memcpy(fpu, t->thread.regs.regs.fp, sizeof(*fpu));
	return 1;
}

int singlestepping(void)
{
	return test_thread_flag(TIF_SINGLESTEP);
}

void show_regs(struct pt_regs *regs)
{
	const unsigned long *gp = regs->regs.gp;

	show_regs_print_info(KERN_DEFAULT);
	printk(KERN_DEFAULT "ip %lx sp %lx flags %lx\n", gp[HOST_IP], gp[HOST_SP], gp[HOST_EFLAGS]);
	printk(KERN_DEFAULT "ax %lx bx %lx cx %lx dx %lx si %lx di %lx bp %lx\n", gp[HOST_AX],
	       gp[HOST_BX], gp[HOST_CX], gp[HOST_DX], gp[HOST_SI], gp[HOST_DI], gp[HOST_BP]);
}

/* kallsyms-free stack dumps: what looks like a text address. */
void show_stack(struct task_struct *task, unsigned long *stack, const char *loglvl)
{
	unsigned long *sp = stack, *end;
	int n = 0;

	if (!sp)
		sp = !task || task == current ? __builtin_frame_address(0) :
			(unsigned long *)task->thread.ksp;
	end = (unsigned long *)(((unsigned long)sp & ~(THREAD_SIZE - 1)) + THREAD_SIZE);
	printk("%sCall trace:", loglvl);
	for (; sp < end && n < 32; sp++)
		if (kernel_text_address(*sp)) {
			printk("%s\n %s%pS", KERN_CONT, "", (void *)*sp);
			n++;
		}
	printk("%s\n", KERN_CONT);
}
