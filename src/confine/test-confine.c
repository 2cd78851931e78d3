/* SPDX-License-Identifier: GPL-2.0-only */
/* The Linux guest's filter, interpreted: each rule with its edges, from each kind of address. */
#include "confine/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <asm/prctl.h>

#include <cmocka.h>

#define GATE 0x60001234u
#define KERNEL 0x60000000u
#define KERNEL_END 0x60a00000u
#define VDSO 0x7fff12340000u
#define GUEST 0x4040001000u

#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif

static const struct confine_linux config = {
	.gate_return = GATE, .kernel_start = KERNEL, .kernel_end = KERNEL_END,
	.vdso_start = VDSO, .vdso_end = VDSO + 0x1000,
	.timer = 3, .memory_fd = 6, .epoll_fd = 4, .stdio_epoll_fd = 5,
	.net_fd_first = 8, .nr_nets = 2, .image_fd_first = 24, .nr_images = 3,
};

static struct sock_filter filter[CONFINE_LINUX_MAX];
static size_t filter_len;

/* The instructions that seccomp accepts and the builder uses; anything else fails the test. */
static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0;
	size_t pc;

	for (pc = 0; pc < filter_len; pc++) {
		const struct sock_filter *f = &filter[pc];
		bool yes = false;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k % 4 == 0 && f->k < sizeof(*data));
			memcpy(&a, (const char *)data + f->k, 4);
			continue;
		case BPF_ALU | BPF_ADD | BPF_K: a += f->k; continue;
		case BPF_ALU | BPF_SUB | BPF_K: a -= f->k; continue;
		case BPF_ALU | BPF_AND | BPF_K: a &= f->k; continue;
		case BPF_ALU | BPF_ADD | BPF_X: a += x; continue;
		case BPF_MISC | BPF_TAX: x = a; continue;
		case BPF_RET | BPF_K: return f->k;
		case BPF_JMP | BPF_JA: pc += f->k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == f->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= f->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > f->k; break;
		case BPF_JMP | BPF_JSET | BPF_K: yes = a & f->k; break;
		default: fail_msg("instruction %zu: code %x", pc, f->code);
		}
		pc += yes ? f->jt : f->jf;
	}
	fail_msg("the filter ends without an answer");
	return 0;
}

static uint32_t ask(uint64_t ip, long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		    uint64_t a4, uint64_t a5)
{
	struct seccomp_data d = {.nr = (int)nr,
				 .arch = AUDIT_ARCH_X86_64,
				 .instruction_pointer = ip,
				 .args = {a0, a1, a2, a3, a4, a5}};

	return run(&d);
}

#define GATE_ALLOWS(...) assert_int_equal(ask(GATE, __VA_ARGS__), SECCOMP_RET_ALLOW)
#define GATE_KILLS(...) assert_int_equal(ask(GATE, __VA_ARGS__), SECCOMP_RET_KILL_PROCESS)

#define SHARED_FIXED (MAP_SHARED | MAP_FIXED)
#define MMAP(addr, len, prot, flags, fd) __NR_mmap, addr, len, prot, flags, fd, 0

static void test_build(void **state)
{
	struct confine_linux bad = config;

	(void)state;
	assert_in_range(filter_len, 20, CONFINE_LINUX_MAX);
	assert_in_range(confine_linux_nr_calls, 1, 12);
	bad.gate_return = 0x1000;
	assert_int_equal(confine_linux_filter(&bad, filter), 0);
	bad = config;
	bad.kernel_end = 1ull << 32;
	assert_int_equal(confine_linux_filter(&bad, filter), 0);
	filter_len = confine_linux_filter(&config, filter);
}

static void test_architecture(void **state)
{
	struct seccomp_data d = { .nr = __NR_exit_group, .arch = AUDIT_ARCH_I386,
				  .instruction_pointer = GATE };

	(void)state;
	assert_int_equal(run(&d), SECCOMP_RET_KILL_PROCESS);
	d.instruction_pointer = GUEST;
	assert_int_equal(run(&d), SECCOMP_RET_KILL_PROCESS);
	/* x32 numbers: no row matches at the gate, the guest kernel answers elsewhere */
	GATE_KILLS(__NR_exit_group | 0x40000000, 0, 0, 0, 0, 0, 0);
	assert_int_equal(ask(GUEST, __NR_exit_group | 0x40000000, 0, 0, 0, 0, 0, 0),
			 SECCOMP_RET_TRAP);
}

