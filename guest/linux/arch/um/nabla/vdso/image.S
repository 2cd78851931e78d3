/* SPDX-License-Identifier: GPL-2.0-only */
/* The shared object, as the kernel carries it. */
#include <linux/linkage.h>

	.section .rodata
SYM_DATA_START(nabla_vdso_image)
	.incbin "arch/um/nabla/vdso/vdso.so"
SYM_DATA_END_LABEL(nabla_vdso_image, SYM_L_GLOBAL, nabla_vdso_image_end)

	.section .note.GNU-stack, "", @progbits
