/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layers: the directories of an overlay mount, found, checked and named. Looks only.
 *
 * Whose word is taken. Overlayfs forbids changes of a lower directory that is in use, and engines
 * keep layers by content and never write to one that is finished. So a layer in an engine's store
 * is not walked at each start: it is found again by its identity,
 *
 *	its resolved path, type and id of its file system (the device where there is no id), and of
 *	its directory and each entry of that: inode, mode, owner, size, mtime and ctime, and the
 *	birth time of the directory.
 *
 * A directory that was removed and made anew, at the same path, even with the same inode number,
 * has another birth and change time: neither can be set by anybody, and the clock has passed the
 * tick of the last change before an identity is remembered (see image.h; what that rests on is the
 * same). Entries of the top directory are there as a trip wire: whoever edits a layer by hand
 * mostly touches one of them. A change deeper inside a finished layer is not seen until the
 * identity is forgotten, 30 days after it was noted; removing CACHE/tree makes everything be read
 * again.
 *
 * An engine's store is known by more than a name: see layer_kind() in layers.c. Any other lower
 * directory is walked at each start, as a plain root is, and shared by its content all the same.
 */
#ifndef RUNNC_IMAGE_LAYERS_H
#define RUNNC_IMAGE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "image/image.h"

enum layer_kind {
	LAYER_WALKED,			/* found again by its tree's fingerprint */
	/* in an engine's store, finished: found again by @identity */
	LAYER_STORED,
	/* one container's alone: the upper directory, or Docker's "-init" below it */
	LAYER_OWN,
};

struct layer {
	char *path;			/* resolved, absolute */
	int dir;			/* O_PATH */
	enum layer_kind kind;
	bool empty;			/* nothing in it */
	char identity[IMAGE_DIGEST_SIZE];	/* of LAYER_STORED */
};

struct layers {
	struct layer *layer;		/* lowest first */
	size_t count;
};

#define LAYERS_INIT { .layer = NULL }

/* Positive returns of layers_survey(). */
#define LAYERS_NONE	1	/* @root is no overlay mount: a plain directory */
#define LAYERS_UNFIT	2	/* it is one, to be taken as a whole; @e says why */

/*
 * Look at directory @root (any kind of descriptor of it). Returns 0 with *@l the caller's for
 * layers_free(), LAYERS_NONE, LAYERS_UNFIT, or -errno.
 */
int layers_survey(int root, struct layers *l, struct err *e);

void layers_free(struct layers *l);
#define _autolayers_ __attribute__((cleanup(layers_free)))

#endif
