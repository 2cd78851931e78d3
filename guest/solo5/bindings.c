/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Solo5's spt ABI from the guest's side: entry, console, time, devices. Freestanding; the only
 * instructions that call the host are those of solo5_call() and start.
 */
#include "solo5.h"

#define NR_READ			0
#define NR_WRITE		1
#define NR_PREAD64		17
#define NR_PWRITE64		18
#define NR_ARCH_PRCTL		158
#define NR_CLOCK_GETTIME	228
#define NR_EXIT_GROUP		231
#define NR_EPOLL_PWAIT		281
#define NR_TIMERFD_SETTIME	286

#define ARCH_SET_FS		0x1002
#define CLOCK_WALL		0
#define CLOCK_MONO		1
#define TIMER_ABSOLUTE		1
#define TIMER_EVENT		0xfffffffeu
#define INTERRUPTED		(-4)
#define SECOND			1000000000u
#define STACK			0x80000u
#define EVENTS			64

const struct solo5_boot_info *solo5_boot;
char *solo5_heap;
size_t solo5_heap_size;
extern char guest_end[];		/* guest.lds */

struct timespec {
	int64_t sec, nsec;
};
struct epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

static const struct {
	uint32_t namesz, descsz, type;
	char name[8];
	uint32_t word;
} openbsd_note __attribute__((section(".note.openbsd"), used, aligned(4))) = {
	8, 4, 1, "OpenBSD", 0
};

#ifndef SOLO5_ABI_VERSION
#define SOLO5_ABI_VERSION 2
#endif
static const struct {
	uint32_t namesz, descsz, type;
	char name[8];
	uint32_t target, version, reserved[2];
} abi_note __attribute__((section(".note.solo5.abi"), used, aligned(4))) = {
	6, 16, 0x31494241, "Solo5", 2, SOLO5_ABI_VERSION, { 0, 0 }
};

static const char interpreter[] __attribute__((section(".interp"), used)) = "/nonexistent/solo5/";

long solo5_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The stack is 8 below a multiple of 16, as if called; rdi is the boot information. */
void guest_start(const struct solo5_boot_info *boot) __attribute__((noreturn));
void guest_start(const struct solo5_boot_info *boot)
{
	solo5_call(NR_ARCH_PRCTL, ARCH_SET_FS, 0, 0, 0, 0, 0);
	solo5_boot = boot;
	solo5_heap = (char *)(((uintptr_t)guest_end + 4095) & ~(uintptr_t)4095);
	if ((uintptr_t)solo5_heap + STACK > boot->mem_size)
		solo5_abort();
	solo5_heap_size = boot->mem_size - STACK - (uintptr_t)solo5_heap;
	solo5_exit(solo5_main(boot->cmdline));
}

void solo5_exit(int status)
{
	for (;;)
		solo5_call(NR_EXIT_GROUP, status, 0, 0, 0, 0, 0);
}

void solo5_abort(void)
{
	solo5_print("solo5: abort\n");
	solo5_exit(255);
}

void solo5_write(const char *text, size_t len)
{
	while (len > 0) {
		long n = solo5_call(NR_WRITE, 1, (long)text, (long)len, 0, 0, 0);

		if (n == INTERRUPTED)
			continue;
		if (n <= 0)
			return;			/* nobody reads it */
		text += n;
		len -= (size_t)n;
	}
}

void solo5_print(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	solo5_write(text, len);
}

void solo5_print_number(uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	solo5_write(digits + i, sizeof(digits) - i);
}

static uint64_t clock(long which)
{
	struct timespec t = { 0, 0 };

	solo5_call(NR_CLOCK_GETTIME, which, (long)&t, 0, 0, 0, 0);
	return (uint64_t)t.sec * SECOND + (uint64_t)t.nsec;
}

uint64_t solo5_monotonic(void) { return clock(CLOCK_MONO); }
uint64_t solo5_wall(void) { return clock(CLOCK_WALL); }

