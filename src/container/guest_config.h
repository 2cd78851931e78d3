/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan as the stream of records that the guest's init reads: abi/guest_config.h. */
#ifndef RUNNC_CONTAINER_GUEST_CONFIG_H
#define RUNNC_CONTAINER_GUEST_CONFIG_H

#include <stddef.h>

#include "base/err.h"
#include "container/plan.h"

/*
 * Encode @p. Contents of files are read from their sources now: regular files only, and those that
 * grew beyond PLAN_FILE_MAX since the plan was made are refused. *@data, of *@len bytes, is the
 * caller's to free. Returns 0; -EFBIG if the stream is longer than GCFG_MAX_SIZE; or another
 * -errno.
 */
int guest_config_encode(const struct plan *p, char **data, size_t *len, struct err *e);

#endif
