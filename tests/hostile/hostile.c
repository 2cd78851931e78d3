// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that try to leave the container, one attempt a run: `hostile NAME`. `hostile --list`
 * prints for each what must come of it, its name and its title (attempts.sh):
 *
 *	killed		the host kills the process with SIGSYS before the call has had any effect
 *	contained	refused, or without effect; the container goes on and says "contained"
 *	ends		what is destroyed is the guest itself: it may end in any way
 *
 * Guest kernel and programs are one domain: the kernel's instruction that calls the host, the
 * gate, can be jumped to. What it does for a foreign caller is what the filter allows to anybody.
 * $CANARY_FILE and $CANARY_PID name a file and a process of the host that must not change.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define KERNEL		0x60000000UL
#define PAGE		4096UL
#define MEMORY_FD	6
#define IMAGE_FD	24

struct attempt {
	const char *wanted, *name, *title;
	long nr, arg[6];
	void (*run)(const struct attempt *a);
};

static void say(const char *text)
{
	dprintf(1, "%s\n", text);
}

static void contained(void)
{
	say("contained");
	exit(0);
}

static void escaped(const char *how, long result)
{
	dprintf(1, "ESCAPED: %s: %ld\n", how, result);
	exit(99);
}

/* Reading what may not be there. */

static sigjmp_buf fault_back;
static volatile sig_atomic_t fault_signal;

static void fault_handler(int sig)
{
	fault_signal = sig;
	siglongjmp(fault_back, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = fault_handler, .sa_flags = SA_NODEFER };
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS };
	size_t i;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
}

static bool readable(const volatile unsigned char *p)
{
	if (sigsetjmp(fault_back, 1))
		return false;
	(void)*p;
	return true;
}

/* The end of readable memory that begins at @p. */
static const unsigned char *readable_end(const unsigned char *p)
{
	while (readable(p))
		p += PAGE;
	return p;
}

/* The guest kernel's executable text begins behind its ELF header's page. */
static uintptr_t find_gate(void)
{
	const unsigned char *p, *begin = (unsigned char *)KERNEL;
	const uint64_t *phdr = (uint64_t *)(begin + 64);
	const unsigned char *text, *end;
	uintptr_t found = 0;

	catch_faults();
	if (!readable(begin) || memcmp(begin, "\177ELF", 4)) {
		say("no guest kernel here");
		exit(98);
	}
	while (((uint32_t *)phdr)[0] != 1 || !(((uint32_t *)phdr)[1] & 1))
		phdr += 7;
	text = (unsigned char *)phdr[2];
	end = text + phdr[4];
	for (p = text; p < end - 3; p++)
		if (p[0] == 0x0f && p[1] == 0x05 && p[2] == 0xc3)
			found = (uintptr_t)p;
	if (!found) {
		say("no gate found");
		exit(98);
	}
	return found;
}

static long gate_call(uintptr_t gate, long nr, const long arg[6])
{
	register long r10 asm("r10") = arg[3];
	register long r8 asm("r8") = arg[4];
	register long r9 asm("r9") = arg[5];
	long ret;

	asm volatile("call *%[gate]"
		     : "=a"(ret)
		     : "0"(nr), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8),
		       "r"(r9), [gate] "r"(gate)
		     : "rcx", "r11", "memory");
	return ret;
}

/* A place in this program that an argument may point to: there are words for each need. */
static struct {
	char path[4096];
	struct iovec iov;
	char buffer[64];
	uint64_t words[16];
} data = { .iov = { data.buffer, sizeof(data.buffer) } };

#define PATH	((long)data.path)
#define IOV	((long)&data.iov)
#define WORDS	((long)data.words)
#define PID	(-4711)		/* stands for the canary's */

static void at_gate(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long arg[6], ret;
	int i;

	for (i = 0; i < 6; i++)
		arg[i] = a->arg[i] == PID ? atoi(getenv("CANARY_PID")) : a->arg[i];
	say("before");
	ret = gate_call(gate, a->nr, arg);
	escaped(a->name, ret);
}

/* The filter lets this through; the descriptor, open for reading only, refuses it. */
static void image_writable(const struct attempt *a)
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

