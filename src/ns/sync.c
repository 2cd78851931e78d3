/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking turns between the runtime and the container's child: one packet per message on a SEQPACKET
 * socket, so that a message is whole or not there, and a dead end is noticed.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "ns/ns.h"

#define SYNC_FAILURE 0u

/* What is sent: a message's number alone, or SYNC_FAILURE with code and text. */
struct sync_packet {
	uint32_t message;
	int32_t code;
	char text[ERR_TEXT_MAX];
};

union sync_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(NS_SYNC_MAX_FDS * sizeof(int))];
};

static int sync_send_packet(int sync, struct sync_packet *p, size_t len, const int *fds, size_t n,
			    struct err *e)
{
	struct iovec iov = { .iov_base = p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union sync_control control;
	ssize_t sent;

	if (n > NS_SYNC_MAX_FDS)
		return err_say(e, -E2BIG, "send %zu descriptors at once", n);
	if (n > 0) {
		struct cmsghdr *c = &control.header;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	do {
		sent = sendmsg(sync, &msg, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return err_set(e, -errno, "send a message to the container's process");
	return 0;
}

int ns_sync_send(int sync, uint32_t message, const int *fds, size_t n, struct err *e)
{
	struct sync_packet p = { .message = message };

	return sync_send_packet(sync, &p, offsetof(struct sync_packet, text), fds, n, e);
}

int ns_sync_fail(int sync, int code, const struct err *e)
{
	struct sync_packet p = { .message = SYNC_FAILURE, .code = code };
	struct err ignored = ERR_INIT;

	memcpy(p.text, e->text, sizeof(p.text));
	sync_send_packet(sync, &p, sizeof(p), NULL, 0, &ignored);
	return code;
}

static int64_t sync_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int sync_poll(int sync, int timeout_ms, struct err *e)
{
	struct pollfd p = { .fd = sync, .events = POLLIN };
	int64_t end = sync_now_ms() + timeout_ms;
	int left = timeout_ms;
	int r;

	while ((r = poll(&p, 1, left)) < 0 && errno == EINTR)
		if (timeout_ms >= 0)
			left = end > sync_now_ms() ? (int)(end - sync_now_ms()) : 0;
	if (r < 0)
		return err_set(e, -errno, "wait for the other process");
	if (r == 0)
		return err_say(e, -ETIMEDOUT, "no answer from the other process within %d ms",
			       timeout_ms);
	return 0;
}

/* Take the descriptors out of @msg; more than @n are closed. Returns how many there were. */
static size_t sync_take_fds(struct msghdr *msg, int *fds, size_t n)
{
	size_t got = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (got < n)
				fds[got] = fd;
			else
				fd_close(&fd);
			got++;
		}
	}
	return got;
}

static int sync_judge(const struct msghdr *msg, const struct sync_packet *p, size_t len,
		      uint32_t message, size_t got, size_t n, struct err *e)
{
	struct rlimit files = { .rlim_cur = RLIM_INFINITY };

	if (len == 0)
		return err_say(e, -EPIPE, "the other process has died");
	if (len >= sizeof(*p) && p->message == SYNC_FAILURE)
		return err_say(e, p->code < 0 ? p->code : -EPROTO, "%.*s", ERR_TEXT_MAX - 1,
			       p->text);
	if ((msg->msg_flags & MSG_CTRUNC) != 0) {
		getrlimit(RLIMIT_NOFILE, &files);
		return err_say(e, -EMFILE,
			       "take %zu descriptors: more than RLIMIT_NOFILE, %llu, allows", n,
			       (unsigned long long)files.rlim_cur);
	}
	if (len != offsetof(struct sync_packet, text) || p->message != message || got != n)
		return err_say(e, -EPROTO, "message %u with %zu descriptors instead of %u with %zu",
			       p->message, got, message, n);
	return 0;
}

int ns_sync_wait(int sync, uint32_t message, int *fds, size_t n, int timeout_ms, struct err *e)
{
	struct sync_packet p = { .message = SYNC_FAILURE };
	struct iovec iov = { .iov_base = &p, .iov_len = sizeof(p) };
	union sync_control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = &control, .msg_controllen = sizeof(control) };
	size_t got;
	ssize_t len;
	int r;

	r = sync_poll(sync, timeout_ms, e);
	if (r < 0)
		return r;
	/*
	 * A peer that died with something unread in its queue gives ECONNRESET once; what it sent
	 * before is still there behind it.
	 */
	do {
		len = recvmsg(sync, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && (errno == EINTR || errno == ECONNRESET));
	if (len < 0)
		return err_set(e, -errno, "wait for the other process");
	got = sync_take_fds(&msg, fds, n);
	r = sync_judge(&msg, &p, (size_t)len, message, got, n, e);
	for (size_t i = 0; r < 0 && i < got && i < n; i++)
		fd_close(&fds[i]);
	return r;
}
