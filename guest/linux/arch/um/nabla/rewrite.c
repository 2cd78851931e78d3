// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <sysdep/ptrace.h>
#include "entry.h"
#include "rewrite.h"
int nabla_stubs_copy(mm_context_t *context) { return 0; }
void nabla_stubs_put(mm_context_t *context) { }
void nabla_rewrite_site(struct uml_pt_regs *regs) { }
void nabla_rewrite_normalise(struct uml_pt_regs *regs) { }
