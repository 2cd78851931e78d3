// SPDX-License-Identifier: GPL-2.0-only
/* /etc/passwd of the image: bytes of a stranger, read by field, never by libc. */
#include "guest/init/process.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define FIELD_UID 2
#define FIELD_HOME 5

/* Field @number (from 0) of the line [@line, @end), or false. */
static bool find_field(const char *line, const char *end, int number, const char **field,
		       size_t *len)
{
	for (int i = 0; ; i++) {
		const char *colon = memchr(line, ':', (size_t)(end - line));
		const char *stop = colon ? colon : end;

		if (i == number) {
			*field = line;
			*len = (size_t)(stop - line);
			return true;
		}
		if (!colon)
			return false;
		line = colon + 1;
	}
}

static bool is_number(const char *text, size_t len, uint32_t number)
{
	uint64_t value = 0;

	if (!len || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	return value == number;
}

int init_account_home(const char *passwd, size_t size, uint32_t uid, const char **home, size_t *len)
{
	const char *stop = passwd + size;

	for (const char *line = passwd; line < stop; ) {
		const char *newline = memchr(line, '\n', (size_t)(stop - line));
		const char *end = newline ? newline : stop;
		const char *field;
		size_t field_len;

		if (find_field(line, end, FIELD_UID, &field, &field_len) &&
		    is_number(field, field_len, uid) &&
		    find_field(line, end, FIELD_HOME, &field, &field_len) && field_len &&
		    !memchr(field, '\0', field_len)) {
			*home = field;
			*len = field_len;
			return 0;
		}
		line = newline ? newline + 1 : stop;
	}
	return -ENOENT;
}
