// SPDX-License-Identifier: GPL-2.0-only
/* Mappings in all their forms. */
#include "claim.h"

#include <sys/shm.h>
#include <sys/uio.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t len, int prot, int flags, int fd, off_t off)
{
	char *p = mmap(NULL, len, prot, flags, fd, off);

	need(p != MAP_FAILED);
	return p;
}

static char *anonymous(size_t len)
{
	return map(len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int temporary(size_t len, const char *dir)
{
	char name[64];
	int fd;
	size_t i;

	snprintf(name, sizeof(name), "%s/memory.XXXXXX", dir);
	fd = mkstemp(name);
	need(fd >= 0);
	need(!unlink(name));
	for (i = 0; i < len; i += PAGE) {
		char page[4096];

		memset(page, 'A' + (int)(i / PAGE) % 26, sizeof(page));
		need_is(write(fd, page, sizeof(page)), sizeof(page));
	}
	return fd;
}

static bool mapped(const void *p)
{
	return msync((void *)((uintptr_t)p & ~(PAGE - 1)), PAGE, MS_ASYNC) == 0 || errno != ENOMEM;
}

static void zeros(void)
{
	char *p = anonymous(8 << 20);
	size_t i;

	for (i = 0; i < 8 << 20; i += 61)
		need(!p[i]);
	memset(p, 1, 8 << 20);
	need(!madvise(p, 8 << 20, MADV_DONTNEED));
	for (i = 0; i < 8 << 20; i += 61)
		need(!p[i]);
}

static void private_file(void)
{
	int fd = temporary(16 * PAGE, "/tmp");
	char *p = map(16 * PAGE, RW, MAP_PRIVATE, fd, 0), c;
	int i;

	for (i = 0; i < 16; i++)
		need(p[PAGE * (size_t)i + 9] == 'A' + i);
	p[5 * PAGE] = 'x';
	need(pread(fd, &c, 1, 5 * PAGE) == 1 && c == 'F');
	need(pwrite(fd, "y", 1, 6 * PAGE) == 1);
	need(p[6 * PAGE] == 'y');		/* not written yet by us: still the file's */
	need(!madvise(p, 16 * PAGE, MADV_DONTNEED));
	need(p[5 * PAGE] == 'F');
}

static void shared_file(void)
{
	int fd = temporary(4 * PAGE, "/tmp");
	char *p = map(4 * PAGE, RW, MAP_SHARED, fd, 0),
	     *q = map(PAGE, PROT_READ, MAP_SHARED, fd, PAGE), c;
	int status;

	p[PAGE] = 'x';
	need(*q == 'x');
	need(pread(fd, &c, 1, PAGE) == 1 && c == 'x');
	need(pwrite(fd, "y", 1, PAGE) == 1 && *q == 'y' && p[PAGE] == 'y');
	if (!fork()) {
		p[3 * PAGE] = 'z';
		_exit(0);
	}
	need(wait(&status) > 0 && !status);
	need(p[3 * PAGE] == 'z');
	need(!msync(p, 4 * PAGE, MS_SYNC));
}

static void fixed_over_others(void)
{
	int fd = temporary(8 * PAGE, "/tmp");
	char *p = anonymous(64 * PAGE);
	int i;

	memset(p, 'm', 64 * PAGE);
	need(mmap(p + 10 * PAGE, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	     p + 10 * PAGE);
	need(mmap(p + 30 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	     p + 30 * PAGE);
	for (i = 0; i < 64; i++)
		need(p[(size_t)i * PAGE + 1] == (i >= 10 && i < 18 ? 'A' + i - 10
						 : i == 30	   ? 0
								   : 'm'));
	need(mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
		     MAP_FAILED &&
	     errno == EEXIST);
}

static void holes(void)
{
	char *p = anonymous(100 * PAGE);
	int i;

	memset(p, 'h', 100 * PAGE);
	for (i = 1; i < 100; i += 2)
		need(!munmap(p + (size_t)i * PAGE, PAGE));
	for (i = 0; i < 100; i++)
		if (i % 2)
			need(!mapped(p + (size_t)i * PAGE));
		else
			need(p[(size_t)i * PAGE + 5] == 'h');
	need(!munmap(p, 100 * PAGE));
	for (i = 0; i < 100; i++)
		need(!mapped(p + (size_t)i * PAGE));
}

static void remaps(void)
{
	char *p = anonymous(16 * PAGE), *q, *r;
	int i;

	for (i = 0; i < 16; i++)
		p[(size_t)i * PAGE] = (char)i;
	q = mremap(p, 16 * PAGE, 4096 * PAGE, MREMAP_MAYMOVE);
	need(q != MAP_FAILED);
	for (i = 0; i < 16; i++)
		need(q[(size_t)i * PAGE] == i);
	need(!q[4000 * PAGE]);
	q[4000 * PAGE] = 1;
	need(q == p || !mapped(p));
	r = anonymous(64 * PAGE);
	need(mremap(q, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r + 8 * PAGE) ==
	     r + 8 * PAGE);
	for (i = 0; i < 16; i++)
		need(r[(size_t)(i + 8) * PAGE] == i);
	need(!mapped(q) && q[4000 * PAGE] == 1);
	need(mremap(q + 4000 * PAGE, 96 * PAGE, PAGE, 0) == q + 4000 * PAGE);
	need(q[4000 * PAGE] == 1 && !mapped(q + 4001 * PAGE));
	q = mremap(r + 8 * PAGE, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	need(q != MAP_FAILED && q[3 * PAGE] == 3 && r[11 * PAGE] == 0);
}

static void protects(void)
{
	char *p = anonymous(64 * PAGE);
	int fd = open("/dev/zero", O_RDONLY), i;

	memset(p, 'p', 64 * PAGE);
	for (i = 0; i < 64; i += 2)
		need(!mprotect(p + (size_t)i * PAGE, PAGE, i % 4 ? PROT_READ : PROT_NONE));
	for (i = 0; i < 64; i++) {
		ssize_t n = read(fd, p + (size_t)i * PAGE, 1);

		need(i % 2 ? n == 1 : n == -1 && errno == EFAULT);
	}
	need(!mprotect(p, 64 * PAGE, RW));
	for (i = 0; i < 64; i++)
		need(p[(size_t)i * PAGE] == (i % 2 ? 0 : 'p') && p[(size_t)i * PAGE + 1] == 'p');
	need(!munmap(p + 60 * PAGE, PAGE));
	need(mprotect(p + 59 * PAGE, 5 * PAGE, RW) == -1 && errno == ENOMEM);
}

static void sparse(void)
{
	size_t len = 100ul << 30;
	char *p = map(len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *q;
	size_t i;

	for (i = 0; i < len; i += len / 50) {
		q = p + (i & ~(PAGE - 1));
		need(!mprotect(q, PAGE, RW));
		*q = (char)(i >> 30);
	}
	for (i = 0; i < len; i += len / 50)
		need(p[i & ~(PAGE - 1)] == (char)(i >> 30));
	q = map(len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	need(!munmap(p, len) && !munmap(q, len));
	need(!mapped(p));
	/* Larger than any slot. */
	p = mmap(NULL, 1ul << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	need(p != MAP_FAILED);
	need(!mprotect(p + (700ul << 30), PAGE, RW));
	p[700ul << 30] = 3;
	need(p[700ul << 30] == 3);
	if (!fork()) {
		need(p[700ul << 30] == 3);
		p[700ul << 30] = 4;
		_exit(0);
	}
	wait(NULL);
	need(p[700ul << 30] == 3);
}

/* Every place that a program may ask for by address, far apart. */
static void far_apart(void)
{
	uintptr_t at;
	int status;

	for (at = 0x4000000000; at < 0x5f0000000000; at += 0x9876543000)
		if (mmap((void *)at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			 -1, 0) == (void *)at)
			*(volatile uintptr_t *)at = at;
		else
			need(errno == EEXIST);
	if (!fork()) {
		for (at = 0x4000000000; at < 0x5f0000000000; at += 0x9876543000)
			need(*(volatile uintptr_t *)at == at);
		_exit(0);
	}
	need(wait(&status) > 0 && !status);
	for (at = 0x4000000000; at < 0x5f0000000000; at += 0x9876543000)
		need(*(volatile uintptr_t *)at == at);
}

/* Where the guest kernel lives nothing can be mapped; on other systems it can. */
static void kernel_range(void)
{
	static const uintptr_t at[] = { 0x60000000, 0x60001000,	  0x5ffff000,
					0x70000000, 0x3000000000, 0x3ffffff000 };
	char *p;
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		p = mmap((void *)at[i], 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0);
		if (p == MAP_FAILED) {
			need_is(errno, ENOMEM);
			/* As a hint only: elsewhere. */
			p = mmap((void *)at[i], 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			need(p != MAP_FAILED && (uintptr_t)p != at[i]);
		}
		p[0] = p[PAGE] = 1;
	}
	p = anonymous(PAGE);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		char *q = mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at[i]);

		if (q == MAP_FAILED)
			need(errno == ENOMEM || errno == EINVAL);
		else
			q[0] = 1, p = anonymous(PAGE);
	}
}

static void low_addresses(void)
{
	static const uintptr_t at[] = { 0, 0x1000, 0x8000, 0xf000, 0x10000, 0x11000 };
	char *p;
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		p = mmap((void *)at[i], PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (p == MAP_FAILED) {
			need(at[i] < 0x10000);
			need(errno == EPERM || errno == ENOMEM || errno == EACCES);
			continue;
		}
		((volatile char *)p)[1] = 1;
		need(((volatile char *)p)[1] == 1);
		need(!munmap(p, PAGE));
	}
}

static void grows_down(void)
{
	char *area = map(1024 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *top;
	size_t i;

	need(!munmap(area, 1024 * PAGE));
	top = area + 1020 * PAGE;
	need(mmap(top, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0) ==
	     top);
	for (i = 0; i < 200; i++)
		top[-(ptrdiff_t)(i * PAGE)] = (char)i;
	for (i = 0; i < 200; i++)
		need(top[-(ptrdiff_t)(i * PAGE)] == (char)i);
}

static void break_moves(void)
{
	char *begin = sbrk(0);

	need(sbrk(8 << 20) == begin);
	memset(begin, 'b', 8 << 20);
	need(sbrk(-(4 << 20)) == begin + (8 << 20));
	need(!mapped(begin + (6 << 20)));
	need(begin[3 << 20] == 'b');
	need(sbrk(4 << 20) == begin + (4 << 20));
	need(!begin[6 << 20]);
}

static void sysv(void)
{
	int id = shmget(IPC_PRIVATE, 64 * PAGE, IPC_CREAT | 0600), status;
	char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);

	need(id >= 0 && p != (char *)-1 && q != (char *)-1 && p != q);
	p[5 * PAGE] = 's';
	need(q[5 * PAGE] == 's');
	if (!fork()) {
		p[6 * PAGE] = 't';
		_exit(0);
	}
	need(wait(&status) > 0 && !status);
	need(q[6 * PAGE] == 't');
	need(!shmdt(p) && !shmctl(id, IPC_RMID, NULL));
	need(q[5 * PAGE] == 's');
	need(!shmdt(q));
	need(shmat(id, NULL, 0) == (char *)-1);
}

static void two_views(void)
{
	int fd = memfd_create("views", 0);
	char *w, *x;
	int i;

	need(fd >= 0 && !ftruncate(fd, PAGE));
	w = map(PAGE, RW, MAP_SHARED, fd, 0);
	x = map(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	for (i = 0; i < 200; i++) {
		memcpy(w, "\xb8\x00\x00\x00\x00\xc3", 6);
		w[1] = (char)(i & 0x7f);
		need_is(((int (*)(void))(uintptr_t)x)(), i & 0x7f);
	}
}

static void written_by_others(void)
{
	char *p = anonymous(16 * PAGE);
	char text[] = "written by process_vm_writev";
	struct iovec from = { text, sizeof(text) }, to = { p + 5 * PAGE - 10, sizeof(text) };
	int status, fd[2];
	pid_t pid;

	memset(p, 'q', 16 * PAGE);
	need(!pipe(fd));
	pid = fork();
	if (!pid) {
		char c;

		need(p[6 * PAGE] == 'q');
		need(read(fd[0], &c, 1) == 1);
		need(!memcmp(p + 5 * PAGE - 10, text, sizeof(text)));
		_exit(0);
	}
	need_is(process_vm_writev(pid, &from, 1, &to, 1, 0), sizeof(text));
	need(p[5 * PAGE] == 'q');
	memset(text, 0, sizeof(text));
	need_is(process_vm_readv(pid, &from, 1, &to, 1, 0), sizeof(text));
	need(!strcmp(text, "written by process_vm_writev"));
	need(write(fd[1], "x", 1) == 1);
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

static void many_mappings(void)
{
	enum { N = 30000 };
	static char *p[N];
	size_t i;

	for (i = 0; i < N; i++) {
		p[i] = map(PAGE, i % 2 ? RW : RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*(size_t *)p[i] = i;
	}
	for (i = 0; i < N; i++)
		need_is(*(size_t *)p[i], i);
	for (i = 0; i < N; i++)
		need(!munmap(p[i], PAGE));
}

/* More single pages with different rights than a host has room for mappings. */
static void chessboard(void)
{
	size_t n = 150000, i;
	char *p = map(n * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need(!madvise(p, n * PAGE, MADV_NOHUGEPAGE));
	for (i = 0; i < n; i += 2)
		*(size_t *)(p + i * PAGE) = i;
	for (i = 0; i < n; i += 2)
		need_is(*(size_t *)(p + i * PAGE), i);
}

static void locks_and_advice(void)
{
	char *p = anonymous(16 * PAGE);
	unsigned char vec[16];

	need(!mlock(p, 8 * PAGE));
	need(!mincore(p, 16 * PAGE, vec) && (vec[3] & 1));
	need(!munlock(p, 8 * PAGE));
	need(!madvise(p, 16 * PAGE, MADV_WILLNEED));
	need(!madvise(p, 16 * PAGE, MADV_DONTFORK));
	p[0] = 1;
	if (!fork())
		_exit(mapped(p));
	int status;
	need(wait(&status) > 0 && !status);
	need(!madvise(p, 16 * PAGE, MADV_DOFORK) && !madvise(p, 16 * PAGE, MADV_WIPEONFORK));
	if (!fork())
		_exit(p[0]);
	need(wait(&status) > 0 && !status && p[0] == 1);
}

/* A program in an image: its text is the image's, its data its own. */
static int initialised = 17;
static void image_data(void)
{
	int status, fd = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	char *p, *q;

	need(fd >= 0 && !fstat(fd, &st));
	p = map((size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	q = map((size_t)st.st_size, RW, MAP_PRIVATE, fd, 0);
	need(!memcmp(p, q, (size_t)st.st_size));
	memset(q, 0, (size_t)st.st_size);
	need(!memcmp(p, "\177ELF", 4));
	need(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
	if (!fork()) {
		initialised = 18;
		_exit(0);
	}
	need(wait(&status) > 0 && !status);
	need_is(initialised, 17);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("anonymous memory is zero, and again after MADV_DONTNEED", zeros);
	claim("private mappings of a file", private_file);
	claim("shared mappings of a file, read, write, fork", shared_file);
	claim("MAP_FIXED over others, MAP_FIXED_NOREPLACE", fixed_over_others);
	claim("holes by munmap", holes);
	claim("mremap: grow, move, shrink, leave", remaps);
	claim("mprotect, page by page", protects);
	claim("reservations of 100 GiB and of 1 TiB", sparse);
	claim("pages all over the address space, with fork", far_apart);
	claim("the guest kernel's range is refused, or usable", kernel_range);
	claim("low addresses are refused, or usable", low_addresses);
	claim("MAP_GROWSDOWN", grows_down);
	claim("brk, up and down", break_moves);
	claim("SysV shared memory", sysv);
	claim("a writable and an executable view of one page", two_views);
	claim("process_vm_readv and writev, copy on write", written_by_others);
	claim("30000 mappings of one page each", many_mappings);
	claim("75000 single pages", chessboard);
	claim("mlock, mincore, MADV_DONTFORK, MADV_WIPEONFORK", locks_and_advice);
	claim("a program's own file, shared and private", image_data);
	return claims_done();
}