static void test_addresses(void **state)
{
	const uint64_t guests[] = { 0x400000, KERNEL - 1, KERNEL_END + 1, 0xffffffff, GUEST,
				    VDSO - 1, VDSO + 0x1001, 0x7ffeffffffffull, 0x100000000ull };
	const uint64_t kernel[] = { KERNEL, GATE - 1, GATE + 1, KERNEL_END };
	size_t i;
	long nr;

	(void)state;
	assert_int_equal(ask(VDSO + 0x800, __NR_clock_gettime, 1, 0, 0, 0, 0, 0),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(ask(VDSO + 0x800, __NR_clock_gettime, 2, 0, 0, 0, 0, 0),
			 SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(VDSO + 0x800, __NR_clock_gettime, 0xfffffff6, 0, 0, 0, 0, 0),
			 SECCOMP_RET_KILL_PROCESS);
	for (nr = 0; nr < 500; nr++) {
		for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
			assert_int_equal(ask(guests[i], nr, 0, 0, 0, 0, 0, 0), SECCOMP_RET_TRAP);
		for (i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++)
			assert_int_equal(ask(kernel[i], nr, 0, 0, 0, 0, 0, 0),
					 SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(VDSO + 0x800, nr, 0, 0, 0, 0, 0, 0),
				 nr == __NR_clock_gettime ? SECCOMP_RET_ALLOW
							  : SECCOMP_RET_KILL_PROCESS);
	}
}

static void test_gate_numbers(void **state)
{
	size_t i;
	long nr;

	(void)state;
	for (nr = 0; nr < 500; nr++) {
		for (i = 0; i < confine_linux_nr_calls; i++)
			if (confine_linux_calls[i].nr == nr)
				break;
		if (i == confine_linux_nr_calls)
			GATE_KILLS(nr, 0, 0, 0, 0, 0, 0);
	}
	GATE_ALLOWS(__NR_exit_group, 7, 0, 0, 0, 0, 0);
	GATE_ALLOWS(__NR_rt_sigreturn, 0, 0, 0, 0, 0, 0);
	GATE_KILLS(__NR_clock_gettime, 0, 0, 0, 0, 0, 0);
}

static void test_mmap(void **state)
{
	(void)state;
	GATE_ALLOWS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_ALLOWS(MMAP(0x10000, KERNEL - 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC,
			 SHARED_FIXED, 6));
	GATE_ALLOWS(MMAP(0x3000000000, 0x1000, PROT_READ, SHARED_FIXED | MAP_POPULATE, 24));
	GATE_ALLOWS(MMAP(0x5ffffffff000, 0x1000, PROT_READ, SHARED_FIXED, 26));
	/* flags and protection */
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, MAP_PRIVATE | MAP_FIXED, 6));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, MAP_SHARED, 6));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED | MAP_ANONYMOUS, 6));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ | PROT_GROWSDOWN, SHARED_FIXED, 6));
	/* descriptors */
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 5));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 7));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 8));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 23));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 27));
	GATE_KILLS(MMAP(0x10000, 0x1000, PROT_READ, SHARED_FIXED, 0xffffffffull));
	/* ranges */
	GATE_KILLS(MMAP(0, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0xf000, 0x2000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x5ffff000, 0x2000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x10000, 0xffffffffull, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x20000, 0x100000000ull, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(KERNEL, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0xfffff000, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x100000000, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x2ffffff000, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x600000000000, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0x4000000000, 0x100000000000ull, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(VDSO, 0x1000, PROT_READ, SHARED_FIXED, 6));
	GATE_KILLS(MMAP(0xffffffffff600000ull, 0x1000, PROT_READ, SHARED_FIXED, 6));
}

static void test_munmap(void **state)
{
	(void)state;
	GATE_ALLOWS(__NR_munmap, 0x10000, KERNEL - 0x10000, 0, 0, 0, 0);
	GATE_ALLOWS(__NR_munmap, 0x4000000000, 1ull << 38, 0, 0, 0, 0);
	GATE_KILLS(__NR_munmap, KERNEL, 0x1000, 0, 0, 0, 0);
	GATE_KILLS(__NR_munmap, 0, 0x20000, 0, 0, 0, 0);
	GATE_KILLS(__NR_munmap, 0x7ff000000000, 0x1000, 0, 0, 0, 0);
	GATE_KILLS(__NR_munmap, 0x10000, ~0ull, 0, 0, 0, 0);
}

static void test_transfers(void **state)
{
	uint64_t fd;

	(void)state;
	for (fd = 0; fd < 64; fd++) {
		bool net = fd == 8 || fd == 9;

		assert_int_equal(ask(GATE, __NR_readv, fd, 0, 1, 0, 0, 0),
				 net || fd == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(GATE, __NR_writev, fd, 0, 1, 0, 0, 0),
				 net || fd == 1 || fd == 2 ? SECCOMP_RET_ALLOW
							   : SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(ask(GATE, __NR_epoll_pwait2, fd, 0, 1, 0, 0, 8),
				 fd == 4 || fd == 5 ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
	}
	GATE_KILLS(__NR_readv, ~0ull, 0, 1, 0, 0, 0);
	GATE_KILLS(__NR_epoll_pwait2, 4, 0, 1, 0, 0x1000, 8);
	GATE_KILLS(__NR_epoll_pwait2, 4, 0, 1, 0, 1ull << 32, 8);
	GATE_ALLOWS(__NR_timer_settime, 3, 0, 0, 0, 0, 0);
	GATE_KILLS(__NR_timer_settime, 0, 0, 0, 0, 0, 0);
	for (fd = 0; fd < 128; fd++)		/* madvise's advice */
		assert_int_equal(ask(GATE, __NR_madvise, KERNEL, 4096, fd, 0, 0, 0),
				 fd == 9 || fd == 23 ? SECCOMP_RET_ALLOW
						     : SECCOMP_RET_KILL_PROCESS);
}

static void test_base(void **state)
{
	struct confine_linux c = config;
	unsigned int option;

	(void)state;
	for (c.set_base = false;; c.set_base = true) {
		filter_len = confine_linux_filter(&c, filter);
		for (option = 0x1000; option < 0x1100; option++) {
			bool good = c.set_base &&
				    (option == ARCH_SET_FS || option == ARCH_SET_GS);

			assert_int_equal(ask(GATE, __NR_arch_prctl, option, GUEST, 0, 0, 0, 0),
					 good ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
		}
		GATE_KILLS(__NR_arch_prctl, 0, GUEST, 0, 0, 0, 0);
		if (c.set_base)
			break;
	}
	filter_len = confine_linux_filter(&config, filter);
}

/* TIOCGWINSZ of a terminal, FIOASYNC of the network devices, and none of all others. */
static void test_ioctl(void **state)
{
	struct confine_linux c = config;
	unsigned int fd, request;

	(void)state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		c.tty = kind & 1;
		c.nr_nets = kind & 2 ? config.nr_nets : 0;
		filter_len = confine_linux_filter(&c, filter);
		for (fd = 0; fd < 40; fd++) {
			bool net = fd - c.net_fd_first < c.nr_nets;

			for (request = 0x5400; request < 0x5500; request++) {
				bool good = (request == FIOASYNC && net) ||
					    (request == TIOCGWINSZ && c.tty && fd == 0);

				assert_int_equal(ask(GATE, __NR_ioctl, fd, request, 0x1000, 0, 0,
						     0),
						 good ? SECCOMP_RET_ALLOW
						      : SECCOMP_RET_KILL_PROCESS);
			}
			GATE_KILLS(__NR_ioctl, fd, FIOSETOWN, 0, 0, 0, 0);
			GATE_KILLS(__NR_ioctl, fd, TUNSETIFF, 0, 0, 0, 0);
		}
	}
	filter_len = confine_linux_filter(&config, filter);
}

static int build(void **state)
{
	(void)state;
	filter_len = confine_linux_filter(&config, filter);
	return filter_len ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build), cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_gate_numbers),
		cmocka_unit_test(test_mmap), cmocka_unit_test(test_munmap),
		cmocka_unit_test(test_transfers), cmocka_unit_test(test_ioctl),
		cmocka_unit_test(test_base),
	};

	return cmocka_run_group_tests_name("confine", tests, build, NULL);
}
