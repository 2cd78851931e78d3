/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings: formatting to the heap, numbers from text, UTF-8, lists of strings. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *str_printf(const char *format, ...)
{
	char *s = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&s, format, ap);
	va_end(ap);
	return len < 0 ? NULL : s;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

int str_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool over = false;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		over |= __builtin_mul_overflow(value, 10, &value);
		over |= __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value);
	}
	if (over || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

size_t str_utf8_step(const char *s, size_t len)
{
	/* The smallest code point that needs this many bytes: anything below is overlong. */
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	uint32_t point;
	size_t step;

	if (!len)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if ((u[0] & 0xe0) == 0xc0)
		step = 2, point = u[0] & 0x1f;
	else if ((u[0] & 0xf0) == 0xe0)
		step = 3, point = u[0] & 0x0f;
	else if ((u[0] & 0xf8) == 0xf0)
		step = 4, point = u[0] & 0x07;
	else
		return 0;
	if (step > len)
		return 0;
	for (size_t i = 1; i < step; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (u[i] & 0x3f);
	}
	if (point < smallest[step] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return step;
}

void str_vector_free(char **vector)
{
	if (!vector)
		return;
	for (char **s = vector; *s; s++)
		free(*s);
	free(vector);
}
