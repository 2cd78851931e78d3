/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes, one question each. */
#include "explain/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "explain/space.h"

#define PROBE_PORT	64977		/* above what anybody registers; see probe_segments() */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for @fd to become ready for @events until @deadline. */
static bool wait_until(int fd, short events, long deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		long left = deadline - now_ms();

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) > 0)
			return true;
	}
}

/* In space @space: the socket stays there when we come back. Returns the descriptor or -errno. */
static int open_there(const struct explain_facts *f, size_t space, int family, int type,
		      int protocol, struct err *e)
{
	_autohome_ struct space_home home = SPACE_HOME_INIT;
	const struct explain_space *x = &f->spaces[space];
	int fd, rc = space_leave(&home, e);

	if (rc == 0)
		rc = space_enter(x->fd, x->name, e);
	if (rc < 0)
		return rc;
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	return fd < 0 ? err_set(e, -errno, "open a socket in '%s'", x->name) : fd;
}

/* ---- questions on a link -------------------------------------------------------------------- */

/* Pass ARP, and neighbour advertisements; the link may be busy with other things. */
static int filter_answers(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_HEAD + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FRAME_HEAD + 40),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 256),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_link(const struct explain_facts *f, struct explain_place place, struct err *e)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = place.link };
	/* No protocol yet: nothing is received before the filter is there and the link is known. */
	_autoclose_ int fd = open_there(f, place.space, AF_PACKET, SOCK_RAW, 0, e);

	if (fd < 0)
		return fd;
	if (filter_answers(fd) < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return err_set(e, -errno, "listen on a link of '%s'", f->spaces[place.space].name);
	return take_fd(&fd);
}

static void add_answer(struct probe_answers *out, const uint8_t mac[6])
{
	for (unsigned int i = 0; i < out->nr; i++)
		if (memcmp(out->macs[i], mac, 6) == 0)
			return;
	if (out->nr < PROBE_MACS)
		memcpy(out->macs[out->nr++], mac, 6);
}

static void hear_answers(int fd, const struct frame_question *q, bool all,
			 struct probe_answers *out)
{
	long deadline = now_ms() + PROBE_WAIT_MS;

	while ((all || out->nr == 0) && wait_until(fd, POLLIN, deadline)) {
		struct sockaddr_ll from = { .sll_pkttype = PACKET_OUTGOING };
		socklen_t size = sizeof(from);
		uint8_t frame[256], mac[6];
		ssize_t len = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from,
				       &size);

		/* What others send from here is no answer. */
		if (len > 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    frame_is_answer(q, frame, (size_t)len, mac))
			add_answer(out, mac);
	}
}

int probe_ask(const struct explain_facts *f, struct explain_place place,
	      const struct frame_question *q, size_t len, bool all, struct probe_answers *out,
	      struct err *e)
{
	_autofree_ uint8_t *frame = malloc(FRAME_MAX);
	_autoclose_ int fd = open_link(f, place, e);

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return fd;
	if (!frame)
		return err_set(e, -ENOMEM, "ask on a link");
	len = frame_ask(q, len, frame);
	for (int i = 0; i < PROBE_TRIES && out->nr == 0; i++) {
		/*
		 * Too long for the link, or the link is down. ENOBUFS: dropped on the way; a veth
		 * tells so if its other end does not take the frame.
		 */
		if (send(fd, frame, len, 0) < 0 && errno != ENOBUFS) {
			if (errno == EMSGSIZE || errno == ENETDOWN)
				return 0;
			return err_set(e, -errno, "send on a link of '%s'",
				       f->spaces[place.space].name);
		}
		hear_answers(fd, q, all, out);
	}
	return 0;
}

/* ---- questions of a namespace's own kernel -------------------------------------------------- */

