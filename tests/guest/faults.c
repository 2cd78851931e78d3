// SPDX-License-Identifier: GPL-2.0-only
/* Faults: the right signal, code and address for each way of doing wrong. */
#include "claim.h"

#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile siginfo_t info;
static volatile uint64_t rip;
static volatile int count;

static void handler(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	memcpy((void *)&info, si, sizeof(*si));
	rip = (uint64_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	count++;
	siglongjmp(back, 1);
}

static void catch_all(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };
	size_t i;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		need(!sigaction(sigs[i], &sa, NULL));
}

/* @access must raise @sig with this code and address. */
#define raises(access, sig, code, addr) do { \
	memset((void *)&info, 0, sizeof(info)); \
	if (!sigsetjmp(back, 1)) { \
		access; \
		claim_failed(__FILE__, __LINE__, "%s went well", #access); \
	} \
	need_is(info.si_signo, sig); \
	need_is(info.si_code, code); \
	need_is((uintptr_t)info.si_addr, (uintptr_t)(addr)); \
} while (0)

#define READ(p) ((void)*(volatile char *)(p))
#define WRITE(p) (*(volatile char *)(p) = 1)
#define CALL(p) (((void (*)(void))(uintptr_t)(p))())

static void *pages(size_t n, int prot)
{
	void *p = mmap(NULL, n * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED);
	return p;
}

static char *volatile null;

static void null_pointers(void)
{
	int i;

	catch_all();
	for (i = 0; i < 200; i++) {
		raises(READ(null), SIGSEGV, SEGV_MAPERR, 0);
		raises(WRITE(null + 8), SIGSEGV, SEGV_MAPERR, 8);
		raises(READ(null + 4095), SIGSEGV, SEGV_MAPERR, 4095);
		raises(READ(null + 0xffff), SIGSEGV, SEGV_MAPERR, 0xffff);
		raises(CALL(null), SIGSEGV, SEGV_MAPERR, 0);
		need_is(rip, 0);
	}
}

static void rights(void)
{
	char *ro = pages(1, PROT_READ), *none = pages(1, PROT_NONE),
	     *rw = pages(1, PROT_READ | PROT_WRITE);
	char *heap = malloc(100);
	int fd = open("/proc/self/exe", O_RDONLY);
	char *file = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	static char bss[100];
	char stack[100] = { 0 };

	catch_all();
	raises(WRITE(ro + 5), SIGSEGV, SEGV_ACCERR, ro + 5);
	READ(ro);
	raises(WRITE(ro + 5), SIGSEGV, SEGV_ACCERR, ro + 5);
	raises(READ(none + 7), SIGSEGV, SEGV_ACCERR, none + 7);
	raises(WRITE(none + 7), SIGSEGV, SEGV_ACCERR, none + 7);
	raises(CALL(none), SIGSEGV, SEGV_ACCERR, none);
	rw[0] = (char)0xc3;
	raises(CALL(rw), SIGSEGV, SEGV_ACCERR, rw);
	heap[0] = (char)0xc3;
	raises(CALL(heap), SIGSEGV, SEGV_ACCERR, heap);
	bss[0] = (char)0xc3;
	raises(CALL(bss), SIGSEGV, SEGV_ACCERR, bss);
	stack[0] = (char)0xc3;
	raises(CALL(stack), SIGSEGV, SEGV_ACCERR, stack);
	raises(WRITE(file), SIGSEGV, SEGV_ACCERR, file);
	raises(WRITE((char *)(uintptr_t)rights), SIGSEGV, SEGV_ACCERR, (uintptr_t)rights);
	need(!mprotect(rw, 4096, PROT_READ | PROT_EXEC));
	CALL(rw);
	raises(WRITE(rw), SIGSEGV, SEGV_ACCERR, rw);
	need(!munmap(rw, 4096));
	raises(READ(rw), SIGSEGV, SEGV_MAPERR, rw);
	raises(CALL(rw), SIGSEGV, SEGV_MAPERR, rw);
}

/* Above all that a program may have: no address is told. */
static void non_canonical(void)
{
	catch_all();
	raises(READ(0x1234567812345678), SIGSEGV, SI_KERNEL, 0);
	raises(WRITE(0x8000000000000000), SIGSEGV, SI_KERNEL, 0);
}

static void kernel_half(void)
{
	catch_all();
	raises(READ(0xffff888000000000), SIGSEGV, SEGV_MAPERR, 0xffff888000000000);
	raises(WRITE(0xffffffff81000000), SIGSEGV, SEGV_MAPERR, 0xffffffff81000000);
}

