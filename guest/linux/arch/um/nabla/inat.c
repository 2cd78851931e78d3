// SPDX-License-Identifier: GPL-2.0-only
/* The tables of the instruction decoder, generated as arch/x86/lib does. */
#include "../../x86/lib/inat.c"
