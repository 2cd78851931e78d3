// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt moderation: a host signal for frames while they are rare, looking for them while they
 * are frequent.
 *
 * A SIGIO costs the sender an interrupt of this CPU, and this process a signal frame and its
 * return: microseconds on both sides. A look that finds nothing is one readv, a fraction of one. So
 * while frames are frequent the signals are off (FIOASYNC), and the guest looks
 *
 *	- when it is idle (idle.c): before it sleeps; epoll, not a signal, ends the sleep;
 *	- when a program makes a system call and the last look was LOOK_EVERY ago, or longer if
 *	  that has read much: what the program has not taken yet is pushed out of the caches by
 *	  more of it, and each look sends an acknowledgement (a TCP stream was a quarter slower);
 *	- at the timer's tick, if a program computes and the last look was LATE times that ago; if
 *	  frames had to wait for it, signals are better, and used for a while (HOLD).
 *
 * It is what drivers of network cards do with NAPI's napi_defer_hard_irqs and gro_flush_timeout.
 * Frames are frequent when MANY polls in a WINDOW have found some, and rare again when fewer than
 * FEW have: of each device by itself, for a look costs a readv for each (the pod's loopback is a
 * device of its own, and mostly silent). One whose descriptor knows no SIGIO (macvtap) keeps the
 * guest looking.
 */
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>
#include "entry.h"
#include "host.h"
#include "moderate.h"

#define LOOK_EVERY	(100 * NSEC_PER_USEC)
#define LOOK_LATER	(64 << 10)	/* bytes for which the next look is LOOK_EVERY later, */
#define LATER_MAX	8u		/* so often at most */
#define LATE		20		/* times LOOK_EVERY */
#define WINDOW		(2 * NSEC_PER_MSEC)
#define MANY		8
#define FEW		3
#define HOLD		(100 * NSEC_PER_MSEC)

struct nabla_moderate nabla_moderate[NABLA_LAUNCH_NETS];
unsigned int nabla_moderated;

/* No moderation before: a program computed while frames came. */
static u64 hold;

/* The last look, and how much LOOK_EVERY is, in ticks of the CPU's time stamp counter. */
static u64 look_tsc, look_ticks;

/* How long after it a program's system call is no reason for the next, in ticks, too. */
static u64 look_pause;

/* One moment in both measures of time. */
static u64 first_tsc, first_ns;

static u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return (u64)hi << 32 | lo;
}

void nabla_moderate_begin(void)
{
	first_ns = host_clock(HOST_CLOCK_MONOTONIC);
	first_tsc = rdtsc();
}

static void learn_ticks(u64 now)
{
	u64 ns = now - first_ns;

	look_ticks = ns ? mul_u64_u64_div_u64(rdtsc() - first_tsc, LOOK_EVERY, ns) : 0;
}

static void moderate(unsigned int device, u64 now)
{
	struct nabla_moderate *m = &nabla_moderate[device];

	m->on = true;
	nabla_moderated++;
	learn_ticks(now);
	look_tsc = rdtsc();
	if (!nabla_net_signals(device, false))
		m->unsignalled = true;
}

static void signals(unsigned int device)
{
	struct nabla_moderate *m = &nabla_moderate[device];

	if (!m->on || m->unsignalled)
		return;
	m->on = false;
	nabla_moderated--;
	/* What came before the signals were on again has none. */
	if (!nabla_net_signals(device, true))
		m->unsignalled = true;
	nabla_net_interrupt();
}

void nabla_moderate_count(unsigned int device, unsigned int bytes)
{
	struct nabla_moderate *m = &nabla_moderate[device];
	u64 now = host_clock(HOST_CLOCK_MONOTONIC);
	unsigned long flags;

	local_irq_save(flags);
	if (now - m->window > WINDOW) {
		if (m->polls < FEW)
			signals(device);
		m->window = now;
		m->polls = 0;
	}
	m->polls++;
	look_tsc = rdtsc();
	look_pause = look_ticks * (1 + min(bytes / LOOK_LATER, LATER_MAX));
	if (!m->on && ((m->polls >= MANY && now >= hold) || m->unsignalled))
		moderate(device, now);
	local_irq_restore(flags);
}

/* Frames, or room to send: who waits for that tries again. */
static bool look(void)
{
	if (!nabla_net_blocked())
		return nabla_net_look(false);
	nabla_net_interrupt();
	return true;
}

void nabla_moderate_look(void)
{
	u64 tsc = rdtsc();

	if (tsc - look_tsc < look_pause)
		return;
	look_tsc = tsc;
	look_pause = look_ticks;
	look();
}

void nabla_moderate_quiet(u64 now)
{
	unsigned int i;

	for (i = 0; nabla_moderated && i < nabla_launch.nr_nets; i++)
		if (now - nabla_moderate[i].window > 2 * WINDOW)
			signals(i);
}

void nabla_moderate_tick(u64 now)
{
	unsigned int i;

	nabla_moderate_quiet(now);
	if (!nabla_moderated || !look_ticks || (rdtsc() - look_tsc) / look_ticks < LATE)
		return;
	look_tsc = rdtsc();
	if (!look())
		return;
	hold = now + HOLD;
	for (i = 0; i < nabla_launch.nr_nets; i++)
		signals(i);
}
