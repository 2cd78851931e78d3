/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of config.json and their numbers; `runnc features` prints them. */
#ifndef RUNNC_BUNDLE_NAMES_H
#define RUNNC_BUNDLE_NAMES_H

#include <stddef.h>

#include "bundle/bundle.h"

/* "CAP_CHOWN" is 0. Returns -1 for an unknown name, NULL for an unknown number. */
int bundle_cap_number(const char *name);
const char *bundle_cap_name(unsigned int number);

/* "RLIMIT_NOFILE" is RLIMIT_NOFILE. Returns -1 or NULL as above. */
int bundle_rlimit_number(const char *name);
const char *bundle_rlimit_name(int resource);

/* "network", "mount", ... Returns -1 for an unknown name. */
int bundle_ns_number(const char *name);
const char *bundle_ns_name(enum bundle_ns_type type);

/* "prestart", "createRuntime", ... */
const char *bundle_hook_name(enum bundle_hook_kind kind);

/* The mount options known by name, sorted; NULL behind the last one. */
const char *bundle_mount_option_name(size_t index);

#endif
