/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is mounted inside the container's root, before it is entered. Sources (/dev/nabla1) are
 * paths of init's own view, destinations are found inside @root. The functions are called in this
 * order; each returns 0 or -errno with @e filled in.
 */
#ifndef NABLA_INIT_MOUNTS_H
#define NABLA_INIT_MOUNTS_H

#include "guest/init/config.h"

/* Every GCFG_MOUNT, in order. A read-only tmpfs stays writable until init_mounts_seal(). */
int init_mounts_make(const struct init_config *config, int root, struct err *e);

/* /dev: the default nodes and links, /dev/console for a terminal, every GCFG_DEVICE. devices.c */
int init_devices_make(const struct init_config *config, int root, struct err *e);

/* Every GCFG_FILE: a file on a tmpfs of its own, bound over its destination. files.c */
int init_files_make(const struct init_config *config, int root, struct err *e);

/* Masked and read-only paths; then the read-only tmpfs mounts become so. */
int init_mounts_seal(const struct init_config *config, int root, struct err *e);

#endif
