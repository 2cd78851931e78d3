/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program asks of its kernel, one figure each, measured inside the container.
 *
 *	micro DIR MILLISECONDS [NAME]...
 *
 * DIR holds the static program `nothing`. Each figure (all, or those named) takes about that long,
 * and is printed as "NAME NANOSECONDS": the median of as many batches as fit, after one that does
 * not count. A batch is shorter than the scheduler's time slice where it can be, so that on a busy
 * machine most of them were not interrupted. A figure that cannot be taken ends the program with
 * status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096ul
#define PAGES		4096ul			/* of memory that is used again: 16 MiB */
/* of memory that nothing in the container has used */
#define FRESH_PAGES	65536ul
/* Of the image: what Node.js is made of. */
#define LARGE_FILE	"/usr/lib/x86_64-linux-gnu/libnode.so.108"
#define BATCHES_MAX	100000

static char *const no_environment[] = { NULL };

/* State of the measurement that runs: what its prepare() made for its run(). */
static const char *program_dir;
static char *memory;
static size_t memory_pages;
static char *file_memory;
static size_t file_pages;
static size_t next_page;			/* to be touched, of either */
static int to_child[2], from_child[2];
static pid_t child;
static pthread_t thread;
static volatile int sink;

static void die(const char *what)
{
	fprintf(stderr, "micro: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0)
		die("fork");
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "micro: a child ended with status %#x\n", (unsigned int)status);
		exit(1);
	}
}

static void syscall_run(unsigned int n)
{
	while (n--)
		sink = getppid();
}

static void clock_run(unsigned int n)
{
	while (n--)
		sink = (int)now();
}

static void stat_run(unsigned int n)
{
	struct stat st;

	while (n--) {
		if (stat("/etc/passwd", &st) < 0)
			die("stat");
	}
}

static void read_run(unsigned int n)
{
	char buf[64];
	int fd;

	while (n--) {
		fd = open("/etc/passwd", O_RDONLY);
		if (fd < 0 || read(fd, buf, sizeof(buf)) <= 0)
			die("read /etc/passwd");
		close(fd);
	}
}

static void on_signal(int signal)
{
	sink = signal;
}

static void signal_prepare(void)
{
	if (signal(SIGUSR1, on_signal) == SIG_ERR)
		die("signal");
}

static void signal_run(unsigned int n)
{
	while (n--)
		raise(SIGUSR1);
}

static void pipes(void)
{
	if (pipe(to_child) < 0 || pipe(from_child) < 0)
		die("pipe");
}

static void pipes_close(void)
{
	close(to_child[0]);
	close(to_child[1]);
	close(from_child[0]);
	close(from_child[1]);
}

static void echo(void)
{
	char c;

	while (read(to_child[0], &c, 1) == 1 && c) {
		if (write(from_child[1], &c, 1) != 1)
			break;
	}
}

static void *echo_thread(void *unused)
{
	(void)unused;
	echo();
	return NULL;
}

static void pipe_prepare(void)
{
	pipes();
	child = fork();
	if (child == 0) {
		echo();
		_exit(0);
	}
}

static void pipe_thread_prepare(void)
{
	pipes();
	errno = pthread_create(&thread, NULL, echo_thread, NULL);
	if (errno)
		die("pthread_create");
}

static void pipe_run(unsigned int n)
{
	char c = 1;

	while (n--) {
		if (write(to_child[1], &c, 1) != 1 || read(from_child[0], &c, 1) != 1)
			die("pipe round trip");
	}
}

static void pipe_stop(void)
{
	if (write(to_child[1], "", 1) != 1)
		die("pipe");
}

static void pipe_finish(void)
{
	pipe_stop();
	wait_for(child);
	pipes_close();
}

static void pipe_thread_finish(void)
{
	pipe_stop();
	pthread_join(thread, NULL);
	pipes_close();
}

static void memory_map(size_t pages)
{
	memory_pages = pages;
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		die("mmap");
	next_page = 0;
}

static void memory_finish(void)
{
	if (munmap(memory, memory_pages * PAGE) < 0)
		die("munmap");
}

/* All pages are touched: fresh mappings. */
static void memory_renew(void)
{
	if (next_page < memory_pages)
		return;
	memory_finish();
	memory_map(memory_pages);
}

static void fault_run(unsigned int n)
{
	for (; n; n--)
		memory[next_page++ * PAGE] = 1;
}

static void fault_random_run(unsigned int n)
{
	/* An odd factor visits each of 2^k pages once. */
	for (; n; n--)
		memory[next_page++ * 1103515245u % PAGES * PAGE] = 1;
}

static void memory_fresh_prepare(void)
{
	memory_map(FRESH_PAGES);
}

/* Memory that was used: by this, and given back by memory_renew(). */
static void memory_dirty_prepare(void)
{
	memory_map(PAGES);
	fault_run(PAGES);
}

