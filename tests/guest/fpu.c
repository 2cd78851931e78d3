// SPDX-License-Identifier: GPL-2.0-only
/* Vector and floating point state: across system calls, signals, switches, fork; in signal frames.
 */
#include "claim.h"

#include <cpuid.h>
#include <sys/time.h>
#include <sys/ptrace.h>
#include <ucontext.h>

struct vectors {
	unsigned char v[32][64];	/* of which an AVX machine has 16 of 32 bytes */
	uint64_t k[8];
};

static bool has_avx, has_avx512;
static volatile sig_atomic_t count;

static void probe(void)
{
	unsigned int a, b, c, d, lo, hi;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return;
	asm("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	has_avx = (c & bit_AVX) && (lo & 6) == 6;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		has_avx512 = (b & bit_AVX512F) && (lo & 0xe6) == 0xe6;
}

#define LOAD(n) "vmovdqu 64*" #n "(%0), %%ymm" #n "\n\t"
#define STORE(n) "vmovdqu %%ymm" #n ", 64*" #n "(%0)\n\t"
#define LOADZ(n) "vmovdqu64 64*" #n "(%0), %%zmm" #n "\n\t"
#define STOREZ(n) "vmovdqu64 %%zmm" #n ", 64*" #n "(%0)\n\t"
#define LOADX(n) "movups 64*" #n "(%0), %%xmm" #n "\n\t"
#define STOREX(n) "movups %%xmm" #n ", 64*" #n "(%0)\n\t"
#define R16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define R32(X)                                                                                    \
	R16(X)                                                                                    \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) \
		X(31)

/* Load all registers from @in, make the system call @nr @times times, store them to @out. */
static void __attribute__((target("avx,avx512f,avx512bw"), noinline))
around(const struct vectors *in, struct vectors *out, long nr, long times)
{
	long a;

	if (has_avx512)
		asm volatile(R32(LOADZ)
			     "kmovq 2048(%0), %%k1; kmovq 2056(%0), %%k2; kmovq 2064(%0), %%k7"
			     : : "r" (in) : "memory");
	else if (has_avx)
		asm volatile(R16(LOAD) : : "r" (in) : "memory");
	else
		asm volatile(R16(LOADX) : : "r" (in) : "memory");
	while (times--)
		if (nr < 0)
			for (a = 0; a < 20000; a++)
				asm volatile("" : : : "memory");
		else
			asm volatile("syscall" : "=a" (a) : "0" (nr), "D" (0), "S" (0), "d" (0)
				     : "rcx", "r11", "memory");
	if (has_avx512)
		asm volatile(R32(STOREZ) "kmovq %%k1, 2048(%0); kmovq %%k2, 2056(%0); kmovq %%k7, "
					 "2064(%0)\n\tvzeroupper"
			     :
			     : "r"(out)
			     : "memory");
	else if (has_avx)
		asm volatile(R16(STORE) "vzeroupper" : : "r" (out) : "memory");
	else
		asm volatile(R16(STOREX) : : "r" (out) : "memory");
}

static void pattern(struct vectors *v, unsigned int seed)
{
	unsigned char *p = (unsigned char *)v;
	size_t i;

	for (i = 0; i < sizeof(*v); i++)
		p[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8) * 13);
}

static void same(const struct vectors *a, const struct vectors *b)
{
	int regs = has_avx512 ? 32 : 16, bytes = has_avx512 ? 64 : has_avx ? 32 : 16, i;

	for (i = 0; i < regs; i++)
		if (memcmp(a->v[i], b->v[i], (size_t)bytes))
			claim_failed(__FILE__, __LINE__,
				     "vector register %d: %016lx..., wanted %016lx...", i,
				     *(unsigned long *)b->v[i], *(unsigned long *)a->v[i]);
	if (has_avx512)
		need(a->k[0] == b->k[0] && a->k[1] == b->k[1] && a->k[2] == b->k[2]);
}

static void check(unsigned int seed, long nr, long times)
{
	static struct vectors in, out;

	pattern(&in, seed);
	memset(&out, 0, sizeof(out));
	around(&in, &out, nr, times);
	same(&in, &out);
}

static void over_calls(void)
{
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		check(i, SYS_getppid, 3);
		check(i, SYS_sched_yield, 2);
		check(i, SYS_read, 2);		/* of a descriptor that gives nothing */
		check(i, SYS_time, 2);
	}
}

/* A handler that leaves other values in all registers. */
static void trample(int sig)
{
	struct vectors v, w;

	(void)sig;
	count++;
	pattern(&v, (unsigned int)count + 1000);
	around(&v, &w, SYS_getppid, 1);
	same(&v, &w);
	asm volatile("fldpi; fldl2e; fmulp; fstp %st(0)");
}

static void timer(int us)
{
	struct itimerval it = { { 0, us }, { 0, us } };
	struct sigaction sa = { .sa_handler = trample, .sa_flags = SA_RESTART };

	need(!sigaction(SIGALRM, &sa, NULL));
	need(!setitimer(ITIMER_REAL, &it, NULL));
}

