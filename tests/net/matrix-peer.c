/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of the talks in matrix.sh: a small static program, so that a guest needs nothing else.
 *
 *	peer serve			"ready", then serve TCP and UDP port 7000 of both families
 *	peer tcp ADDRESS BYTES		send BYTES, get them back, compare
 *	peer udp ADDRESS BYTES		the same in one datagram, three tries
 *	peer run ADDRESS COMMAND	a shell command at the server; its output
 *	peer name NAME			the IPv4 addresses of NAME, by /etc/resolv.conf
 *
 * A TCP client's first byte is 'E' (what follows comes back once the client has ended its
 * direction) or 'R' (what follows is a command). Errors end with status 1 and a line that says what
 * failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORT "7000"
#define MOST (4u << 20)

static unsigned char sent[MOST], received[MOST + 1];

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, errno ? strerror(errno) : "not what was sent");
	exit(1);
}

/* All that comes until the other end has ended its direction. */
static size_t take_all(int fd, unsigned char *to)
{
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, to + size, MOST - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		fail("receive");
	return size;
}

static void give_all(int fd, const unsigned char *from, size_t size)
{
	ssize_t n;

	for (; size; from += n, size -= (size_t)n) {
		n = send(fd, from, size, MSG_NOSIGNAL);
		if (n < 0)
			fail("send");
	}
}

/* ---- the server --------------------------------------------------------------------------- */

static void serve_stream(int fd)
{
	size_t size = take_all(fd, received);

	received[size] = 0;
	if (received[0] == 'E') {
		give_all(fd, received + 1, size - 1);
	} else {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", (char *)received + 1, NULL);
		fail("sh");
	}
}

static int listener(int family, int type)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(7000) };
	int one = 1, fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
		 family == AF_INET ? sizeof(v4) : sizeof(v6)) < 0)
		fail("bind");
	if (type == SOCK_STREAM && listen(fd, 16) < 0)
		fail("listen");
	return fd;
}

static void serve_datagram(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, received, MOST, 0, (void *)&from, &len);

	if (n >= 0)
		sendto(fd, received, (size_t)n, 0, (void *)&from, len);
}

static void serve(void)
{
	static const struct {
		int family;
		int type;
	} kinds[] = {
		{ AF_INET, SOCK_STREAM }, { AF_INET6, SOCK_STREAM },
		{ AF_INET, SOCK_DGRAM }, { AF_INET6, SOCK_DGRAM },
	};
	struct pollfd fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = (struct pollfd){ .fd = listener(kinds[i].family, kinds[i].type),
					  .events = POLLIN };
	/* The first process of a container gets no signal that it has no handler for. */
	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		poll(fds, 4, -1);
		for (int i = 0; i < 4; i++) {
			int client;

			if (!(fds[i].revents & POLLIN))
				continue;
			if (kinds[i].type == SOCK_DGRAM) {
				serve_datagram(fds[i].fd);
				continue;
			}
			client = accept(fds[i].fd, NULL, NULL);
			if (client >= 0 && fork() == 0) {
				serve_stream(client);
				_exit(0);
			}
			close(client);
		}
	}
}

/* ---- clients ------------------------------------------------------------------------------ */

static int dial(const char *address, int type)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST }, *to;
	struct timeval patience = { .tv_sec = type == SOCK_STREAM ? 8 : 2 };
	int fd;

	if (getaddrinfo(address, PORT, &hints, &to) != 0)
		fail("address");
	fd = socket(to->ai_family, type, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		fail("connect");
	freeaddrinfo(to);
	return fd;
}

/* The kernel gives random bytes at most 32 MiB at a time, but may be interrupted. */
static void invent(size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = getrandom(sent + at, size - at, 0);

		if (n > 0)
			at += (size_t)n;
	}
}

static void compare(size_t size, size_t got)
{
	errno = 0;
	if (got != size || memcmp(sent, received, size) != 0)
		fail("the answer");
}

static void tcp(const char *address, size_t size)
{
	int fd = dial(address, SOCK_STREAM);

	invent(size);
	give_all(fd, (const unsigned char *)"E", 1);
	give_all(fd, sent, size);
	shutdown(fd, SHUT_WR);
	compare(size, take_all(fd, received));
}

static void udp(const char *address, size_t size)
{
	int fd = dial(address, SOCK_DGRAM);
	ssize_t n = -1;

	invent(size);
	for (int i = 0; i < 3 && n < 0; i++) {
		if (send(fd, sent, size, 0) < 0)
			fail("send");
		n = recv(fd, received, MOST, 0);
	}
	if (n < 0)
		fail("receive");
	compare(size, (size_t)n);
}

static void run(const char *address, const char *command)
{
	int fd = dial(address, SOCK_STREAM);

	give_all(fd, (const unsigned char *)"R", 1);
	give_all(fd, (const unsigned char *)command, strlen(command));
	shutdown(fd, SHUT_WR);
	fwrite(received, 1, take_all(fd, received), stdout);
}

static void name(const char *of)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list;
	int status = getaddrinfo(of, NULL, &hints, &list);
	char text[INET_ADDRSTRLEN];

	if (status != 0) {
		fprintf(stderr, "peer: %s: %s\n", of, gai_strerror(status));
		exit(1);
	}
	for (; list; list = list->ai_next)
		puts(inet_ntop(AF_INET, &((struct sockaddr_in *)list->ai_addr)->sin_addr, text,
			       sizeof(text)));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "serve") == 0)
		serve();
	else if (argc == 4 && strcmp(what, "tcp") == 0 && strtoul(argv[3], NULL, 10) < MOST)
		tcp(argv[2], strtoul(argv[3], NULL, 10));
	else if (argc == 4 && strcmp(what, "udp") == 0 && strtoul(argv[3], NULL, 10) < 65000)
		udp(argv[2], strtoul(argv[3], NULL, 10));
	else if (argc == 4 && strcmp(what, "run") == 0)
		run(argv[2], argv[3]);
	else if (argc == 3 && strcmp(what, "name") == 0)
		name(argv[2]);
	else
		return 2;
	return 0;
}
