/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups, what is there: /proc/self/mountinfo and /proc/self/cgroup.
 *
 * Both files show names that others chose (mount points, cgroups), so a line is taken apart by its
 * separators only, and one that does not fit is skipped. Names have space, tab, newline and
 * backslash written as \ooo in mountinfo. A mount point counts only if a lookup of its path ends
 * there: others may be mounted over it, or over a directory on the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/cgroup_internal.h"

#define SURVEY_MAX_FILE		(64u << 20)
#define SURVEY_MAX_ANCESTORS	256

static const struct {
	uint32_t bit;
	const char *v1;
	const char *v2;		/* NULL: v2 has no controller of that kind */
} cgroup_controllers[] = {
	{ CGROUP_CPU, "cpu", "cpu" },
	{ CGROUP_CPUACCT, "cpuacct", NULL },
	{ CGROUP_CPUSET, "cpuset", "cpuset" },
	{ CGROUP_MEMORY, "memory", "memory" },
	{ CGROUP_DEVICES, "devices", NULL },
	{ CGROUP_FREEZER, "freezer", NULL },
	{ CGROUP_BLKIO, "blkio", "io" },
	{ CGROUP_PIDS, "pids", "pids" },
	{ CGROUP_NET_CLS, "net_cls", NULL },
	{ CGROUP_NET_PRIO, "net_prio", NULL },
	{ CGROUP_PERF_EVENT, "perf_event", NULL },
	{ CGROUP_HUGETLB, "hugetlb", "hugetlb" },
	{ CGROUP_RDMA, "rdma", "rdma" },
	{ CGROUP_MISC, "misc", "misc" },
	{ CGROUP_SYSTEMD, "name=systemd", NULL },
};

#define NR_CONTROLLERS (sizeof(cgroup_controllers) / sizeof(cgroup_controllers[0]))

static bool name_is(const char *name, size_t len, const char *wanted)
{
	return wanted && strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

uint32_t cgroup_controller_bit(const char *name, size_t len)
{
	for (size_t i = 0; i < NR_CONTROLLERS; i++)
		if (name_is(name, len, cgroup_controllers[i].v1) ||
		    name_is(name, len, cgroup_controllers[i].v2))
			return cgroup_controllers[i].bit;
	return 0;
}

const char *cgroup_controller_name(uint32_t bit, int version)
{
	for (size_t i = 0; i < NR_CONTROLLERS; i++)
		if (cgroup_controllers[i].bit == bit)
			return version == 2 ? cgroup_controllers[i].v2 : cgroup_controllers[i].v1;
	return NULL;
}

/* The bits of a list of controllers, separated by any of @separators. */
static uint32_t controller_bits(const char *names, const char *separators)
{
	uint32_t bits = 0;

	while (*names != '\0') {
		size_t len = strcspn(names, separators);

		bits |= cgroup_controller_bit(names, len);
		names += len;
		names += strspn(names, separators);
	}
	return bits;
}

/* Undo \ooo in place. False for an escape that is none, or that hides a NUL. */
static bool unescape(char *s)
{
	char *out = s;

	for (; *s != '\0'; s++) {
		unsigned int c = 0;

		if (*s != '\\') {
			*out++ = *s;
			continue;
		}
		for (int i = 1; i <= 3; i++) {
			if (s[i] < '0' || s[i] > '7')
				return false;
			c = c * 8 + (unsigned int)(s[i] - '0');
		}
		if (c == 0 || c > 255)
			return false;
		*out++ = (char)c;
		s += 3;
	}
	*out = '\0';
	return true;
}

/* One line of mountinfo; the strings point into it. */
struct mount_line {
	uint64_t id;
	uint64_t parent;
	const char *root;
	const char *point;
	const char *type;
	const char *options;	/* of the super block */
};

/* proc(5): ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER-OPTIONS */
static bool mount_line_parse(char *line, struct mount_line *m)
{
	char *field[6];
	char *word;

	for (int i = 0; i < 6; i++) {
		field[i] = strsep(&line, " ");
		if (!field[i] || field[i][0] == '\0')
			return false;
	}
	do {
		word = strsep(&line, " ");
	} while (word && strcmp(word, "-") != 0);
	if (!word)
		return false;

	m->type = strsep(&line, " ");
	if (!m->type || !strsep(&line, " ") || !line)
		return false;
	m->options = line;

	if (str_u64(field[0], UINT32_MAX, &m->id) < 0 ||
	    str_u64(field[1], UINT32_MAX, &m->parent) < 0)
		return false;
	if (!unescape(field[3]) || !unescape(field[4]) || field[4][0] != '/')
		return false;
	m->root = field[3];
	m->point = field[4];
	return true;
}

struct mount_table {
	struct mount_line *v;
	size_t n;
};

/*
 * The next line of *@text, cut off with a NUL; NULL at the end. Lines with a NUL inside are
 * skipped.
 */
static char *next_line(char **text, const char *end)
{
	while (*text < end) {
		char *line = *text;
		char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = line + (end - line);	/* the NUL that io_read_file() adds */
		*text = stop < end ? stop + 1 : stop;
		*stop = '\0';
		if (strlen(line) == (size_t)(stop - line))
			return line;
	}
	return NULL;
}

static int mount_table_read(char *text, size_t len, struct mount_table *t, struct err *e)
{
	const char *end = text + len;
	size_t size = 0;
	char *line;

	while ((line = next_line(&text, end))) {
		if (t->n == size) {
			size_t more = size ? size * 2 : 64;
			struct mount_line *v = reallocarray(t->v, more, sizeof(*v));

			if (!v)
				return err_set(e, -ENOMEM, "read the table of mounts");
			t->v = v;
			size = more;
		}
		if (mount_line_parse(line, &t->v[t->n]))
			t->n++;
	}
	return 0;
}

static const struct mount_line *mount_find(const struct mount_table *t, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].id == id)
			return &t->v[i];
	return NULL;
}

