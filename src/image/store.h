/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store: the image cache's directory, its locks and names (the layout is in image.h).
 *
 * Every file in tmp/ is locked with flock() while its maker lives; one that is not locked is left
 * over and may be removed by whoever gets the lock. Whoever waited for a lock must look whether
 * the file still has its name, and start again if not. Order of locks: tmp/tree-FINGERPRINT, then
 * tmp/image-DIGEST, then the image itself.
 */
#ifndef RUNNC_IMAGE_STORE_H
#define RUNNC_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"

struct store {
	char *path;			/* absolute */
	char *mount_point;
	int image, tree, tmp;		/* its folders */
	int names;			/* as well; -1 in a store that has none yet */
};

#define STORE_INIT { .image = -1, .tree = -1, .tmp = -1, .names = -1 }
#define STORE_NAME_SIZE (IMAGE_DIGEST_SIZE + 8)	/* a hash and "image-", "tree-" or ".layer" */

/* Remembered in place of a digest: this tree cannot be a layer (see struct tree_facts). */
#define STORE_UNFIT "0000000000000000000000000000000000000000000000000000000000000000"

/*
 * Open the store at @path (NULL: IMAGE_CACHE_DIR), making what is missing if @make. Returns 0,
 * -ENOENT if it is not there, or another -errno. @c starts as STORE_INIT and is closed in any case.
 */
int store_open(const char *path, bool make, struct store *c, struct err *e);
void store_close(struct store *c);

#define _autostore_ __attribute__((cleanup(store_close)))

/*
 * The digest that is remembered under @name (a fingerprint, FINGERPRINT.layer, an identity); false
 * if none is.
 */
bool store_recall(const struct store *c, const char *name, char digest[IMAGE_DIGEST_SIZE]);
int store_remember(const struct store *c, const char *name, const char *digest, struct err *e);

/*
 * Keep the record of names.h under @name, in place of what was there, and get it back: *@data is
 * the caller's, NULL if there is none. Neither has an error: without it a start takes longer.
 */
void store_keep_names(const struct store *c, const char *name, const void *data, size_t len);
void store_get_names(const struct store *c, const char *name, char **data, size_t *len);

/*
 * Open image @digest and hold it by a shared lock. Returns 0, or IMAGE_ABSENT, or -errno; a file
 * that is not a whole image is as good as absent, and will be replaced by rename().
 */
int store_open_image(const struct store *c, const char *digest, int *fd, uint64_t *size,
		     struct err *e);

/* Open tmp/@name, made if missing, and lock it alone, waiting for whoever has it. */
int store_lock_temp(const struct store *c, const char *name, int *fd, struct err *e);

/*
 * Make a file that nobody finds: *@out to write it, *@image to read it. It is gone with its last
 * descriptor, however that ends.
 */
int store_open_nameless(const struct store *c, int *out, int *image, struct err *e);

/* True if @name in @dir is still the file that is open at @fd. */
bool store_has_name(int fd, int dir, const char *name);

/* Remove from tmp/ what killed builders left. */
int store_sweep(const struct store *c, struct err *e);

#endif
