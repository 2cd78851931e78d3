// SPDX-License-Identifier: GPL-2.0-only
/* Signals: handlers, frames, stacks, restarts, storms. */
#include "claim.h"

#include <setjmp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last;
static volatile siginfo_t info;

static void note(int sig)
{
	count++;
	last = sig;
}

static void note_info(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	note(sig);
	memcpy((void *)&info, si, sizeof(*si));
}

static void on(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	need(!sigaction(sig, &sa, NULL));
}

static void on_info(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

	need(!sigaction(sig, &sa, NULL));
}

static void tick(int us)
{
	struct itimerval it = { { 0, us }, { 0, us } };

	need(!setitimer(ITIMER_REAL, &it, NULL));
}

static void carries_info(void)
{
	union sigval value = { .sival_int = 4711 };

	on_info(SIGUSR1, note_info, 0);
	on_info(SIGRTMIN + 3, note_info, 0);
	need(!kill(getpid(), SIGUSR1));
	need_is(count, 1);
	need_is(info.si_signo, SIGUSR1);
	need_is(info.si_code, SI_USER);
	need_is(info.si_pid, getpid());
	need_is(info.si_uid, getuid());
	need(!sigqueue(getpid(), SIGRTMIN + 3, value));
	need_is(count, 2);
	need_is(info.si_code, SI_QUEUE);
	need_is(info.si_value.sival_int, 4711);
	on_info(SIGCHLD, note_info, 0);
	if (!fork())
		_exit(33);
	while (count < 3)
		pause();
	need_is(info.si_code, CLD_EXITED);
	need_is(info.si_status, 33);
}

static void queues_in_order(void)
{
	union sigval value;
	sigset_t set;
	siginfo_t si;
	int i;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	for (i = 0; i < 100; i++) {
		value.sival_int = i;
		need(!sigqueue(getpid(), SIGRTMIN, value));
		need(!kill(getpid(), SIGUSR1));
	}
	need_is(sigwaitinfo(&set, &si), SIGUSR1);
	for (i = 0; i < 100; i++) {
		need_is(sigwaitinfo(&set, &si), SIGRTMIN);
		need_is(si.si_value.sival_int, i);
	}
	struct timespec none = { 0 };
	need(sigtimedwait(&set, &si, &none) < 0 && errno == EAGAIN);
}

static char *alt;
static volatile int on_alt, nested_on_alt;

static void alt_handler(int sig)
{
	char here;
	stack_t now;

	note(sig);
	on_alt = &here >= alt && &here < alt + 65536;
	need(!sigaltstack(NULL, &now));
	need(now.ss_flags & SS_ONSTACK);
	if (sig == SIGUSR1) {
		raise(SIGUSR2);
		nested_on_alt = on_alt;
	}
}

static void uses_altstack(void)
{
	stack_t ss = { .ss_size = 65536 }, now;

	ss.ss_sp = alt = malloc(65536);
	need(!sigaltstack(&ss, NULL));
	on(SIGUSR1, alt_handler, SA_ONSTACK);
	on(SIGUSR2, alt_handler, SA_ONSTACK);
	raise(SIGUSR1);
	need_is(count, 2);
	need(on_alt && nested_on_alt);
	need(!sigaltstack(NULL, &now));
	need_is(now.ss_flags, 0);
	need_is(now.ss_size, 65536);
}

static sigjmp_buf back;

static void overflow_handler(int sig)
{
	note(sig);
	siglongjmp(back, 1);
}

static int __attribute__((noinline)) deep(int n)
{
	volatile char frame[1000];

	frame[n % 1000] = (char)n;
	if (n < 0)
		return 0;
	return deep(n + 1) + frame[(n + 1) % 1000];
}

static void overflow_is_caught(void)
{
	stack_t ss = { .ss_size = 65536 };

	ss.ss_sp = malloc(65536);
	need(!sigaltstack(&ss, NULL));
	on(SIGSEGV, overflow_handler, SA_ONSTACK);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			deep(0);
	need_is(count, 3);
}

static void overflow(void)
{
	deep(0);
}

static void overflow_kills(void)
{
	need_is(dies(overflow), SIGSEGV);
}

