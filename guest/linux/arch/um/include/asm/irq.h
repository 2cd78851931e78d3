/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt numbers: see arch/um/nabla/host.h. */
#ifndef __UM_IRQ_H
#define __UM_IRQ_H

#define NR_IRQS	32

#include <asm-generic/irq.h>
#endif