static void over_signals(void)
{
	unsigned int i;

	timer(400);
	for (i = 0; count < 1000; i++) {
		check(i, -1, 20);
		check(i, SYS_getppid, 50);
	}
}

static void over_switches(void)
{
	uint64_t end = now_ns() + 2000000000u;
	enum { N = 4 };
	pid_t pid[N];
	unsigned int i;
	int n, status;

	for (n = 0; n < N; n++) {
		pid[n] = fork();
		if (!pid[n]) {
			for (i = 0; now_ns() < end; i++) {
				check(i * N + (unsigned int)n, SYS_sched_yield, 4);
				check(i * N + (unsigned int)n, -1, 5);
			}
			_exit(0);
		}
	}
	for (n = 0; n < N; n++) {
		need_is(waitpid(pid[n], &status, 0), pid[n]);
		need_is(status, 0);
	}
}

static void over_page_faults(void)
{
	static struct vectors in, out;
	char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	need(p != MAP_FAILED);
	for (i = 0; i < 64 << 20; i += 16384) {
		pattern(&in, (unsigned int)i);
		asm volatile("movups (%0), %%xmm7; movups 64(%0), %%xmm15\n\t"
			     "movb $1, (%1)\n\t"
			     "movups %%xmm7, (%2); movups %%xmm15, 64(%2)"
			     : : "r" (&in), "r" (p + i), "r" (&out) : "xmm7", "xmm15", "memory");
		need(!memcmp(in.v[0], out.v[0], 16) && !memcmp(in.v[1], out.v[1], 16));
	}
}

static void is_inherited(void)
{
	struct vectors in, out;
	pid_t pid;
	int status;
	long a;

	pattern(&in, 77);
	asm volatile("movups (%1), %%xmm8; syscall; movups %%xmm8, (%2)"
		     : "=a" (a) : "r" (&in), "r" (&out), "0" (SYS_fork)
		     : "rcx", "r11", "xmm8", "memory");
	pid = (pid_t)a;
	need(!memcmp(&in, &out, 16));
	if (!pid)
		_exit(0);
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

static uint32_t mxcsr(void)
{
	uint32_t v;

	asm volatile("stmxcsr %0" : "=m" (v));
	return v;
}

static uint16_t control_word(void)
{
	uint16_t v;

	asm volatile("fnstcw %0" : "=m" (v));
	return v;
}

static void words(uint32_t m, uint16_t cw)
{
	asm volatile("ldmxcsr %0; fldcw %1" : : "m" (m), "m" (cw));
}

static void reset_words(int sig)
{
	(void)sig;
	count++;
	words(0x1f80, 0x37f);
}

/* Each process its own rounding mode. */
static void control_words(void)
{
	uint64_t end = now_ns() + 1000000000u;
	struct itimerval it = { { 0, 500 }, { 0, 500 } };
	int status, i;
	bool child;
	pid_t pid;

	need_is(mxcsr() & ~0x3fu, 0x1f80);
	need_is(control_word(), 0x37f);
	pid = fork();
	child = !pid;
	words(child ? 0x7f80 : 0x3f80, child ? 0xf7f : 0x77f);
	signal(SIGALRM, reset_words);
	need(!setitimer(ITIMER_REAL, &it, NULL));
	while (now_ns() < end)
		for (i = 0; i < 10000; i++) {
			need_is(mxcsr() & ~0x3fu, child ? 0x7f80 : 0x3f80);
			need_is(control_word(), child ? 0xf7f : 0x77f);
			if (i % 1000 == 0)
				sched_yield();
		}
	if (child)
		_exit(0);
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
	need(count > 0);
}

static void x87_stack(void)
{
	uint64_t end = now_ns() + 1000000000u;
	double a, b, c;
	int status, i;
	pid_t pid = fork();

	timer(500);
	for (i = 0; now_ns() < end; i++) {
		a = i + (pid ? 0.25 : 0.5);
		b = a * 3;
		c = a * 5;
		asm volatile("fldl %3; fldl %4; fldl %5\n\t"
			     "mov $100000, %%ecx\n1:	dec %%ecx; jnz 1b\n\t"
			     "mov $24, %%eax; syscall\n\t"
			     "fstpl %2; fstpl %1; fstpl %0"
			     : "=m" (a), "=m" (b), "=m" (c) : "m" (a), "m" (b), "m" (c)
			     : "rax", "rcx", "r11", "memory");
		need(a == i + (pid ? 0.25 : 0.5) && b == a * 3 && c == a * 5);
	}
	if (!pid)
		_exit(0);
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

/* exec and the first instruction of a handler see an initial state. */
static volatile uint32_t handler_mxcsr;
static void see_words(int sig)
{
	(void)sig;
	handler_mxcsr = mxcsr();
}

struct software {			/* what the kernel writes into the frame's reserved bytes */
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t size;
};

static void frame_handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	char *fp = (char *)uc->uc_mcontext.fpregs;
	struct software *sw = (struct software *)(fp + 464);
	unsigned int a, b, c, d;

	(void)sig;
	(void)si;
	count++;
	need_is(sw->magic1, 0x46505853);
	need_is(*(uint32_t *)(fp + sw->size), 0x46505845);
	need_is(sw->extended_size, sw->size + 4);
	need((sw->features & 3) == 3);
	need_is(uc->uc_flags & 1, 1);
	if (has_avx) {
		need(sw->features & 4);
		need(__get_cpuid_count(13, 2, &a, &b, &c, &d));
		/* The upper half of ymm3 is where the CPU says, and what is put there comes back.
		 */
		need(*(uint64_t *)(fp + 512) & 4);
		need_is(fp[b + 16 * 3 + 5], 0x33);
		memset(fp + b + 16 * 3, 0x44, 16);
	}
	need_is(fp[160 + 16 * 3 + 1], 0x33);
	memset(fp + 160 + 16 * 3, 0x55, 16);
}

static void __attribute__((target("avx"))) frames(void)
{
	struct sigaction sa = { .sa_sigaction = frame_handler, .sa_flags = SA_SIGINFO };
	unsigned char in[32], out[32];
	long a;

	need(!sigaction(SIGUSR1, &sa, NULL));
	memset(in, 0x33, sizeof(in));
	if (has_avx)
		asm volatile("vmovdqu (%1), %%ymm3; syscall; vmovdqu %%ymm3, (%2); vzeroupper"
			     : "=a"(a)
			     : "r"(in), "r"(out), "0"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			     : "rcx", "r11", "xmm3", "memory");
	else
		asm volatile("movups (%1), %%xmm3; syscall; movups %%xmm3, (%2)"
			     : "=a"(a)
			     : "r"(in), "r"(out), "0"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			     : "rcx", "r11", "xmm3", "memory");
	need_is(count, 1);
	need_is(out[0], 0x55);
	if (has_avx)
		need_is(out[16], 0x44);
}

/* What a program writes into a frame may break itself, never the system. */
static void bad_frame_handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;

	(void)sig;
	(void)si;
	memset(uc->uc_mcontext.fpregs, 0xff, 512);
	memset((char *)uc->uc_mcontext.fpregs + 512, 0xff, 64);
}

