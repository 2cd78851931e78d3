/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For bench/solo5: what needs a clock near to what is measured.
 *
 *	solo5 turns N COMMAND... [-- COMMAND...]...
 *		start to end of each, in turns, N times; microseconds: median, least, a line each
 *	solo5 udp ADDRESS SECONDS
 *		64-byte datagrams to port 7, the next when the last came back; datagrams a second;
 *		10th, 50th and 99th percentile of there and back in microseconds; datagrams a second
 *		in the best tenth of a second
 *	solo5 udp-serve
 *		the same service as an ordinary process
 *	solo5 disk FILE SIZE
 *		pread and pwrite as guest/solo5/diskspeed.c makes them; nanoseconds
 *	solo5 filter NETS DISKS
 *		instructions of the filter
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine/confine_solo5.h"

#define COMMANDS 8
#define DISK_TIMES 100000
#define TENTH 100000000u

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t once(char **argv)
{
	char *none[] = { NULL };
	posix_spawn_file_actions_t quiet;
	uint64_t begin, end;
	int status;
	pid_t pid;

	if (posix_spawn_file_actions_init(&quiet) ||
	    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0))
		die("posix_spawn");
	begin = now();
	if (posix_spawn(&pid, argv[0], &quiet, NULL, argv, none) || waitpid(pid, &status, 0) < 0)
		die(argv[0]);
	end = now();
	posix_spawn_file_actions_destroy(&quiet);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s: status %d\n", argv[0], status);
		exit(1);
	}
	return end - begin;
}

static int turns(int argc, char **argv)
{
	char **commands[COMMANDS];
	uint64_t *took[COMMANDS];
	int nr = 0, n = argc > 3 ? atoi(argv[2]) : 0;

	for (char **p = argv + 3; *p && nr < COMMANDS; nr++) {
		commands[nr] = p;
		while (*p && strcmp(*p, "--") != 0)
			p++;
		if (*p)
			*p++ = NULL;
	}
	for (int c = 0; c < nr; c++)
		took[c] = calloc((size_t)n + 1, sizeof(**took));
	for (int i = 0; i < n; i++)
		for (int c = 0; c < nr; c++)
			took[c][i] = once(commands[c]);
	for (int c = 0; c < nr; c++) {
		qsort(took[c], (size_t)n, sizeof(**took), compare);
		printf("%.1f %.1f\n", (double)took[c][n / 2] / 1000, (double)took[c][0] / 1000);
	}
	return n > 0 ? 0 : 1;
}

static int udp(const char *address, int seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct timeval limit = { .tv_sec = 5 };
	uint64_t *took = calloc(4000000, sizeof(*took)), begin, last, end;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char data[64] = "echo", back[128];
	size_t n = 0, in_tenth = 0, best = 0;
	uint64_t tenth;

	if (!took || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		die(address);
	/* the first is for ARP */
	if (send(fd, data, sizeof(data), 0) < 0 || recv(fd, back, sizeof(back), 0) < 0)
		die("no echo");
	begin = last = tenth = now();
	end = begin + (uint64_t)seconds * 1000000000u;
	while (last < end && n < 4000000) {
		uint64_t t;

		memcpy(data, &n, sizeof(n));
		if (send(fd, data, sizeof(data), 0) < 0 ||
		    recv(fd, back, sizeof(back), 0) != sizeof(data) ||
		    memcmp(data, back, sizeof(data)) != 0)
			die("echo");
		t = now();
		took[n++] = t - last;
		last = t;
		in_tenth++;
		if (t - tenth >= TENTH) {
			if (in_tenth > best)
				best = in_tenth;
			in_tenth = 0;
			tenth = t;
		}
	}
	qsort(took, n, sizeof(*took), compare);
	printf("%.0f %.2f %.2f %.2f %zu\n", (double)n * 1e9 / (double)(last - begin),
	       (double)took[n / 10] / 1000, (double)took[n / 2] / 1000,
	       (double)took[n * 99 / 100] / 1000, best * 10);
	return 0;
}

static void udp_serve(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7) }, from;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char data[65536];

	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		die("bind");
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n < 0 || sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len) != n)
			die("serve");
	}
}

static int disk(const char *path, size_t size)
{
	static char data[32768] __attribute__((aligned(4096)));
	int fd = open(path, O_RDWR);
	uint64_t took[2], begin;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || size == 0 || size > sizeof(data))
		die(path);
	for (int write = 0; write < 2; write++) {
		off_t offset = 0;

		begin = now();
		for (int i = 0; i < DISK_TIMES; i++) {
			ssize_t n = write ? pwrite(fd, data, size, offset)
					  : pread(fd, data, size, offset);

			if (n != (ssize_t)size)
				die("transfer");
			offset += (off_t)size;
			if (offset == st.st_size)
				offset = 0;
		}
		took[write] = (now() - begin) / DISK_TIMES;
	}
	printf("%llu %llu\n", (unsigned long long)took[0], (unsigned long long)took[1]);
	return 0;
}

static int filter(int nets, int disks)
{
	static struct sock_filter out[CONFINE_SOLO5_MAX];
	struct confine_solo5_block all[64];
	struct confine_solo5 c = { .epoll_fd = 3, .timer_fd = 4, .net_fd_first = 5,
				   .nr_nets = (u32)nets, .nr_blocks = (u32)disks, .block = all };

	for (int i = 0; i < disks && i < 64; i++)
		all[i] = (struct confine_solo5_block){
			.fd = (u32)(5 + nets + i), .sector_size = 512, .capacity = 1u << 30,
			.writable = true,
		};
	printf("%zu\n", confine_solo5_filter(&c, out));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "turns"))
		return turns(argc, argv);
	if (!strcmp(what, "udp") && argc == 4)
		return udp(argv[2], atoi(argv[3]));
	if (!strcmp(what, "udp-serve"))
		udp_serve();
	if (!strcmp(what, "disk") && argc == 4)
		return disk(argv[2], strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "filter") && argc == 4)
		return filter(atoi(argv[2]), atoi(argv[3]));
	fprintf(stderr, "what?\n");
	return 1;
}
