/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpio archives in the "newc" form that the guest kernel unpacks into its initial root: as much of
 * it as the runtime needs, which is one regular file. Format: buffer-format.txt in the kernel's
 * Documentation/driver-api/early-userspace.
 */
#ifndef RUNNC_CONTAINER_CPIO_H
#define RUNNC_CONTAINER_CPIO_H

#include <stddef.h>

#include "base/err.h"

/*
 * Make an archive that holds one regular file @name (relative, no leading slash, not empty) of
 * root:root with permission bits @mode and @len bytes of @data, and the trailer. The same input
 * gives the same bytes: times and numbers are zero. *@archive, of *@size bytes (a multiple of 4),
 * is the caller's to free. Returns 0, -EFBIG if @len does not fit the format's 32 bits, -EINVAL for
 * a bad name, or -ENOMEM, with @e filled in.
 */
int cpio_pack_file(const char *name, unsigned int mode, const void *data, size_t len,
		   void **archive, size_t *size, struct err *e);

#endif
