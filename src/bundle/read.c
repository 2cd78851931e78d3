/* SPDX-License-Identifier: GPL-2.0-only */
/* Checked reading of the JSON tree. */
#include "bundle/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define READ_MAX_WARNINGS	32
#define READ_MAX_KEY		80	/* a longer key is cut in messages */
#define READ_PLAIN		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define READ_WAY_MAX		480	/* leaves room in struct err for the reason */

/* Names for people: control characters and quotes of a hostile file are escaped, long keys cut. */
static void read_way_key(struct buf *way, const char *key)
{
	char cut[READ_MAX_KEY + 1];

	if (*key && !key[strspn(key, READ_PLAIN)] && strlen(key) <= READ_MAX_KEY) {
		buf_printf(way, "%s%s", way->len ? "." : "", key);
		return;
	}
	snprintf(cut, sizeof(cut), "%s", key);
	buf_add_str(way, "[");
	buf_add_json(way, cut);
	buf_add_str(way, strlen(key) > READ_MAX_KEY ? "...]" : "]");
}

static void read_way(const struct bundle_at *at, struct buf *way)
{
	if (!at->up)
		return;
	read_way(at->up, way);
	if (at->key)
		read_way_key(way, at->key);
	else
		buf_printf(way, "[%zu]", at->index);
}

