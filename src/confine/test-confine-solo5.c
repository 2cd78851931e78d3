/* SPDX-License-Identifier: GPL-2.0-only */
/* The Solo5 guest's filter, interpreted: each rule at its edges, for several sets of devices. */
#include "confine/confine_solo5.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define EPOLL 3
#define TIMER 4
#define NET 5
#define DISK 8
#define GIB (1ull << 30)

/* Two network devices, a small disk, a read-only one, and the same pair above 4 GiB. */
static const struct confine_solo5_block disks[] = {
	{ .fd = DISK, .sector_size = 512, .capacity = 1024 * 512, .writable = true },
	{ .fd = DISK + 1, .sector_size = 4096, .capacity = 4096, .writable = false },
	{ .fd = DISK + 2, .sector_size = 512, .capacity = 9 * GIB, .writable = true },
	{ .fd = DISK + 3, .sector_size = 512, .capacity = 9 * GIB, .writable = false },
};
static const struct confine_solo5 full = {
	.epoll_fd = EPOLL, .timer_fd = TIMER, .net_fd_first = NET, .nr_nets = 2,
	.nr_blocks = 4, .block = disks,
};
static const struct confine_solo5 bare = { .epoll_fd = EPOLL, .timer_fd = TIMER };

static struct sock_filter filter[CONFINE_SOLO5_MAX];
static size_t filter_len;

/* The instructions that the builder uses; anything else, and a jump too far, fails the test. */
static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0;
	size_t pc;

	for (pc = 0; pc < filter_len; pc++) {
		const struct sock_filter *f = &filter[pc];
		bool yes = false;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k % 4 == 0 && f->k < sizeof(*data));
			memcpy(&a, (const char *)data + f->k, 4);
			continue;
		case BPF_RET | BPF_K: return f->k;
		case BPF_JMP | BPF_JA: pc += f->k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == f->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= f->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > f->k; break;
		default: fail_msg("instruction %zu: code %x", pc, f->code);
		}
		pc += yes ? f->jt : f->jf;
	}
	fail_msg("the filter ends without an answer");
	return 0;
}

static void build(const struct confine_solo5 *c)
{
	memset(filter, 0xff, sizeof(filter));
	filter_len = confine_solo5_filter(c, filter);
	assert_in_range(filter_len, 10, CONFINE_SOLO5_MAX);
}

static uint32_t ask(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
		    uint64_t a5)
{
	struct seccomp_data d = {.nr = (int)nr,
				 .arch = AUDIT_ARCH_X86_64,
				 .instruction_pointer = 0x100000,
				 .args = {a0, a1, a2, a3, a4, a5}};

	return run(&d);
}

#define ALLOWS(...) assert_int_equal(ask(__VA_ARGS__), SECCOMP_RET_ALLOW)
#define KILLS(...) assert_int_equal(ask(__VA_ARGS__), SECCOMP_RET_KILL_PROCESS)
#define READ_ONLY(...) assert_int_equal(ask(__VA_ARGS__), SECCOMP_RET_ERRNO | EROFS)

static void test_architectures(void **state)
{
	struct seccomp_data d = { .nr = __NR_exit_group, .arch = AUDIT_ARCH_I386 };

	(void)state;
	build(&full);
	assert_int_equal(run(&d), SECCOMP_RET_KILL_PROCESS);
	d.arch = AUDIT_ARCH_X86_64;
	assert_int_equal(run(&d), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < confine_solo5_nr_calls; i++)
		KILLS((long)(confine_solo5_calls[i].nr | 0x40000000), 1, 0, 0, 0, 0, 0);
}

static void test_numbers(void **state)
{
	size_t i;
	long nr;

	(void)state;
	build(&full);
	assert_int_equal(confine_solo5_nr_calls, 9);
	for (nr = 0; nr < 1000; nr++) {
		for (i = 0; i < confine_solo5_nr_calls; i++)
			if (confine_solo5_calls[i].nr == nr)
				break;
		if (i == confine_solo5_nr_calls) {
			KILLS(nr, 0, 0, 0, 0, 0, 0);
			KILLS(nr, 1, 0, 0, 0, 0, 0);
		}
	}
	ALLOWS(__NR_exit_group, 0, 0, 0, 0, 0, 0);
	ALLOWS(__NR_exit_group, ~0ull, 0, 0, 0, 0, 0);
}