static void restarts(void)
{
	struct timespec t = { 0, 100000000 }, left = { 0 };
	int fd[2], i;
	char c = 0;

	need(!pipe(fd));
	for (i = 0; i < 5; i++)			/* so that the sites are well used */
		need(write(fd[1], "x", 1) == 1 && read(fd[0], &c, 1) == 1);
	on(SIGALRM, note, SA_RESTART);
	tick(10000);
	if (!fork()) {
		usleep(200000);
		need(write(fd[1], "y", 1) == 1);
		_exit(0);
	}
	need_is(read(fd[0], &c, 1), 1);
	need_is(c, 'y');
	need(count > 0);
	on(SIGALRM, note, 0);
	tick(20000);
	need(read(fd[0], &c, 1) == -1 && errno == EINTR);
	on(SIGALRM, note, SA_RESTART);		/* never restarted, whatever the flag */
	need(nanosleep(&t, &left) == -1 && errno == EINTR);
	need(left.tv_nsec > 10000000 && left.tv_nsec < 100000000);
	need(pause() == -1 && errno == EINTR);
}

/* Stop and continue go through restart_syscall. */
static void sleeps_on(void)
{
	struct timespec t = { 0, 200000000 };
	int status;
	pid_t pid = fork();

	if (!pid) {
		uint64_t begin = now_ns();
		struct timespec none = { 0, 1000 };

		for (int i = 0; i < 5; i++)
			nanosleep(&none, NULL);
		begin = now_ns();
		need(!nanosleep(&t, NULL));
		begin = now_ns() - begin;
		need(begin > 199000000 && begin < 5000000000);
		_exit(0);
	}
	usleep(50000);
	need(!kill(pid, SIGSTOP));
	usleep(50000);
	need(!kill(pid, SIGCONT));
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

static void nested_handler(int sig)
{
	volatile long a = 1, b = 2;

	if (count++ < 200)
		raise(sig);
	need(a == 1 && b == 2);
}

static void nests(void)
{
	on(SIGUSR1, nested_handler, SA_NODEFER);
	raise(SIGUSR1);
	need_is(count, 201);
}

static void masks(void)
{
	sigset_t set, old;

	on(SIGUSR1, note, SA_RESETHAND);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	raise(SIGUSR1);
	need_is(count, 0);
	need(!sigpending(&old) && sigismember(&old, SIGUSR1));
	sigemptyset(&set);
	need(sigsuspend(&set) == -1 && errno == EINTR);
	need_is(count, 1);
	need(!sigpending(&old) && !sigismember(&old, SIGUSR1));
	struct sigaction sa;
	need(!sigaction(SIGUSR1, NULL, &sa));
	need(sa.sa_handler == SIG_DFL);
}

/* A handler changes where its program continues, and with which registers. */
static void patch_handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;

	(void)si;
	note(sig);
	uc->uc_mcontext.gregs[REG_RAX] = 0x1234;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void handler_edits_context(void)
{
	long rax;

	on_info(SIGILL, patch_handler, 0);
	asm volatile("xor %%eax, %%eax\n\tud2" : "=a" (rax));
	need_is(rax, 0x1234);
	need_is(count, 1);
}

/* Millions of system calls under a timer: no result is ever wrong. */
static void storm(int signals, int us)
{
	const pid_t me = getpid(), parent = getppid();
	uint64_t calls = 0;
	int i, fd = open("/dev/zero", O_RDWR);
	char buf[8];

	need(fd >= 0);
	on(SIGALRM, note, SA_RESTART);
	tick(us);
	while (count < signals || calls < 100000)
		for (i = 0; i < 1000; i++, calls++) {
			memset(buf, 1, sizeof(buf));
			need_is(syscall(SYS_getppid), parent);
			need_is(getpid(), me);
			need_is(getppid(), parent);
			if (i % 16 == 0) {
				need_is(read(fd, buf, sizeof(buf)), sizeof(buf));
				need(!buf[0] && !buf[7]);
				need(read(-1, buf, 1) == -1 && errno == EBADF);
				need_is(write(fd, buf, 5), 5);
			}
		}
	tick(0);
}

static void storm_1khz(void) { storm(1500, 1000); }
static void storm_5khz(void) { storm(3000, 200); }

/* The same with the kernel switching between two processes that both do it. */
static void storm_two(void)
{
	int status, i;
	pid_t pid[2];

	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			storm(1000, 1000);
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		need_is(waitpid(pid[i], &status, 0), pid[i]);
		need_is(status, 0);
	}
}

/* Handlers that make system calls themselves, in the middle of those of the program. */
static void busy_handler(int sig)
{
	int saved = errno;
	char c;

	note(sig);
	need(getppid() > 0);
	need(read(-1, &c, 1) == -1 && errno == EBADF);
	errno = saved;
}

