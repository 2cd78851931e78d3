/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launch record: what the guest's launch stage needs, written into one memory file in the
 * layout of abi/launch.h, and the two programs of the guest, nabla-linux (the kernel) and
 * nabla-init.cpio (its init), found in the runtime's libexec folder.
 */
#ifndef RUNNC_CONTAINER_LAUNCH_H
#define RUNNC_CONTAINER_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "abi/launch.h"
#include "base/err.h"

#define LAUNCH_KERNEL	"nabla-linux"
#define LAUNCH_INIT	"nabla-init.cpio"
#define LAUNCH_INIT_MAX	(64u << 20)	/* largest init archive */

/* Everything is borrowed. Descriptors have the numbers that the launched process knows. */
struct launch {
	uint64_t mem_size;		/* bytes, a multiple of 2 MiB, not 0 */
	uint32_t flags;			/* NABLA_LAUNCH_* */
	const char *cmdline;
	const void *init;		/* contents of nabla-init.cpio */
	size_t init_len;
	const void *config;		/* the /config stream of abi/guest_config.h */
	size_t config_len;
	struct nabla_net net[NABLA_LAUNCH_NETS];
	uint32_t nr_nets;
	struct nabla_image image[NABLA_LAUNCH_IMAGES];
	uint32_t nr_images;
};

/*
 * Open a file of the libexec folder, which is $RUNNC_LIBEXEC if that is set; else, for an
 * executable in a build tree (BUILD/src/cli/runnc), BUILD/guest; else the folder that the build
 * configured. The file is in the folder itself or where the build puts it: in its subfolder "init",
 * or in BUILD/src/tender. *@fd is close-on-exec
 * and the caller's. Returns 0 or -errno.
 */
int launch_open_program(const char *name, int *fd, struct err *e);

/*
 * Write @l into a new memory file. *@fd is a close-on-exec, read-only descriptor of it and the
 * caller's; the file is sealed against every change. Returns 0, -EINVAL if a number of @l is out of
 * the range that abi/launch.h gives, -E2BIG for a command line that is too long, or another -errno.
 */
int launch_write(const struct launch *l, int *fd, struct err *e);

#endif
