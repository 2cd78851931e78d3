// SPDX-License-Identifier: GPL-2.0-only
/* Threads: futexes, thread-local storage, segment bases, cancellation, many of them. */
#include "claim.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/auxv.h>
#include <sys/time.h>

static __thread int local = 5;
static __thread char local_area[10000];
static volatile long total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile sig_atomic_t alarms;

static long futex(volatile int *word, int op, int value, const struct timespec *t)
{
	return syscall(SYS_futex, word, op, value, t, NULL, 0);
}

static void start(pthread_t *t, void *(*fn)(void *), long arg)
{
	need(!pthread_create(t, NULL, fn, (void *)arg));
}

static void tick(int sig)
{
	(void)sig;
	alarms++;
}

static void timer(int us)
{
	struct itimerval it = { { 0, us }, { 0, us } };
	struct sigaction sa = { .sa_handler = tick, .sa_flags = SA_RESTART };

	need(!sigaction(SIGALRM, &sa, NULL));
	need(!setitimer(ITIMER_REAL, &it, NULL));
}

static void *count_locked(void *arg)
{
	long i;

	for (i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		total = total + 1;
		pthread_mutex_unlock(&lock);
		if (i % 500 == 0)
			sched_yield();
	}
	return arg;
}

static void mutexes(void)
{
	pthread_t t[16];
	void *ret;
	long i;

	timer(500);
	for (i = 0; i < 16; i++)
		start(&t[i], count_locked, i);
	for (i = 0; i < 16; i++) {
		need(!pthread_join(t[i], &ret));
		need_is((long)ret, i);
	}
	need_is(total, 16 * 20000);
}

static void *use_local(void *arg)
{
	long n = (long)arg, i;

	need_is(local, 5);
	for (i = 0; i < 300; i++) {
		local = (int)(n * 1000 + i);
		local_area[i * 30] = (char)n;
		sched_yield();
		need_is(local, n * 1000 + i);
		need_is(local_area[i * 30], (char)n);
	}
	return NULL;
}

static void thread_local(void)
{
	pthread_t t[20];
	long i;

	timer(700);
	for (i = 0; i < 20; i++)
		start(&t[i], use_local, i);
	use_local((void *)99);
	for (i = 0; i < 20; i++)
		need(!pthread_join(t[i], NULL));
	need_is(local, 99299);
}

static void *wait_turn(void *arg)
{
	long me = (long)arg, i;

	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		while (total % 4 != me)
			pthread_cond_wait(&cond, &lock);
		total = total + 1;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void conditions(void)
{
	pthread_t t[4];
	long i;

	for (i = 0; i < 4; i++)
		start(&t[i], wait_turn, i);
	for (i = 0; i < 4; i++)
		need(!pthread_join(t[i], NULL));
	need_is(total, 2000);
}

static void *just_return(void *arg)
{
	return arg;
}

static void many(void)
{
	pthread_t t[200];
	void *ret;
	long i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 200; i++)
			start(&t[i], just_return, i);
		for (i = 0; i < 200; i++) {
			need(!pthread_join(t[i], &ret));
			need_is((long)ret, i);
		}
	}
}

static void futex_words(void)
{
	static volatile int word = 1;
	struct timespec t = { 0, 50000000 };
	uint64_t begin = now_ns();

	need(futex(&word, FUTEX_WAIT, 2, NULL) == -1 && errno == EAGAIN);
	need(futex(&word, FUTEX_WAIT, 1, &t) == -1 && errno == ETIMEDOUT);
	need(now_ns() - begin >= 50000000);
	need_is(futex(&word, FUTEX_WAKE, 100, NULL), 0);
	need(futex((int *)8, FUTEX_WAIT, 0, NULL) == -1 && errno == EFAULT);
	need(futex((volatile int *)((char *)&word + 1), FUTEX_WAIT, 0, NULL) == -1 &&
	     errno == EINVAL);
}