/*
 * On the way from the root to @m there is one mount per step; each must be what a lookup of the
 * path meets, so no sibling of it may be mounted at or above it, and nothing on top of @m itself.
 */
static bool mount_hidden(const struct mount_table *t, const struct mount_line *m)
{
	const struct mount_line *step = m;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].parent == m->id && path_is_below(m->point, t->v[i].point))
			return true;

	/* A loop of parents, which no kernel writes, ends at the bound. */
	for (int n = 0; step && n < SURVEY_MAX_ANCESTORS; n++) {
		for (size_t i = 0; i < t->n; i++)
			if (t->v[i].parent == step->parent && t->v[i].id != step->id &&
			    path_is_below(step->point, t->v[i].point))
				return true;
		step = step->parent == step->id ? NULL : mount_find(t, step->parent);
	}
	return false;
}

static void hierarchy_clear(struct cgroup_hierarchy *h)
{
	free(h->mount);
	free(h->root);
	free(h->own);
	memset(h, 0, sizeof(*h));
}

static uint32_t hierarchy_controllers_v2(const char *mount)
{
	_autofree_ char *names = NULL;
	struct err ignored = ERR_INIT;

	/* Absent in a stand-in, or not readable: then a v2 hierarchy without controllers. */
	if (cgroup_read(mount, "cgroup.controllers", &names, &ignored) < 0)
		return 0;
	return controller_bits(names, " \n");
}

static struct cgroup_hierarchy *survey_same(struct cgroup_survey *s, int version, uint32_t bits)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].version != version)
			continue;
		if (version == 2 || (s->v[i].controllers & bits) != 0)
			return &s->v[i];
	}
	return NULL;
}

static int survey_add(struct cgroup_survey *s, const struct mount_line *m, const char *prefix,
		      struct err *e)
{
	int version = strcmp(m->type, "cgroup2") == 0 ? 2 : 1;
	uint32_t bits = version == 1 ? controller_bits(m->options, ",") : 0;
	_autofree_ char *clean = path_clean(m->point);
	struct cgroup_hierarchy *h;

	if (!clean)
		return err_set(e, -ENOMEM, "read the table of mounts");
	/* A mount point with ".." in it is not the kernel's writing. */
	if ((version == 1 && bits == 0) || strcmp(clean, m->point) != 0)
		return 0;
	h = survey_same(s, version, bits);
	if (h) {
		/* Mounted twice: the mount that shows the whole hierarchy is the better one. */
		if (strcmp(h->root, "/") == 0 || strcmp(m->root, "/") != 0)
			return 0;
		hierarchy_clear(h);
	} else {
		if (s->n == CGROUP_MAX_HIERARCHIES)
			return 0;
		h = &s->v[s->n++];
	}

	h->version = version;
	h->root = strdup(m->root);
	h->mount = str_printf("%s%s", prefix, m->point);
	if (!h->root || !h->mount)
		return err_set(e, -ENOMEM, "read the table of mounts");
	h->controllers = version == 1 ? bits : hierarchy_controllers_v2(h->mount);
	return 0;
}

