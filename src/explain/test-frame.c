/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of the probes: byte by byte as the RFCs draw them, and what counts as an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "explain/frame.h"

static uint8_t frame[FRAME_MAX];

static const struct frame_question arp = {
	.family = AF_INET, .mac = { 2, 0, 0, 0, 0, 1 }, .sender = { 10, 0, 0, 5 },
	.target = { 10, 0, 0, 1 },
};

static const struct frame_question nd = {
	.family = AF_INET6, .mac = { 2, 0, 0, 0, 0, 1 },
	.sender = { 0xfd, [15] = 5 }, .target = { 0xfd, [13] = 0xaa, 0xbb, 0xcc },
};

static void test_arp_question(void **state)
{
	static const uint8_t expected[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06,
		0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 5,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
	};

	(void)state;
	assert_int_equal(frame_ask(&arp, 0, frame), sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
}

static void test_padding(void **state)
{
	(void)state;
	memset(frame, 0xee, sizeof(frame));
	assert_int_equal(frame_ask(&arp, 1514, frame), 1514);
	for (size_t i = 42; i < 1514; i++)
		assert_int_equal(frame[i], 0);
	assert_int_equal(frame[1514], 0xee);
	assert_int_equal(frame_ask(&arp, SIZE_MAX, frame), FRAME_MAX);
}

/* Sum of 16-bit words with the pseudo header: all ones if the checksum is right (RFC 1071). */
static uint32_t sum_of(const uint8_t *ip6)
{
	size_t len = (size_t)(ip6[4] << 8 | ip6[5]);
	uint32_t sum = (uint32_t)len + ip6[6];

	for (size_t i = 8; i < 40 + len; i += 2)
		sum += (uint32_t)(ip6[i] << 8 | ip6[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_nd_question(void **state)
{
	static const uint8_t head[] = { 0x33, 0x33, 0xff, 0xaa, 0xbb, 0xcc, 2, 0, 0, 0, 0, 1,
					0x86, 0xdd };
	static const uint8_t option[] = { 1, 1, 2, 0, 0, 0, 0, 1 };

	(void)state;
	assert_int_equal(frame_ask(&nd, 0, frame), 14 + 40 + 32);
	assert_memory_equal(frame, head, sizeof(head));
	assert_int_equal(frame[14 + 7], 255);
	assert_int_equal(frame[14 + 24], 0xff);
	assert_memory_equal(frame + 14 + 24 + 12, "\xff\xaa\xbb\xcc", 4);
	assert_int_equal(frame[54], 135);
	assert_memory_equal(frame + 54 + 24, option, sizeof(option));
	assert_int_equal(sum_of(frame + 14), 0xffff);
}

/* RFC 4862: from the unspecified address, and then without a MAC. */
static void test_nd_probe(void **state)
{
	struct frame_question probe = nd;

	(void)state;
	memset(probe.sender, 0, sizeof(probe.sender));
	assert_int_equal(frame_ask(&probe, 0, frame), 14 + 40 + 24);
	assert_int_equal(sum_of(frame + 14), 0xffff);
}

static void test_arp_answer(void **state)
{
	uint8_t reply[42] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2,
		2, 0, 0, 0, 0, 9, 10, 0, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 5,
	};
	uint8_t mac[6];

	(void)state;
	assert_true(frame_is_answer(&arp, reply, sizeof(reply), mac));
	assert_memory_equal(mac, "\x02\0\0\0\0\x09", 6);
	for (size_t len = 0; len < sizeof(reply); len++)
		assert_false(frame_is_answer(&arp, reply, len, mac));
	reply[21] = 1;			/* a request */
	assert_false(frame_is_answer(&arp, reply, sizeof(reply), mac));
	reply[21] = 2;
	reply[31] = 2;			/* of another address */
	assert_false(frame_is_answer(&arp, reply, sizeof(reply), mac));
	assert_false(frame_is_answer(&nd, reply, sizeof(reply), mac));
}

/* Made of the question, whose layout is the same. */
static size_t make_advertisement(void)
{
	size_t len = frame_ask(&nd, 0, frame);

	memcpy(frame + 6, "\x02\0\0\0\0\x07", 6);
	frame[54] = 136;
	frame[54 + 24] = 2;		/* target's MAC */
	memcpy(frame + 54 + 26, "\x02\0\0\0\0\x09", 6);
	return len;
}

static void test_nd_answer(void **state)
{
	size_t len = make_advertisement();
	uint8_t mac[6];

	(void)state;
	assert_true(frame_is_answer(&nd, frame, len, mac));
	assert_memory_equal(mac, "\x02\0\0\0\0\x09", 6);
	/* Without the option: who sent it. */
	assert_true(frame_is_answer(&nd, frame, len - 1, mac));
	assert_memory_equal(mac, "\x02\0\0\0\0\x07", 6);
	assert_false(frame_is_answer(&nd, frame, 14 + 40 + 23, mac));
	/* An option without length ends the list, not the program. */
	frame[54 + 25] = 0;
	assert_true(frame_is_answer(&nd, frame, len, mac));
	frame[14 + 7] = 64;		/* came through a router: not from this link */
	assert_false(frame_is_answer(&nd, frame, len, mac));
	make_advertisement();
	frame[54 + 23] ^= 1;
	assert_false(frame_is_answer(&nd, frame, len, mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp_question),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_nd_question),
		cmocka_unit_test(test_nd_probe),
		cmocka_unit_test(test_arp_answer),
		cmocka_unit_test(test_nd_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
