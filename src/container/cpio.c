/* SPDX-License-Identifier: GPL-2.0-only */
/* cpio archives in the "newc" form: one regular file and the trailer. */
#include "container/cpio.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CPIO_HEADER	110	/* "070701" and 13 fields of 8 hexadecimal digits */
#define CPIO_TRAILER	"TRAILER!!!"
#define CPIO_NAME_MAX	255

static size_t cpio_pad(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Bytes of one entry. @len is at most 32 bits, so nothing here overflows. */
static size_t cpio_entry_size(const char *name, size_t len)
{
	return cpio_pad(CPIO_HEADER + strlen(name) + 1) + cpio_pad(len);
}

/* Writes one entry at @to, which is zeroed and large enough; returns the byte behind it. */
static char *cpio_entry(char *to, const char *name, unsigned int inode, unsigned int mode,
			const void *data, size_t len)
{
	size_t name_len = strlen(name) + 1;
	char header[CPIO_HEADER + 1];

	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode, 0u, 0u,
		 1u, 0u, (unsigned int)len, 0u, 0u, 0u, 0u, (unsigned int)name_len, 0u);
	memcpy(to, header, CPIO_HEADER);
	memcpy(to + CPIO_HEADER, name, name_len);
	to += cpio_pad(CPIO_HEADER + name_len);
	if (len > 0)
		memcpy(to, data, len);
	return to + cpio_pad(len);
}

int cpio_pack_file(const char *name, unsigned int mode, const void *data, size_t len,
		   void **archive, size_t *size, struct err *e)
{
	size_t total;
	char *to;

	if (name[0] == '\0' || name[0] == '/' || strlen(name) > CPIO_NAME_MAX)
		return err_say(e, -EINVAL, "cpio: bad file name '%s'", name);
	if (len > UINT32_MAX)
		return err_say(e, -EFBIG, "cpio: file '%s' is larger than 4 GiB", name);

	total = cpio_entry_size(name, len) + cpio_entry_size(CPIO_TRAILER, 0);
	to = calloc(1, total);
	if (!to)
		return err_set(e, -ENOMEM, "cpio: allocate %zu bytes", total);
	*archive = to;
	*size = total;

	to = cpio_entry(to, name, 1, S_IFREG | (mode & 07777), data, len);
	cpio_entry(to, CPIO_TRAILER, 0, 0, NULL, 0);
	return 0;
}
