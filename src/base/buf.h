/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing byte buffer. Errors stick: after a failed call (no memory, or more than @max bytes)
 * every further one does nothing, and buf_error() tells; so a writer checks once, at the end.
 *
 *	_autobuf_ struct buf b = BUF_INIT(16 << 20);
 */
#ifndef RUNNC_BASE_BUF_H
#define RUNNC_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;		/* NULL while nothing was added; always followed by a NUL byte */
	size_t len;		/* bytes in use, without that NUL */
	size_t size;		/* bytes allocated */
	size_t max;		/* longest allowed len */
	int error;		/* 0, -ENOMEM or -EFBIG */
};

#define BUF_INIT(limit) { .max = (limit) }

void buf_free(struct buf *b);
#define _autobuf_ __attribute__((cleanup(buf_free)))

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *s);		/* without its NUL */
void buf_add_strz(struct buf *b, const char *s);	/* with its NUL */
void buf_add_zeros(struct buf *b, size_t count);
void buf_align(struct buf *b, size_t alignment);	/* zeros up to a multiple of a power of 2 */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append @s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *s);

/* 0, or the first error: -ENOMEM or -EFBIG. */
int buf_error(const struct buf *b);

/* Give up ownership of the bytes (NULL if none were added); the buffer is empty afterwards. */
char *buf_take(struct buf *b, size_t *len);

#endif
