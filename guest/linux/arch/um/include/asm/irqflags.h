/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts are host signals. Whether they are taken is a flag in memory, not the host's mask: a
 * signal that comes while the flag is clear is noted in nabla_pending (arch/um/nabla/signal.c) and
 * taken when the flag is set again.
 */
#ifndef __UM_IRQFLAGS_H
#define __UM_IRQFLAGS_H

extern int signals_enabled;
extern unsigned int nabla_pending;
void nabla_take_pending(void);

#define arch_local_save_flags arch_local_save_flags
static inline unsigned long arch_local_save_flags(void)
{
	return signals_enabled;
}

#define arch_local_irq_disable arch_local_irq_disable
static inline void arch_local_irq_disable(void)
{
	signals_enabled = 0;
	asm volatile("" : : : "memory");
}

#define arch_local_irq_enable arch_local_irq_enable
static inline void arch_local_irq_enable(void)
{
	asm volatile("" : : : "memory");
	*(volatile int *)&signals_enabled = 1;
	if (__builtin_expect(*(volatile unsigned int *)&nabla_pending != 0, 0))
		nabla_take_pending();
}

#define arch_local_irq_restore arch_local_irq_restore
static inline void arch_local_irq_restore(unsigned long flags)
{
	if (flags)
		arch_local_irq_enable();
	else
		arch_local_irq_disable();
}

#define ARCH_IRQ_DISABLED	0

#include <asm-generic/irqflags.h>

#endif
