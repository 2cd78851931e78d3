/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The servers of bench/network, in one thread around one epoll instance: HTTP/1.1 with a fixed
 * answer, echo by TCP, echo by UDP.
 *
 *	network-serve HTTP-PORT ECHO-PORT
 *
 * On every IPv4 address; prints "ready" when all of them listen. Static, so that it is the same
 * program in every container. Nothing but the network is in what it does for a request: no file, no
 * clock, no memory but the connection's.
 *
 * A connection reads only while it has nothing left to write, so one that sends without reading
 * fills its own two buffers and then waits, and no answer is lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER		16384
#define EVENTS		64

enum kind { HTTP_LISTENER, ECHO_LISTENER, ECHO_UDP, HTTP, ECHO };

struct end {
	enum kind kind;
	int fd;
	/* What epoll waits for: EPOLLIN, or EPOLLOUT while there is output left. */
	uint32_t waits;
	/* Close it when the output is out. */
	bool last;
	size_t in_len, out_len, out_done;
	char in[BUFFER], out[BUFFER];
};

/* 128 bytes of body: two lines of 64. */
static const char ok_answer[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n"
	"a small answer of the same 128 bytes, whatever it is asked for.\n"
	"a small answer of the same 128 bytes, whatever it is asked for.\n";
static const char bad_answer[] =
	"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static int epoll_fd;

static void die(const char *what)
{
	fprintf(stderr, "network-serve: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_for(struct end *e, uint32_t waits)
{
	struct epoll_event event = { .events = waits, .data.ptr = e };

	if (e->waits == waits)
		return;
	if (epoll_ctl(epoll_fd, e->waits ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &event) < 0)
		die("epoll_ctl");
	e->waits = waits;
}

static void end_close(struct end *e)
{
	close(e->fd);
	free(e);
}

/* Is @name that of the header @line, which has @len bytes? Its value then is *@value. */
static bool header_is(const char *line, size_t len, const char *name, const char **value)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	*value = line + n;
	return true;
}

/* The answer to a whole request (up to its empty line); *@last if the connection ends with it. */
static const char *answer(const char *data, size_t len, bool *last)
{
	static const char version[] = " HTTP/1.1\r\n";
	const char *line = data, *stop = data + len, *next, *value;

	/* There is a line end in it, or it would not be a whole request. */
	next = memmem(line, len, "\r\n", 2) + 2;
	if (next - line < 5 + (ptrdiff_t)strlen(version) || memcmp(line, "GET /", 5) != 0 ||
	    memcmp(next - strlen(version), version, strlen(version)) != 0)
		goto bad;
	for (line = next; stop - line > 2; line = next) {
		size_t left = (size_t)(stop - line), n;

		next = memmem(line, left, "\r\n", 2) + 2;
		n = (size_t)(next - line) - 2;
		if (!memchr(line, ':', n))
			goto bad;
		/* Nobody here sends a body; its bytes would be taken for the next request. */
		if (header_is(line, n, "Transfer-Encoding", &value) ||
		    (header_is(line, n, "Content-Length", &value) &&
		     memcmp(value, "0\r\n", 3) != 0))
			goto bad;
		if (header_is(line, n, "Connection", &value) &&
		    strncasecmp(value, "close\r", 6) == 0)
			*last = true;
	}
	return ok_answer;
bad:
	*last = true;
	return bad_answer;
}

/* Take the whole requests off the input, as far as there is room for their answers. */
static void http_answer(struct end *e)
{
	size_t done = 0;

	while (!e->last && BUFFER - e->out_len >= sizeof(ok_answer)) {
		const char *start = e->in + done, *empty, *what;

		empty = memmem(start, e->in_len - done, "\r\n\r\n", 4);
		if (!empty) {
			if (e->in_len - done == BUFFER) {
				e->last = true;
				memcpy(e->out, bad_answer, strlen(bad_answer));
				e->out_len = strlen(bad_answer);
			}
			break;
		}
		what = answer(start, (size_t)(empty + 4 - start), &e->last);
		memcpy(e->out + e->out_len, what, strlen(what));
		e->out_len += strlen(what);
		done = (size_t)(empty + 4 - e->in);
	}
	e->in_len -= done;
	memmove(e->in, e->in + done, e->in_len);
}

/* Write what there is; false if the connection is gone or some of it is left. */
static bool flush(struct end *e)
{
	while (e->out_done < e->out_len) {
		ssize_t n = send(e->fd, e->out + e->out_done, e->out_len - e->out_done,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			wait_for(e, EPOLLOUT);
			return false;
		}
		if (n < 0) {
			end_close(e);
			return false;
		}
		e->out_done += (size_t)n;
	}
	e->out_done = e->out_len = 0;
	if (e->last) {
		end_close(e);
		return false;
	}
	return true;
}

/* Answer and write until neither goes further; @e may be gone afterwards. */
static void advance(struct end *e)
{
	while (flush(e)) {
		if (e->kind == HTTP)
			http_answer(e);
		if (!e->out_len) {
			wait_for(e, EPOLLIN);
			return;
		}
	}
}

static void receive(struct end *e)
{
	/* An echo's input is its output. */
	char *to = e->kind == HTTP ? e->in : e->out;
	size_t *len = e->kind == HTTP ? &e->in_len : &e->out_len;
	ssize_t n = recv(e->fd, to + *len, BUFFER - *len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end_close(e);
		return;
	}
	*len += (size_t)n;
	advance(e);
}

static void accept_one(const struct end *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
	struct end *e;

	if (fd < 0) {
		/* The client has given up meanwhile. */
		if (errno == EAGAIN || errno == ECONNABORTED)
			return;
		die("accept");
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		die("TCP_NODELAY");
	e = calloc(1, sizeof(*e));
	if (!e)
		die("a connection");
	e->kind = listener->kind == HTTP_LISTENER ? HTTP : ECHO;
	e->fd = fd;
	wait_for(e, EPOLLIN);
}

static void echo_datagram(struct end *e)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(e->fd, e->in, BUFFER, 0, (struct sockaddr *)&from, &len);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0 || sendto(e->fd, e->in, (size_t)n, 0, (struct sockaddr *)&from, len) != n)
		die("datagram");
}

static void listen_on(struct end *e, enum kind kind, const char *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(port)) };
	int type = kind == ECHO_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;

	e->kind = kind;
	e->fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (e->fd < 0 || setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(e->fd, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    (type == SOCK_STREAM && listen(e->fd, SOMAXCONN) < 0))
		die(port);
	wait_for(e, EPOLLIN);
}

static void handle(struct end *e)
{
	switch (e->kind) {
	case HTTP_LISTENER:
	case ECHO_LISTENER:
		accept_one(e);
		break;
	case ECHO_UDP:
		echo_datagram(e);
		break;
	case HTTP:
	case ECHO:
		if (e->waits == EPOLLOUT)
			advance(e);
		else
			receive(e);
		break;
	}
}

int main(int argc, char *argv[])
{
	static struct end http, echo, echo_udp;
	struct epoll_event events[EVENTS];

	if (argc != 3) {
		fprintf(stderr, "usage: network-serve HTTP-PORT ECHO-PORT\n");
		return 2;
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		die("epoll_create1");
	listen_on(&http, HTTP_LISTENER, argv[1]);
	listen_on(&echo, ECHO_LISTENER, argv[2]);
	listen_on(&echo_udp, ECHO_UDP, argv[2]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		/* Each end is in @events once, so none is used after its close. */
		for (int i = 0; i < n; i++)
			handle(events[i].data.ptr);
	}
}
