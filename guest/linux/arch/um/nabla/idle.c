// SPDX-License-Identifier: GPL-2.0-only
/*
 * Idle: sleep on the host until something happens, after a short look around if that has paid
 * lately.
 *
 * Being woken by the host costs tens of microseconds, which a request and its answer over the
 * network see twice. So an idle guest with a network first polls its descriptors for a while. How
 * long is learned as KVM learns it for halted CPUs: a sleep that ended so soon that polling would
 * have caught it makes the time longer, a long sleep makes it shorter, down to nothing: an idle
 * guest costs nothing. nabla_poll_us=N on the command line is another limit; 0 for a guest whose
 * CPU time is rationed.
 *
 * Where others want this CPU too, polling is bad for both sides: who polls is a process that
 * computes all the time, whose turn ends, and which then waits for milliseconds, while one that has
 * slept is let in at once; and if it is the sender who waits for the CPU, no poll will ever see its
 * frame. The first shows as two looks that are far apart, the second as a frame that comes as soon
 * as the guest sleeps. Then it does not poll for a while.
 */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/time64.h>
#include "entry.h"
#include "host.h"
#include "moderate.h"

#define POLL_MAX_US	200
#define POLL_FIRST_NS	10000ULL

#define PREEMPTED	NSEC_PER_MSEC		/* between two looks */
#define MADE_WAY	(50 * NSEC_PER_USEC)	/* of sleep, after the longest poll */
#define REST_MIN	(100 * NSEC_PER_MSEC)
#define REST_MAX	(1600 * NSEC_PER_MSEC)

static u64 poll_max_ns = POLL_MAX_US * NSEC_PER_USEC, poll_ns;
static u64 rest_end, rest_ns;		/* no polling before, and how long that is */

static int __init set_poll_max(char *arg)
{
	unsigned int us;

	if (!arg || kstrtouint(arg, 10, &us) || us > 10 * POLL_MAX_US)
		return -EINVAL;
	poll_max_ns = us * NSEC_PER_USEC;
	return 0;
}
early_param("nabla_poll_us", set_poll_max);

/* The CPU is wanted. Longer each time, unless the last rest is long over. */
static void rest(u64 now)
{
	rest_ns = now < rest_end + rest_ns ? min(rest_ns * 2, REST_MAX) : REST_MIN;
	rest_end = now + rest_ns;
	poll_ns = 0;
}

/* From @polled on the guest slept. */
static void learn(u64 start, u64 polled, u64 now)
{
	if (now < rest_end)
		return;
	if (poll_ns && polled - start >= poll_max_ns && now - polled < MADE_WAY)
		rest(now);
	else if (now - start <= poll_max_ns)
		poll_ns = min(poll_ns ? poll_ns * 2 : POLL_FIRST_NS, poll_max_ns);
	else if (now - start > 8 * poll_max_ns)
		poll_ns = poll_ns > POLL_FIRST_NS ? poll_ns / 2 : 0;
}

/* Returns true if something came; else *@now is the time. */
static bool poll(u64 start, u64 left, u64 *now)
{
	u64 end = start + min(poll_ns, left), before = start;
	bool found;

	do {
		found = nabla_net_look(true) || READ_ONCE(nabla_pending);
		*now = host_clock(HOST_CLOCK_MONOTONIC);
		if (*now - before > PREEMPTED)
			rest(*now);
		before = *now;
	} while (!found && *now < end && *now >= rest_end);
	return found;
}

/* Called with interrupts disabled, which they stay. */
void arch_cpu_idle(void)
{
	u64 left = nabla_timer_left(), start, polled, now;

	if (!left)
		return;
	if (!nabla_launch.nr_nets) {
		host_wait(left);
	} else {
		start = polled = host_clock(HOST_CLOCK_MONOTONIC);
		/* One look at least: a poll may have left frames that no edge announces again. */
		if ((poll_ns || nabla_moderated) &&
		    poll(start, nabla_net_blocked() ? 0 : left, &polled))
			return;
		host_wait(left);
		now = host_clock(HOST_CLOCK_MONOTONIC);
		learn(start, polled, now);
		nabla_moderate_quiet(now);
	}
	nabla_timer_left();		/* notes an event that is due */
}
