/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlay mounts in mountinfo. A line is
 *
 *	47 27 0:39 / /run/b/rootfs rw,relatime shared:5 - overlay overlay rw,lowerdir=A:B,...
 *
 * (id, parent, device, root, mount point, options, optional fields, "-", type, source, the file
 * system's options). White space and backslashes in fields, and commas in values of options, are
 * octal: \040. Lower directories come in three dialects:
 *
 *	lowerdir=A:B	as given to mount(2), until Linux 6.4 and for that call still: a colon in a
 *			path was escaped by whoever mounted, "\:", and is shown as \134:
 *	lowerdir=A:B	Linux 6.5 and 6.6: a colon in a path is shown as \072
 *	lowerdir+=A	one option for each, as given to fsconfig(2), since Linux 6.7
 *
 * A backslash before anything but a colon means something else in the first than in the second.
 */
#include "image/overlay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

void overlay_free(struct overlay *o)
{
	free(o->mount_point);
	free(o->upper);
	str_vector_free(o->lower);
	memset(o, 0, sizeof(*o));
}

static int malformed(struct err *e)
{
	return err_say(e, -EINVAL, "mountinfo: a line that the kernel does not write");
}

static int ambiguous(struct err *e)
{
	return err_say(e, OVERLAY_UNFIT, "a backslash in a path can mean two things");
}

static int no_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "mountinfo");
}

/*
 * One character of a field at *@p, which moves behind it. *@raw: it stood there as it is. Returns
 * it, or -1 for a backslash that begins no octal number of a byte other than NUL.
 */
static int next_char(const char **p, bool *raw)
{
	const char *s = *p;
	int c;

	*raw = *s != '\\';
	if (*raw) {
		(*p)++;
		return (unsigned char)*s;
	}
	for (int i = 1; i <= 3; i++)
		if (s[i] < '0' || s[i] > (i == 1 ? '3' : '7'))
			return -1;
	*p += 4;
	c = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
	return c > 0 ? c : -1;
}

/* @field without its octal escapes. Returns 0 with *@text the caller's, -EINVAL or -ENOMEM. */
static int decode(const char *field, char **text)
{
	char *out = malloc(strlen(field) + 1), *to = out;
	bool raw;

	if (!out)
		return -ENOMEM;
	while (*field) {
		int c = next_char(&field, &raw);

		if (c < 0) {
			free(out);
			return -EINVAL;
		}
		*to++ = (char)c;
	}
	*to = '\0';
	*text = out;
	return 0;
}

/* Add @path, which it takes, to the lower directories. */
static int add_lower(struct overlay *o, char *path, struct err *e)
{
	char **grown = reallocarray(o->lower, o->nr_lower + 2, sizeof(*grown));

	if (!grown) {
		free(path);
		return no_memory(e);
	}
	o->lower = grown;
	o->lower[o->nr_lower++] = path;
	o->lower[o->nr_lower] = NULL;
	if (!*path)
		return err_say(e, OVERLAY_UNFIT, "it has data-only layers");
	if (o->nr_lower > OVERLAY_LOWER_MAX)
		return err_say(e, OVERLAY_UNFIT, "it has more than %d layers", OVERLAY_LOWER_MAX);
	return 0;
}

/* One directory of "A:B", up to a colon or the end; *@value moves there. */
static int parse_lower(const char **value, struct overlay *o, struct err *e)
{
	char *path = malloc(strlen(*value) + 1), *to = path;
	bool raw;

	if (!path)
		return no_memory(e);
	while (**value && **value != ':') {
		int c = next_char(value, &raw);

		if (c == '\\' && **value != ':') {
			free(path);
			return ambiguous(e);
		}
		if (c == '\\')
			c = (unsigned char)*(*value)++;
		if (c < 0) {
			free(path);
			return malformed(e);
		}
		*to++ = (char)c;
	}
	*to = '\0';
	return add_lower(o, path, e);
}