static void bad_frame(void)
{
	struct sigaction sa = { .sa_sigaction = bad_frame_handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
}

static void bad_frames(void)
{
	int i, sig;

	for (i = 0; i < 20; i++) {
		sig = dies(bad_frame);
		need(sig == 0 || sig == SIGSEGV);
	}
	check(5, SYS_getppid, 5);
}

static void initial_in_handler(void)
{
	signal(SIGUSR1, see_words);
	words(0x7f80, 0xf7f);
	raise(SIGUSR1);
	need_is(mxcsr() & ~0x3fu, 0x7f80);
}

/* A debugger sees and sets a stopped child's registers. */
static void by_ptrace(void)
{
	struct vectors in, out;
	static unsigned char area[8192] __attribute__((aligned(64)));
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		pattern(&in, 9);
		asm volatile("movups (%0), %%xmm5" : : "r" (&in));
		asm volatile("int3");
		asm volatile("movups %%xmm5, (%0)" : : "r" (&out) : "memory");
		_exit(out.v[0][0] == 0xab && out.v[0][15] == 0xab ? 0 : 1);
	}
	need_is(waitpid(pid, &status, 0), pid);
	need(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	need(!ptrace(PTRACE_GETFPREGS, pid, 0, area));
	pattern(&in, 9);
	need(!memcmp(area + 160 + 16 * 5, in.v[0], 16));
	memset(area + 160 + 16 * 5, 0xab, 16);
	need(!ptrace(PTRACE_SETFPREGS, pid, 0, area));
	need(!ptrace(PTRACE_CONT, pid, 0, 0));
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	probe();
	printf("# AVX %d, AVX-512 %d\n", has_avx, has_avx512);
	close(0);
	open("/dev/null", O_RDONLY);
	claim("vector registers survive system calls", over_calls);
	claim("vector registers survive signals whose handlers use them", over_signals);
	claim("vector registers survive switches between four processes", over_switches);
	claim("vector registers survive page faults", over_page_faults);
	claim("a fork hands xmm8 on to parent and child", is_inherited);
	claim("rounding modes are each process's own", control_words);
	claim("the x87 stack survives switches, signals and system calls", x87_stack);
	claim("frames hold XSAVE state with its magic numbers, and restore it", frames);
	claim("nonsense in a frame's vector state harms nobody else", bad_frames);
	claim("MXCSR is restored after a handler", initial_in_handler);
	claim("ptrace reads and writes xmm5", by_ptrace);
	return claims_done();
}
