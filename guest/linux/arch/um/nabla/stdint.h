/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel has no <stdint.h>; the headers in abi/ need its names only. */
#include <linux/types.h>