static void int80(const struct attempt *a)
{
	long ret;

	say("before");
	asm volatile("int $0x80" : "=a" (ret) : "0" (20L) : "r8", "r9", "r10", "r11", "memory");
	escaped(a->name, ret);
}

static void sysenter(const struct attempt *a)
{
	catch_faults();
	say("before");
	if (!sigsetjmp(fault_back, 1)) {
		asm volatile("mov %%rsp, %%rbp; mov $20, %%eax; sysenter"
			     : : : "rax", "rcx", "rdx", "rbp", "memory");
		escaped(a->name, 0);
	}
	contained();
}

static void syscall_elsewhere(const struct attempt *a)
{
	const unsigned char *p, *text = (unsigned char *)KERNEL;
	const uint64_t *phdr = (uint64_t *)(text + 64);
	uintptr_t gate = find_gate();
	long none[6] = { 0 };

	while (((uint32_t *)phdr)[0] != 1 || !(((uint32_t *)phdr)[1] & 1))
		phdr += 7;
	text = (unsigned char *)phdr[2];
	for (p = text; p < text + phdr[4] - 1; p++)
		if (p[0] == 0x0f && p[1] == 0x05 && (uintptr_t)p != gate) {
			say("before");
			escaped(a->name, gate_call((uintptr_t)p, SYS_getpid, none));
		}
	say("before");			/* there is none: as good */
	raise(SIGSYS);
}

static void x32_numbers(const struct attempt *a)
{
	long nr;

	for (nr = 0; nr < 550; nr++)
		if (syscall(0x40000000 | nr, 0, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS)
			escaped(a->name, nr);
	contained();
}

/* Code at a low address that runs in the 32-bit segment. */
static void in_32_bit(const unsigned char *code, size_t len)
{
	unsigned char *p = mmap((void *)0x10000000, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		escaped("mmap", errno);
	memcpy(p, code, len);
	asm volatile("mov %%rsp, %%rbp; mov $0x10000ff0, %%esp\n\t"
		     "sub $8, %%rsp; movl $0x23, 4(%%rsp); mov %%eax, (%%rsp); lretl"
		     : : "a" ((uint32_t)(uintptr_t)p) : "rbp", "memory");
	__builtin_unreachable();
}

static void int80_in_32_bit(const struct attempt *a)
{
	static const unsigned char code[] = { 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b };

	(void)a;
	say("before");
	in_32_bit(code, sizeof(code));
}

static void syscall_in_32_bit(const struct attempt *a)
{
	static const unsigned char code[] = { 0xb8, 20, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b };

	(void)a;
	say("before");
	in_32_bit(code, sizeof(code));
}

/* Run @fn in a child: it must die by one of these; the container goes on. */
static void child_dies(void (*fn)(void), int sig, int sig2)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) || (WTERMSIG(status) != sig && WTERMSIG(status) != sig2))
		escaped("the child's status is", status);
}

static void fault_32(void)
{
	static const unsigned char code[] = { 0x0f, 0x0b };

	in_32_bit(code, sizeof(code));
}

static void loop_32(void)
{
	static const unsigned char code[] = { 0xeb, 0xfe };

	alarm(1);
	in_32_bit(code, sizeof(code));
}

static void segment_32(const struct attempt *a)
{
	(void)a;
	child_dies(fault_32, SIGILL, SIGSEGV);
	child_dies(loop_32, SIGALRM, SIGSEGV);
	contained();
}

/* Privileged instructions. */
static const char *instruction_now;
static size_t instruction_len;
static void one_instruction(void)
{
	unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, instruction_now, instruction_len);
	memcpy(p + instruction_len, "\xc3", 1);
	((void (*)(void))(uintptr_t)p)();
}

