/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlay mounts as the kernel describes them in /proc/PID/mountinfo (proc(5), and
 * ovl_show_options() of the kernel). Parsing only: nothing is opened, so the paths are what whoever
 * mounted wrote, perhaps relative to a directory that is not known here, perhaps out of date.
 *
 * The text is untrusted as far as paths in it are: users choose names of mount points.
 */
#ifndef RUNNC_IMAGE_OVERLAY_H
#define RUNNC_IMAGE_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Lower directories of one mount; the kernel's own limit (OVL_MAX_STACK). */
#define OVERLAY_LOWER_MAX	500

/* Positive returns of overlay_parse(). */
#define OVERLAY_NONE	1	/* no such mount, or of another file system, or of a part of one */
/* an overlay whose layers cannot be stacked elsewhere; @e says why */
#define OVERLAY_UNFIT	2

struct overlay {
	char *mount_point;		/* absolute */
	char *upper;			/* NULL: the mount is read-only */
	char **lower;			/* topmost first; NULL-terminated */
	size_t nr_lower;		/* not 0 */
};

/*
 * Find mount @mount_id in @text, the contents of a mountinfo file: @len bytes and a NUL behind
 * them. Returns 0 with *@o filled in and the caller's, for overlay_free(); OVERLAY_NONE;
 * OVERLAY_UNFIT: data-only layers, user.overlay xattrs in use, a mount on something inside, a path
 * that can be read in two ways; -EINVAL for a line that the kernel does not write; -ENOMEM.
 */
int overlay_parse(const char *text, size_t len, uint64_t mount_id, struct overlay *o,
		  struct err *e);

void overlay_free(struct overlay *o);
#define _autooverlay_ __attribute__((cleanup(overlay_free)))

#endif