static char *read_vmessage(const struct bundle_at *at, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* "config.json: WAY: TEXT" on the heap, or NULL. */
static char *read_vmessage(const struct bundle_at *at, const char *format, va_list ap)
{
	_autobuf_ struct buf way = BUF_INIT(READ_WAY_MAX);
	char text[ERR_TEXT_MAX - READ_WAY_MAX];

	read_way(at, &way);
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (!way.len)
		return str_printf("%s: %s", at->r->name, text);
	return str_printf("%s: %s%s: %s", at->r->name, way.data, buf_error(&way) ? "..." : "",
			  text);
}

void bundle_refuse(const struct bundle_at *at, const char *format, ...)
{
	char *message;
	va_list ap;

	if (at->r->code)
		return;
	va_start(ap, format);
	message = read_vmessage(at, format, ap);
	va_end(ap);
	if (message)
		at->r->code = err_say(at->r->e, -EINVAL, "%s", message);
	else
		at->r->code = err_set(at->r->e, -ENOMEM, "read %s", at->r->name);
	free(message);
}

void bundle_warn(const struct bundle_at *at, const char *format, ...)
{
	struct bundle_strings *warnings = &at->r->warnings;
	va_list ap;

	if (!warnings->v)
		warnings->v = bundle_alloc(at->r, READ_MAX_WARNINGS + 1, sizeof(*warnings->v));
	if (at->r->code || warnings->n == READ_MAX_WARNINGS)
		return;
	va_start(ap, format);
	warnings->v[warnings->n] = bundle_copy_take(at->r, read_vmessage(at, format, ap));
	va_end(ap);
	if (warnings->v[warnings->n])
		warnings->n++;
}

static json_t *read_mutable(const json_t *value)
{
	/* jansson's iterators take a non-const tree, but do not change it. */
	return (json_t *)(uintptr_t)value;
}

/* Depth is bounded by BUNDLE_MAX_DEPTH. */
static bool value_says_nothing(const json_t *value)
{
	const char *key;
	json_t *member;

	if (json_is_object(value)) {
		json_object_foreach(read_mutable(value), key, member)
			if (!value_says_nothing(member))
				return false;
		return true;
	}
	return !value || json_is_null(value) || json_is_false(value) ||
	       (json_is_integer(value) && json_integer_value(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

void bundle_warn_ignored(const struct bundle_at *at)
{
	if (!at->r->code && !value_says_nothing(at->value))
		bundle_warn(at, "not applied");
}

const json_t *bundle_value_key(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

const json_t *bundle_value_item(const json_t *array, size_t index)
{
	const json_t *value = json_array_get(array, index);

	return json_is_null(value) ? NULL : value;
}

void bundle_require(const struct bundle_at *at)
{
	if (!at->value)
		bundle_refuse(at, "required, but missing");
}

bool bundle_is_object(const struct bundle_at *at)
{
	if (at->r->code || !at->value)
		return false;
	if (!json_is_object(at->value)) {
		bundle_refuse(at, "expected an object");
		return false;
	}
	return true;
}

size_t bundle_count(const struct bundle_at *at, size_t max)
{
	size_t count;

	if (at->r->code || !at->value)
		return 0;
	if (!json_is_array(at->value)) {
		bundle_refuse(at, "expected an array");
		return 0;
	}
	count = json_array_size(at->value);
	if (count > max) {
		bundle_refuse(at, "expected at most %zu elements", max);
		return 0;
	}
	return count;
}

static void *read_no_memory(struct bundle_reader *r)
{
	if (!r->code)
		r->code = err_set(r->e, -ENOMEM, "read %s", r->name);
	return NULL;
}

void *bundle_alloc(struct bundle_reader *r, size_t count, size_t size)
{
	void *block;

	if (r->code)
		return NULL;
	block = arena_alloc(r->arena, count, size);
	return block ? block : read_no_memory(r);
}

char *bundle_copy(struct bundle_reader *r, const char *s)
{
	char *copy;

	if (r->code)
		return NULL;
	copy = arena_strndup(r->arena, s, strlen(s));
	return copy ? copy : read_no_memory(r);
}

char *bundle_copy_take(struct bundle_reader *r, char *s)
{
	char *copy = s ? bundle_copy(r, s) : read_no_memory(r);

	free(s);
	return copy;
}

/*
 * Integers above INT64_MAX. json_survey() has refused every NUL in the file's own strings, so a
 * string that starts with one is ours: NUL and the digits.
 */
static bool value_is_big(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0 &&
	       json_string_value(value)[0] == '\0';
}

static bool value_uint(const json_t *value, uint64_t *out)
{
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = (uint64_t)json_integer_value(value);
		return true;
	}
	return value_is_big(value) && str_u64(json_string_value(value) + 1, UINT64_MAX, out) == 0;
}

void bundle_read_bool(const struct bundle_at *at, bool *out)
{
	if (at->r->code || !at->value)
		return;
	if (json_is_boolean(at->value))
		*out = json_is_true(at->value);
	else
		bundle_refuse(at, "expected true or false");
}

void bundle_read_int(const struct bundle_at *at, int64_t min, int64_t max, int64_t *out)
{
	int64_t value;

	if (at->r->code || !at->value)
		return;
	value = json_integer_value(at->value);
	if (json_is_integer(at->value) && value >= min && value <= max)
		*out = value;
	else
		bundle_refuse(at, "expected an integer from %" PRId64 " to %" PRId64, min, max);
}

void bundle_read_uint(const struct bundle_at *at, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (at->r->code || !at->value)
		return;
	if (value_uint(at->value, &value) && value <= max)
		*out = value;
	else
		bundle_refuse(at, "expected an integer from 0 to %" PRIu64, max);
}

void bundle_read_u32(const struct bundle_at *at, uint32_t max, uint32_t *out)
{
	uint64_t value = *out;

	bundle_read_uint(at, max, &value);
	*out = (uint32_t)value;
}

void bundle_read_string(const struct bundle_at *at, char **out)
{
	char *copy;

	if (at->r->code || !at->value)
		return;
	if (!json_is_string(at->value) || value_is_big(at->value)) {
		bundle_refuse(at, "expected a string");
		return;
	}
	copy = bundle_copy(at->r, json_string_value(at->value));
	if (copy)
		*out = copy;
}

void bundle_read_name(const struct bundle_at *at, char **out)
{
	if (!json_is_string(at->value) || json_string_length(at->value) > 0)
		bundle_read_string(at, out);
}

void bundle_read_path(const struct bundle_at *at, char **out)
{
	char *path = NULL;

	bundle_read_string(at, &path);
	if (!path)
		return;
	if (*path == '/')
		*out = path;
	else
		bundle_refuse(at, "expected an absolute path");
}

static void read_array(const struct bundle_at *at, struct bundle_strings *out,
		       void (*read)(const struct bundle_at *at, char **out))
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	char **v;

	if (!n)
		return;
	v = bundle_alloc(at->r, n + 1, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < n; i++) {
		bundle_require(BUNDLE_ITEM(at, i));
		read(BUNDLE_ITEM(at, i), &v[i]);
	}
	out->v = v;
	out->n = n;
}

void bundle_read_strings(const struct bundle_at *at, struct bundle_strings *out)
{
	read_array(at, out, bundle_read_string);
}

void bundle_read_paths(const struct bundle_at *at, struct bundle_strings *out)
{
	read_array(at, out, bundle_read_path);
}

void bundle_read_pairs(const struct bundle_at *at, struct bundle_pairs *out)
{
	struct bundle_pair *v;
	const char *key;
	json_t *value;
	size_t n = 0;

	if (!bundle_is_object(at))
		return;
	v = bundle_alloc(at->r, json_object_size(at->value), sizeof(*v));
	if (!v)
		return;
	json_object_foreach(read_mutable(at->value), key, value) {
		if (!*key) {
			bundle_refuse(at, "a key is empty");
			return;
		}
		v[n].key = bundle_copy(at->r, key);
		if (json_is_null(value))	/* Go reads it as "" */
			v[n].value = bundle_copy(at->r, "");
		else
			bundle_read_string(BUNDLE_KEY(at, key), &v[n].value);
		n++;
	}
	out->v = v;
	out->n = n;
}