static void test_transfers(void **state)
{
	uint64_t fd;

	(void)state;
	build(&full);
	for (fd = 0; fd < 64; fd++) {
		bool net = fd == NET || fd == NET + 1;

		assert_int_equal(ask(__NR_read, fd, 0x1000, 64, 0, 0, 0),
				 net ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(__NR_write, fd, 0x1000, 64, 0, 0, 0),
				 net || fd == 1 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(__NR_timerfd_settime, fd, 1, 0x1000, 0, 0, 0),
				 fd == TIMER ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(__NR_epoll_pwait, fd, 0x1000, 1, ~0ull, 0, 0),
				 fd == EPOLL ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
	}
	KILLS(__NR_read, 0xffffffffull, 0, 0, 0, 0, 0);
	KILLS(__NR_write, 0xffffffffull, 0, 0, 0, 0, 0);
	KILLS(__NR_epoll_pwait, EPOLL, 0x1000, 1, 0, 0x1000, 8);
	KILLS(__NR_epoll_pwait, EPOLL, 0x1000, 1, 0, 1ull << 32, 8);
	build(&bare);
	for (fd = 0; fd < 64; fd++) {
		KILLS(__NR_read, fd, 0x1000, 64, 0, 0, 0);
		assert_int_equal(ask(__NR_write, fd, 0x1000, 64, 0, 0, 0),
				 fd == 1 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
	}
}

static void test_clock_and_tls(void **state)
{
	(void)state;
	build(&full);
	ALLOWS(__NR_clock_gettime, 0, 0x1000, 0, 0, 0, 0);
	ALLOWS(__NR_clock_gettime, 1, 0x1000, 0, 0, 0, 0);
	KILLS(__NR_clock_gettime, 2, 0x1000, 0, 0, 0, 0);
	KILLS(__NR_clock_gettime, 0xfffffff6, 0x1000, 0, 0, 0, 0);
	ALLOWS(__NR_arch_prctl, 0x1002, 0, 0, 0, 0, 0);
	KILLS(__NR_arch_prctl, 0x1001, 0, 0, 0, 0, 0);	/* ARCH_SET_GS */
	KILLS(__NR_arch_prctl, 0x1003, 0, 0, 0, 0, 0);	/* ARCH_GET_FS */
	KILLS(__NR_arch_prctl, 0x2001, 0, 0, 0, 0, 0);	/* ARCH_MAP_VDSO_X32 */
}

/* For both calls; the last sector of @b is the last that is allowed. */
static void one_disk(const struct confine_solo5_block *b)
{
	const uint64_t last = b->capacity - b->sector_size;
	const uint64_t good[] = { 0, b->sector_size, last, last / 2 };
	const uint64_t bad[] = { last + 1, b->capacity, last + (1ull << 32), 1ull << 63, ~0ull };
	const uint64_t lengths[] = { 0, 1, b->sector_size - 1, b->sector_size + 1, 65536,
				     b->sector_size + (1ull << 32) };
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (good[i] > last)
			continue;
		ALLOWS(__NR_pread64, b->fd, 0x1000, b->sector_size, good[i], 0, 0);
		if (b->writable)
			ALLOWS(__NR_pwrite64, b->fd, 0x1000, b->sector_size, good[i], 0, 0);
		else
			READ_ONLY(__NR_pwrite64, b->fd, 0x1000, b->sector_size, good[i], 0, 0);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		KILLS(__NR_pread64, b->fd, 0x1000, b->sector_size, bad[i], 0, 0);
		KILLS(__NR_pwrite64, b->fd, 0x1000, b->sector_size, bad[i], 0, 0);
	}
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		KILLS(__NR_pread64, b->fd, 0x1000, lengths[i], 0, 0, 0);
		KILLS(__NR_pwrite64, b->fd, 0x1000, lengths[i], 0, 0, 0);
	}
}

static void test_disks(void **state)
{
	uint64_t fd;
	size_t i;

	(void)state;
	build(&full);
	for (i = 0; i < full.nr_blocks; i++)
		one_disk(&disks[i]);
	for (fd = 0; fd < 64; fd++)
		if (fd < DISK || fd >= DISK + full.nr_blocks) {
			KILLS(__NR_pread64, fd, 0x1000, 512, 0, 0, 0);
			KILLS(__NR_pwrite64, fd, 0x1000, 512, 0, 0, 0);
		}
	build(&bare);
	KILLS(__NR_pread64, DISK, 0x1000, 512, 0, 0, 0);
	KILLS(__NR_pwrite64, DISK, 0x1000, 512, 0, 0, 0);
}

/* Up to 63 devices: no jump is too far, the last disk is still found. */
static void test_many(void **state)
{
	struct confine_solo5_block many[63];
	struct confine_solo5 c = { .epoll_fd = EPOLL, .timer_fd = TIMER, .net_fd_first = NET,
				   .nr_blocks = 63, .block = many };
	size_t i;

	(void)state;
	for (i = 0; i < 63; i++)
		many[i] = (struct confine_solo5_block){ .fd = (u32)(5 + i), .sector_size = 512,
							.capacity = (i + 9) * GIB,
							.writable = i % 2 == 0 };
	for (c.nr_blocks = 1; c.nr_blocks <= 63; c.nr_blocks++) {
		build(&c);
		for (i = 0; i < 63; i++)
			if (i < c.nr_blocks)
				one_disk(&many[i]);
			else
				KILLS(__NR_pread64, many[i].fd, 0x1000, 512, 0, 0, 0);
	}
	c = (struct confine_solo5){ .epoll_fd = EPOLL, .timer_fd = TIMER, .net_fd_first = NET,
				    .nr_nets = 63 };
	build(&c);
	ALLOWS(__NR_read, NET + 62, 0x1000, 1514, 0, 0, 0);
	KILLS(__NR_read, NET + 63, 0x1000, 1514, 0, 0, 0);
}

/* What cannot be expressed is not built; what guests usually have stays short. */
static void test_limits(void **state)
{
	struct confine_solo5_block b = { .fd = DISK, .sector_size = 512, .capacity = 512 };
	struct confine_solo5 c = { .nr_blocks = 1, .block = &b };

	(void)state;
	assert_true(confine_solo5_filter(&c, filter) > 0);
	b.capacity = 511;
	assert_int_equal(confine_solo5_filter(&c, filter), 0);
	b = (struct confine_solo5_block){ .capacity = 512 };
	assert_int_equal(confine_solo5_filter(&c, filter), 0);
	c = (struct confine_solo5){ .nr_nets = 64 };
	assert_int_equal(confine_solo5_filter(&c, filter), 0);
	build(&bare);
	assert_in_range(filter_len, 20, 26);
	c = (struct confine_solo5){ .net_fd_first = NET, .nr_nets = 1, .nr_blocks = 1,
				    .block = disks };
	build(&c);
	assert_in_range(filter_len, 34, 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_architectures), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_transfers), cmocka_unit_test(test_clock_and_tls),
		cmocka_unit_test(test_disks), cmocka_unit_test(test_many),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("confine-solo5", tests, NULL, NULL);
}
