/* SPDX-License-Identifier: GPL-2.0-only */
/* What entry.S, signal.c and user.c share. */
#ifndef NABLA_ENTRY_H
#define NABLA_ENTRY_H

/* Why nabla_enter_user() returned: a host signal number (1..64), or one of these. */
#define NABLA_LEFT_SYSCALL	100	/* a rewritten site: a function call */
#define NABLA_LEFT_TRAP		101	/* a site that is not rewritten: SIGSYS by the filter */
#define NABLA_LEFT_PENDING	102	/* never entered, or interrupted: look at nabla_pending */

#ifndef __ASSEMBLY__

struct uml_pt_regs;
struct task_struct;
struct mm_struct;

long nabla_syscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6);
long nabla_wait(int epfd, void *events, int n, const void *timeout);
int nabla_enter_user(struct uml_pt_regs *regs);
void nabla_switch(unsigned long *save_sp, unsigned long new_sp);
void nabla_start_kernel_on(unsigned long sp) __attribute__((noreturn));

extern char nabla_gate_return[], nabla_restorer[];
extern char nabla_syscall_entry[], nabla_syscall_entry_end[];
extern char nabla_wait_begin[], nabla_wait_abort[];
extern char nabla_enter_begin[], nabla_enter_end[], nabla_enter_abort[], nabla_leave_user[];
extern char nabla_irq_inject[], nabla_new_thread[];

extern unsigned long nabla_ksp, nabla_user_ip;
extern struct uml_pt_regs *nabla_regs;
extern int nabla_left;
/* a single-stepped program made a call by a rewritten site */
extern bool nabla_entry_stepped;
extern unsigned int nabla_in_host_clock;	/* calls of the vDSO by host_clock(), nested */

/* Bits of nabla_pending. */
#define NABLA_PENDING_TIMER	1
#define NABLA_PENDING_IO	2
#define NABLA_PENDING_SIGNAL	4

/* signal.c */
void nabla_signals_init(void);
struct nabla_fault {			/* the last synchronous fault in user mode */
	int signo;
	int code;			/* si_code */
	void *addr;
};
extern struct nabla_fault nabla_fault;

/* irq.c */
void nabla_take_pending(void);
void nabla_take_pending_user(struct uml_pt_regs *regs);

/* user.c */
void userspace(struct uml_pt_regs *regs) __attribute__((noreturn));
/* live FP state and FS/GS base -> their owner's registers */
void nabla_user_state_save(void);
void nabla_user_state_load(struct task_struct *task);	/* make @task's state the live one */
void nabla_user_state_drop(struct task_struct *task);	/* @task is gone, or starts afresh */
void nabla_user_state_switch(struct task_struct *to);
void nabla_xstate_init(void);
void get_safe_registers_fp(unsigned long *fp);	/* the initial vector state */
extern unsigned int nabla_xstate_size;
extern unsigned long nabla_xstate_mask;

/* FS and GS base of the current task; a base is below TASK_SIZE. */
void nabla_set_fs_base(unsigned long base);
void nabla_set_gs_base(unsigned long base);
unsigned long nabla_fs_base(void);
unsigned long nabla_gs_base(void);
extern bool nabla_has_fsgsbase;		/* launch.c: the host lets us use the instructions */

/* mmu.c, tlb.c */
void nabla_mm_enter(void);		/* make the current address space the loaded one */
void nabla_mm_start(void);		/* a program has been loaded */
void nabla_mm_after_syscall(struct uml_pt_regs *regs, long nr);
int nabla_tlb_fill(unsigned long addr, unsigned int error_code);
void nabla_tlb_settle(void);		/* carry out what flushes have put off */
void nabla_tlb_forget(struct mm_struct *mm);	/* its slots are flushed whole */
bool nabla_tlb_hand_over(struct mm_struct *theirs, struct mm_struct *ours, unsigned long start,
			 unsigned long end);
void nabla_slot_flush(unsigned int slot);
void nabla_slots_flush_all(void);
bool nabla_slot_owned(unsigned long addr, struct mm_struct *mm);

/* rewrite.c */
void nabla_rewrite_site(struct uml_pt_regs *regs);
void nabla_rewrite_normalise(struct uml_pt_regs *regs);
bool nabla_rewrite_stepped(struct uml_pt_regs *regs);
void nabla_rewrite_before_syscall(const struct uml_pt_regs *regs, long nr);

/* memory.c */
bool nabla_is_memory(unsigned long phys);	/* guest memory, not an image */
int nabla_phys_mapping(unsigned long phys, u64 *offset);	/* descriptor that backs @phys */

/* launch.c */
extern int nabla_memory_fd, nabla_epoll_fd, nabla_stdio_epoll_fd;
extern u64 nabla_initrd_phys, nabla_initrd_size;

/* time.c */
void nabla_timer_expired(void);
u64 nabla_timer_left(void);		/* nanoseconds to the next event, 0: now, ~0: none */

#endif
#endif
