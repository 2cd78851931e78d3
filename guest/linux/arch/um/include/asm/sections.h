/* SPDX-License-Identifier: GPL-2.0-only */
/* Sections of the executable beside the generic ones. */
#ifndef __UM_SECTIONS_H
#define __UM_SECTIONS_H

#include <asm-generic/sections.h>

extern char __executable_start[], _end[];

#endif
