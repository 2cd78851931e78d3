/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operator's consent to guests that send under any address. An annotation could not give it:
 * the bundle is the tenant's. For engines that pass no options to the runtime it is a file.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/cli.h"

bool cli_allows_spoofing(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_warning("look at '%s': %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		log_warning("'%s' is not a regular file that root alone may write: no consent",
			    path);
		return false;
	}
	return true;
}
