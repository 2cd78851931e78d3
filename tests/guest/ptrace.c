// SPDX-License-Identifier: GPL-2.0-only
/* Debugging: what strace and gdb need. */
#include "claim.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

static volatile int variable = 1;

static int __attribute__((noinline)) target(int n)
{
	asm volatile("nop; nop; nop; nop");
	return n + variable;
}

static pid_t traced(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	need_is(waitpid(pid, &status, 0), pid);
	need(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	return pid;
}

static int next_stop(pid_t pid)
{
	int status;

	need_is(waitpid(pid, &status, 0), pid);
	return status;
}

static void calls_target(void)
{
	int i, sum = 0;

	for (i = 0; i < 5; i++)
		sum += target(i);
	_exit(sum);
}

/* A breakpoint in the text of a program that lies in a read-only image. */
static void breakpoints(void)
{
	pid_t pid = traced(calls_target);
	struct user_regs_struct regs;
	uintptr_t at = (uintptr_t)target;
	long old, i;

	errno = 0;
	old = ptrace(PTRACE_PEEKTEXT, pid, at, 0);
	need(!errno && old == *(long *)at);
	for (i = 0; i < 5; i++) {
		need(!ptrace(PTRACE_POKETEXT, pid, at, (old & ~0xffl) | 0xcc));
		need(!ptrace(PTRACE_CONT, pid, 0, 0));
		need_is(next_stop(pid), SIGTRAP << 8 | 0x7f);
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		need_is(regs.rip, at + 1);
		need_is(regs.rdi, i);
		regs.rip = at;
		regs.rdi = 10;
		need(!ptrace(PTRACE_SETREGS, pid, 0, &regs));
		need(!ptrace(PTRACE_POKETEXT, pid, at, old));
		need(!ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		need_is(next_stop(pid), SIGTRAP << 8 | 0x7f);
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		need_is(regs.rip, at + 1);		/* behind the first nop */
	}
	need(*(long *)at == old);
	need(!ptrace(PTRACE_POKEDATA, pid, &variable, 3));
	need(!ptrace(PTRACE_CONT, pid, 0, 0));
	need_is(next_stop(pid), (4 * 11 + 13) << 8);
	need_is(variable, 1);
}

static void some_calls(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		if (getppid() <= 0 || syscall(SYS_getpid) != getpid())
			_exit(1);
		if (close(-1) != -1 || errno != EBADF)
			_exit(2);
	}
	_exit(0);
}

/* strace: each call stops twice, with its number and its result. */
static void syscall_stops(void)
{
	pid_t pid = traced(some_calls);
	struct user_regs_struct regs;
	int n = 0, status, parents = 0;
	bool entry = true;

	need(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	for (;; n++) {
		need(!ptrace(PTRACE_SYSCALL, pid, 0, 0));
		status = next_stop(pid);
		if (WIFEXITED(status))
			break;
		need_is(status, (SIGTRAP | 0x80) << 8 | 0x7f);
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		if (entry) {
			need_is(regs.rax, (unsigned long)-ENOSYS);
			if (regs.orig_rax == SYS_getppid)
				parents++;
		} else if (regs.orig_rax == SYS_getppid) {
			need_is(regs.rax, getpid());
		} else if (regs.orig_rax == SYS_close) {
			need_is(regs.rax, -EBADF);
		}
		entry = !entry;
	}
	need_is(status, 0);
	need_is(parents, 20);
	need(n > 100);
}

/* A debugger changes number, argument and result. */
static void one_call(void)
{
	_exit(syscall(SYS_getppid) == 4711 && syscall(SYS_getppid) == getpid() ? 0 : 1);
}

static void edits_calls(void)
{
	pid_t pid = traced(one_call);
	struct user_regs_struct regs;
	int seen = 0, status;
	bool entry = true;

	for (;;) {
		need(!ptrace(PTRACE_SYSCALL, pid, 0, 0));
		status = next_stop(pid);
		if (WIFEXITED(status))
			break;
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		if (entry && regs.orig_rax == SYS_getppid && ++seen == 2) {
			regs.orig_rax = SYS_getpid;
			need(!ptrace(PTRACE_SETREGS, pid, 0, &regs));
		} else if (!entry && seen == 1 && regs.orig_rax == SYS_getppid) {
			regs.rax = 4711;
			need(!ptrace(PTRACE_SETREGS, pid, 0, &regs));
		}
		entry = !entry;
	}
	need_is(status, 0);
}

/* Thousands of single steps, through system calls that may have been rewritten by now. */
static void steps(void)
{
	pid_t pid = traced(some_calls);
	struct user_regs_struct regs;
	unsigned long last = 0;
	int status, n = 0, still = 0;

	for (;; n++) {
		need(!ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		status = next_stop(pid);
		if (WIFEXITED(status))
			break;
		need_is(status, SIGTRAP << 8 | 0x7f);
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		still = regs.rip == last ? still + 1 : 0;
		last = regs.rip;
		need(still < 100);
		need(n < 100000);
	}
	need_is(status, 0);
	need(n > 300);
}

static void sleeps(void)
{
	for (;;)
		pause();
}

static void attaches(void)
{
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();

	if (!pid)
		sleeps();
	usleep(20000);
	need(!ptrace(PTRACE_ATTACH, pid, 0, 0));
	need_is(next_stop(pid), SIGSTOP << 8 | 0x7f);
	need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
	need_is(regs.orig_rax, SYS_pause);
	need_is(regs.cs, 0x33);
	need(!ptrace(PTRACE_DETACH, pid, 0, 0));
	need(!kill(pid, SIGKILL));
	need_is(waitpid(pid, &status, 0), pid);
}

static void forks_and_execs(void)
{
	pid_t pid = fork();

	if (!pid)
		execl("/proc/self/exe", "x", "--nothing", NULL);
	wait(NULL);
	_exit(0);
}

static void events(void)
{
	pid_t pid = traced(forks_and_execs), child;
	unsigned long message = 0;
	int status;

	need(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC));
	need(!ptrace(PTRACE_CONT, pid, 0, 0));
	need_is(next_stop(pid) >> 8, SIGTRAP | PTRACE_EVENT_FORK << 8);
	need(!ptrace(PTRACE_GETEVENTMSG, pid, 0, &message));
	child = (pid_t)message;
	need_is(next_stop(child), SIGSTOP << 8 | 0x7f);
	need(!ptrace(PTRACE_CONT, pid, 0, 0) && !ptrace(PTRACE_CONT, child, 0, 0));
	need_is(next_stop(child) >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	need(!ptrace(PTRACE_CONT, child, 0, 0));
	need(waitpid(child, &status, 0) == child && WIFEXITED(status));
	do {
		need_is(waitpid(pid, &status, 0), pid);
		if (WIFSTOPPED(status))
			need(!ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status)));
	} while (!WIFEXITED(status));
}

static void spins(void)
{
	register long r12 asm("r12") = 0x1212;

	for (;;)
		asm volatile("" : "+r" (r12));
}

static void interrupts(void)
{
	pid_t pid = fork();
	struct user_regs_struct regs;
	int i;

	if (!pid)
		spins();
	need(!ptrace(PTRACE_SEIZE, pid, 0, 0));
	for (i = 0; i < 20; i++) {
		usleep(3000);
		need(!ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		need(WIFSTOPPED(next_stop(pid)));
		need(!ptrace(PTRACE_GETREGS, pid, 0, &regs));
		if (i > 2)
			need_is(regs.r12, 0x1212);
		need_is(regs.orig_rax, -1);
		need(!ptrace(PTRACE_CONT, pid, 0, 0));
	}
	kill(pid, SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--nothing"))
		return 0;
	claims_begin(argc, argv);
	claim("breakpoints, registers and memory of a child", breakpoints);
	claim("stops at system calls, with numbers and results", syscall_stops);
	claim("a debugger changes number and result of a call", edits_calls);
	claim("single steps through forty system calls", steps);
	claim("attach to a sleeper, detach", attaches);
	claim("events of fork and exec", events);
	claim("interrupt a busy loop, twenty times", interrupts);
	return claims_done();
}
