/* SPDX-License-Identifier: GPL-2.0-only */
/* What moderate.c and those around it share. With interrupts disabled, but for the first two. */
#ifndef NABLA_MODERATE_H
#define NABLA_MODERATE_H

#include <linux/compiler.h>
#include <linux/types.h>

/* moderate.c */
void nabla_moderate_begin(void);	/* before the first of the others */
void nabla_moderate_count(unsigned int bytes);	/* a poll has found frames, so long in all */
void nabla_moderate_look(void);		/* look for frames, if the last look was long enough ago */
void nabla_moderate_tick(u64 now);	/* in interrupt context, while programs run */
void nabla_moderate_quiet(u64 now);	/* signals again, if no frames have come for a while */

extern bool nabla_moderated;		/* the devices' signals are off */
extern bool nabla_unsignalled;		/* some device has none */

/* A program has entered the kernel. */
static inline void nabla_moderate_entry(void)
{
	if (unlikely(nabla_moderated))
		nabla_moderate_look();
}

/* net.c */
void nabla_net_interrupt(void);		/* as if all devices had interrupted */
bool nabla_net_look(void);		/* read a frame, if there is one: then it is worked on */
bool nabla_net_blocked(void);		/* a device waits for room to send: an edge of epoll's */
void nabla_net_signals(bool on);	/* SIGIO for frames */

#endif
