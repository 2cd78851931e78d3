// SPDX-License-Identifier: GPL-2.0-only
/* Packets for the tests of the programs of loopback.bpf.c. */
#include "net/test-forward-help.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/bpf.h"

/* The sum that a correct packet has: 0. */
static uint16_t sum(uint32_t start, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		start += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return (uint16_t)~start;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* @size: of an address, 4 or 16. */
static uint16_t transport_sum(const struct help_frame *f, size_t size)
{
	size_t head = size == 4 ? 20 : 40, at = size == 4 ? 12 : 8;
	uint8_t protocol = f->bytes[14 + (size == 4 ? 9 : 6)];
	size_t len = f->len - 14 - head;
	uint32_t start = (uint32_t)protocol + (uint32_t)len;

	for (size_t i = 0; i < 2 * size; i += 2)
		start += (uint32_t)f->bytes[14 + at + i] << 8 | f->bytes[14 + at + i + 1];
	return sum(start, f->bytes + 14 + head, len);
}

struct help_frame help_packet(uint8_t protocol, const char *source, uint16_t sport,
			      const char *dest, uint16_t dport)
{
	size_t size = strchr(source, ':') ? 16 : 4, head = size == 4 ? 20 : 40;
	size_t transport = protocol == IPPROTO_TCP ? 20 : 8,
	       check = protocol == IPPROTO_TCP ? 16 : 6;
	struct help_frame f = { .len = 14 + head + transport + 5 };
	uint8_t *ip = f.bytes + 14, *l4 = ip + head;

	put16(f.bytes + 12, size == 4 ? 0x800 : 0x86dd);
	if (size == 4) {
		ip[0] = 0x45;
		put16(ip + 2, (uint16_t)(f.len - 14));
		ip[8] = 64;
		ip[9] = protocol;
	} else {
		ip[0] = 0x60;
		put16(ip + 4, (uint16_t)(transport + 5));
		ip[6] = protocol;
		ip[7] = 64;
	}
	inet_pton(size == 4 ? AF_INET : AF_INET6, source, ip + (size == 4 ? 12 : 8));
	inet_pton(size == 4 ? AF_INET : AF_INET6, dest, ip + (size == 4 ? 16 : 24));
	if (size == 4)
		put16(ip + 10, sum(0, ip, 20));
	put16(l4, sport);
	put16(l4 + 2, dport);
	if (protocol == IPPROTO_TCP)
		l4[12] = 0x50;
	else
		put16(l4 + 4, (uint16_t)(transport + 5));
	memcpy(l4 + transport, "hello", 5);
	put16(l4 + check, transport_sum(&f, size));
	return f;
}

int help_run(int prog, struct help_frame *f)
{
	struct err e = ERR_INIT;
	struct help_frame out = { .len = sizeof(out.bytes) };
	uint32_t result = 0;

	if (prog < 0)
		skip();
	if (net_bpf_run(prog, f->bytes, f->len, out.bytes, &out.len, 1, &result, NULL, &e) < 0)
		fail_msg("%s", e.text);
	*f = out;
	return (int)result;
}

void help_expect(const struct help_frame *f, const char *source, uint16_t sport, const char *dest,
		 uint16_t dport)
{
	size_t size = strchr(source, ':') ? 16 : 4, head = size == 4 ? 20 : 40;
	int family = size == 4 ? AF_INET : AF_INET6;
	const uint8_t *ip = f->bytes + 14;
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(family, ip + (size == 4 ? 12 : 8), text, sizeof(text)),
			    source);
	assert_string_equal(inet_ntop(family, ip + (size == 4 ? 16 : 24), text, sizeof(text)),
			    dest);
	assert_int_equal(ip[head] << 8 | ip[head + 1], sport);
	assert_int_equal(ip[head + 2] << 8 | ip[head + 3], dport);
	if (size == 4)
		assert_int_equal(sum(0, ip, 20), 0);
	assert_int_equal(transport_sum(f, size), 0);
}

int help_listening(int type, int family, uint16_t *port)
{
	struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *in = (struct sockaddr_in *)&address;
	socklen_t size = sizeof(address);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(in->sin_port);
	return fd;
}
