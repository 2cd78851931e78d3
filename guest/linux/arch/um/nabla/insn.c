// SPDX-License-Identifier: GPL-2.0-only
/* x86 has an instruction decoder; arch/um does not build it. */
#include "../../x86/lib/insn.c"