/* System calls are given such addresses: EFAULT, no signal. */
static void bad_arguments(void)
{
	char *ro = pages(1, PROT_READ), *none = pages(1, PROT_NONE);
	int fd = open("/dev/zero", O_RDONLY), pipe_fd[2];
	static const uintptr_t bad[] = { 0,
					 8,
					 0x60000000,
					 0x60123456,
					 0x3000000000,
					 0x1234567812345678,
					 0xffff888000000000,
					 ~0ul };
	size_t i;

	need(fd >= 0 && !pipe(pipe_fd));
	need(read(fd, ro, 1) == -1 && errno == EFAULT);
	need(read(fd, none, 1) == -1 && errno == EFAULT);
	need(write(pipe_fd[1], none, 1) == -1 && errno == EFAULT);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		need(syscall(SYS_read, fd, bad[i], 64) == -1 && errno == EFAULT);
		need(syscall(SYS_write, pipe_fd[1], bad[i], 64) == -1 && errno == EFAULT);
		need(syscall(SYS_open, bad[i], 0) == -1 && errno == EFAULT);
		need(syscall(SYS_clock_gettime, 99, bad[i]) == -1 && errno == EINVAL);
		need(syscall(SYS_rt_sigaction, SIGUSR1, bad[i] ? bad[i] : 1, NULL, 8) == -1 &&
		     errno == EFAULT);
	}
	/* One that ends in the middle of what is there. */
	char *two = pages(2, PROT_READ | PROT_WRITE);
	need(!munmap(two + 4096, 4096));
	need_is(read(fd, two + 4000, 200), 96);
}

static void beyond_file_end(void)
{
	int fd = memfd_create("x", 0);
	char *p;

	need(fd >= 0 && !ftruncate(fd, 5000));
	p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED);
	catch_all();
	p[8191] = 1;
	raises(READ(p + 8192), SIGBUS, BUS_ADRERR, p + 8192);
	raises(WRITE(p + 12300), SIGBUS, BUS_ADRERR, p + 12300);
	need(!ftruncate(fd, 3 * 4096));
	p[8192] = 2;
	need(!ftruncate(fd, 0));
	raises(READ(p), SIGBUS, BUS_ADRERR, p);
}

static void arithmetic(void)
{
	volatile int zero = 0, seven = 7;
	volatile long min = INT64_MIN, minus = -1;
	volatile double d = 0, one = 1;
	uint32_t csr = 0x1d80;			/* division by zero unmasked */

	catch_all();
	if (!sigsetjmp(back, 1)) {
		zero = seven / zero;
		need(!"division went well");
	}
	need_is(info.si_signo, SIGFPE);
	need_is(info.si_code, FPE_INTDIV);
	need_is((uintptr_t)info.si_addr, rip);
	if (!sigsetjmp(back, 1)) {
		min = min / minus;
		need(!"overflow went well");
	}
	need_is(info.si_code, FPE_INTDIV);
	if (!sigsetjmp(back, 1)) {
		asm volatile("ldmxcsr %0" : : "m" (csr));
		d = one / d;
		need(!"vector division went well");
	}
	csr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m" (csr));
	need_is(info.si_signo, SIGFPE);
	need_is(info.si_code, FPE_FLTDIV);
}

static void bad_instructions(void)
{
	catch_all();
	if (!sigsetjmp(back, 1))
		asm volatile("ud2");
	need_is(info.si_signo, SIGILL);
	need_is(info.si_code, ILL_ILLOPN);
	need_is((uintptr_t)info.si_addr, rip);
	if (!sigsetjmp(back, 1))
		asm volatile("hlt");
	need_is(info.si_signo, SIGSEGV);
	if (!sigsetjmp(back, 1))
		asm volatile("int3");
	need_is(info.si_signo, SIGTRAP);
	need_is(info.si_code, SI_KERNEL);
	need_is(count, 3);
}

/* The trap flag: one trap behind each instruction, also around system calls. */
static volatile uint64_t trap_rip[64];
static volatile int traps;
static void trap_handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;

	(void)sig;
	need_is(si->si_code, TRAP_TRACE);
	if (traps < 64)
		trap_rip[traps] = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	traps++;
}

