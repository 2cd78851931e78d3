/* SPDX-License-Identifier: GPL-2.0-only */
/* The bundle: the top of config.json, and its life in memory. */
#include "bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "bundle/parse.h"
#include "bundle/read.h"

#define BUNDLE_CONFIG		"config.json"
#define BUNDLE_MAX_HOSTNAME	64	/* __NEW_UTS_LEN */

struct bundle_box {
	struct bundle bundle;		/* first, so that bundle_free() finds the box */
	struct arena arena;		/* all that the bundle points to */
};

void bundle_free(struct bundle *b)
{
	struct bundle_box *box = (struct bundle_box *)b;

	if (!box)
		return;
	arena_free(&box->arena);
	free(box);
}

const char *bundle_annotation(const struct bundle *b, const char *key)
{
	for (size_t i = 0; i < b->annotations.n; i++)
		if (strcmp(b->annotations.v[i].key, key) == 0)
			return b->annotations.v[i].value;
	return NULL;
}

/* One number of a version: digits without a leading zero. Returns what follows, or NULL. */
static const char *version_number(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits == 0 || (digits > 1 && *s == '0') ? NULL : s + digits;
}

/* SemVer 2.0.0, as [config] "Specification version" demands: 1.2.3, 1.2.3-dev, 1.0.0-rc5+build. */
static bool version_is_semver(const char *s)
{
	for (int part = 0; part < 3; part++) {
		if (part && *s++ != '.')
			return false;
		s = version_number(s);
		if (!s)
			return false;
	}
	return *s == '\0' || ((*s == '-' || *s == '+') && s[1]);
}

static void parse_version(const struct bundle_at *at, char **version)
{
	bundle_require(at);
	bundle_read_string(at, version);
	if (at->r->code)
		return;
	if (!version_is_semver(*version))
		bundle_refuse(at, "'%s' is not a version", *version);
	else if (strncmp(*version, "1.", 2) != 0)
		bundle_refuse(at, "version %s is not supported, only 1.x.y is", *version);
}

static void parse_root(const struct bundle_at *at, struct bundle *b)
{
	char *path = NULL;

	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	bundle_read_name(BUNDLE_KEY(at, "path"), &path);
	bundle_read_bool(BUNDLE_KEY(at, "readonly"), &b->root_readonly);
	if (!path)
		bundle_refuse(BUNDLE_KEY(at, "path"), "required, but missing");
	else if (*path == '/')
		b->root_path = path;
	else
		b->root_path = bundle_copy_take(at->r, path_join(b->dir, path));
}

static void parse_uts_name(const struct bundle_at *at, char **name)
{
	bundle_read_name(at, name);
	if (*name && strlen(*name) > BUNDLE_MAX_HOSTNAME)
		bundle_refuse(at, "longer than %d bytes", BUNDLE_MAX_HOSTNAME);
}

static void parse_config(const struct bundle_at *at, struct bundle *b)
{
	if (!bundle_is_object(at))
		return;
	parse_version(BUNDLE_KEY(at, "ociVersion"), &b->oci_version);
	bundle_parse_process(BUNDLE_KEY(at, "process"), &b->process);
	b->has_process = BUNDLE_KEY(at, "process")->value != NULL;
	parse_root(BUNDLE_KEY(at, "root"), b);
	parse_uts_name(BUNDLE_KEY(at, "hostname"), &b->hostname);
	parse_uts_name(BUNDLE_KEY(at, "domainname"), &b->domainname);
	bundle_parse_mounts(BUNDLE_KEY(at, "mounts"), b->dir, b);
	bundle_parse_hooks(BUNDLE_KEY(at, "hooks"), b->hooks);
	bundle_read_pairs(BUNDLE_KEY(at, "annotations"), &b->annotations);
	bundle_parse_linux(BUNDLE_KEY(at, "linux"), b);
}

static struct bundle_box *bundle_box_new(void)
{
	struct bundle_box *box = calloc(1, sizeof(*box));

	if (box) {
		bundle_process_init(&box->bundle.process);
		bundle_resources_init(&box->bundle.resources);
	}
	return box;
}

int bundle_parse(const char *json, size_t len, const char *dir, struct bundle **out, struct err *e)
{
	_autobundle_ struct bundle *b = NULL;
	struct bundle_box *box;
	struct bundle_reader r = { .name = BUNDLE_CONFIG, .e = e };
	json_t *root = NULL;

	r.code = bundle_json_parse(BUNDLE_CONFIG, json, len, &root, e);
	if (r.code)
		return r.code;
	box = bundle_box_new();
	if (!box) {
		json_decref(root);
		return err_set(e, -ENOMEM, "read %s", BUNDLE_CONFIG);
	}
	b = &box->bundle;
	r.arena = &box->arena;
	b->dir = bundle_copy_take(&r, path_clean(dir));
	parse_config(&(struct bundle_at){ .r = &r, .value = root }, b);
	json_decref(root);
	if (r.code)
		return r.code;
	b->warnings = r.warnings;
	*out = take_ptr(b);
	return 0;
}

int bundle_load(const char *dir, struct bundle **out, struct err *e)
{
	_autofree_ char *absolute = path_absolute(dir), *json = NULL;
	_autoclose_ int dirfd = -1;
	size_t len;
	int r;

	if (!absolute)
		return err_set(e, -errno, "bundle '%s'", dir);
	dirfd = open(absolute, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_set(e, -errno, "bundle '%s'", absolute);
	r = io_read_file(dirfd, BUNDLE_CONFIG, BUNDLE_MAX_CONFIG, &json, &len, e);
	if (r < 0)
		return err_wrap(e, r, "bundle '%s'", absolute);
	return bundle_parse(json, len, absolute, out, e);
}
