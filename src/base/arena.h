/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arena: blocks that live and die together. What a parser builds hangs together by pointers, and
 * is given up whole, also when it fails half-way.
 */
#ifndef RUNNC_BASE_ARENA_H
#define RUNNC_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *newest;	/* NULL: empty; a zeroed arena is ready for use */
};

/*
 * @count zeroed elements of @size bytes, aligned for any type. NULL: no memory. Not NULL for 0
 * bytes.
 */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* The first @len bytes of @s and a NUL. NULL: no memory. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Free every block; the arena is empty then. */
void arena_free(struct arena *a);

#endif