static int survey_mounts(struct cgroup_survey *s, const char *path, const char *prefix,
			 struct err *e)
{
	_autofree_ char *text = NULL;
	_autofree_ struct mount_line *lines = NULL;
	struct mount_table t = { .v = NULL };
	size_t len;
	int r;

	r = io_read_file(AT_FDCWD, path, SURVEY_MAX_FILE, &text, &len, e);
	if (r < 0)
		return r;
	r = mount_table_read(text, len, &t, e);
	lines = t.v;
	for (size_t i = 0; i < t.n && r == 0; i++) {
		if (strcmp(t.v[i].type, "cgroup") != 0 && strcmp(t.v[i].type, "cgroup2") != 0)
			continue;
		if (!mount_hidden(&t, &t.v[i]))
			r = survey_add(s, &t.v[i], prefix, e);
	}
	return r;
}

/*
 * Where @path, of a whole hierarchy, is below the mount point. A heap block; NULL if it is not
 * visible there: outside of what is mounted, outside of the cgroup namespace ("/.."), or deleted.
 */
static char *own_below_mount(const struct cgroup_hierarchy *h, const char *path)
{
	_autofree_ char *clean = path_clean(path);

	if (!clean || strcmp(clean, path) != 0 || path[0] != '/' || str_ends(path, " (deleted)"))
		return NULL;
	if (strcmp(h->root, "/") == 0)
		return strdup(path);
	if (!path_is_below(path, h->root))
		return NULL;
	path += strlen(h->root);
	return strdup(*path == '\0' ? "/" : path);
}

/* cgroups(7): ID:CONTROLLERS:PATH; the path may have colons; v2 has no controllers. */
static void survey_own_line(struct cgroup_survey *s, char *line)
{
	const char *id = strsep(&line, ":");
	const char *names = strsep(&line, ":");
	const char *path = line;
	struct cgroup_hierarchy *h;
	bool v2;

	if (!id || !names || !path)
		return;
	v2 = strcmp(id, "0") == 0 && names[0] == '\0';
	h = survey_same(s, v2 ? 2 : 1, controller_bits(names, ","));
	if (h && !h->own)
		h->own = own_below_mount(h, path);
}

static int survey_own(struct cgroup_survey *s, const char *path, struct err *e)
{
	_autofree_ char *text = NULL;
	const char *end;
	char *at;
	char *line;
	size_t len;
	int r;

	r = io_read_file(AT_FDCWD, path, SURVEY_MAX_FILE, &text, &len, e);
	/* A kernel without cgroups has no such file. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	at = text;
	end = text + len;
	while ((line = next_line(&at, end)))
		survey_own_line(s, line);
	return 0;
}

int cgroup_survey(const struct cgroup_source *source, struct cgroup_survey **out, struct err *e)
{
	static const struct cgroup_source none;
	const struct cgroup_source *from = source ? source : &none;
	const char *systemd = from->systemd ? from->systemd : "/run/systemd/system";
	struct cgroup_survey *s = calloc(1, sizeof(*s));
	struct stat st;
	int r;

	if (!s)
		return err_set(e, -ENOMEM, "survey cgroups");
	/* sd_booted(3): this directory is how systemd says that it is the init system. */
	s->systemd = lstat(systemd, &st) == 0 && S_ISDIR(st.st_mode);

	r = survey_mounts(s, from->mountinfo ? from->mountinfo : "/proc/self/mountinfo",
			  from->prefix ? from->prefix : "", e);
	if (r == 0)
		r = survey_own(s, from->cgroup ? from->cgroup : "/proc/self/cgroup", e);
	if (r < 0) {
		cgroup_survey_free(s);
		return err_wrap(e, r, "survey cgroups");
	}
	*out = s;
	return 0;
}

void cgroup_survey_free(struct cgroup_survey *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		hierarchy_clear(&s->v[i]);
	free(s);
}

enum cgroup_mode cgroup_survey_mode(const struct cgroup_survey *s)
{
	bool v1 = false;
	bool v2 = false;

	for (size_t i = 0; i < s->n; i++) {
		v1 |= s->v[i].version == 1;
		v2 |= s->v[i].version == 2;
	}
	if (v1)
		return v2 ? CGROUP_MODE_HYBRID : CGROUP_MODE_V1;
	return v2 ? CGROUP_MODE_V2 : CGROUP_MODE_NONE;
}