static void trap_flag(void)
{
	struct sigaction sa = { .sa_sigaction = trap_handler, .sa_flags = SA_SIGINFO };
	extern char step_1[], step_2[], step_3[], step_4[];
	long result = 0;
	int round, i;

	need(!sigaction(SIGTRAP, &sa, NULL));
	for (round = 0; round < 10; round++) {
		traps = 0;
		asm volatile(
			"	pushfq\n	orq $0x100, (%%rsp)\n	popfq\n"
			"	nop\n"
			"step_1:	nop\n"
			"step_2:	mov $110, %%eax\n"
			"step_3:	syscall\n"
			"	mov %%rax, %%rbx\n"
			"step_4:	nop\n"
			"	pushfq\n	andq $~0x100, (%%rsp)\n	popfq\n	nop\n"
			: "=b" (result) : : "rax", "rcx", "r11", "memory", "cc");
		need_is(result, getppid());
		need_is(trap_rip[0], (uintptr_t)step_1);
		need_is(trap_rip[1], (uintptr_t)step_2);
		/* Then every place at most once, in order, to the end. */
		for (i = 1; i < traps; i++)
			need(trap_rip[i] > trap_rip[i - 1]);
		need(traps >= 7 && traps <= 10);
	}
	(void)step_3;
	(void)step_4;
}

/* Any handler that returns faults again at the same place, until it has mended it. */
static volatile char *volatile mended;
static void mend(int sig, siginfo_t *si, void *p)
{
	(void)sig;
	(void)p;
	count++;
	need_is((uintptr_t)si->si_addr & ~4095ul, (uintptr_t)mended);
	if (count % 3 == 0)
		mprotect((void *)mended, 4096, PROT_READ | PROT_WRITE);
}

static void mending(void)
{
	struct sigaction sa = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };
	int i;

	need(!sigaction(SIGSEGV, &sa, NULL));
	for (i = 0; i < 100; i++) {
		mended = pages(1, PROT_NONE);
		mended[100] = (char)i;
		need_is(count, 3 * (i + 1));
		need_is(mended[100], (char)i);
	}
}

static void blocked_and_faulting(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGSEGV, SIG_IGN);
	WRITE(null);
}

static void no_way_out(void)
{
	need_is(dies(blocked_and_faulting), SIGSEGV);
}

static int __attribute__((noinline)) deep(int n)
{
	volatile char frame[4000];

	frame[n % 4000] = (char)n;
	return n > 10000000 ? 0 : deep(n + 1) + frame[(n + 1) % 4000];
}

static void overflow(void)
{
	deep(0);
}

/* The stack grows to its limit, and no further. */
static void stack_limit(void)
{
	struct rlimit limit;
	volatile char *p = alloca(6 << 20);
	size_t i;

	need(!getrlimit(RLIMIT_STACK, &limit));
	need_is(limit.rlim_cur, 8 << 20);
	for (i = (6 << 20) - 1; i > 4096; i -= 4096)
		p[i] = 1;
	need_is(dies(overflow), SIGSEGV);
}

/* Code that is fetched across two pages, the second of which is missing or not executable. */
static void fetch_across(void)
{
	char *p = pages(2, PROT_READ | PROT_WRITE | PROT_EXEC);

	memset(p, 0x90, 4096);
	p[4095] = (char)0xb8;			/* mov $imm32, %eax: four bytes more */
	p[4096 + 4] = (char)0xc3;
	catch_all();
	CALL(p + 4000);
	need(!mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE));
	raises(CALL(p + 4000), SIGSEGV, SEGV_ACCERR, p + 4096);
	need_is(rip, (uintptr_t)p + 4095);
	need(!munmap(p + 4096, 4096));
	raises(CALL(p + 4000), SIGSEGV, SEGV_MAPERR, p + 4096);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("NULL: read, write, call", null_pointers);
	claim("what is not allowed: SEGV_ACCERR; what is not there: SEGV_MAPERR", rights);
	claim("non-canonical addresses", non_canonical);
	claim("addresses of the upper half", kernel_half);
	claim("bad addresses in system calls: EFAULT", bad_arguments);
	claim("beyond a file's end: SIGBUS", beyond_file_end);
	claim("SIGFPE: division, overflow, vector division", arithmetic);
	claim("SIGILL, SIGTRAP, SIGSEGV by instructions", bad_instructions);
	claim("the trap flag steps through a system call", trap_flag);
	claim("a handler mends the fault at its third time", mending);
	claim("blocked and ignored: a fault kills all the same", no_way_out);
	claim("the stack grows to 8 MiB, then SIGSEGV", stack_limit);
	claim("an instruction across two pages", fetch_across);
	return claims_done();
}