static int parse_lowers(const char *value, struct overlay *o, struct err *e)
{
	for (;;) {
		int r = parse_lower(&value, o, e);

		if (r != 0 || !*value)
			return r;
		value++;
	}
}

static int parse_upper(const char *value, struct overlay *o, struct err *e)
{
	int r;

	if (o->upper)
		return malformed(e);
	r = decode(value, &o->upper);
	if (r < 0)
		return r == -ENOMEM ? no_memory(e) : malformed(e);
	/* Kernels differ in whether they show it before or after they have removed escapes. */
	if (strchr(o->upper, '\\'))
		return ambiguous(e);
	return *o->upper ? 0 : malformed(e);
}

static int parse_option(const char *option, struct overlay *o, struct err *e)
{
	char *path = NULL;
	int r;

	if (str_starts(option, "lowerdir="))
		return parse_lowers(option + strlen("lowerdir="), o, e);
	if (str_starts(option, "upperdir="))
		return parse_upper(option + strlen("upperdir="), o, e);
	if (str_starts(option, "lowerdir+=")) {
		r = decode(option + strlen("lowerdir+="), &path);
		if (r < 0)
			return r == -ENOMEM ? no_memory(e) : malformed(e);
		return add_lower(o, path, e);
	}
	if (str_starts(option, "datadir+="))
		return err_say(e, OVERLAY_UNFIT, "it has data-only layers");
	if (strcmp(option, "userxattr") == 0)
		return err_say(e, OVERLAY_UNFIT, "its whiteouts are in user.overlay xattrs");
	return 0;
}

/* The fields of @line, which is cut up, from the fourth on. */
static int parse_line(char *line, struct overlay *o, struct err *e)
{
	char *root, *point, *type, *options, *field;
	int r;

	for (int i = 0; i < 3; i++)
		strsep(&line, " ");
	root = strsep(&line, " ");
	point = strsep(&line, " ");
	do {
		field = strsep(&line, " ");
	} while (field && strcmp(field, "-") != 0);
	type = strsep(&line, " ");
	strsep(&line, " ");
	options = line;
	if (!options)
		return malformed(e);
	if (strcmp(type, "overlay") != 0 || strcmp(root, "/") != 0)
		return OVERLAY_NONE;

	r = decode(point, &o->mount_point);
	if (r < 0)
		return r == -ENOMEM ? no_memory(e) : malformed(e);
	while ((field = strsep(&options, ","))) {
		r = parse_option(field, o, e);
		if (r != 0)
			return r;
	}
	return o->nr_lower > 0 ? 0 : malformed(e);
}

/* The two numbers that a line begins with. */
static int parse_ids(const char *line, uint64_t *id, uint64_t *parent)
{
	char *end;

	if (*line < '0' || *line > '9')
		return -EINVAL;
	errno = 0;
	*id = strtoull(line, &end, 10);
	if (errno || *end++ != ' ' || *end < '0' || *end > '9')
		return -EINVAL;
	*parent = strtoull(end, &end, 10);
	return errno || *end != ' ' ? -EINVAL : 0;
}

int overlay_parse(const char *text, size_t len, uint64_t mount_id, struct overlay *o,
		  struct err *e)
{
	_autofree_ char *own = NULL;
	bool inside = false;
	int r;

	memset(o, 0, sizeof(*o));
	if (memchr(text, '\0', len))
		return malformed(e);
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		uint64_t id, parent;

		end = strchrnul(line, '\n');
		if (parse_ids(line, &id, &parent) < 0)
			return malformed(e);
		if (id != mount_id) {
			inside |= parent == mount_id;
			continue;
		}
		free(own);
		own = strndup(line, (size_t)(end - line));
		if (!own)
			return no_memory(e);
	}
	if (!own)
		return OVERLAY_NONE;
	r = parse_line(own, o, e);
	if (r == 0 && inside)
		r = err_say(e, OVERLAY_UNFIT, "something is mounted inside");
	if (r != 0)
		overlay_free(o);
	return r;
}
