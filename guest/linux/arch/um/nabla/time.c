// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: the host's monotonic clock is the clocksource, one host timer the clock event.
 *
 * Arming the host's timer is a system call, so it is left alone where it would fire early enough
 * anyway: the next event is a deadline in memory, and an alarm that comes before it only arms the
 * rest. An idle guest sleeps with the deadline as its time limit and needs no timer at all.
 */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/threads.h>
#include <linux/timekeeping.h>
#include <linux/sched/clock.h>
#include "entry.h"
#include "host.h"
#include "moderate.h"

static u64 deadline;		/* of the next event, host monotonic; 0: none */
static u64 armed;		/* when the host's timer fires; 0: it does not */

static void arm(u64 now)
{
	if (!deadline || (armed && armed <= deadline))
		return;
	armed = deadline;
	host_timer_arm(deadline > now ? deadline - now : 1);
}

static int event_shutdown(struct clock_event_device *evt)
{
	deadline = 0;
	return 0;
}

static int event_next(unsigned long delta, struct clock_event_device *evt)
{
	u64 now = host_clock(HOST_CLOCK_MONOTONIC);

	deadline = now + delta;
	arm(now);
	return 0;
}

static struct clock_event_device event = {
	.name			= "host-timer",
	.rating			= 250,
	.features		= CLOCK_EVT_FEAT_ONESHOT,
	.set_state_shutdown	= event_shutdown,
	.set_next_event		= event_next,
	.mult			= 1,
	.max_delta_ns		= 0xffffffff,
	.max_delta_ticks	= 0xffffffff,
	.min_delta_ns		= 500,
	.min_delta_ticks	= 500,
};

static void run_event(u64 now)
{
	if (!deadline || now < deadline)
		return;
	deadline = 0;
	generic_handle_irq(NABLA_IRQ_TIMER);
}

/*
 * The host's timer fired. In interrupt context. A program that computes all the time keeps the
 * guest from sleeping, and so from hearing of descriptors that send no signal: look here, about
 * once in a tick.
 */
void nabla_timer_expired(void)
{
	static u64 heard;
	u64 now = host_clock(HOST_CLOCK_MONOTONIC);

	armed = 0;
	run_event(now);
	if (now - heard >= TICK_NSEC / 2) {
		heard = now;
		nabla_moderate_tick(now);
		host_wait(0);
	}
	arm(now);
}

u64 nabla_timer_left(void)
{
	u64 now;

	if (!deadline)
		return ~0ULL;
	now = host_clock(HOST_CLOCK_MONOTONIC);
	if (now < deadline)
		return deadline - now;
	nabla_pending |= NABLA_PENDING_TIMER;	/* taken as soon as interrupts are enabled */
	return 0;
}

static irqreturn_t timer_interrupt(int irq, void *dev)
{
	event.event_handler(&event);
	return IRQ_HANDLED;
}

static u64 clock_read(struct clocksource *cs)
{
	return host_clock(HOST_CLOCK_MONOTONIC);
}

static struct clocksource clock = {
	.name	= "host",
	.rating	= 300,
	.read	= clock_read,
	.mask	= CLOCKSOURCE_MASK(64),
	.flags	= CLOCK_SOURCE_IS_CONTINUOUS | CLOCK_SOURCE_VALID_FOR_HRES,
};

static void __init setup_clocks(void)
{
	if (request_irq(NABLA_IRQ_TIMER, timer_interrupt, IRQF_TIMER, "timer", NULL))
		panic("timer interrupt");
	event.cpumask = cpu_possible_mask;
	clocksource_register_hz(&clock, NSEC_PER_SEC);
	clockevents_register_device(&event);
}

void __init time_init(void)
{
	late_time_init = setup_clocks;
}

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(host_clock(HOST_CLOCK_REALTIME));
}

unsigned long long sched_clock(void)
{
	static u64 start;
	u64 now = host_clock(HOST_CLOCK_MONOTONIC);

	if (!start)
		start = now;
	return now - start;
}

/* Delays by the clock: no calibration at boot. */
unsigned long calibrate_delay_is_known(void)
{
	return NSEC_PER_SEC / HZ / 1000;
}

static void spin(u64 ns)
{
	u64 end = host_clock(HOST_CLOCK_MONOTONIC) + ns;

	while (host_clock(HOST_CLOCK_MONOTONIC) < end)
		cpu_relax();
}

void __delay(unsigned long loops)
{
	spin(loops);
}

void __const_udelay(unsigned long xloops)
{
	spin(((u64)xloops * 1000000) >> 32);
}

void __udelay(unsigned long usecs)
{
	spin(usecs * 1000ULL);
}

void __ndelay(unsigned long nsecs)
{
	spin(nsecs);
}
