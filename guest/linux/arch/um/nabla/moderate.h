/* SPDX-License-Identifier: GPL-2.0-only */
/* What moderate.c and those around it share. With interrupts disabled, but for the first two. */
#ifndef NABLA_MODERATE_H
#define NABLA_MODERATE_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "abi/launch.h"

/* A device's state, by its index in the launch record. */
struct nabla_moderate {
	bool on;			/* its signals are off, the guest looks for its frames */
	bool unsignalled;		/* it has none */
	unsigned int polls;		/* how many have found frames, */
	u64 window;			/* since when */
};

/* moderate.c */
extern struct nabla_moderate nabla_moderate[NABLA_LAUNCH_NETS];
extern unsigned int nabla_moderated;	/* how many are on */

void nabla_moderate_begin(void);	/* before the first of the others */
/* A poll of the device has found frames, so long in all. */
void nabla_moderate_count(unsigned int device, unsigned int bytes);
void nabla_moderate_look(void);		/* look for frames, if the last look was long enough ago */
void nabla_moderate_tick(u64 now);	/* in interrupt context, while programs run */
void nabla_moderate_quiet(u64 now);	/* signals again, if no frames have come for a while */

/* A program has entered the kernel. */
static inline void nabla_moderate_entry(void)
{
	if (unlikely(nabla_moderated))
		nabla_moderate_look();
}

/* net.c */
void nabla_net_interrupt(void);		/* as if all devices had interrupted */
/*
 * Read a frame, if there is one: then it is worked on. Of the devices without signals, if there are
 * some, else of all. @idle: nothing else is to be done.
 */
bool nabla_net_look(bool idle);
bool nabla_net_blocked(void);		/* a device waits for room to send: an edge of epoll's */
/* SIGIO for a device's frames, or none; false: it cannot have them. */
bool nabla_net_signals(unsigned int device, bool on);

#endif