static void privileged(const struct attempt *a)
{
	static const struct {
		const char *code;
		size_t len;
	} list[] = {
		{ "\xf4", 1 },				      /* hlt */
		{ "\xfa", 1 },	       { "\xfb", 1 },	      /* cli, sti */
		{ "\xe4\x60", 2 },     { "\xe6\x80", 2 },     /* in, out */
		{ "\x0f\x20\xc0", 3 }, { "\x0f\x22\xc0", 3 }, /* cr0 */
		{ "\x0f\x32", 2 },     { "\x0f\x30", 2 },     /* rdmsr, wrmsr */
		{ "\x0f\x08", 2 },     { "\x0f\x09", 2 },     /* invd, wbinvd */
		{ "\x0f\x06", 2 },			      /* clts */
		{ "\x0f\x01\xf8", 3 },			      /* swapgs */
		{ "\x48\x0f\x07", 3 },			      /* sysret */
		{ "\x48\xcf", 2 },			  /* iretq, of what lies on the stack */
		{ "\xcd\x20", 2 },     { "\xcd\xff", 2 }, /* int $n */
		{ "\x0f\x01\xd1", 3 },			  /* xsetbv */
	};
	size_t i;

	(void)a;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		instruction_now = list[i].code;
		instruction_len = list[i].len;
		child_dies(one_instruction, SIGSEGV, SIGILL);
	}
	contained();
}

static void call_vsyscall(void)
{
	((long (*)(void *))0xffffffffff600400)(NULL);
	raise(SIGSEGV);
}

static void vsyscall(const struct attempt *a)
{
	(void)a;
	child_dies(call_vsyscall, SIGSEGV, SIGSYS);
	contained();
}

/* The host's vDSO: its own clock_gettime is allowed there, nothing else. */
static const unsigned char *find_vdso(void)
{
	const uint64_t *p = (uint64_t *)KERNEL;
	const unsigned char *end;

	catch_faults();
	end = readable_end((unsigned char *)KERNEL + PAGE);
	for (p = (uint64_t *)(KERNEL + PAGE);
	     (unsigned char *)p < end && (uintptr_t)p < KERNEL + (16 << 20); p++)
		if (*p > 0x7f0000000000 && *p < 0x7fffffffffff && !(*p & (PAGE - 1)) &&
		    readable((unsigned char *)*p) && !memcmp((void *)*p, "\177ELF", 4))
			return (unsigned char *)*p;
	say("no vDSO found");
	exit(98);
}

static void vdso_other_number(const struct attempt *a)
{
	const unsigned char *vdso = find_vdso(), *p;
	long none[6] = { 0 };

	for (p = vdso; readable(p + 1) && p < vdso + 4 * PAGE; p++)
		if (p[0] == 0x0f && p[1] == 0x05) {
			say("before");
			escaped(a->name, gate_call((uintptr_t)p, SYS_getpid, none));
		}
	say("no syscall in the vDSO");
	exit(98);
}

/* Forged signal frames at the gate. */

struct host_frame {			/* what rt_sigreturn finds at rsp */
	ucontext_t uc;
	uint64_t room[512];
} __attribute__((aligned(16)));

static struct host_frame frame;
static unsigned char frame_stack[65536] __attribute__((aligned(16)));

static void sigreturn_to(void (*where)(void), uint64_t mask, stack_t *alt)
{
	uintptr_t gate = find_gate();

	memset(&frame, 0, sizeof(frame));
	frame.uc.uc_flags = 6;
	frame.uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)where;
	frame.uc.uc_mcontext.gregs[REG_RSP] =
		(greg_t)(uintptr_t)(frame_stack + sizeof(frame_stack) - 8);
	frame.uc.uc_mcontext.gregs[REG_EFL] = 0x202;
	frame.uc.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bLL << 48;
	memcpy(&frame.uc.uc_sigmask, &mask, sizeof(mask));
	if (alt)
		frame.uc.uc_stack = *alt;
	else
		frame.uc.uc_stack.ss_flags = SS_DISABLE;
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

static void blocked_call(void)
{
	long ret;

	asm volatile("syscall" : "=a" (ret) : "0" (SYS_getpid) : "rcx", "r11", "memory");
	escaped("a call with SIGSYS blocked", ret);
}

static void block_and_call(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_call, ~0ull, NULL);
}

static void blocked_fault(void)
{
	*(volatile int *)0 = 1;
}

static void block_and_fault(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_fault, ~0ull, NULL);
}

static void blocked_loop(void)
{
	for (;;)
		asm volatile("pause");
}

/* attempts.sh ends this one. */
static void block_and_loop(const struct attempt *a)
{
	(void)a;
	sigreturn_to(blocked_loop, ~0ull, NULL);
}

