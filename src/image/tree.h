/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees: walk a root directory without leaving it, and name what is there by a hash (see image.h
 * for what goes into the fingerprint and into the digest).
 *
 * Directories are opened by openat2() beneath the root, without symbolic links and mount crossings;
 * everything else by its name in such a directory, as O_PATH first, and for reading only when that
 * showed a regular file: no symbolic link is followed, no device opened, no FIFO waited for.
 */
#ifndef RUNNC_IMAGE_TREE_H
#define RUNNC_IMAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "image/image.h"
#include "image/names.h"

/* Longest path in a tree, from its root: the builder puts the path of its mount point in front. */
#define TREE_PATH_MAX	3840

struct tree_facts {
	char hash[IMAGE_DIGEST_SIZE];
	uint64_t files;
	/* of regular files' contents, a file with many links once per link */
	uint64_t bytes;
	struct timespec newest;		/* ctime below the root; 0 of an empty tree */
	bool fine;			/* some ctime has nanoseconds */
	bool trusted;			/* some trusted.* xattr; tree_digest() only */
	/*
	 * As a layer of an overlay the tree would need more of the host than itself: some file has
	 * its data (metacopy) or its name (redirect) elsewhere, or there are whiteouts that not
	 * every kernel knows. tree_digest() only.
	 */
	bool refers;
};

/*
 * Walk the tree below directory @root (any kind of descriptor of it) and fill in @facts.
 * Returns 0, or -errno with @e filled in; -EAGAIN if the tree changed on the way. @limits is not
 * NULL and has no zeros.
 */
int tree_fingerprint(int root, const struct image_limits *limits, struct tree_facts *facts,
		     struct err *e);

/*
 * The same fingerprint, with help: directories that are as they were in @known are not read, and
 * what is in those that are read is appended to the empty @read (a record for names_parse(); empty
 * still where names cannot be kept; its errors stick). Both may be NULL.
 */
int tree_fingerprint_by_names(int root, const struct image_limits *limits,
			      const struct names *known, struct buf *read,
			      struct tree_facts *facts, struct err *e);

int tree_digest(int root, const struct image_limits *limits, struct tree_facts *facts,
		struct err *e);

#endif
