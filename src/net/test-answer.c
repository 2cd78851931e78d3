/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer, made by the kernel from crafted requests; and silence where it must be silent. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/answer.h"
#include "net/bpf.h"

#define GUEST 0x02, 0, 0, 0, 0, 5
#define GATEWAY 0xee, 0xee, 0xee, 0xee, 0xee, 0xee
#define GATEWAY2 0x02, 0xff, 1, 2, 3, 4

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static const struct gcfg_neigh neighs[] = {
	{ .link = 1, .family = AF_INET, .state = NUD_PERMANENT, .addr = { 169, 254, 1, 1 },
	  .mac = { GATEWAY } },
	{ .link = 1, .family = AF_INET, .state = NUD_PERMANENT, .addr = { 10, 0, 0, 1 },
	  .mac = { GATEWAY2 } },
	{ .link = 1, .family = AF_INET6, .state = NUD_PERMANENT,
	  .addr = { 0xfe, 0x80, [15] = 1 }, .mac = { GATEWAY } },
	{ .link = 1, .family = AF_INET6, .state = NUD_PERMANENT,
	  .addr = { 0xfd, 0, [15] = 1 }, .mac = { GATEWAY2 } },
	/* not for us: of another device, and one that the wire answers for */
	{ .link = 0, .family = AF_INET, .state = NUD_PERMANENT, .addr = { 10, 0, 0, 2 },
	  .mac = { GATEWAY } },
	{ .link = 1, .family = AF_INET, .state = NUD_REACHABLE, .addr = { 10, 0, 0, 3 },
	  .mac = { GATEWAY } },
};
#define NR (sizeof(neighs) / sizeof(neighs[0]))

static int prog = -1;

static int setup(void **state)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	struct err e = ERR_INIT;
	int rc;

	(void)state;
	/* Index 1 is the loopback: a redirection to it is set up, a test run does not do it. */
	assert_int_equal(net_answer_program(&b, neighs, NR, 1, 1), 4);
	rc = net_bpf_program(&b, "test", &prog, &e);
	if (rc == -EPERM || rc == -ENOSYS)
		print_message("bpf(2) is not allowed: %s\n", e.text);
	else if (rc < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fd_close(&prog);
	return 0;
}

/* Returns true if the frame became an answer, which is in @out then. */
static bool answered(const uint8_t *frame, size_t len, uint8_t out[256], size_t *out_len)
{
	struct err e = ERR_INIT;
	uint32_t result = 0;

	if (prog < 0)
		skip();
	*out_len = 256;
	if (net_bpf_run(prog, frame, len, out, out_len, 1, &result, NULL, &e) < 0)
		fail_msg("%s", e.text);
	if ((int)result == TC_ACT_REDIRECT)
		return true;
	assert_int_equal((int)result, TC_ACT_UNSPEC);
	/* Passed on as it was. */
	assert_int_equal(*out_len, len);
	assert_memory_equal(out, frame, len);
	return false;
}

/* ---- ARP ---------------------------------------------------------------------------------- */

static const uint8_t request[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, GUEST, 8, 6,
	0, 1, 8, 0, 6, 4, 0, 1, GUEST, 10, 0, 0, 5, 0, 0, 0, 0, 0, 0, 169, 254, 1, 1,
};

static void test_arp(void **state)
{
	static const uint8_t reply[42] = {
		GUEST, GATEWAY, 8, 6,
		0, 1, 8, 0, 6, 4, 0, 2, GATEWAY, 169, 254, 1, 1, GUEST, 10, 0, 0, 5,
	};
	uint8_t frame[60] = { 0 }, out[256];
	size_t len;

	(void)state;
	assert_true(answered(request, sizeof(request), out, &len));
	assert_int_equal(len, sizeof(reply));
	assert_memory_equal(out, reply, sizeof(reply));

	/* Padded, to the other gateway, and sent to its MAC as a check that it is still there. */
	memcpy(frame, request, sizeof(request));
	memcpy(frame, (const uint8_t[]){ GATEWAY2 }, 6);
	memcpy(frame + 38, neighs[1].addr, 4);
	assert_true(answered(frame, sizeof(frame), out, &len));
	assert_int_equal(len, sizeof(frame));
	assert_memory_equal(out + 6, neighs[1].mac, 6);
	assert_memory_equal(out + 22, neighs[1].mac, 6);
	assert_memory_equal(out + 28, neighs[1].addr, 4);
}

static void test_arp_silent(void **state)
{
	/* types, lengths, operation; the target */
	static const size_t at[] = { 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 38, 39, 40, 41 };
	uint8_t frame[42], out[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			memcpy(frame, request, sizeof(frame));
			frame[at[i]] ^= (uint8_t)(1u << bit);
			assert_false(answered(frame, sizeof(frame), out, &len));
		}
	memcpy(frame, request, sizeof(frame));
	memset(frame + 28, 0, 4);			/* a probe */
	assert_false(answered(frame, sizeof(frame), out, &len));
	for (size_t i = 4; i < 6; i++) {
		memcpy(frame, request, sizeof(frame));
		memcpy(frame + 38, neighs[i].addr, 4);
		assert_false(answered(frame, sizeof(frame), out, &len));
	}
	assert_false(answered(request, 41, out, &len));
}