static void alt_on_kernel(const struct attempt *a)
{
	stack_t alt = { .ss_sp = (void *)(KERNEL + PAGE), .ss_size = 65536 };

	(void)a;
	sigreturn_to(blocked_fault, 0, &alt);
}

static void sigreturn_garbage(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	(void)a;
	memset(&frame, 0xa5, sizeof(frame));
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

static void privileged_frame(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	(void)a;
	memset(&frame, 0, sizeof(frame));
	frame.uc.uc_flags = 6;
	frame.uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)blocked_loop;
	frame.uc.uc_mcontext.gregs[REG_RSP] =
		(greg_t)(uintptr_t)(frame_stack + sizeof(frame_stack) - 8);
	frame.uc.uc_mcontext.gregs[REG_EFL] = 0x3202;		/* IOPL 3 */
	frame.uc.uc_mcontext.gregs[REG_CSGSFS] = 0x10 | 0x18LL << 48;
	say("before");
	asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1"
		     :
		     : "r"(&frame), "r"(gate)
		     : "memory");
	__builtin_unreachable();
}

/* The guest kernel's own memory. */

static uintptr_t text_at;
static void write_text(void)
{
	*(volatile unsigned char *)text_at = 0xcc;
}

static void kernel_text(const struct attempt *a)
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
static void kernel_data_runs(const struct attempt *a)
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

static void destroy(const struct attempt *a)
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

static void jump_into_kernel(const struct attempt *a)
{
	uintptr_t gate = find_gate();

	say("before");
	asm volatile("mov %%rsp, %%rdi; xor %%esi, %%esi; mov %%rsp, %%rdx; jmp *%0"
		     : : "r" (gate + (uintptr_t)a->arg[0]) : "rdi", "rsi", "rdx", "memory");
	__builtin_unreachable();
}

static void unmap_everything(const struct attempt *a)
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

static void punch_everything(const struct attempt *a)
{
	long arg[6] = { MEMORY_FD, 3, 0, 1L << 40 };

	(void)a;
	say("before");
	gate_call(find_gate(), SYS_fallocate, arg);
	exit(0);
}

static void map_over(const struct attempt *a)
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

static void timer_flood(const struct attempt *a)
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

static void lock_out(const struct attempt *a)
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

static size_t change_if(unsigned char *p, const char *magic, size_t len)
{
	size_t i;

	if (sigsetjmp(fault_back, 1))
		return 0;
	for (i = 0; i < len; i++)
		if (p[i] != (unsigned char)(magic[i] ^ 0x55))
			return 0;
	p[0] = 'X';
	return 1;
}

/* One domain: another process's memory can be found in guest memory and changed, and that is all.
 */
static void other_process(const struct attempt *a)
{
	static const char magic[] = "the victim's 0123456789abcdef";
	volatile char *mine = malloc(PAGE * 2);
	unsigned char *p, *end;
	size_t i, n = 0;
	pid_t pid;
	int status;

	(void)a;
	find_gate();
	mine = (char *)(((uintptr_t)mine + PAGE) & ~(PAGE - 1));
	pid = fork();
	if (!pid) {
		for (i = 0; i < sizeof(magic); i++)
			mine[i] = (char)(magic[i] ^ 0x55);
		for (i = 0; i < 2000 && mine[0] == (magic[0] ^ 0x55); i++)
			usleep(1000);
		_exit(mine[0] == 'X' ? 0 : 1);
	}
	usleep(100000);
	p = (unsigned char *)(KERNEL + (16 << 20));
	end = p + (40 << 20);
	for (; p < end; p += PAGE)
		n += change_if(p, magic, sizeof(magic));
	waitpid(pid, &status, 0);
	dprintf(1, "found %zu times, the victim's status is %x\n", n, status);
	contained();
}

/* What root may do in the guest stays in the guest. */

static void kill_init(const struct attempt *a)
{
	(void)a;
	kill(1, SIGKILL);
	kill(1, SIGTERM);
	usleep(100000);
	contained();
}

static void kill_all(const struct attempt *a)
{
	(void)a;
	if (!fork()) {
		signal(SIGTERM, SIG_DFL);
		kill(-1, SIGKILL);
		_exit(0);
	}
	pause();
	exit(0);
}

