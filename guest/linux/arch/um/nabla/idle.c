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

static u64 poll_max_ns = POLL_MAX_US * NSEC_PER_USEC, poll_ns;

static int __init set_poll_max(char *arg)
{
	unsigned int us;

	if (!arg || kstrtouint(arg, 10, &us) || us > 10 * POLL_MAX_US)
		return -EINVAL;
	poll_max_ns = us * NSEC_PER_USEC;
	return 0;
}
early_param("nabla_poll_us", set_poll_max);

static void learn(u64 slept)
{
	if (slept <= poll_max_ns)
		poll_ns = min(poll_ns ? poll_ns * 2 : POLL_FIRST_NS, poll_max_ns);
	else if (slept > 8 * poll_max_ns)
		poll_ns = poll_ns > POLL_FIRST_NS ? poll_ns / 2 : 0;
}

/* Returns true if something came. */
static bool poll(u64 start, u64 left)
{
	u64 end = start + min(poll_ns, left);

	for (;;) {
		if (nabla_net_look(true) || READ_ONCE(nabla_pending))
			return true;
		if (host_clock(HOST_CLOCK_MONOTONIC) >= end)
			return false;
	}
}

/* Called with interrupts disabled, which they stay. */
void arch_cpu_idle(void)
{
	u64 left = nabla_timer_left(), start, now;

	if (!left)
		return;
	if (!nabla_launch.nr_nets) {
		host_wait(left);
	} else {
		start = host_clock(HOST_CLOCK_MONOTONIC);
		/* One look at least: a poll may have left frames that no edge announces again. */
		if ((poll_ns || nabla_moderated) && poll(start, nabla_net_blocked() ? 0 : left))
			return;
		host_wait(left);
		now = host_clock(HOST_CLOCK_MONOTONIC);
		learn(now - start);
		nabla_moderate_quiet(now);
	}
	nabla_timer_left();		/* notes an event that is due */
}
