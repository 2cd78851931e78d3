/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From text to the JSON tree.
 *
 * jansson does the parsing. Before it a linear pass over the text, json_survey(), bounds what the
 * tree may cost (jansson has no limits of ours: 16 MiB of "{}," would become more than 1 GiB), and
 * finds the integers from 2^63 to 2^64-1, which jansson cannot hold but every "unlimited" rlimit
 * is. Those are rewritten as strings that begin with a NUL, which no string of the file may
 * contain.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "bundle/read.h"

#define JSON_U64_DIGITS	20

struct json_survey {
	size_t values;			/* upper bound for the number of values and keys */
	size_t depth;			/* deepest nesting */
	bool nul;			/* a string holds \u0000 */
	bool big;			/* there are integers for json_rewrite() */
};

/* The length of the string literal at @s, with its quotes; sets @nul if \u0000 is in it. */
static size_t json_string_step(const char *s, size_t len, bool *nul)
{
	size_t i;

	for (i = 1; i < len && s[i] != '"'; i++) {
		if (s[i] != '\\')
			continue;
		if (len - i >= 6 && memcmp(s + i, "\\u0000", 6) == 0)
			*nul = true;
		i++;
	}
	return i < len ? i + 1 : len;
}

/*
 * The length of the run of characters that numbers are made of; sets @big for one to be rewritten.
 */
static size_t json_number_step(const char *s, size_t len, bool *big)
{
	char digits[JSON_U64_DIGITS + 1];
	uint64_t value;
	size_t i = 0;

	while (i < len && s[i] && strchr("0123456789+-.eE", s[i]))
		i++;
	*big = false;
	if (i && i <= JSON_U64_DIGITS && s[0] != '0') {
		memcpy(digits, s, i);
		digits[i] = '\0';
		*big = str_u64(digits, UINT64_MAX, &value) == 0 && value > INT64_MAX;
	}
	return i;
}

static void json_survey(const char *text, size_t len, struct json_survey *found)
{
	size_t depth = 0, step;
	bool big;

	for (; len; text += step, len -= step) {
		step = 1;
		if (*text == '"') {
			step = json_string_step(text, len, &found->nul);
		} else if (*text == '-' || (*text >= '0' && *text <= '9')) {
			step = json_number_step(text, len, &big);
			found->big |= big;
		} else if (*text == '[' || *text == '{') {
			depth++;
			found->values++;
			if (depth > found->depth)
				found->depth = depth;
		} else if (*text == ']' || *text == '}') {
			depth -= depth > 0;
		} else if (*text == ',' || *text == ':') {
			found->values++;
		}
	}
}

/* Copy the text, with each big integer as the string NUL, digits. */
static void json_rewrite(const char *text, size_t len, struct buf *out)
{
	size_t step;
	bool nul, big;

	for (; len; text += step, len -= step) {
		step = 1;
		big = false;
		if (*text == '"')
			step = json_string_step(text, len, &nul);
		else if (*text == '-' || (*text >= '0' && *text <= '9'))
			step = json_number_step(text, len, &big);
		if (big)
			buf_add_str(out, "\"\\u0000");
		buf_add(out, text, step);
		if (big)
			buf_add_str(out, "\"");
	}
}

/* jansson quotes the file in its messages, control characters included. */
static int json_refuse(const char *name, const json_error_t *error, struct err *e)
{
	char text[JSON_ERROR_TEXT_LENGTH];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && error->text[i]; i++)
		text[i] = (unsigned char)error->text[i] < 0x20 || error->text[i] == 0x7f ?
			  '?' : error->text[i];
	text[i] = '\0';
	return err_say(e, -EINVAL, "%s: line %d, column %d: %s", name, error->line, error->column,
		       text);
}

int bundle_json_parse(const char *name, const char *text, size_t len, json_t **root, struct err *e)
{
	_autobuf_ struct buf rewritten = BUF_INIT(SIZE_MAX - 1);
	struct json_survey found = { 0 };
	size_t flags = JSON_REJECT_DUPLICATES;
	json_error_t error = { .line = 0 };	/* jansson does not clear its error code */
	json_t *tree;

	if (len > BUNDLE_MAX_CONFIG)
		return err_say(e, -EFBIG, "%s: longer than %u bytes", name, BUNDLE_MAX_CONFIG);
	json_survey(text, len, &found);
	if (found.depth > BUNDLE_MAX_DEPTH)
		return err_say(e, -EINVAL, "%s: nested deeper than %d", name, BUNDLE_MAX_DEPTH);
	if (found.values > BUNDLE_MAX_VALUES)
		return err_say(e, -EINVAL, "%s: more than %d values", name, BUNDLE_MAX_VALUES);
	if (found.nul)
		return err_say(e, -EINVAL, "%s: a string holds a NUL character", name);
	if (found.big) {
		json_rewrite(text, len, &rewritten);
		if (buf_error(&rewritten))
			return err_set(e, buf_error(&rewritten), "read %s", name);
		text = rewritten.data;
		len = rewritten.len;
		flags |= JSON_ALLOW_NUL;
	}

	tree = json_loadb(text, len, flags, &error);
	if (!tree) {
		/* jansson leaves the error unset where most of its own allocations fail. */
		if (json_error_code(&error) == json_error_out_of_memory ||
		    json_error_code(&error) == json_error_unknown)
			return err_set(e, -ENOMEM, "read %s", name);
		return json_refuse(name, &error, e);
	}
	*root = tree;
	return 0;
}