/* Between processes, in shared memory. */
static void futex_shared(void)
{
	volatile int *word =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, i;

	if (!fork()) {
		for (i = 0; i < 1000; i++) {
			while (*word != 2 * i + 1)
				futex(word, FUTEX_WAIT, 2 * i, NULL);
			*word = 2 * i + 2;
			futex(word, FUTEX_WAKE, 1, NULL);
		}
		_exit(0);
	}
	for (i = 0; i < 1000; i++) {
		*word = 2 * i + 1;
		futex(word, FUTEX_WAKE, 1, NULL);
		while (*word != 2 * i + 2)
			futex(word, FUTEX_WAIT, 2 * i + 1, NULL);
	}
	need(wait(&status) > 0 && !status);
}

static void robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	need(!pthread_mutex_init(m, &attr));
	if (!fork()) {
		pthread_mutex_lock(m);
		_exit(0);
	}
	wait(NULL);
	need_is(pthread_mutex_lock(m), EOWNERDEAD);
	need(!pthread_mutex_consistent(m) && !pthread_mutex_unlock(m));
}

static uint64_t base_by_call(int which)
{
	uint64_t v = 0;

	need(!syscall(SYS_arch_prctl, which, &v));
	return v;
}

/* As programs ask: the kernel says whether it keeps what the instructions set. */
static bool has_fsgsbase(void)
{
	return getauxval(AT_HWCAP2) & 2;
}

static void set_gs_base(const void *base)
{
	if (has_fsgsbase())
		asm volatile("wrgsbase %0" : : "r" (base));
	else
		need(!syscall(SYS_arch_prctl, ARCH_SET_GS, base));
}

static void segment_bases(void)
{
	static uint64_t area[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	uint64_t fs = base_by_call(ARCH_GET_FS), v, i;
	int status;

	asm volatile("mov %%fs:0, %0" : "=r" (v));
	need_is(v, fs);				/* glibc: the first word points to itself */
	need(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	asm volatile("mov %%gs:8, %0" : "=r" (v));
	need_is(v, area[1]);
	need_is(base_by_call(ARCH_GET_GS), (uintptr_t)area);
	set_gs_base(area + 1);
	asm volatile("mov %%gs:0, %0" : "=r" (v));
	need_is(v, area[1]);
	need_is(base_by_call(ARCH_GET_GS), (uintptr_t)(area + 1));
	/* Another process has others, and both survive switches and signals. */
	timer(500);
	if (!fork()) {
		set_gs_base(area);
		for (i = 0; i < 3000; i++) {
			sched_yield();
			asm volatile("mov %%gs:0, %0" : "=r" (v));
			need_is(v, area[0]);
		}
		_exit(0);
	}
	for (i = 0; i < 3000; i++) {
		sched_yield();
		asm volatile("mov %%gs:0, %0" : "=r" (v));
		need_is(v, area[1]);
		need_is(base_by_call(ARCH_GET_FS), fs);
	}
	while (wait(&status) < 0 && errno == EINTR)
		;
	need_is(status, 0);
	need(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x8000000000000000) == -1 && errno == EPERM);
	if (!has_fsgsbase())
		return;
	asm volatile("rdfsbase %0" : "=r" (v));
	need_is(v, fs);
	/* FS away and back, around a system call. */
	asm volatile("wrfsbase %1; mov $110, %%eax; syscall; rdfsbase %0; wrfsbase %2"
		     : "=&r" (v) : "r" (area), "r" (fs) : "rax", "rcx", "r11", "memory");
	need_is(v, (uintptr_t)area);
}

/* A thread's base is set by clone: one that no address can be is refused. */
static void bad_tls(void)
{
	need_is(syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, 1UL << 63), -1);
	need_is(errno, EPERM);
}

static void *sleep_long(void *arg)
{
	(void)arg;
	for (;;)
		sleep(1000);
	return NULL;
}

static void *read_long(void *arg)
{
	char c;

	for (;;)
		if (read((int)(long)arg, &c, 1) < 0)
			return NULL;
}

