/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources: one directory on its way to be one image, for image.c and stack.c. How it is found
 * again, and what may be assumed for that, is in image.h and layers.h.
 */
#ifndef RUNNC_IMAGE_SOURCE_H
#define RUNNC_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"
#include "image/store.h"
#include "image/tree.h"

/* source_get(), source_find(): as a layer, the tree refers to what is not in it. */
#define SOURCE_UNFIT	2

/* One container's own layer is not kept if it is at most this large. */
#define SOURCE_OWN_FILES	256u
#define SOURCE_OWN_BYTES	(4u << 20)

struct source {
	int root;			/* the directory; owned by whoever opened it */
	struct image_limits limits;	/* no zeros but mkfs */
	bool layer;			/* one of several; refuse what SOURCE_UNFIT says */
	const char *identity;		/* of a layer that needs no walk; or NULL */
	/* the fingerprint; the rest is source_get()'s own */
	struct tree_facts seen;
	bool remember;
	char names[40];			/* of its record in the store; "": the tree has none */
};

/* Set up a source of directory @root, for which @limits may be NULL. */
void source_init(struct source *s, int root, const struct image_limits *limits);

/*
 * Find or build the image, in the cache. Returns 0 as image_get() does, SOURCE_UNFIT for a layer,
 * or -errno.
 */
int source_get(const struct store *c, struct source *s, int *fd, uint64_t *size,
	       char digest[IMAGE_DIGEST_SIZE], struct err *e);

/* Look for it in the cache. Returns 0, IMAGE_ABSENT, SOURCE_UNFIT or -errno. */
int source_find(const struct store *c, struct source *s, int *fd, uint64_t *size,
		char digest[IMAGE_DIGEST_SIZE], struct err *e);

/*
 * Build the image of a small layer in a file without a name, which is gone with its last
 * descriptor. Returns 0, SOURCE_UNFIT, -E2BIG if it is not small, or another -errno.
 */
int source_build_own(const struct store *c, struct source *s, int *fd, uint64_t *size,
		     char digest[IMAGE_DIGEST_SIZE], struct err *e);

/* Would it? Without building anything. Returns as source_build_own(). */
int source_find_own(struct source *s, struct err *e);

#endif
