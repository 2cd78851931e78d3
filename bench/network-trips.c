/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Round trips to an echo server, one at a time, each timed on CLOCK_MONOTONIC.
 *
 *	network-trips tcp|udp ADDRESS PORT TRIPS WARM-UP
 *
 * Messages of 64 bytes, the next one when the last is back. After as many as WARM-UP, which do not
 * count, prints what half, 10, 99 and 99.9 of 100 trips do not exceed, in microseconds:
 * "MEDIAN P10 P99 P99.9". A message that does not come back, or not as it was, ends the program
 * with status 1: on a link of its own there is no reason to lose one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define MESSAGE		64
#define PATIENCE	5	/* seconds */
#define TRIPS_MAX	10000000ul

static void die(const char *what)
{
	fprintf(stderr, "network-trips: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int connect_to(int type, const char *address, const char *port)
{
	struct sockaddr_in there = { .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)atoi(port)) };
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	if (inet_pton(AF_INET, address, &there.sin_addr) != 1) {
		fprintf(stderr, "network-trips: '%s' is no IPv4 address\n", address);
		exit(2);
	}
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    (type == SOCK_STREAM &&
	     setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) ||
	    connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0)
		die(address);
	return fd;
}

/* One message there and back, in nanoseconds. */
static uint64_t trip(int fd, uint64_t number)
{
	char message[MESSAGE], back[MESSAGE];
	uint64_t begin, end;
	ssize_t n;

	memset(message, 'm', sizeof(message));
	memcpy(message, &number, sizeof(number));
	begin = now();
	if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != MESSAGE)
		die("send");
	/* With a time limit set, a stop of the process, be it the freezer's, ends it with EINTR. */
	do
		n = recv(fd, back, sizeof(back), MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	end = now();
	if (n < 0)
		die("receive");
	if (n != MESSAGE || memcmp(message, back, sizeof(back)) != 0) {
		fprintf(stderr, "network-trips: message %llu came back as another\n",
			(unsigned long long)number);
		exit(1);
	}
	return end - begin;
}

static double us_at(const uint64_t *took, size_t index)
{
	return (double)took[index] / 1000;
}

int main(int argc, char *argv[])
{
	unsigned long trips = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
	unsigned long warm_up = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
	int type = argc == 6 && strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, fd;
	uint64_t *took;

	if (trips < 1 || trips > TRIPS_MAX ||
	    (type == SOCK_STREAM && strcmp(argv[1], "tcp") != 0)) {
		fprintf(stderr, "usage: network-trips tcp|udp ADDRESS PORT TRIPS WARM-UP\n");
		return 2;
	}
	took = calloc(trips, sizeof(*took));
	if (!took)
		die("memory");
	/* Its pages are there before the clock runs. */
	memset(took, 1, trips * sizeof(*took));
	fd = connect_to(type, argv[2], argv[3]);
	for (unsigned long i = 0; i < warm_up; i++)
		trip(fd, i);
	for (unsigned long i = 0; i < trips; i++)
		took[i] = trip(fd, warm_up + i);
	qsort(took, trips, sizeof(*took), compare);
	printf("%.2f %.2f %.2f %.2f\n", us_at(took, trips / 2), us_at(took, trips / 10),
	       us_at(took, trips * 99 / 100), us_at(took, trips * 999 / 1000));
	free(took);
	return 0;
}