static socklen_t fill_address(struct sockaddr_storage *to, uint8_t family, const uint8_t *addr,
			      uint16_t port)
{
	struct sockaddr_in *in = (void *)to;
	struct sockaddr_in6 *in6 = (void *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = family;
	if (family == AF_INET) {
		memcpy(&in->sin_addr, addr, sizeof(in->sin_addr));
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	memcpy(&in6->sin6_addr, addr, sizeof(in6->sin6_addr));
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static uint16_t internet_checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	if (len % 2)
		sum += (uint32_t)(data[len - 1] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* An echo request of @len bytes, of our own by @id. IPv6's checksum is the kernel's business. */
static void fill_echo(uint8_t *echo, size_t len, uint8_t family, uint32_t id)
{
	uint16_t sum;

	memset(echo, 0, len);
	echo[0] = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	memcpy(echo + 4, &id, sizeof(id));
	sum = internet_checksum(echo, len);
	if (family == AF_INET)
		memcpy(echo + 2, &sum, sizeof(sum));
}

/* IPv4's raw sockets give the IP header as well, IPv6's do not. */
static bool is_echo_reply(const uint8_t *data, size_t len, uint8_t family, uint32_t id)
{
	size_t skip = family == AF_INET && len > 0 ? (size_t)(data[0] & 15) * 4 : 0;

	return len >= skip + 8 &&
	       data[skip] == (family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
	       memcmp(data + skip + 4, &id, sizeof(id)) == 0;
}

static bool hear_echo(int fd, uint8_t family, uint32_t id)
{
	long deadline = now_ms() + PROBE_WAIT_MS;
	uint8_t data[128];

	while (wait_until(fd, POLLIN, deadline)) {
		ssize_t len = recv(fd, data, sizeof(data), 0);

		if (len > 0 && is_echo_reply(data, (size_t)len, family, id))
			return true;
	}
	return false;
}

static int open_ping(const struct explain_facts *f, size_t space, uint8_t family, struct err *e)
{
	_autoclose_ int fd = open_there(f, space, family, SOCK_RAW,
					family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, e);
	int never = family == AF_INET ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;

	if (fd < 0)
		return fd;
	if (family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)) < 0
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &never, sizeof(never)) < 0)
		return err_set(e, -errno, "forbid fragments");
	return take_fd(&fd);
}

int probe_ping(const struct explain_facts *f, size_t space, uint8_t family, const uint8_t *addr,
	       size_t size, bool *answered, struct err *e)
{
	size_t head = family == AF_INET ? 20 : 40, len = size > head + 8 ? size - head : 8;
	_autofree_ uint8_t *echo = malloc(len);
	_autoclose_ int fd = open_ping(f, space, family, e);
	struct sockaddr_storage to;
	socklen_t to_len = fill_address(&to, family, addr, 0);
	uint32_t id;
	int rc;

	*answered = false;
	if (fd < 0)
		return fd;
	if (!echo)
		return err_set(e, -ENOMEM, "ping");
	rc = io_random(&id, sizeof(id), e);
	if (rc < 0)
		return rc;
	fill_echo(echo, len, family, id);
	for (int i = 0; i < PROBE_TRIES && !*answered; i++) {
		/* No route, no neighbour, too long: not answered. */
		if (sendto(fd, echo, len, 0, (struct sockaddr *)&to, to_len) < 0 &&
		    errno != EAGAIN && errno != ENOBUFS)
			return 0;
		*answered = hear_echo(fd, family, id);
	}
	return 0;
}

/* Did an error come back on a connected socket, and which? 0: none in time. */
static int hear_error(int fd, short events, long wait_ms)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (!wait_until(fd, events, now_ms() + wait_ms))
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return 0;
	return error ? error : -1;
}

/* A refusal, or that somebody does listen there. */
static bool try_port(int fd, bool tcp, const struct sockaddr_storage *to, socklen_t len)
{
	static const char data[] = "runnc net --check";

	for (int i = 0; i < PROBE_TRIES; i++) {
		int heard;

		if (connect(fd, (const struct sockaddr *)to, len) < 0 && errno != EINPROGRESS)
			return errno == ECONNREFUSED || errno == EISCONN;
		if (!tcp && send(fd, data, sizeof(data), 0) < 0)
			return errno == ECONNREFUSED;
		/* TCP sends again by itself. */
		heard = tcp ? hear_error(fd, POLLOUT, PROBE_TRIES * PROBE_WAIT_MS)
			    : hear_error(fd, POLLIN, PROBE_WAIT_MS);
		if (heard == ECONNREFUSED || heard == -1)
			return true;
		if (heard != 0 || tcp)
			return false;
	}
	return false;
}

int probe_segments(const struct explain_facts *f, size_t space, uint8_t family,
		   const uint8_t *addr, bool *udp, bool *tcp, struct err *e)
{
	_autoclose_ int udp_fd = open_there(f, space, family, SOCK_DGRAM, 0, e);
	_autoclose_ int tcp_fd = udp_fd < 0 ? -1 : open_there(f, space, family, SOCK_STREAM, 0, e);
	struct sockaddr_storage to;
	socklen_t len = fill_address(&to, family, addr, PROBE_PORT);

	if (udp_fd < 0 || tcp_fd < 0)
		return udp_fd < 0 ? udp_fd : tcp_fd;
	*udp = try_port(udp_fd, false, &to, len);
	*tcp = try_port(tcp_fd, true, &to, len);
	return 0;
}
