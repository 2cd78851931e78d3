/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors: one line for the user, outermost first. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_vformat(struct err *e, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void err_vformat(struct err *e, const char *format, va_list ap)
{
	if (vsnprintf(e->text, sizeof(e->text), format, ap) < 0)
		e->text[0] = '\0';
}

static void err_append(struct err *e, const char *more)
{
	size_t len = strlen(e->text);

	snprintf(e->text + len, sizeof(e->text) - len, "%s", more);
}

int err_set(struct err *e, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	err_vformat(e, format, ap);
	va_end(ap);
	if (code < 0) {
		err_append(e, ": ");
		err_append(e, strerror(-code));
	}
	return code;
}

int err_say(struct err *e, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	err_vformat(e, format, ap);
	va_end(ap);
	return code;
}

int err_wrap(struct err *e, int code, const char *format, ...)
{
	struct err inner = *e;
	va_list ap;

	va_start(ap, format);
	err_vformat(e, format, ap);
	va_end(ap);
	err_append(e, ": ");
	err_append(e, inner.text);
	return code;
}
