/* SPDX-License-Identifier: GPL-2.0-only */
/* What the hostile programs share (hostile.c): the attempts, and the ways to make them. */
#ifndef HOSTILE_H
#define HOSTILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define KERNEL		0x60000000UL
#define PAGE		4096UL
#define MEMORY_FD	6
#define IMAGE_FD	24

struct attempt {
	const char *wanted, *name, *title;
	long nr, arg[6];
	void (*run)(const struct attempt *a);
};

void say(const char *text);

/* The attempt was refused, or had no effect: say so and end. */
__attribute__((noreturn)) void contained(void);

/* It had one. */
__attribute__((noreturn)) void escaped(const char *how, long result);

/* From here on faults set fault_signal and go to fault_back, which the caller sets. */
extern sigjmp_buf fault_back;
extern volatile sig_atomic_t fault_signal;
void catch_faults(void);

/* With faults caught. */
bool readable(const volatile unsigned char *p);

/* The end of readable memory that begins at @p. */
const unsigned char *readable_end(const unsigned char *p);

/*
 * The address of the guest kernel's instruction that calls the host; ends the program if it finds
 * none.
 */
uintptr_t find_gate(void);
long gate_call(uintptr_t gate, long nr, const long arg[6]);

/* Do @fn in a child; go on if that dies by one of the two signals, else the attempt has escaped. */
void child_dies(void (*fn)(void), int sig, int sig2);

/* A place in this program that an argument may point to: there are words for each need. */
extern struct data {
	char path[4096];
	struct iovec iov;
	char buffer[64];
	uint64_t words[16];
} data;

#define PATH	((long)data.path)
#define IOV	((long)&data.iov)
#define WORDS	((long)data.words)
#define PID	(-4711)		/* stands for the canary's */

/* gate.c */
void at_gate(const struct attempt *a);

/* cpu-modes.c */
void int80(const struct attempt *a);
void sysenter(const struct attempt *a);
void syscall_elsewhere(const struct attempt *a);
void x32_numbers(const struct attempt *a);
void int80_in_32_bit(const struct attempt *a);
void syscall_in_32_bit(const struct attempt *a);
void segment_32(const struct attempt *a);
void privileged(const struct attempt *a);
void vsyscall(const struct attempt *a);
void vdso_other_number(const struct attempt *a);

/* signal-frames.c */
void block_and_call(const struct attempt *a);
void block_and_fault(const struct attempt *a);
void block_and_loop(const struct attempt *a);
void alt_on_kernel(const struct attempt *a);
void sigreturn_garbage(const struct attempt *a);
void privileged_frame(const struct attempt *a);

/* memory.c */
void image_writable(const struct attempt *a);
void kernel_text(const struct attempt *a);
void kernel_data_runs(const struct attempt *a);
void destroy(const struct attempt *a);
void jump_into_kernel(const struct attempt *a);
void unmap_everything(const struct attempt *a);
void punch_everything(const struct attempt *a);
void image_discarded(const struct attempt *a);
void map_over(const struct attempt *a);
void timer_flood(const struct attempt *a);
void lock_out(const struct attempt *a);

/* outside.c */
void other_process(const struct attempt *a);
void kill_init(const struct attempt *a);
void kill_all(const struct attempt *a);
void kill_by_number(const struct attempt *a);
void open_host_file(const struct attempt *a);
void restart(const struct attempt *a);
void mounts(const struct attempt *a);
void module(const struct attempt *a);
void raw_packets(const struct attempt *a);

#endif
