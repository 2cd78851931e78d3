/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks: the images of which a container's root is made, one on top of the other.
 *
 * A plain directory is one image. Of the root of an overlay mount, as engines make them, each lower
 * directory is an image of its own, built once for all containers that have that layer; the upper
 * directory, if there is anything in it, is the topmost. Whiteouts and opaque directories are in
 * the images as the layers have them, so overlayfs in the guest shows the tree that it shows here.
 * What layers are, which are taken at an engine's word and which are walked: layers.h.
 *
 * Where the layers cannot be taken one by one, the merged tree is packed as a plain directory is:
 * nothing is refused for it, it costs the walk through the tree. The note says why.
 */
#ifndef RUNNC_IMAGE_STACK_H
#define RUNNC_IMAGE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"

#define IMAGE_STACK_MAX	128	/* images of one root: NABLA_LAUNCH_IMAGES of abi/launch.h */

/* One image, as image_get() gives it. */
struct image_part {
	char *source;			/* the directory that is in it */
	/* close-on-exec, O_RDONLY; -1: not built yet, and size and digest are not known */
	int fd;
	uint64_t size;			/* bytes, a multiple of 4096 */
	char digest[IMAGE_DIGEST_SIZE];
	/* it is this container's alone and in no cache: its digest names no file */
	bool own;
};

struct image_stack {
	struct image_part part[IMAGE_STACK_MAX];	/* lowest first */
	unsigned int count;		/* not 0 on success */
	char *note;			/* an overlay was not taken apart, because ...; or NULL */
};

#define IMAGE_STACK_INIT { .count = 0 }

/*
 * Get the images of directory @rootfs. As image_get() in all else: *@stack is the caller's for
 * image_stack_free(), also after a failure; a failure in one layer names its directory.
 */
int image_stack_get(const char *rootfs, const char *cachedir, const struct image_limits *limits,
		    struct image_stack *stack, struct err *e);

/*
 * Say, without touching anything, what image_stack_get() would use. A part that would have to be
 * built has fd -1; so has one that is made anew for each container. Returns 0 or -errno.
 */
int image_stack_find(const char *rootfs, const char *cachedir, struct image_stack *stack,
		     struct err *e);

void image_stack_free(struct image_stack *stack);
#define _autostack_ __attribute__((cleanup(image_stack_free)))

#endif
