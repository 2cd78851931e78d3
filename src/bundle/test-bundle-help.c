/* SPDX-License-Identifier: GPL-2.0-only */
/* What the bundle's tests share: see the header. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "bundle/test-bundle-help.h"

int help_parse(const char *text, struct bundle **b, struct err *e)
{
	_autofree_ char *json = strdup(text);

	assert_non_null(json);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	return bundle_parse(json, strlen(json), DIR_OF_BUNDLE, b, e);
}

struct bundle *help_good(const char *text)
{
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	int r = help_parse(text, &b, &e);

	if (r != 0)
		fail_msg("refused: %s", e.text);
	return b;
}

struct bundle *help_corpus(const char *name)
{
	_autofree_ char *path = path_join(CORPUS_DIR, name), *json = NULL;
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	size_t len;

	assert_int_equal(io_read_file(AT_FDCWD, path, BUNDLE_MAX_CONFIG, &json, &len, &e), 0);
	if (bundle_parse(json, len, DIR_OF_BUNDLE, &b, &e) != 0)
		fail_msg("%s refused: %s", name, e.text);
	return b;
}

void help_strings(const struct bundle_strings *s, const char *expected)
{
	_autobuf_ struct buf joined = BUF_INIT(4096);

	for (size_t i = 0; i < s->n; i++)
		buf_printf(&joined, "%s%s", i ? "|" : "", s->v[i]);
	assert_string_equal(joined.len ? joined.data : "", expected);
	if (s->n)
		assert_null(s->v[s->n]);
}