static void kill_by_number(const struct attempt *a)
{
	pid_t pid = atoi(getenv("CANARY_PID"));

	(void)a;
	if (pid > 300 && (kill(pid, SIGKILL) != -1 || errno != ESRCH))
		escaped("a signal was sent", errno);
	contained();
}

static void open_host_file(const struct attempt *a)
{
	const char *path = getenv("CANARY_FILE");
	int fd;

	(void)a;
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd >= 0)
		escaped("the host's file was opened", fd);
	contained();
}

static void restart(const struct attempt *a)
{
	say("before");
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, a->arg[0], NULL);
	contained();
}

static void mounts(const struct attempt *a)
{
	(void)a;
	if (!unshare(CLONE_NEWNS) && !mount("none", "/mnt", "tmpfs", 0, NULL))
		umount("/mnt");
	if (!mount("/dev/sda", "/tmp", "ext4", 0, NULL) ||
	    !mount("/dev/vda", "/tmp", "ext4", 0, NULL))
		escaped("a device of the host was mounted", 0);
	contained();
}

static void module(const struct attempt *a)
{
	(void)a;
	if (!syscall(SYS_init_module, data.buffer, 64, "") ||
	    !syscall(SYS_finit_module, 0, "", 0) || !syscall(SYS_kexec_load, 0, 0, NULL, 0) ||
	    !syscall(SYS_iopl, 3) || !syscall(SYS_ioperm, 0x80, 1, 1))
		escaped("kernel code was loaded", 0);
	if (open("/dev/mem", O_RDWR) >= 0 || open("/dev/kmem", O_RDWR) >= 0 ||
	    open("/dev/port", O_RDWR) >= 0)
		escaped("there is raw memory", 0);
	contained();
}

static void raw_packets(const struct attempt *a)
{
	char junk[1500] = { 0 };
	struct sockaddr to = { .sa_family = AF_PACKET };
	int i, fd = socket(AF_PACKET, SOCK_RAW, 0x0300);

	(void)a;
	for (i = 0; i < 1000; i++)
		sendto(fd, junk, sizeof(junk), 0, &to, sizeof(to));
	contained();
}

#define G(name, nr, ...)                                                                          \
	{                                                                                         \
		"killed", "gate-" name, name " at the gate", nr, { __VA_ARGS__ }, at_gate         \
	}
#define ANY(name, title, fn) { "ends", name, title, 0, { 0 }, fn }
#define OK(name, title, fn) { "contained", name, title, 0, { 0 }, fn }
#define KILL(name, title, fn) { "killed", name, title, 0, { 0 }, fn }
#define RW (PROT_READ | PROT_WRITE)
#define SF (MAP_SHARED | MAP_FIXED)

