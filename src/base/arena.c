/* SPDX-License-Identifier: GPL-2.0-only */
/* An arena: blocks that live and die together. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * One malloc per allocation, on purpose: the address sanitizer then sees the bounds of each, and a
 * bundle has a few hundred.
 */
struct arena_block {
	struct arena_block *older;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	struct arena_block *block;
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*block), &bytes))
		return NULL;
	block = calloc(1, bytes);
	if (!block)
		return NULL;
	block->older = a->newest;
	a->newest = block;
	return block->data;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(a, len + 1, 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

void arena_free(struct arena *a)
{
	struct arena_block *block, *older;

	for (block = a->newest; block; block = older) {
		older = block->older;
		free(block);
	}
	a->newest = NULL;
}
