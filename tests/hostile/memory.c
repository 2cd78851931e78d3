// SPDX-License-Identifier: GPL-2.0-only
/* Attempts on memory: images, the guest kernel, mappings. */
#include "hostile.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

/* The filter lets this through; the descriptor, open for reading only, refuses it. */
void image_writable(const struct attempt *a)
{
	long arg[6] = { 0x4000000, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			IMAGE_FD,  0 };
	long ret = gate_call(find_gate(), SYS_mmap, arg);

	(void)a;
	if (ret != -EACCES)
		escaped("an image was mapped writable", ret);
	contained();
}

/* Other instructions that enter the host's kernel. */

static uintptr_t text_at;
static void write_text(void)
{
	*(volatile unsigned char *)text_at = 0xcc;
}

void kernel_text(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	(void)a;
	signal(SIGSEGV, SIG_DFL);
	for (text_at = gate - PAGE; text_at < gate + 100 * PAGE; text_at += PAGE)
		child_dies(write_text, SIGSEGV, SIGSEGV);
	text_at = gate;
	child_dies(write_text, SIGSEGV, SIGSEGV);
	contained();
}

/* No page of the kernel's own memory is executable and writable: data does not run. */
void kernel_data_runs(const struct attempt *a)
{
	unsigned char *p = (unsigned char *)find_gate();

	/* The executable's last page, then guest memory behind it. */
	p = (unsigned char *)readable_end(p) - (a->arg[0] ? PAGE : 64 * PAGE);
	say("before");
	signal(SIGSEGV, SIG_DFL);
	*(volatile unsigned char *)p = 0xc3;
	((void (*)(void))(uintptr_t)p)();
	escaped(a->name, 0);
}

static void fill_page(uint64_t *page, int how)
{
	size_t i;

	if (sigsetjmp(fault_back, 1))
		return;
	for (i = 0; i < PAGE / 8; i++)
		page[i] = how == 1 ? 0x4141414141414141 : how == 2 ? page[i] + 8 : 0;
}

static void fill(unsigned char *p, unsigned char *end, int how)
{
	for (; p < end; p += PAGE)
		fill_page((uint64_t *)p, how);
}

void destroy(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	unsigned char *text = (unsigned char *)gate, *from = (unsigned char *)a->arg[0];
	int i;

	(void)text;
	say("before");
	fill(from, from + a->arg[1], (int)a->arg[2]);
	for (i = 0; i < 1000; i++) {
		getppid();
		sched_yield();
		if (!fork())
			_exit(0);
	}
	exit(0);
}

void jump_into_kernel(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	say("before");
	asm volatile("mov %%rsp, %%rdi; xor %%esi, %%esi; mov %%rsp, %%rdx; jmp *%0"
		     : : "r" (gate + (uintptr_t)a->arg[0]) : "rdi", "rsi", "rdx", "memory");
	__builtin_unreachable();
}

void unmap_everything(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long low[6] = { 0x10000, KERNEL - 0x10000 }, vmalloc[6] = { 0x3000000000, 0x1000000000 },
	     slot[6] = { 0, 1L << 38 };

	(void)a;
	say("before");
	gate_call(gate, SYS_munmap, low);
	gate_call(gate, SYS_munmap, vmalloc);
	for (slot[0] = 0x4000000000; slot[0] < 0x600000000000; slot[0] += 1L << 38)
		gate_call(gate, SYS_munmap, slot);
	exit(0);
}

void punch_everything(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long step = 1L << 20, arg[6] = { KERNEL, step, MADV_REMOVE };

	(void)a;
	say("before");
	/* The executable, which is private, refuses; what lies behind it is the memory. */
	for (; arg[0] < (long)KERNEL + (1L << 30); arg[0] += step)
		gate_call(gate, SYS_madvise, arg);
	exit(0);
}

/* What the host shares with others is not the guest's to discard: it is mapped for reading. */
void image_discarded(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long map[6] = { 0x20000000, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, IMAGE_FD, 0 };
	long drop[6] = { 0x20000000, PAGE, MADV_REMOVE };
	char before[PAGE];

	say("before");
	if (gate_call(gate, SYS_mmap, map) != 0x20000000)
		exit(98);
	memcpy(before, (void *)0x20000000, PAGE);
	if (gate_call(gate, SYS_madvise, drop) != -EACCES ||
	    memcmp(before, (void *)0x20000000, PAGE))
		escaped(a->name, 0);
	contained();
}

void map_over(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long arg[6] = {
		0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_FIXED, MEMORY_FD, 0
	};

	(void)a;
	say("before");
	/* The memory file's first pages, executable in the guest's range: still not the gate. */
	arg[0] = 0x20000000;
	if (gate_call(gate, SYS_mmap, arg) != 0x20000000)
		exit(98);
	memcpy((void *)0x20000000, "\xb8\x27\x00\x00\x00\x0f\x05\xc3", 8);
	if (((long (*)(void))0x20000000)() == getpid())
		contained();		/* a guest system call, like from everywhere */
	exit(98);
}

void timer_flood(const struct attempt *a)
{
	struct itimerspec its = { { 0, 1 }, { 0, 1 } };
	long arg[6] = { 0, 0, (long)&its, 0 };
	time_t end = time(NULL) + 2;

	(void)a;
	say("before");
	gate_call(find_gate(), SYS_timer_settime, arg);
	while (time(NULL) < end)
		getppid();
	exit(0);
}

void lock_out(const struct attempt *a)
{
	unsigned int eax = 7, ebx, ecx = 0, edx;

	(void)a;
	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	say("before");
	if (ecx & 16)
		asm volatile("wrpkru" : : "a" (0xffffffff), "c" (0), "d" (0) : "memory");
	*(volatile uint64_t *)data.words = 1;
	exit(0);
}