static const struct attempt attempts[] = {
	G("getpid", SYS_getpid, 0),
	G("read", SYS_read, 0, IOV, 1),
	G("write", SYS_write, 1, IOV, 1),
	G("open", SYS_open, PATH, O_WRONLY | O_TRUNC),
	G("openat", SYS_openat, AT_FDCWD, PATH, O_RDWR),
	G("openat2", 437, AT_FDCWD, PATH, WORDS, 24),
	G("creat", SYS_creat, PATH, 0644),
	G("close", SYS_close, 0),
	G("mprotect", SYS_mprotect, KERNEL + PAGE, PAGE, 7),
	G("pkey_mprotect", SYS_pkey_mprotect, KERNEL + PAGE, PAGE, 7, -1),
	G("brk", SYS_brk, 0),
	G("rt_sigaction", SYS_rt_sigaction, SIGSYS, WORDS, 0, 8),
	G("rt_sigprocmask", SYS_rt_sigprocmask, 0, WORDS, 0, 8),
	G("ioctl", SYS_ioctl, 0, 0x5401, WORDS),
	G("ioctl-size-of-no-terminal", SYS_ioctl, 0, 0x5413, WORDS),
	G("ioctl-type-into-terminal", SYS_ioctl, 0, 0x5412, PATH),
	G("pread64", SYS_pread64, MEMORY_FD, WORDS, 8, 0),
	G("preadv", SYS_preadv, IMAGE_FD, IOV, 1),
	G("pwritev2", SYS_pwritev2, MEMORY_FD, IOV, 1),
	G("mremap", SYS_mremap, KERNEL, PAGE, PAGE, 3, 0x20000000),
	G("madvise", SYS_madvise, KERNEL, PAGE, 4),
	G("remap_file_pages", SYS_remap_file_pages, KERNEL, PAGE, 0, 0, 0),
	G("dup2", SYS_dup2, 1, 50),
	G("fcntl", SYS_fcntl, 0, F_GETFL),
	G("ftruncate", SYS_ftruncate, MEMORY_FD, 1L << 40),
	G("sendfile", SYS_sendfile, 1, IMAGE_FD, 0, 1),
	G("splice", SYS_splice, 0, 0, 1, 0, 1),
	G("socket", SYS_socket, AF_INET, SOCK_STREAM),
	G("socketpair", SYS_socketpair, AF_UNIX, 1, 0, WORDS),
	G("connect", SYS_connect, 0, WORDS, 16),
	G("sendmsg", SYS_sendmsg, 0, WORDS),
	G("recvmsg", SYS_recvmsg, 0, WORDS),
	G("fork", SYS_fork, 0),
	G("vfork", SYS_vfork, 0),
	G("clone", SYS_clone, SIGCHLD),
	G("clone3", SYS_clone3, WORDS, 64),
	G("execve", SYS_execve, PATH, WORDS, WORDS),
	G("execveat", SYS_execveat, IMAGE_FD, PATH, WORDS, WORDS, AT_EMPTY_PATH),
	G("exit", SYS_exit, 0),
	G("kill", SYS_kill, PID, SIGKILL),
	G("kill-all", SYS_kill, -1, SIGKILL),
	G("tgkill", SYS_tgkill, PID, PID, SIGKILL),
	G("tkill", SYS_tkill, PID, SIGKILL),
	G("pidfd_open", SYS_pidfd_open, PID),
	G("pidfd_send_signal", SYS_pidfd_send_signal, 0, SIGKILL),
	G("ptrace", SYS_ptrace, 16, PID),
	G("process_vm_readv", SYS_process_vm_readv, PID, IOV, 1, IOV, 1),
	G("process_vm_writev", SYS_process_vm_writev, PID, IOV, 1, IOV, 1),
	G("unlink", SYS_unlink, PATH),
	G("rename", SYS_rename, PATH, PATH),
	G("chmod", SYS_chmod, PATH, 0777),
	G("mount", SYS_mount, PATH, PATH, PATH),
	G("unshare", SYS_unshare, CLONE_NEWUSER),
	G("setns", SYS_setns, 0),
	G("chroot", SYS_chroot, PATH),
	G("pivot_root", SYS_pivot_root, PATH, PATH),
	G("setuid", SYS_setuid, 0),
	G("capset", SYS_capset, WORDS, WORDS),
	G("prctl", SYS_prctl, 4, 1),
	G("arch_prctl", SYS_arch_prctl, 0x1002, 0),
	G("seccomp", SYS_seccomp, 1, 0, WORDS),
	G("bpf", SYS_bpf, 0, WORDS, 64),
	G("perf_event_open", SYS_perf_event_open, WORDS),
	G("userfaultfd", SYS_userfaultfd, 0),
	G("io_uring_setup", SYS_io_uring_setup, 8, WORDS),
	G("memfd_create", SYS_memfd_create, PATH, 0),
	G("keyctl", SYS_keyctl, 0),
	G("add_key", SYS_add_key, PATH, PATH),
	G("init_module", SYS_init_module, WORDS, 8, PATH),
	G("reboot", SYS_reboot, 0xfee1dead, 672274793, 0x1234567),
	G("timer_create", SYS_timer_create, 1, 0, WORDS),
	G("timer_delete", SYS_timer_delete, 0),
	G("clock_gettime", SYS_clock_gettime, 1, WORDS),
	G("epoll_ctl", SYS_epoll_ctl, 4, 1, 0, WORDS),
	G("epoll_wait", SYS_epoll_wait, 4, WORDS, 1, 0),
	G("exit_group-x32", SYS_exit_group | 0x40000000, 0),
	G("number-600", 600, 0),
	G("number-minus-1", -1, 0),
	G("mmap-anonymous", SYS_mmap, 0x20000000, PAGE, RW,
	  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	G("mmap-shared-anonymous", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_ANONYMOUS, -1, 0),
	G("mmap-private", SYS_mmap, 0x20000000, PAGE, RW, MAP_PRIVATE | MAP_FIXED, MEMORY_FD, 0),
	G("mmap-anywhere", SYS_mmap, 0, PAGE, RW, MAP_SHARED, MEMORY_FD, 0),
	G("mmap-over-kernel", SYS_mmap, KERNEL + PAGE, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-into-kernel", SYS_mmap, KERNEL - PAGE, 2 * PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-over-guest-memory", SYS_mmap, 0x70000000, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-over-stack", SYS_mmap, 0x7ffffffde000, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-null", SYS_mmap, 0, PAGE, RW, SF, MEMORY_FD, 0),
	G("mmap-wraps", SYS_mmap, 0x20000000, -0x10000000L, RW, SF, MEMORY_FD, 0),
	G("mmap-of-0", SYS_mmap, 0x20000000, PAGE, RW, SF, 0, 0),
	G("mmap-of-4", SYS_mmap, 0x20000000, PAGE, RW, SF, 4, 0),
	G("mmap-of-50", SYS_mmap, 0x20000000, PAGE, RW, SF, 50, 0),
	G("mmap-locked", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_LOCKED, MEMORY_FD, 0),
	G("mmap-growsdown", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_GROWSDOWN, MEMORY_FD, 0),
	G("mmap-prot", SYS_mmap, 0x20000000, PAGE, 0xff, SF, MEMORY_FD, 0),
	G("munmap-kernel", SYS_munmap, KERNEL, 32 << 20),
	G("munmap-null", SYS_munmap, 0, 1L << 46),
	G("munmap-high", SYS_munmap, 0x7ff000000000, 1L << 36),
	G("readv-1", SYS_readv, 1, IOV, 1),
	G("readv-3", SYS_readv, 3, IOV, 1),
	G("readv-memory", SYS_readv, MEMORY_FD, IOV, 1),
	G("readv-7", SYS_readv, 7, IOV, 1),
	G("readv-net", SYS_readv, 8, IOV, 1),
	G("readv-image", SYS_readv, IMAGE_FD, IOV, 1),
	G("readv-50", SYS_readv, 50, IOV, 1),
	G("readv-minus-1", SYS_readv, -1, IOV, 1),
	G("writev-0", SYS_writev, 0, IOV, 1),
	G("writev-epoll", SYS_writev, 4, IOV, 1),
	G("writev-memory", SYS_writev, MEMORY_FD, IOV, 1),
	G("writev-image", SYS_writev, IMAGE_FD, IOV, 1),
	G("writev-net", SYS_writev, 8, IOV, 1),
	G("writev-50", SYS_writev, 50, IOV, 1),
	G("epoll-mask", 441, 4, WORDS, 1, WORDS, WORDS, 8),
	G("epoll-0", 441, 0, WORDS, 1, WORDS, 0, 8),
	G("epoll-memory", 441, MEMORY_FD, WORDS, 1, WORDS, 0, 8),
	G("timer-1", SYS_timer_settime, 1, 0, WORDS, 0),
	G("fallocate-image", SYS_fallocate, IMAGE_FD, 3, 0, PAGE),
	G("fallocate-1", SYS_fallocate, 1, 3, 0, PAGE),
	G("fallocate-grow", SYS_fallocate, MEMORY_FD, 0, 0, 1L << 40),
	G("fallocate-collapse", SYS_fallocate, MEMORY_FD, 8, 0, PAGE),

	KILL("int80", "int 0x80", int80),
	KILL("int80-32", "int 0x80 in the 32-bit segment", int80_in_32_bit),
	KILL("syscall-32", "syscall in the 32-bit segment", syscall_in_32_bit),
	KILL("syscall-in-kernel", "other syscall bytes in the kernel's text", syscall_elsewhere),
	KILL("vdso", "getpid from the host's vDSO", vdso_other_number),
	KILL("sigreturn-blocked", "a forged signal frame blocks SIGSYS, then a system call",
	     block_and_call),
	{ "killed",
	  "sysenter",
	  "sysenter: SIGILL, or killed where the CPU has it",
	  1,
	  { 0 },
	  sysenter },
	OK("x32", "x32's system calls", x32_numbers),
	OK("segment-32", "32-bit code faults, loops", segment_32),
	OK("privileged", "privileged instructions", privileged),
	OK("vsyscall", "the vsyscall page", vsyscall),
	OK("image-writable", "an image is mapped writable", image_writable),
	OK("kernel-text", "the kernel's text is written", kernel_text),
	OK("map-memory", "guest memory is mapped executable by hand", map_over),
	OK("other-process", "another guest process's memory is searched for and changed",
	   other_process),
	OK("kill-init", "kill -9 1", kill_init),
	OK("kill-canary", "a signal to a process id of the host", kill_by_number),
	OK("open-canary", "a path of the host", open_host_file),
	OK("mounts", "mounts", mounts),
	OK("module", "kernel modules, ports, raw memory", module),
	OK("raw-packets", "raw packets", raw_packets),

	ANY("sigreturn-fault", "a forged signal frame blocks SIGSEGV, then a fault",
	    block_and_fault),
	ANY("sigreturn-alt", "a forged signal frame puts the signal stack on the kernel",
	    alt_on_kernel),
	ANY("sigreturn-garbage", "a signal frame of garbage", sigreturn_garbage),
	ANY("sigreturn-privileged", "a signal frame with kernel segments and IOPL 3",
	    privileged_frame),
	{ "ends",
	  "destroy-data",
	  "the kernel's data is overwritten",
	  0,
	  { KERNEL + 0x505000, 8 << 20, 1 },
	  destroy },
	{ "ends",
	  "destroy-data-8",
	  "the kernel's pointers are shifted",
	  0,
	  { KERNEL + 0x505000, 8 << 20, 2 },
	  destroy },
	{ "ends",
	  "destroy-memory",
	  "guest memory (stacks, page tables) is overwritten",
	  0,
	  { KERNEL + (16 << 20), 48 << 20, 1 },
	  destroy },
	{ "ends",
	  "destroy-zero",
	  "guest memory is zeroed",
	  0,
	  { KERNEL + (16 << 20), 48 << 20, 0 },
	  destroy },
	{ "ends", "jump-0", "a jump into kernel text", 0, { 0x40 }, jump_into_kernel },
	{ "ends", "jump-1", "a jump into kernel text", 0, { 0x1001 }, jump_into_kernel },
	{ "ends", "jump-2", "a jump into kernel text", 0, { 0x54321 }, jump_into_kernel },
	{ "ends", "jump-3", "a jump into kernel text", 0, { 0x123457 }, jump_into_kernel },
	{ "ends", "run-data", "the kernel's data is run", 0, { 0 }, kernel_data_runs },
	{ "ends",
	  "run-memory",
	  "guest memory is run where the kernel has it",
	  0,
	  { 1 },
	  kernel_data_runs },
	ANY("unmap", "all that may be unmapped is", unmap_everything),
	ANY("punch", "all guest memory is discarded", punch_everything),
	ANY("timer-flood", "the timer fires every nanosecond", timer_flood),
	ANY("lock-out", "protection keys lock the kernel out", lock_out),
	ANY("kill-all", "kill -9 -1", kill_all),
	{ "ends", "restart", "reboot(2)", 0, { LINUX_REBOOT_CMD_RESTART }, restart },
	{ "ends", "halt", "reboot(2), halt", 0, { LINUX_REBOOT_CMD_HALT }, restart },
	{ "ends",
	  "power-off",
	  "reboot(2), power off",
	  0,
	  { LINUX_REBOOT_CMD_POWER_OFF },
	  restart },
	{ "endless",
	  "sigreturn-loop",
	  "a loop with every signal blocked",
	  0,
	  { 0 },
	  block_and_loop },
};

int main(int argc, char **argv)
{
	size_t i;

	if (getenv("CANARY_FILE"))
		snprintf(data.path, sizeof(data.path), "%s", getenv("CANARY_FILE"));
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *a = &attempts[i];

		if (argc > 1 && !strcmp(argv[1], "--list"))
			printf("%s %s %s\n", a->wanted, a->name, a->title);
		else if (argc > 1 && !strcmp(argv[1], a->name))
			a->run(a);
	}
	return argc > 1 && !strcmp(argv[1], "--list") ? 0 : 97;
}