static void cancellation(void)
{
	pthread_t t;
	void *ret;
	int fd[2], i;

	need(!pipe(fd));
	for (i = 0; i < 20; i++) {
		start(&t, i % 2 ? sleep_long : read_long, fd[0]);
		if (i % 4 > 1)
			usleep(2000);
		need(!pthread_cancel(t));
		need(!pthread_join(t, &ret));
		need(ret == PTHREAD_CANCELED);
	}
}

static volatile pthread_t got_signal;
static void who(int sig)
{
	(void)sig;
	got_signal = pthread_self();
}

static void directed_signals(void)
{
	pthread_t t[4];
	int i, fd[2];

	need(!pipe(fd));
	signal(SIGUSR1, who);
	for (i = 0; i < 4; i++)
		start(&t[i], sleep_long, 0);
	usleep(20000);
	for (i = 0; i < 20; i++) {
		got_signal = 0;
		need(!pthread_kill(t[i % 4], SIGUSR1));
		while (!got_signal)
			usleep(100);
		need(pthread_equal(got_signal, t[i % 4]));
	}
}

static void *map_and_unmap(void *arg)
{
	long n = (long)arg, i;
	char *p;

	for (i = 0; i < 300; i++) {
		p = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		need(p != MAP_FAILED);
		p[0] = p[65535] = p[30000] = (char)n;
		sched_yield();
		need(p[0] == (char)n && p[65535] == (char)n && p[30000] == (char)n);
		if (i % 10 == 0)
			need(!mprotect(p, 4096, PROT_READ));
		need(!munmap(p, 64 << 10));
	}
	return NULL;
}

static void concurrent_maps(void)
{
	pthread_t t[8];
	long i;
	int status;

	timer(500);
	for (i = 0; i < 8; i++)
		start(&t[i], map_and_unmap, i + 1);
	for (i = 0; i < 20; i++) {		/* while others fork */
		if (!fork())
			_exit(0);
		while (wait(&status) < 0 && errno == EINTR)
			;
		need_is(status, 0);
	}
	for (i = 0; i < 8; i++)
		need(!pthread_join(t[i], NULL));
}

static void *crash(void *arg)
{
	*(volatile char *)arg = 1;
	return NULL;
}

static void crashing(void)
{
	pthread_t t;

	start(&t, sleep_long, 0);
	start(&t, crash, 16);
	sleep_long(NULL);
}

static void one_dies_all_die(void)
{
	need_is(dies(crashing), SIGSEGV);
}

/* Waiting readers of a barrier made of nothing but spinning: the preemption timer must do it. */
static volatile int flag;
static void *spin_for_flag(void *arg)
{
	while (!flag)
		;
	return arg;
}

static void *set_flag(void *arg)
{
	flag = 1;
	return arg;
}

static void spinning(void)
{
	pthread_t a, b;

	start(&a, spin_for_flag, 0);
	usleep(10000);
	start(&b, set_flag, 0);
	need(!pthread_join(a, NULL) && !pthread_join(b, NULL));
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("sixteen threads, one mutex", mutexes);
	claim("thread-local variables", thread_local);
	claim("condition variables", conditions);
	claim("a thousand threads", many);
	claim("futex: EAGAIN, ETIMEDOUT, EFAULT, EINVAL", futex_words);
	claim("futex between processes", futex_shared);
	claim("a robust mutex outlives its owner", robust);
	claim("FS and GS base: arch_prctl, and the instructions where AT_HWCAP2 has them",
	      segment_bases);
	claim("a base that is no address is refused", bad_tls);
	claim("cancellation in blocking calls", cancellation);
	claim("signals to one thread", directed_signals);
	claim("mmap, munmap, mprotect and fork in eight threads", concurrent_maps);
	claim("a fault in one thread ends all", one_dies_all_die);
	claim("a spinning thread does not keep the others out", spinning);
	return claims_done();
}
