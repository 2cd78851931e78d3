// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: from noted host signals to generic_handle_irq(). */
#include <linux/irq.h>
#include <linux/interrupt.h>
#include <linux/hardirq.h>
#include <linux/kernel_stat.h>
#include <linux/seq_file.h>
#include <linux/sched.h>
#include <asm/irq_regs.h>
#include <kern_util.h>
#include "entry.h"
#include "host.h"
#include "moderate.h"

static void nothing(struct irq_data *d)
{
}

static struct irq_chip nabla_chip = {
	.name = "host",
	.irq_disable = nothing,
	.irq_enable = nothing,
	.irq_ack = nothing,
	.irq_mask = nothing,
	.irq_unmask = nothing,
};

void __init init_IRQ(void)
{
	int i;

	for (i = 0; i < NABLA_NR_IRQS; i++)
		irq_set_chip_and_handler(i, &nabla_chip, handle_edge_irq);
}

int arch_show_interrupts(struct seq_file *p, int prec)
{
	return 0;
}

static void take(unsigned int pending, struct uml_pt_regs *user)
{
	static struct pt_regs kernel_regs;	/* is_user stays 0 */
	struct pt_regs *regs = user ? container_of(user, struct pt_regs, regs) : &kernel_regs;
	struct pt_regs *old = set_irq_regs(regs);

	irq_enter();
	if (pending & NABLA_PENDING_TIMER)
		nabla_timer_expired();
	if (pending & NABLA_PENDING_SIGNAL)
		generic_handle_irq(NABLA_IRQ_SIGNAL);
	if (pending & NABLA_PENDING_IO)
		nabla_net_interrupt();
	irq_exit();
	set_irq_regs(old);
}

static void take_all(struct uml_pt_regs *user)
{
	unsigned int pending;

	/* Interrupts are enabled last, and looked at once more: one may have come in between. */
	do {
		signals_enabled = 0;
		barrier();
		while ((pending = xchg(&nabla_pending, 0)))
			take(pending, user);
		barrier();
		WRITE_ONCE(signals_enabled, 1);
		barrier();
	} while (READ_ONCE(nabla_pending));
}

/* Called with interrupts about to be enabled, or injected into kernel code (entry.S). */
void nabla_take_pending(void)
{
	take_all(NULL);
}

/* A guest program was interrupted. Returns with interrupts enabled. */
void nabla_take_pending_user(struct uml_pt_regs *regs)
{
	take_all(regs);
}
