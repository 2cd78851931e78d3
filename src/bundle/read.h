/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checked reading of the JSON tree: the one accessor through which config.json passes.
 *
 * A struct bundle_at is a value together with the way to it, so that whoever refuses it can name
 * it. It lives on the stack and points at the one it was reached from. The first error sticks in
 * the reader: from then on every function here does nothing, so that the code above is a straight
 * list of fields, and whoever started the reader looks at its code at the end.
 *
 * A field that is absent or null leaves its target as it was: targets hold the default beforehand.
 */
#ifndef RUNNC_BUNDLE_READ_H
#define RUNNC_BUNDLE_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "bundle/bundle.h"

struct bundle_reader {
	struct arena *arena;		/* everything read is copied there */
	const char *name;		/* of the file, for messages */
	struct err *e;
	int code;			/* 0, or the first error */
	struct bundle_strings warnings;	/* a bounded number; see bundle_warn() */
};

struct bundle_at {
	struct bundle_reader *r;
	const struct bundle_at *up;	/* NULL: the whole file */
	const char *key;		/* in the object @up; NULL: an element of the array @up */
	size_t index;			/* in the array @up */
	const json_t *value;		/* NULL: absent or null */
};

/*
 * Parse @len bytes into *@root (json_decref() it), with bounds on size, depth and number of values,
 * no duplicate keys and no NUL in strings. Integers from 2^63 to 2^64-1, for which jansson has no
 * type, stay readable by bundle_read_uint(). Returns 0, -EINVAL, -EFBIG or -ENOMEM.
 */
int bundle_json_parse(const char *name, const char *text, size_t len, json_t **root, struct err *e);

/*
 * The member @name of object @at, or element @i of array @at; lives as long as the enclosing block.
 */
#define BUNDLE_KEY(at, name)						\
	(&(struct bundle_at){ .r = (at)->r, .up = (at), .key = (name),	\
			      .value = bundle_value_key((at)->value, (name)) })
#define BUNDLE_ITEM(at, i)						\
	(&(struct bundle_at){ .r = (at)->r, .up = (at), .index = (i),	\
			      .value = bundle_value_item((at)->value, (i)) })
const json_t *bundle_value_key(const json_t *object, const char *key);
const json_t *bundle_value_item(const json_t *array, size_t index);

/* Refuse @at: "config.json: WAY: TEXT". */
void bundle_refuse(const struct bundle_at *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Note that something in @at is not done: "config.json: WAY: TEXT". */
void bundle_warn(const struct bundle_at *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Warn "not applied" if @at is there and says anything: not false, 0, "", [], or only such. */
void bundle_warn_ignored(const struct bundle_at *at);

/* Refuse @at if it is absent. */
void bundle_require(const struct bundle_at *at);

/* True if @at is there and an object; anything else that is there is refused. */
bool bundle_is_object(const struct bundle_at *at);

/*
 * The number of elements of array @at, 0 if absent; refused if it is no array or has more than
 * @max.
 */
size_t bundle_count(const struct bundle_at *at, size_t max);

/* Zeroed memory that the bundle will own; NULL after an error. */
void *bundle_alloc(struct bundle_reader *r, size_t count, size_t size);

void bundle_read_bool(const struct bundle_at *at, bool *out);
void bundle_read_int(const struct bundle_at *at, int64_t min, int64_t max, int64_t *out);
void bundle_read_uint(const struct bundle_at *at, uint64_t max, uint64_t *out);
void bundle_read_u32(const struct bundle_at *at, uint32_t max, uint32_t *out);
void bundle_read_string(const struct bundle_at *at, char **out);

/* As bundle_read_string(), but an empty string counts as absent. */
void bundle_read_name(const struct bundle_at *at, char **out);

/* An absolute path. */
void bundle_read_path(const struct bundle_at *at, char **out);

/* An array of strings. */
void bundle_read_strings(const struct bundle_at *at, struct bundle_strings *out);

/* An array of absolute paths. */
void bundle_read_paths(const struct bundle_at *at, struct bundle_strings *out);

/* An object of strings, none with an empty key. */
void bundle_read_pairs(const struct bundle_at *at, struct bundle_pairs *out);

/* Copies of text that does not come from the tree; NULL after an error. */
char *bundle_copy(struct bundle_reader *r, const char *s);

/* Take over a heap string as such a copy; @s NULL: no memory. */
char *bundle_copy_take(struct bundle_reader *r, char *s);

#endif