/* Which network devices have frames: *@due says that the timer is. */
static uint64_t poll(int timeout, bool *due)
{
	static struct epoll_event events[EVENTS];
	uint64_t ready = 0;
	long n;

	do {
		n = solo5_call(NR_EPOLL_PWAIT, solo5_boot->epoll_fd, (long)events, EVENTS, timeout,
			       0, 0);
	} while (n == INTERRUPTED);
	for (long i = 0; i < n; i++) {
		if (events[i].data == TIMER_EVENT)
			*due = true;
		else
			ready |= 1ull << events[i].data;
	}
	return ready;
}

static void arm(uint64_t deadline)
{
	struct timespec it[2] = { { 0, 0 }, { 0, 0 } };		/* zero: disarm */

	if (deadline != SOLO5_FOREVER) {
		it[1].sec = (int64_t)(deadline / SECOND);
		it[1].nsec = (int64_t)(deadline % SECOND);
	}

	solo5_call(NR_TIMERFD_SETTIME, solo5_boot->timer_fd, TIMER_ABSOLUTE, (long)it, 0, 0, 0);
}

/*
 * What is ready already is found by a poll that does not wait: arming the timer costs more than all
 * the rest, and most with a deadline that is past. The timer stays armed when a frame ends the
 * sleep: it is armed again only for an earlier deadline, or when it was due too early for this one.
 * Level-triggered, it stays due until then.
 */
uint64_t solo5_yield(uint64_t deadline)
{
	static uint64_t armed = SOLO5_FOREVER;
	bool due = false;
	uint64_t ready;

	if (deadline != SOLO5_FOREVER) {
		ready = poll(0, &due);
		if (ready || solo5_monotonic() >= deadline)
			return ready;
	}
	for (;;) {
		if (deadline < armed || due) {
			arm(deadline);
			armed = deadline;
		}
		due = false;
		ready = poll(-1, &due);
		if (ready || (deadline != SOLO5_FOREVER && solo5_monotonic() >= deadline))
			return ready;
	}
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static unsigned int find(const char *name, uint32_t type)
{
	const struct solo5_mft *m = solo5_boot->manifest;

	for (uint32_t i = 1; i < m->entries; i++)
		if (m->entry[i].type == type && m->entry[i].attached &&
		    same(m->entry[i].name, name))
			return i;
	return 0;
}

unsigned int solo5_net(const char *name) { return find(name, SOLO5_TYPE_NET); }
unsigned int solo5_block(const char *name) { return find(name, SOLO5_TYPE_BLOCK); }

struct solo5_net_info solo5_net_info(unsigned int net)
{
	return solo5_boot->manifest->entry[net].net;
}

struct solo5_block_info solo5_block_info(unsigned int block)
{
	return solo5_boot->manifest->entry[block].block;
}

static int fd_of(unsigned int device) { return solo5_boot->manifest->entry[device].fd; }

size_t solo5_net_read(unsigned int net, void *frame, size_t size)
{
	long n = solo5_call(NR_READ, fd_of(net), (long)frame, (long)size, 0, 0, 0);

	return n < 0 ? 0 : (size_t)n;
}

bool solo5_net_write(unsigned int net, const void *frame, size_t len)
{
	return solo5_call(NR_WRITE, fd_of(net), (long)frame, (long)len, 0, 0, 0) == (long)len;
}

static bool inside(unsigned int block, uint64_t offset)
{
	struct solo5_block_info b = solo5_block_info(block);

	return offset % b.block_size == 0 && offset <= b.capacity - b.block_size;
}

bool solo5_block_read(unsigned int block, uint64_t offset, void *data)
{
	long size = solo5_block_info(block).block_size;

	return inside(block, offset) && solo5_call(NR_PREAD64, fd_of(block), (long)data, size,
						   (long)offset, 0, 0) == size;
}

bool solo5_block_write(unsigned int block, uint64_t offset, const void *data)
{
	long size = solo5_block_info(block).block_size;

	return inside(block, offset) && solo5_call(NR_PWRITE64, fd_of(block), (long)data, size,
						   (long)offset, 0, 0) == size;
}

/* Declared in solo5.h; the compiler calls them by itself too. */
void *memcpy(void *to, const void *from, size_t len)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t len)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(value) : "memory");
	return to;
}