static void handlers_make_calls(void)
{
	int fd[2], i;
	char c;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	on(SIGALRM, busy_handler, SA_RESTART);
	tick(500);
	while (count < 1000)
		for (i = 0; i < 100; i++) {
			need_is(write(fd[0], &i, 1), 1);
			need_is(read(fd[1], &c, 1), 1);
			need_is(c, (char)i);
		}
}

/* Registers of a loop without any system call survive. */
static void registers_survive(void)
{
	unsigned long bad = 0;

	on(SIGALRM, busy_handler, SA_RESTART);
	tick(300);
	while (count < 1000)
		asm volatile("mov $0x1111, %%rax; mov $0x2222, %%rbx; mov $0x3333, %%rcx; mov "
			     "$0x4444, %%rdx\n\t"
			     "mov $0x5555, %%rsi; mov $0x6666, %%rdi; mov $0x7777, %%r8; mov "
			     "$0x8888, %%r9\n\t"
			     "mov $0x9999, %%r10; mov $0xaaaa, %%r11; mov $0xbbbb, %%r12; mov "
			     "$0xcccc, %%r13\n\t"
			     "mov $0xdddd, %%r14; mov $200000, %%r15\n\t"
			     "movq $0x12345678, -8(%%rsp); movq $0x23456789, -128(%%rsp); stc\n"
			     "1:	dec %%r15; jnz 1b\n\t"
			     "jnc 2f\n\t"
			     "cmp $0x1111, %%rax; jne 2f; cmp $0x2222, %%rbx; jne 2f; cmp "
			     "$0x3333, %%rcx; jne 2f\n\t"
			     "cmp $0x4444, %%rdx; jne 2f; cmp $0x5555, %%rsi; jne 2f; cmp "
			     "$0x6666, %%rdi; jne 2f\n\t"
			     "cmp $0x7777, %%r8; jne 2f; cmp $0x8888, %%r9; jne 2f; cmp $0x9999, "
			     "%%r10; jne 2f\n\t"
			     "cmp $0xaaaa, %%r11; jne 2f; cmp $0xbbbb, %%r12; jne 2f; cmp "
			     "$0xcccc, %%r13; jne 2f\n\t"
			     "cmp $0xdddd, %%r14; jne 2f; cmpq $0x12345678, -8(%%rsp); jne 2f\n\t"
			     "cmpq $0x23456789, -128(%%rsp); je 3f\n"
			     "2:	incq %0\n"
			     "3:"
			     : "+m"(bad)
			     :
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			       "r12", "r13", "r14", "r15", "cc", "memory");
	need_is(bad, 0);
}

/* The frame as debuggers and unwinders expect it. */
static void frame_handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	/* The return address is in front of the ucontext, which is in front of the siginfo. */
	unsigned long *sp = (unsigned long *)p - 1;
	const unsigned char *ret = (unsigned char *)*sp;
	static const unsigned char restorer[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };

	note(sig);
	need(!memcmp(ret, restorer, sizeof(restorer)));
	need((char *)si > (char *)uc);
	need(uc->uc_mcontext.gregs[REG_RIP] > 0x1000);
	need_is(uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff, 0x33);
	need(uc->uc_mcontext.fpregs);
	need_is((uintptr_t)uc->uc_mcontext.fpregs % 64, 0);
	need_is((uintptr_t)sp % 16, 8);
}

static void frames(void)
{
	on_info(SIGUSR1, frame_handler, 0);
	raise(SIGUSR1);
	need_is(count, 1);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("siginfo: kill, sigqueue, SIGCHLD", carries_info);
	claim("real-time signals queue in order, others collapse", queues_in_order);
	claim("sigaltstack, nested", uses_altstack);
	claim("a stack overflow is caught on the alternative stack, thrice", overflow_is_caught);
	claim("a stack overflow without a handler kills by SIGSEGV", overflow_kills);
	claim("SA_RESTART, EINTR, the rest of nanosleep", restarts);
	claim("nanosleep goes on after SIGSTOP and SIGCONT", sleeps_on);
	claim("two hundred nested handlers", nests);
	claim("blocked, pending, sigsuspend, SA_RESETHAND", masks);
	claim("a handler edits rip and rax", handler_edits_context);
	claim("the frame is laid out as on x86-64 Linux", frames);
	claim("system calls in a storm of 1 kHz are never wrong", storm_1khz);
	claim("system calls in a storm of 5 kHz are never wrong", storm_5khz);
	claim("two processes in storms of 1 kHz", storm_two);
	claim("handlers make system calls, the program too", handlers_make_calls);
	claim("registers, flags and red zone survive signals", registers_survive);
	return claims_done();
}
