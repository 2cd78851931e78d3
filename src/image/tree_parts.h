/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of image/tree.h share: tree.c has the walkers and sums up, tree_walk.c reads one
 * directory, tree_hash.c says what the hashes take of what is found. Internal to src/image.
 */
#ifndef RUNNC_IMAGE_TREE_PARTS_H
#define RUNNC_IMAGE_TREE_PARTS_H

#include <linux/stat.h>
#include <nettle/sha2.h>
#include <pthread.h>

#include "base/buf.h"
#include "image/tree.h"

#define TREE_READ_SIZE	(128u << 10)
#define TREE_XATTR_SIZE	(64u << 10)	/* XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel */

struct tree_walk;

struct tree_strings {
	char *bytes;			/* NUL-terminated, one after the other */
	size_t len, size;
};

struct tree_sums {
	uint8_t (*sum)[SHA256_DIGEST_SIZE];
	size_t count, room;
};

/* A directory that is still to be read. */
struct tree_todo {
	char *path;			/* from the root, "" for the root; owned */
	struct names_stamp stamp;	/* when it was looked at */
	const struct names_dir *known;	/* what is in it; NULL: it must be read */
};

struct tree_todos {
	struct tree_todo *todo;
	size_t count, room;
};

/* What the walkers of one tree share; everything below @lock under that lock. */
struct tree_pool {
	int root;
	const struct image_limits *limits;
	bool overlay;
	const struct names *known;	/* or NULL: read all directories */
	struct buf *read;		/* names that were read, or NULL */
	int (*visit)(struct tree_walk *w, int dir, const char *name, const struct statx *st);
	unsigned int walkers;		/* at most */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct tree_todos dirs;		/* a stack */
	unsigned int busy;		/* walkers with a directory in hand */
	unsigned int started;
	struct tree_sums sums;
	struct tree_facts facts;
	int rc;				/* the first failure, and its message */
	struct err e;
};

struct tree_walk {
	struct tree_pool *pool;
	const struct image_limits *limits;
	/* of the directory in hand; of all so far with one walker */
	struct tree_facts facts;
	struct err e;
	struct sha256_ctx hash;
	struct tree_todos found;	/* directories in the one in hand */
	struct buf names;		/* of the one in hand, for pool->read */
	const char *dir;		/* path of the one in hand, "" for the root */
	void *links;			/* tsearch() tree of struct link */
	char *buf;			/* TREE_READ_SIZE */
	char *xnames, *xvalue;		/* TREE_XATTR_SIZE each */
	pthread_t thread;
};

/* ---- tree.c ------------------------------------------------------------------------------- */

/* 0, or -ENOMEM. Takes todo->path, also on failure. */
int tree_todos_push(struct tree_todos *t, const struct tree_todo *todo);
void tree_todos_free(struct tree_todos *t);

/* ---- tree_walk.c -------------------------------------------------------------------------- */

/*
 * Walk the directory in hand: hash it and its entries by the pool's @visit, note its directories in
 * @found and, if the pool wants them, its names. 0, or -errno with w->e filled in. @known is what
 * is in it; @stamp goes with the names that are noted.
 */
int tree_walk_known(struct tree_walk *w, const struct names_dir *known);
int tree_walk_dir(struct tree_walk *w, const struct names_stamp *stamp);

/* All that @f has seen is within the limits; else -E2BIG. */
int tree_walk_totals(struct tree_walk *w, const struct tree_facts *f);

/* Fill in w->e about @name in the directory in hand, and return what is to be returned. */
int tree_walk_fail(struct tree_walk *w, int code, const char *what, const char *name);
int tree_walk_refuse(struct tree_walk *w, int code, const char *name, const char *why);

void tree_note_ctime(struct tree_facts *f, const struct statx_timestamp *t);

/*
 * An array of pointers to the strings of @s, sorted by bytes; the caller's to free. NULL if out of
 * memory.
 */
const char **tree_strings_sort(const struct tree_strings *s, size_t *count);

/* ---- tree_hash.c -------------------------------------------------------------------------- */

/* The root: mode, owner and xattrs, and nothing that differs from one overlay mount to the next. */
int tree_hash_root(struct tree_walk *w);

/* What tree_pool.visit may be. */
int tree_hash_fingerprint(struct tree_walk *w, int dir, const char *name, const struct statx *st);
int tree_hash_digest(struct tree_walk *w, int dir, const char *name, const struct statx *st);

#endif
