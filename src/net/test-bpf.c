/* SPDX-License-Identifier: GPL-2.0-only */
/* The assembler: what it encodes, leaves out and refuses. The kernel runs the result. */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/bpf.h"

static const uint8_t frame[64];

/* The program's return value, from the kernel; skips the test where bpf(2) is not allowed. */
static uint32_t run(struct net_bpf_asm *b)
{
	struct err e = ERR_INIT;
	_autoclose_ int prog = -1;
	uint32_t result = 0;
	int rc = net_bpf_program(b, "test", &prog, &e);

	if (rc == -EPERM || rc == -ENOSYS) {
		print_message("bpf(2) is not allowed: %s\n", e.text);
		skip();
	}
	if (rc < 0)
		fail_msg("%s", e.text);
	if (net_bpf_run(prog, frame, sizeof(frame), NULL, NULL, 1, &result, NULL, &e) < 0)
		fail_msg("%s", e.text);
	return result;
}

static int finish(struct net_bpf_asm *b)
{
	struct err e = ERR_INIT;
	int rc = net_bpf_finish(b, &e);

	assert_int_equal(rc < 0, e.text[0] != '\0');
	return rc;
}

static void test_encoding(void **state)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	static const struct bpf_insn expected[] = {
		{ .code = 0x18, .dst_reg = 3, .imm = (int32_t)0x9abcdef0 },
		{ .imm = 0x12345678 },
		{ .code = 0x18, .dst_reg = 1, .src_reg = 1, .imm = 77 },
		{ .code = 0 },
		{ .code = 0x55, .dst_reg = 3, .off = 1, .imm = -1 },
		{ .code = 0xbf, .dst_reg = 1, .src_reg = 2 },
		{ .code = 0x61, .dst_reg = 4, .src_reg = 10, .off = -8 },
		{ .code = 0x7b, .dst_reg = 10, .src_reg = 4, .off = -16 },
		{ .code = 0xdc, .dst_reg = 4, .imm = 16 },
		{ .code = 0x85, .imm = 26 },
		{ .code = 0x95 },
	};
	int label = net_bpf_label(&b);

	(void)state;
	net_bpf_load64(&b, 3, UINT64_C(0x123456789abcdef0));
	net_bpf_load_map(&b, 1, 77);
	net_bpf_jump_imm(&b, BPF_JNE, 3, -1, label);
	net_bpf_mov(&b, 1, 2);
	net_bpf_place(&b, label);
	net_bpf_load(&b, BPF_W, 4, 10, -8);
	net_bpf_store(&b, BPF_DW, 10, -16, 4);
	net_bpf_ntohs(&b, 4);
	net_bpf_call(&b, BPF_FUNC_skb_load_bytes);
	net_bpf_exit(&b);
	assert_int_equal(finish(&b), 0);
	assert_int_equal(b.nr, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(b.insns, expected, sizeof(expected));
}

/* Code that nothing leads to is left out, also if only such code jumps there. */
static void test_dead_code(void **state)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	int end = net_bpf_label(&b), unused = net_bpf_label(&b), dead = net_bpf_label(&b);

	(void)state;
	net_bpf_mov_imm(&b, 0, 5);
	net_bpf_jump(&b, end);
	net_bpf_mov_imm(&b, 0, 6);
	net_bpf_place(&b, unused);
	net_bpf_jump_imm(&b, BPF_JEQ, 0, 6, dead);
	net_bpf_load64(&b, 0, 7);
	net_bpf_place(&b, dead);
	net_bpf_mov_imm(&b, 0, 8);
	net_bpf_place(&b, end);
	net_bpf_alu_imm(&b, BPF_ADD, 0, 100);
	net_bpf_exit(&b);
	net_bpf_mov_imm(&b, 0, 9);
	assert_int_equal(finish(&b), 0);
	assert_int_equal(b.nr, 4);
	assert_int_equal(run(&b), 105);
}

static void test_refused(void **state)
{
	(void)state;
	for (int what = 0; what < 4; what++) {
		_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
		int label = net_bpf_label(&b);

		net_bpf_mov_imm(&b, 0, 0);
		switch (what) {
		case 0:		/* never placed */
			net_bpf_jump_imm(&b, BPF_JEQ, 0, 1, label);
			break;
		case 1:		/* backwards */
			net_bpf_place(&b, label);
			net_bpf_jump_imm(&b, BPF_JEQ, 0, 1, label);
			break;
		case 2:		/* twice */
			net_bpf_place(&b, label);
			net_bpf_place(&b, label);
			break;
		case 3:		/* no label */
			net_bpf_jump_imm(&b, BPF_JEQ, 0, 1, label + 1);
			break;
		}
		net_bpf_exit(&b);
		assert_int_equal(finish(&b), -EINVAL);
	}
}

/* The farthest jump that can be encoded, and one more. */
static void test_distance(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
		int end = net_bpf_label(&b);

		net_bpf_mov_imm(&b, 0, 1);
		net_bpf_jump_imm(&b, BPF_JEQ, 0, 1, end);
		for (int i = 0; i < INT16_MAX + more; i++)
			net_bpf_mov_imm(&b, 0, 2);
		net_bpf_place(&b, end);
		net_bpf_exit(&b);
		assert_int_equal(finish(&b), more ? -E2BIG : 0);
		if (!more)
			assert_int_equal(run(&b), 1);
	}
}

static void test_counters(void **state)
{
	uint64_t counters[3] = { 9, 9, 9 };
	struct err e = ERR_INIT;
	_autoclose_ int map = -1;
	int rc = net_bpf_counters("test", 3, &map, &e);

	(void)state;
	if (rc == -EPERM)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(net_bpf_read(map, counters, 3, &e), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(counters[i], 0);
	/* No program has the highest id that there can be. */
	assert_int_equal(net_bpf_read_by_id(UINT32_MAX, "test", counters, 3, &e), NET_BPF_NONE);
}

/* The kernel's reason is told. */
static void test_rejected(void **state)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	struct err e = ERR_INIT;
	_autoclose_ int prog = -1;
	int rc;

	(void)state;
	net_bpf_mov(&b, BPF_REG_0, BPF_REG_7);
	net_bpf_exit(&b);
	rc = net_bpf_program(&b, "test", &prog, &e);
	if (rc == -EPERM)
		skip();
	assert_int_equal(rc, -EACCES);
	assert_non_null(strstr(e.text, "R7 !read_ok"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding), cmocka_unit_test(test_dead_code),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_distance),
		cmocka_unit_test(test_counters), cmocka_unit_test(test_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
