/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * [config] "mounts": from option words to the arguments of mount(2) and mount_setattr(2).
 *
 * A word that the table knows becomes bits, the last one of a kind counting; every other word is
 * the file system's own and goes into the data string, as in runc and mount(8).
 */
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/path.h"
#include "bundle/names.h"
#include "bundle/parse.h"

/* Newer than the C library's header. */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

enum option_kind { SET, CLEAR, PROPAGATION, REC_SET, REC_CLEAR, COPY_UP, ID_MAP };

struct mount_option {
	const char *name;
	enum option_kind kind;
	unsigned long bits;
};

/* Sorted by name, for bsearch(). */
static const struct mount_option mount_options[] = {
	{ "acl",		SET,		MS_POSIXACL },
	{ "async",		CLEAR,		MS_SYNCHRONOUS },
	{ "atime",		CLEAR,		MS_NOATIME },
	{ "bind",		SET,		MS_BIND },
	{ "defaults",		SET,		0 },
	{ "dev",		CLEAR,		MS_NODEV },
	{ "diratime",		CLEAR,		MS_NODIRATIME },
	{ "dirsync",		SET,		MS_DIRSYNC },
	{ "exec",		CLEAR,		MS_NOEXEC },
	{ "idmap",		ID_MAP,		0 },
	{ "iversion",		SET,		MS_I_VERSION },
	{ "lazytime",		SET,		MS_LAZYTIME },
	{ "loud",		CLEAR,		MS_SILENT },
	{ "mand",		SET,		MS_MANDLOCK },
	{ "noacl",		CLEAR,		MS_POSIXACL },
	{ "noatime",		SET,		MS_NOATIME },
	{ "nodev",		SET,		MS_NODEV },
	{ "nodiratime",		SET,		MS_NODIRATIME },
	{ "noexec",		SET,		MS_NOEXEC },
	{ "noiversion",		CLEAR,		MS_I_VERSION },
	{ "nolazytime",		CLEAR,		MS_LAZYTIME },
	{ "nomand",		CLEAR,		MS_MANDLOCK },
	{ "norelatime",		CLEAR,		MS_RELATIME },
	{ "nostrictatime",	CLEAR,		MS_STRICTATIME },
	{ "nosuid",		SET,		MS_NOSUID },
	{ "nosymfollow",	SET,		MS_NOSYMFOLLOW },
	{ "private",		PROPAGATION,	MS_PRIVATE },
	{ "ratime",		REC_CLEAR,	MOUNT_ATTR_NOATIME },
	{ "rbind",		SET,		MS_BIND | MS_REC },
	{ "rdev",		REC_CLEAR,	MOUNT_ATTR_NODEV },
	{ "rdiratime",		REC_CLEAR,	MOUNT_ATTR_NODIRATIME },
	{ "relatime",		SET,		MS_RELATIME },
	{ "remount",		SET,		MS_REMOUNT },
	{ "rexec",		REC_CLEAR,	MOUNT_ATTR_NOEXEC },
	{ "ridmap",		ID_MAP,		0 },
	{ "rnoatime",		REC_SET,	MOUNT_ATTR_NOATIME },
	{ "rnodev",		REC_SET,	MOUNT_ATTR_NODEV },
	{ "rnodiratime",	REC_SET,	MOUNT_ATTR_NODIRATIME },
	{ "rnoexec",		REC_SET,	MOUNT_ATTR_NOEXEC },
	{ "rnorelatime",	REC_CLEAR,	MOUNT_ATTR_RELATIME },
	{ "rnostrictatime",	REC_CLEAR,	MOUNT_ATTR_STRICTATIME },
	{ "rnosuid",		REC_SET,	MOUNT_ATTR_NOSUID },
	{ "rnosymfollow",	REC_SET,	MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro",			SET,		MS_RDONLY },
	{ "rprivate",		PROPAGATION,	MS_PRIVATE | MS_REC },
	{ "rrelatime",		REC_SET,	MOUNT_ATTR_RELATIME },
	{ "rro",		REC_SET,	MOUNT_ATTR_RDONLY },
	{ "rrw",		REC_CLEAR,	MOUNT_ATTR_RDONLY },
	{ "rshared",		PROPAGATION,	MS_SHARED | MS_REC },
	{ "rslave",		PROPAGATION,	MS_SLAVE | MS_REC },
	{ "rstrictatime",	REC_SET,	MOUNT_ATTR_STRICTATIME },
	{ "rsuid",		REC_CLEAR,	MOUNT_ATTR_NOSUID },
	{ "rsymfollow",		REC_CLEAR,	MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable",	PROPAGATION,	MS_UNBINDABLE | MS_REC },
	{ "rw",			CLEAR,		MS_RDONLY },
	{ "shared",		PROPAGATION,	MS_SHARED },
	{ "silent",		SET,		MS_SILENT },
	{ "slave",		PROPAGATION,	MS_SLAVE },
	{ "strictatime",	SET,		MS_STRICTATIME },
	{ "suid",		CLEAR,		MS_NOSUID },
	{ "symfollow",		CLEAR,		MS_NOSYMFOLLOW },
	{ "sync",		SET,		MS_SYNCHRONOUS },
	{ "tmpcopyup",		COPY_UP,	0 },
	{ "unbindable",		PROPAGATION,	MS_UNBINDABLE },
};

#define NR_OPTIONS (sizeof(mount_options) / sizeof(mount_options[0]))

const char *bundle_mount_option_name(size_t index)
{
	return index < NR_OPTIONS ? mount_options[index].name : NULL;
}

static int option_compare(const void *name, const void *option)
{
	return strcmp(name, ((const struct mount_option *)option)->name);
}

static const struct mount_option *option_find(const char *name)
{
	return bsearch(name, mount_options, NR_OPTIONS, sizeof(mount_options[0]), option_compare);
}

unsigned long bundle_propagation(const char *word)
{
	const struct mount_option *option = option_find(word);

	return option && option->kind == PROPAGATION ? option->bits : 0;
}

/*
 * atime is one setting of several values within MOUNT_ATTR__ATIME, relatime being 0:
 * mount_setattr(2) wants the whole field cleared when any of it is set. Taking a value away gives
 * relatime.
 */
static void apply_rec(struct bundle_mount *m, const struct mount_option *option)
{
	uint64_t mask = option->bits;

	if ((option->bits & ~(unsigned long)MOUNT_ATTR__ATIME) == 0)
		mask = MOUNT_ATTR__ATIME;
	m->rec_attr_set &= ~mask;
	m->rec_attr_clear &= ~mask;
	if (option->kind == REC_SET)
		m->rec_attr_set |= option->bits;
	if (option->kind == REC_CLEAR || mask == MOUNT_ATTR__ATIME)
		m->rec_attr_clear |= mask;
}

static void apply_option(struct bundle_mount *m, const struct mount_option *option)
{
	switch (option->kind) {
	case SET:
		m->flags |= option->bits;
		m->flags_cleared &= ~option->bits;
		break;
	case CLEAR:
		m->flags &= ~option->bits;
		m->flags_cleared |= option->bits;
		break;
	case PROPAGATION:
		m->propagation = option->bits;
		break;
	case REC_SET:
	case REC_CLEAR:
		apply_rec(m, option);
		break;
	case COPY_UP:
		m->tmpcopyup = true;
		break;
	case ID_MAP:
		m->has_id_mappings = true;
		break;
	}
}

static void parse_options(const struct bundle_at *at, struct bundle_mount *m)
{
	_autobuf_ struct buf data = BUF_INIT(BUNDLE_MAX_CONFIG);
	const struct mount_option *option;

	bundle_read_strings(at, &m->options);
	if (at->r->code)
		return;
	for (size_t i = 0; i < m->options.n; i++) {
		option = option_find(m->options.v[i]);
		if (option) {
			apply_option(m, option);
		} else if (m->options.v[i][0]) {
			if (data.len)
				buf_add_str(&data, ",");
			buf_add_str(&data, m->options.v[i]);
		}
	}
	m->data = bundle_copy_take(at->r, data.len || buf_error(&data) ? buf_take(&data, NULL) :
				   strdup(""));
}

/* [config]: a relative destination is deprecated, and means one below "/". */
static void parse_destination(const struct bundle_at *at, struct bundle_mount *m)
{
	char *written = NULL, *absolute;

	bundle_require(at);
	bundle_read_string(at, &written);
	if (!written)
		return;
	if (!*written) {
		bundle_refuse(at, "empty");
		return;
	}
	if (*written != '/')
		bundle_warn(at, "relative path '%s' taken as '/%s'", written, written);
	absolute = bundle_copy_take(at->r, path_join("/", written));
	if (absolute)
		m->destination = bundle_copy_take(at->r, path_clean(absolute));
}

/*
 * [config]: a bind mount's source is a path, if relative then from the bundle; its type is ignored.
 */
static void parse_bind(const struct bundle_at *at, const char *dir, struct bundle_mount *m)
{
	if (!*m->source)
		bundle_refuse(BUNDLE_KEY(at, "source"), "required, but missing");
	else if (*m->source != '/')
		m->source = bundle_copy_take(at->r, path_join(dir, m->source));
	m->flags |= MS_BIND;
	m->type = bundle_copy(at->r, "bind");
}

static void parse_mount(const struct bundle_at *at, const char *dir, struct bundle_mount *m)
{
	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	m->type = bundle_copy(at->r, "");
	m->source = bundle_copy(at->r, "");
	parse_destination(BUNDLE_KEY(at, "destination"), m);
	bundle_read_string(BUNDLE_KEY(at, "type"), &m->type);
	bundle_read_string(BUNDLE_KEY(at, "source"), &m->source);
	parse_options(BUNDLE_KEY(at, "options"), m);
	if (bundle_count(BUNDLE_KEY(at, "uidMappings"), BUNDLE_MAX_VALUES) ||
	    bundle_count(BUNDLE_KEY(at, "gidMappings"), BUNDLE_MAX_VALUES))
		m->has_id_mappings = true;
	if (at->r->code)
		return;
	if ((m->flags & MS_BIND) || strcmp(m->type, "bind") == 0)
		parse_bind(at, dir, m);
}

void bundle_parse_mounts(const struct bundle_at *at, const char *dir, struct bundle *b)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_mount *mounts = bundle_alloc(at->r, n, sizeof(*mounts));

	if (!mounts)
		return;
	for (size_t i = 0; i < n; i++)
		parse_mount(BUNDLE_ITEM(at, i), dir, &mounts[i]);
	b->mounts = mounts;
	b->nr_mounts = n;
}
