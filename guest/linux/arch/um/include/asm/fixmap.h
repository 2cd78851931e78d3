/* SPDX-License-Identifier: GPL-2.0-only */
/* No fixed mappings; FIXADDR_USER_* (elf.h) are empty too. */
#ifndef __UM_FIXMAP_H
#define __UM_FIXMAP_H

#include <asm/processor.h>
#include <asm/page.h>

#endif
