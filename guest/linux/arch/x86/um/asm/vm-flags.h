/* SPDX-License-Identifier: GPL-2.0-only */
/* Heap and stack are executable only where the program asks for it, as on x86-64. */
#ifndef __VM_FLAGS_X86_H
#define __VM_FLAGS_X86_H

#define VM_DATA_DEFAULT_FLAGS	VM_DATA_FLAGS_TSK_EXEC

#endif
