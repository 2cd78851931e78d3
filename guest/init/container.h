/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container: everything from a configuration to the running program, in the process that
 * becomes the user's. It is PID 1 of a pid namespace of its own, because its /proc must be mounted
 * from there.
 */
#ifndef NABLA_INIT_CONTAINER_H
#define NABLA_INIT_CONTAINER_H

#include "guest/init/config.h"
#include "guest/init/process.h"

/*
 * Set up the guest and the container and run the program: returns only if that failed, the exit
 * status with @e saying why. Needs a root and descriptors of its own (no CLONE_FS, no CLONE_FILES),
 * whose root is the initramfs with devtmpfs on /dev.
 */
int init_container_run(struct init_config *config, const struct init_stdio *given, struct err *e);

#endif
