/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings: formatting to the heap, numbers from text, UTF-8, lists of strings. */
#ifndef RUNNC_BASE_STR_H
#define RUNNC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* printf to a heap block that is the caller's. NULL: no memory. */
char *str_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True if @s starts with @prefix / ends in @suffix. */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/*
 * A whole string of decimal digits as a number: no sign, no space, nothing behind it.
 * Returns 0, -EINVAL if it is not one, -ERANGE if it is above @max. *@out is set only on success.
 */
int str_u64(const char *s, uint64_t max, uint64_t *out);

/*
 * Length in bytes (1 to 4) of the valid UTF-8 sequence at @s, or 0 for an invalid one (overlong,
 * surrogate, above U+10FFFF, cut short by @len) and for @len 0.
 */
size_t str_utf8_step(const char *s, size_t len);

/* Free a NULL-terminated vector of heap strings and the strings. NULL is fine. */
void str_vector_free(char **vector);

#endif
