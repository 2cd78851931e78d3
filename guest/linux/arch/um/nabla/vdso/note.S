/* SPDX-License-Identifier: GPL-2.0-only */
/* As every vDSO: the kernel's version, for the C library. */
#include <linux/elfnote.h>
#include <linux/version.h>

ELFNOTE_START(Linux, 0, "a")
	.long LINUX_VERSION_CODE
ELFNOTE_END

	.section .note.GNU-stack, "", @progbits
