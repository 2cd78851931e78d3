/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guard costs a frame.
 *
 *	guard-bench
 *		the program alone: "FRAME ADDRESSES NANOSECONDS", the shortest of some runs, with
 *		1, 16 and 128 addresses of each family of which the pod's own is the last and
 *		dearest; "nothing" is a program that returns
 *
 *	guard-bench path MODE guarded|unguarded
 *		in a pod's namespace, which is spent afterwards: connect it, and write frames as a
 *		guest does. Prints the processor time of one in nanoseconds: all that happens up to
 *		the host's end of the link is done within that call or on its account.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/guard.h"
#include "net/tap.h"

#define TIMES 100000
#define WRITES 20000
#define RUNS 10
#define MAC 2, 0, 0, 0, 0, 1

static const struct {
	const char *name;
	size_t len;
	uint8_t bytes[90];
} frames[] = {
	{ "tcp4", 90, { 2, 0, 0, 0, 0, 2, MAC, 8, 0, 0x45, 0, 0, 76, 0, 0, 0x40, 0, 64, 6, 0, 0,
			10, 0, 0, 0 } },
	{ "udp4", 90, { 2, 0, 0, 0, 0, 2, MAC, 8, 0, 0x45, 0, 0, 76, 0, 0, 0x40, 0, 64, 17, 0, 0,
			10, 0, 0, 0, 10, 1, 0, 0, 1, 2, 3, 4, 0, 56 } },
	{ "tcp6", 90, { 2, 0, 0, 0, 0, 2, MAC, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 36, 6, 64,
			0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "arp", 42, { 2, 0, 0, 0, 0, 2, MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, MAC, 10, 0, 0, 0 } },
	{ "dropped", 90, { 2, 0, 0, 0, 0, 2, MAC, 8, 0, 0x45, 0, 0, 76, 0, 0, 0x40, 0, 64, 6, 0, 0,
			   10, 9, 9, 9 } },
};

static void die(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "guard: %s\n", e->text);
	exit(1);
}

/* Load @b and run it on a frame; prints the time. */
static void measure(struct net_bpf_asm *b, const char *name, const uint8_t *frame, size_t len,
		    unsigned int addresses, int verdict)
{
	_autoclose_ int prog = -1;
	struct err e = ERR_INIT;
	uint32_t result = 0, ns, least = UINT32_MAX;

	die(net_bpf_program(b, "bench", &prog, &e), &e);
	for (int i = 0; i < RUNS; i++) {
		die(net_bpf_run(prog, frame, len, NULL, NULL, TIMES, &result, &ns, &e), &e);
		least = ns < least ? ns : least;
	}
	if ((int)result != verdict) {
		fprintf(stderr, "guard: %s: verdict %d\n", name, (int)result);
		exit(1);
	}
	printf("%-8s %3u %4u\n", name, addresses, least);
}

static void measure_nothing(void)
{
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;

	net_bpf_mov_imm(&b, BPF_REG_0, TC_ACT_UNSPEC);
	net_bpf_exit(&b);
	measure(&b, "nothing", frames[0].bytes, frames[0].len, 0, TC_ACT_UNSPEC);
}

/* @nr addresses of each family: 10.0.0.0 and fd00:: last, which are those of the frames. */
static void fill(struct net_guard_rules *rules, unsigned int nr)
{
	for (unsigned int i = nr; i-- > 0;) {
		struct net_guard_addr *four = &rules->addrs[rules->nr_addrs++];
		struct net_guard_addr *six = &rules->addrs[rules->nr_addrs++];

		*four = (struct net_guard_addr){ .family = AF_INET,
						 .addr = { 10, 0, 0, (uint8_t)i } };
		*six = (struct net_guard_addr){ .family = AF_INET6,
						.addr = { 0xfd, [15] = (uint8_t)i } };
	}
}

static void measure_guard(unsigned int addresses, size_t frame)
{
	static struct net_guard_addr addrs[2 * NET_GUARD_ADDRS_MAX];
	struct net_guard_rules rules = { .mac = { MAC }, .offloads = true, .addrs = addrs };
	_autobpf_ struct net_bpf_asm b = NET_BPF_ASM_INIT;
	_autoclose_ int map = -1;
	struct err e = ERR_INIT;

	fill(&rules, addresses);
	die(net_bpf_counters("bench", NET_GUARD_REASONS, &map, &e), &e);
	net_guard_program(&b, &rules, 0, map);
	measure(&b, frames[frame].name, frames[frame].bytes, frames[frame].len, addresses,
		strcmp(frames[frame].name, "dropped") == 0 ? TC_ACT_SHOT : TC_ACT_UNSPEC);
}

/* ---- the path ----------------------------------------------------------------------------- */

/* A virtio header that asks for nothing, and a UDP datagram of @p's guest to nobody. */
static size_t make_frame(const struct net_plan *p, uint8_t frame[1600])
{
	uint8_t *eth = frame + NET_TAP_HDR_LEN;

	memset(frame, 0, 1600);
	memcpy(eth, (const uint8_t[]){ 2, 0, 0, 0, 0x99, 0x99 }, 6);
	memcpy(eth + 6, p->ports[0].guest_mac, 6);
	memcpy(eth + 12, (const uint8_t[]){ 8, 0, 0x45, 0, 1500 >> 8, 1500 & 255, 0, 0, 0x40, 0, 64,
					    17 }, 12);
	for (size_t i = 0; i < p->nr_addrs; i++)
		if (p->addrs[i].family == AF_INET)
			memcpy(eth + 26, p->addrs[i].local, 4);
	memcpy(eth + 30, (const uint8_t[]){ 192, 0, 2, 1, 0, 9, 0, 9, 5, 0xc8 }, 10);
	return NET_TAP_HDR_LEN + 1514;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The processor time of one write, the least of some runs. */
static double write_frames(int fd, const uint8_t *frame, size_t len)
{
	double least = 1e18;

	for (int run = 0; run < RUNS; run++) {
		double begin = cpu_ns(), each;

		for (int i = 0; i < WRITES; i++)
			if (write(fd, frame, len) < 0 && errno != EAGAIN && errno != ENOBUFS) {
				perror("guard-bench: write");
				exit(1);
			}
		each = (cpu_ns() - begin) / WRITES;
		least = each < least ? each : least;
	}
	return least;
}

static int measure_path(const char *mode, bool unguarded)
{
	struct nabla_net nets[NABLA_LAUNCH_NETS];
	struct net_request request;
	struct err e = ERR_INIT;
	struct net_survey s;
	uint8_t frame[1600];
	struct net_plan p;
	unsigned int nr;

	die(net_request_init(&request, &e), &e);
	request.unguarded = unguarded;
	if (!net_mode_parse(mode, &request.mode))
		return 2;
	die(net_survey(&s, &e), &e);
	die(net_plan(&s, &request, &p, &e), &e);
	die(net_apply(&p, nets, &nr, &e), &e);
	if (nr != 1) {
		fprintf(stderr, "guard-bench: %u interfaces\n", nr);
		return 1;
	}
	printf("%.0f\n", write_frames(nets[0].fd, frame, make_frame(&p, frame)));
	net_plan_free(&p);
	net_survey_free(&s);
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned int numbers[] = { 1, 16, NET_GUARD_ADDRS_MAX };

	if (argc == 4 && strcmp(argv[1], "path") == 0)
		return measure_path(argv[2], strcmp(argv[3], "unguarded") == 0);
	measure_nothing();
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
			measure_guard(numbers[n], i);
	return 0;
}