static void file_prepare(void)
{
	struct stat st;
	int fd = open(LARGE_FILE, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		die(LARGE_FILE);
	file_pages = (size_t)st.st_size / PAGE;
	if (file_pages < PAGES) {
		fprintf(stderr, "micro: %s is smaller than expected\n", LARGE_FILE);
		exit(1);
	}
	file_memory = mmap(NULL, file_pages * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file_memory == MAP_FAILED)
		die("mmap of " LARGE_FILE);
	close(fd);
	next_page = 0;
}

static void file_finish(void)
{
	munmap(file_memory, file_pages * PAGE);
}

static void file_renew(void)
{
	if (next_page < PAGES)
		return;
	file_finish();
	file_prepare();
}

static void file_run(unsigned int n)
{
	for (; n; n--)
		sink = file_memory[next_page++ * PAGE];
}

static void mmap_run(unsigned int n)
{
	char *m;

	while (n--) {
		m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		if (m == MAP_FAILED)
			die("mmap");
		*m = 1;
		munmap(m, 4 * PAGE);
	}
}

static void *nothing_thread(void *unused)
{
	return unused;
}

static void thread_run(unsigned int n)
{
	while (n--) {
		errno = pthread_create(&thread, NULL, nothing_thread, NULL);
		if (errno)
			die("pthread_create");
		pthread_join(thread, NULL);
	}
}

static void fork_run(unsigned int n)
{
	pid_t pid;

	while (n--) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		wait_for(pid);
	}
}

static void exec_loop(const char *program, unsigned int n)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	pid_t pid;

	while (n--) {
		pid = fork();
		if (pid == 0) {
			execve(program, argv, no_environment);
			_exit(127);
		}
		wait_for(pid);
	}
}

static void exec_static_run(unsigned int n)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/nothing", program_dir);
	exec_loop(path, n);
}

static void exec_dynamic_run(unsigned int n)
{
	exec_loop("/bin/true", n);
}

static void spawn_run(unsigned int n)
{
	char *argv[] = { (char *)(uintptr_t)"/bin/true", NULL };
	pid_t pid;

	while (n--) {
		errno = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, no_environment);
		if (errno)
			die("posix_spawn");
		wait_for(pid);
	}
}

/* No kernel in it: that the clock inside runs as fast as the one outside. */
static void compute_run(unsigned int n)
{
	uint32_t x = 1;

	for (unsigned int i = 0; i < n; i++)
		x = x * 1664525u + 1013904223u;
	sink = (int)x;
}

/* Reads at random places of dirty memory: what the size of the mappings costs. */
static void access_run(unsigned int n)
{
	uint32_t x = 1;
	int sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u + (uint32_t)sum;
		sum += memory[(size_t)(x >> 8) % (PAGES * PAGE)] & 2;
	}
	sink = sum;
}

struct measure {
	const char *name;
	unsigned int ops;		/* in one batch; of pages, a divisor of their number */
	void (*run)(unsigned int ops);
	void (*prepare)(void);		/* before the first batch and after the last one, or NULL */
	void (*finish)(void);
	void (*renew)(void);		/* before each batch, or NULL */
};

static const struct measure measures[] = {
	{ "syscall", 2000, syscall_run, NULL, NULL, NULL },
	{ "clock", 2000, clock_run, NULL, NULL, NULL },
	{ "stat", 100, stat_run, NULL, NULL, NULL },
	{ "open-read-close", 100, read_run, NULL, NULL, NULL },
	{ "signal", 100, signal_run, signal_prepare, NULL, NULL },
	{ "pipe", 20, pipe_run, pipe_prepare, pipe_finish, NULL },
	{ "pipe-threads", 20, pipe_run, pipe_thread_prepare, pipe_thread_finish, NULL },
	{ "page-fault", 128, fault_run, memory_dirty_prepare, memory_finish, memory_renew },
	{ "page-fault-fresh", 128, fault_run, memory_fresh_prepare, memory_finish, memory_renew },
	{ "page-fault-random", PAGES, fault_random_run, memory_dirty_prepare, memory_finish,
	  memory_renew },
	{ "page-fault-file", 512, file_run, file_prepare, file_finish, file_renew },
	{ "mmap-touch-munmap", 20, mmap_run, NULL, NULL, NULL },
	{ "thread", 10, thread_run, NULL, NULL, NULL },
	{ "fork", 1, fork_run, NULL, NULL, NULL },
	{ "fork-16mb", 1, fork_run, memory_dirty_prepare, memory_finish, NULL },
	{ "fork-exec", 1, exec_static_run, NULL, NULL, NULL },
	{ "fork-exec-dynamic", 1, exec_dynamic_run, NULL, NULL, NULL },
	{ "spawn-dynamic", 1, spawn_run, NULL, NULL, NULL },
	{ "compute", 100000, compute_run, NULL, NULL, NULL },
	{ "memory-access", 5000, access_run, memory_dirty_prepare, memory_finish, NULL },
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double batch(const struct measure *m)
{
	uint64_t begin;

	if (m->renew)
		m->renew();
	begin = now();
	m->run(m->ops);
	return (double)(now() - begin) / m->ops;
}

static void take(const struct measure *m, uint64_t limit)
{
	static double results[BATCHES_MAX];
	size_t count = 0;
	uint64_t end;

	if (m->prepare)
		m->prepare();
	batch(m);
	end = now() + limit;
	do {
		results[count++] = batch(m);
	} while (count < BATCHES_MAX && (count < 3 || now() < end));
	if (m->finish)
		m->finish();
	qsort(results, count, sizeof(results[0]), compare);
	printf("%s %.2f\n", m->name, results[count / 2]);
	fflush(stdout);
}

static int wanted(const char *name, char *const names[])
{
	if (!*names)
		return 1;
	while (*names) {
		if (!strcmp(*names++, name))
			return 1;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc < 3) {
		fprintf(stderr, "usage: micro DIR MILLISECONDS [NAME]...\n");
		return 2;
	}
	program_dir = argv[1];
	for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
		if (wanted(measures[i].name, argv + 3))
			take(&measures[i], strtoull(argv[2], NULL, 10) * 1000000u);
	}
	return 0;
}