/* ---- neighbour discovery ------------------------------------------------------------------ */

static const uint8_t solicitation[86] = {
	0x33, 0x33, 0xff, 0, 0, 1, GUEST, 0x86, 0xdd,
	0x60, 0, 0, 0, 0, 32, 58, 255,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5,
	0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1,
	135, 0, 0x12, 0x34, 0, 0, 0, 0,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	1, 1, GUEST,
};

/* The one's complement sum of the ICMPv6 message and its pseudo header: 0xffff if it is right. */
static unsigned int sum6(const uint8_t *frame)
{
	unsigned int sum = 32 + 58;

	for (size_t i = 22; i < 86; i += 2)
		sum += (unsigned int)frame[i] << 8 | frame[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_advertisement(const uint8_t *out, const struct gcfg_neigh *n)
{
	static const uint8_t head[] = { 0x60, 0, 0, 0, 0, 32, 58, 255 };

	assert_memory_equal(out, ((const uint8_t[]){ GUEST }), 6);
	assert_memory_equal(out + 6, n->mac, 6);
	assert_memory_equal(out + 14, head, sizeof(head));
	assert_memory_equal(out + 22, n->addr, 16);
	assert_memory_equal(out + 38, solicitation + 22, 16);
	assert_int_equal(out[54], 136);
	assert_int_equal(out[55], 0);
	assert_memory_equal(out + 58, ((const uint8_t[]){ 0xe0, 0, 0, 0 }), 4);
	assert_memory_equal(out + 62, n->addr, 16);
	assert_memory_equal(out + 78, ((const uint8_t[]){ 2, 1 }), 2);
	assert_memory_equal(out + 80, n->mac, 6);
	assert_int_equal(sum6(out), 0xffff);
}

static void test_nd(void **state)
{
	uint8_t frame[100] = { 0 }, out[256];
	size_t len;

	(void)state;
	for (size_t i = 2; i < 4; i++) {
		memcpy(frame, solicitation, sizeof(solicitation));
		memcpy(frame + 62, neighs[i].addr, 16);
		/* With the source's address, without it, with something longer. */
		for (size_t size = 78; size <= 94; size += 8) {
			frame[19] = (uint8_t)(size - 54);
			assert_true(answered(frame, size, out, &len));
			assert_int_equal(len, 86);
			check_advertisement(out, &neighs[i]);
		}
	}
}

static void test_nd_silent(void **state)
{
	/* next header, hop limit, type, code, the target */
	static const size_t at[] = { 20, 21, 54, 55, 62, 69, 70, 77 };
	uint8_t frame[86], out[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			memcpy(frame, solicitation, sizeof(frame));
			frame[at[i]] ^= (uint8_t)(1u << bit);
			assert_false(answered(frame, sizeof(frame), out, &len));
		}
	memcpy(frame, solicitation, sizeof(frame));
	memset(frame + 22, 0, 16);			/* a detection of duplicates */
	assert_false(answered(frame, sizeof(frame), out, &len));
	memcpy(frame, solicitation, sizeof(frame));
	frame[19] = 23;
	assert_false(answered(frame, sizeof(frame), out, &len));
	assert_false(answered(solicitation, 77, out, &len));
}

static void test_other(void **state)
{
	uint8_t frame[60] = { 0 }, out[256];
	size_t len;

	(void)state;
	memcpy(frame, broadcast, 6);
	memcpy(frame + 12, (const uint8_t[]){ 8, 0, 0x45 }, 3);
	assert_false(answered(frame, sizeof(frame), out, &len));
}

/* As many as allowed, and one family only. */
static void test_sizes(void **state)
{
	static struct gcfg_neigh many[NET_ANSWER_MAX];

	(void)state;
	if (prog < 0)
		skip();
	for (int what = 0; what < 4; what++) {
		_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
		size_t nr = what < 2 ? 1 : NET_ANSWER_MAX;
		_autoclose_ int loaded = -1;
		struct err e = ERR_INIT;

		for (size_t i = 0; i < nr; i++) {
			many[i] = neighs[what & 1 ? 2 : 0];
			many[i].addr[2] = (uint8_t)(i >> 8);
			many[i].addr[3] = (uint8_t)i;
		}
		assert_int_equal(net_answer_program(&b, many, nr, 1, 1), nr);
		if (net_bpf_program(&b, "test", &loaded, &e) < 0)
			fail_msg("%s", e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp), cmocka_unit_test(test_arp_silent),
		cmocka_unit_test(test_nd), cmocka_unit_test(test_nd_silent),
		cmocka_unit_test(test_other), cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
