/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local ports that the guests of a pod share: what common code calls (patches/0015), and the driver
 * (nabla/net.c). The rest is in nabla/ports.c. Without a device for it, all this is one test.
 */
#ifndef __UM_NABLA_PORTS_H
#define __UM_NABLA_PORTS_H

#include <linux/compiler.h>
#include <linux/types.h>

struct net_device;
struct sock;

extern bool nabla_ports_shared;		/* others are to be asked before a port is bound */
extern unsigned int nabla_ports_held;	/* how many are this guest's, as far as it knows */

int nabla_ports_ask(const struct sock *sk, u16 port, bool may_wait);
void nabla_ports_sweep(void);

/* The guest has a device on which it asks. */
void nabla_ports_begin(struct net_device *dev);

/*
 * bind() to @port (0: any), in host byte order. With @may_wait it sleeps for the answer, so @sk is
 * not locked. Returns 0, or -EADDRINUSE: another guest or the pod's namespace has it.
 */
static inline int nabla_ports_claim(const struct sock *sk, u16 port, bool may_wait)
{
	if (likely(!nabla_ports_shared) || !port)
		return 0;
	return nabla_ports_ask(sk, port, may_wait);
}

/* A socket was closed: others may have its port, if it was the last there. */
static inline void nabla_ports_closed(void)
{
	if (unlikely(nabla_ports_held))
		nabla_ports_sweep();
}

#endif
