/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one address space that host, guest kernel and guest programs share.
 *
 *	0x10000 .. 0x60000000		slot 0: programs linked at fixed low addresses
 *	0x60000000			the guest kernel's executable, then guest memory ("physical"
 *					address 0 is 0x60000000), then the images
 *	0x3000000000 .. 0x3f00000000	the guest kernel's vmalloc area
 *	0x4000000000 .. 0x600000000000	slots 1, 2, ...: 256 GiB each, one for each executed program
 *	above				the host's own stack and vDSO
 *
 * All but [0x60000000, 0x3000000000) may be the target of host_map(); the seccomp filter says so
 * too.
 */
#ifndef __UM_LAYOUT_H
#define __UM_LAYOUT_H

#include <linux/const.h>

#define NABLA_USER_LOW		_AC(0x10000, UL)
#define NABLA_KERNEL_START	_AC(0x60000000, UL)
#define NABLA_VMALLOC_START	_AC(0x3000000000, UL)
#define NABLA_VMALLOC_END	_AC(0x3f00000000, UL)
#define NABLA_USER_START	_AC(0x4000000000, UL)
#define NABLA_TASK_SIZE		_AC(0x600000000000, UL)

#define NABLA_SLOT_SHIFT	38
#define NABLA_SLOT_SIZE		(_AC(1, UL) << NABLA_SLOT_SHIFT)
#define NABLA_SLOTS		(NABLA_TASK_SIZE >> NABLA_SLOT_SHIFT)	/* 384, with slot 0 */

#endif
