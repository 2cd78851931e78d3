/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing byte buffer. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define BUF_FIRST_SIZE 256

void buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->size = 0;
}

/* Make room for @more bytes and the NUL. Returns where they go, or NULL with b->error set. */
static char *buf_reserve(struct buf *b, size_t more)
{
	size_t need, size;
	char *data;

	if (b->error)
		return NULL;
	if (__builtin_add_overflow(b->len, more, &need) || need > b->max || need == SIZE_MAX) {
		b->error = -EFBIG;
		return NULL;
	}
	need++;
	if (need > b->size) {
		size = b->size > SIZE_MAX / 2 ? need : b->size * 2;
		if (size < need)
			size = need;
		if (size < BUF_FIRST_SIZE)
			size = BUF_FIRST_SIZE;
		data = realloc(b->data, size);
		if (!data) {
			b->error = -ENOMEM;
			return NULL;
		}
		b->data = data;
		b->size = size;
	}
	return b->data + b->len;
}

static void buf_grew(struct buf *b, size_t more)
{
	b->len += more;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *at = buf_reserve(b, len);

	if (!at)
		return;
	if (len)
		memcpy(at, data, len);
	buf_grew(b, len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_strz(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s) + 1);
}

void buf_add_zeros(struct buf *b, size_t count)
{
	char *at = buf_reserve(b, count);

	if (!at)
		return;
	memset(at, 0, count);
	buf_grew(b, count);
}

void buf_align(struct buf *b, size_t alignment)
{
	buf_add_zeros(b, -b->len & (alignment - 1));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	char *at;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0) {
		if (!b->error)
			b->error = -EFBIG;
		return;
	}
	at = buf_reserve(b, (size_t)len);
	if (!at)
		return;
	va_start(ap, format);
	vsnprintf(at, (size_t)len + 1, format, ap);
	va_end(ap);
	buf_grew(b, (size_t)len);
}

void buf_add_json(struct buf *b, const char *s)
{
	size_t len = strlen(s), step;

	buf_add(b, "\"", 1);
	for (; len; s += step, len -= step) {
		step = str_utf8_step(s, len);
		if (!step) {
			buf_add_str(b, "\\ufffd");
			step = 1;
		} else if (*s == '"' || *s == '\\') {
			buf_add(b, "\\", 1);
			buf_add(b, s, 1);
		} else if (*s == '\n') {
			buf_add_str(b, "\\n");
		} else if (*s == '\t') {
			buf_add_str(b, "\\t");
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			buf_printf(b, "\\u%04x", (unsigned int)*s);
		} else {
			buf_add(b, s, step);
		}
	}
	buf_add(b, "\"", 1);
}

int buf_error(const struct buf *b)
{
	return b->error;
}

char *buf_take(struct buf *b, size_t *len)
{
	char *data = b->data;

	if (len)
		*len = b->len;
	b->data = NULL;
	b->len = b->size = 0;
	return data;
}
