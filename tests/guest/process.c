// SPDX-License-Identifier: GPL-2.0-only
/* Processes: fork, vfork, clone, copy on write, exit and wait. */
#include "claim.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static volatile int value = 1;
static char large[4 << 20];

static int status_of(pid_t pid)
{
	int status = -1;

	need_is(waitpid(pid, &status, 0), pid);
	return status;
}

static void copies_values(void)
{
	volatile int local = 10;
	int *heap = malloc(sizeof(*heap));
	pid_t pid;

	*heap = 100;
	pid = fork();
	if (!pid) {
		need_is(value + local + *heap, 111);
		value = 2;
		local = 20;
		*heap = 200;
		sched_yield();
		need_is(value + local + *heap, 222);
		_exit(7);
	}
	value = 3;
	local = 30;
	*heap = 300;
	sched_yield();
	need_is(value + local + *heap, 333);
	need_is(status_of(pid), 7 << 8);
	need_is(value + local + *heap, 333);
}

/* Each page is written by both, in turns enforced by pipes. */
static void copies_pages(void)
{
	int to_child[2], to_parent[2];
	size_t i;
	char c;
	pid_t pid;

	for (i = 0; i < sizeof(large); i += 4096)
		large[i] = 'a';
	need(!pipe(to_child) && !pipe(to_parent));
	pid = fork();
	if (!pid) {
		for (i = 0; i < sizeof(large); i += 4096) {
			need(large[i] == 'a');
			if (i / 4096 % 2)
				large[i] = 'c';
			if (i / 4096 % 64 == 0)
				need(write(to_parent[1], "x", 1) == 1 &&
				     read(to_child[0], &c, 1) == 1);
		}
		for (i = 0; i < sizeof(large); i += 4096)
			need(large[i] == (i / 4096 % 2 ? 'c' : 'a'));
		_exit(0);
	}
	for (i = 0; i < sizeof(large); i += 4096) {
		if (i / 4096 % 64 == 0)
			need(read(to_parent[0], &c, 1) == 1 && write(to_child[1], "x", 1) == 1);
		need(large[i] == 'a');
		if (i / 4096 % 3 == 0)
			large[i] = 'p';
	}
	need_is(status_of(pid), 0);
	for (i = 0; i < sizeof(large); i += 4096)
		need(large[i] == (i / 4096 % 3 ? 'a' : 'p'));
}

static void generations(void)
{
	int depth;
	pid_t pid;

	for (depth = 0; depth < 20; depth++) {
		value = depth;
		pid = fork();
		if (pid) {
			need_is(status_of(pid), 0);
			need_is(value, depth);
			_exit(0);
		}
		need_is(value, depth);
	}
}

static void many(void)
{
	pid_t pid;
	int i;

	for (i = 0; i < 1000; i++) {
		pid = fork();
		if (!pid)
			_exit(i & 63);
		need_is(status_of(pid), (i & 63) << 8);
	}
}

static void many_at_once(void)
{
	enum { N = 200 };
	pid_t pid[N];
	int i;

	for (i = 0; i < N; i++) {
		value = i;
		pid[i] = fork();
		need(pid[i] >= 0);
		if (!pid[i]) {
			usleep(1000);
			_exit(value == i ? i & 63 : 99);
		}
	}
	for (i = 0; i < N; i++)
		need_is(status_of(pid[i]), (i & 63) << 8);
}

static void vfork_shares(void)
{
	static volatile int shared;
	pid_t pid = vfork();

	if (!pid) {
		shared = 42;
		_exit(5);
	}
	need_is(shared, 42);
	need_is(status_of(pid), 5 << 8);
}

static int clone_child(void *arg)
{
	*(volatile int *)arg += 1;
	return 3;
}

static void clones(void)
{
	char *stack = malloc(65536);
	int counter = 0;
	pid_t pid;

	pid = clone(clone_child, stack + 65536, CLONE_VM | SIGCHLD, &counter);
	need(pid > 0);
	need_is(status_of(pid), 3 << 8);
	need_is(counter, 1);
	pid = clone(clone_child, stack + 65536, SIGCHLD, &counter);
	need(pid > 0);
	need_is(status_of(pid), 3 << 8);
	need_is(counter, 1);
}

static void shared_between(void)
{
	int *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int i;

	need(p != MAP_FAILED);
	pid = fork();
	if (!pid) {
		for (i = 0; i < 100000; i++)
			__atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	for (i = 0; i < 100000; i++)
		__atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
	need_is(status_of(pid), 0);
	need_is(*p, 200000);
}

static void orphans(void)
{
	int fd[2], status;
	pid_t parent, pid, reaper = getpid();

	need(!pipe(fd));
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = fork();
	if (!pid) {
		if (!fork()) {
			while (getppid() != reaper)
				usleep(1000);
			parent = getppid();
			need(write(fd[1], &parent, sizeof(parent)) == sizeof(parent));
			_exit(9);
		}
		_exit(0);
	}
	need_is(status_of(pid), 0);
	need(read(fd[0], &parent, sizeof(parent)) == sizeof(parent));
	need_is(parent, reaper);
	need(wait(&status) > 0);
	need_is(status, 9 << 8);
}

static void kill_self(void)
{
	raise(SIGTERM);
}

static void abort_self(void)
{
	abort();
}

static void exit_self(void)
{
	_exit(77);
}

static void deaths(void)
{
	need_is(dies(kill_self), SIGTERM);
	need_is(dies(abort_self), SIGABRT);
	need_is(dies(exit_self), -77);
}

/* Children beyond the limit are refused; the system goes on. */
static void bomb_limited(void)
{
	struct rlimit limit = { 50, 50 };
	int made = 0;
	pid_t pid;

	need(!setgid(12345) && !setuid(12345));
	need(!setrlimit(RLIMIT_NPROC, &limit));
	while ((pid = fork()) > 0)
		need(++made < 100);
	if (!pid) {
		pause();
		_exit(0);
	}
	need_is(errno, EAGAIN);
	need(made > 40);
}

static void waits_by_pidfd(void)
{
	pid_t pid = fork();
	siginfo_t si = { 0 };
	int fd;

	if (!pid)
		_exit(12);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	need(fd >= 0);
	need(!waitid(3 /* P_PIDFD */, (id_t)fd, &si, WEXITED));
	need_is(si.si_status, 12);
	need_is(si.si_code, CLD_EXITED);
}

static void stops_and_continues(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		for (;;)
			getppid();
	need(!kill(pid, SIGSTOP));
	need_is(waitpid(pid, &status, WUNTRACED), pid);
	need(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	need(!kill(pid, SIGCONT));
	need_is(waitpid(pid, &status, WCONTINUED), pid);
	need(WIFCONTINUED(status));
	need(!kill(pid, SIGKILL));
	need_is(status_of(pid), SIGKILL);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("fork: parent and child have values of their own", copies_values);
	claim("fork: 1024 pages are copied when one of both writes", copies_pages);
	claim("fork: twenty generations", generations);
	claim("fork: a thousand children, one after the other", many);
	claim("fork: two hundred children at once", many_at_once);
	claim("vfork: the child runs first, in the parent's memory", vfork_shares);
	claim("clone: with and without shared memory", clones);
	claim("shared anonymous memory is one for parent and child", shared_between);
	claim("an orphan goes to the subreaper", orphans);
	claim("exit statuses and deaths by signals are told apart", deaths);
	claim("a fork bomb ends at RLIMIT_NPROC", bomb_limited);
	claim("pidfd: waited for", waits_by_pidfd);
	claim("SIGSTOP and SIGCONT on a child in a loop of system calls", stops_and_continues);
	return claims_done();
}
