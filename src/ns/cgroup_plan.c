/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups, which directories: from linux.cgroupsPath to a list; looks, and touches nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "ns/cgroup_internal.h"

void cgroup_list_free(struct cgroup_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].dir);
	free(list->v);
	list->v = NULL;
	list->n = 0;
}

/* Append a place; @dir becomes the list's, also on failure. */
static int list_add(struct cgroup_list *list, char *dir, const struct cgroup_hierarchy *h,
		    struct err *e)
{
	struct cgroup_place *v = dir ? reallocarray(list->v, list->n + 1, sizeof(*v)) : NULL;

	if (!v) {
		free(dir);
		return err_set(e, -ENOMEM, "plan cgroups");
	}
	list->v = v;
	v[list->n++] = (struct cgroup_place){
		.dir = dir, .version = h->version, .controllers = h->controllers,
	};
	return 0;
}

static bool dir_exists(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0;
}

/* One of systemd's, which may be empty and in use. */
static bool is_slice(const char *dir)
{
	const char *dot = strrchr(dir, '.');

	return dot && strcmp(dot, ".slice") == 0;
}

/*
 * Add the mount point of @h and every directory from there to @path (clean, absolute, not "/").
 * What is not there yet is ours; with @own_parent, so is what leads to the leaf: whoever is the
 * last one there removes it.
 */
static int plan_hierarchy(const struct cgroup_hierarchy *h, const char *path, bool own_parent,
			  struct cgroup_list *list, struct err *e)
{
	const char *at = path;
	int r = list_add(list, strdup(h->mount), h, e);

	while (r == 0 && *at != '\0') {
		struct cgroup_place *place;

		at += 1 + strcspn(at + 1, "/");
		r = list_add(list, str_printf("%s%.*s", h->mount, (int)(at - path), path), h, e);
		if (r < 0)
			break;
		place = &list->v[list->n - 1];
		place->leaf = *at == '\0';
		place->ours = !dir_exists(place->dir) ||
			      (own_parent && !place->leaf && !is_slice(place->dir));
	}
	return r;
}

/* The path below the mount point of @h, clean and absolute, a heap block in *@out. */
static int plan_path(const struct cgroup_hierarchy *h, const char *path, char **out, struct err *e)
{
	_autofree_ char *start = NULL;
	_autofree_ char *inside = NULL;
	_autofree_ char *joined = NULL;
	char *slash;

	if (path[0] == '/') {
		*out = path_clean(path);
		return *out ? 0 : err_set(e, -ENOMEM, "plan cgroups");
	}
	if (!h->own)
		return err_say(e, -EINVAL,
			       "cgroupsPath '%s' is relative, and the runtime's own cgroup "
			       "cannot be seen below '%s': use an absolute one",
			       path, h->mount);
	start = strdup(h->own);
	/* Cleaned on its own first: ".." does not lead out of the runtime's cgroup. */
	inside = path_clean(path);
	if (!start || !inside)
		return err_set(e, -ENOMEM, "plan cgroups");
	if (h->version == 2) {
		slash = strrchr(start, '/');
		slash[slash == start ? 1 : 0] = '\0';
	}
	joined = path_join(start, inside);
	*out = joined ? path_clean(joined) : NULL;
	return *out ? 0 : err_set(e, -ENOMEM, "plan cgroups");
}

/*
 * systemd switches off, below its slices, each controller that none of its own units needs,
 * whenever it looks at them anew (systemctl daemon-reload; a unit that starts): the limits of a
 * scope that it does not know would go. The kernel refuses that while a child of the scope has the
 * controller.
 */
static int plan_guarded(char **path, struct err *e)
{
	char *below = path_join(*path, CGROUP_GUARDED);

	if (!below)
		return err_set(e, -ENOMEM, "plan cgroups");
	free(*path);
	*path = below;
	return 0;
}

struct plan_choice {
	const char *path;	/* as in config.json, or chosen for it */
	bool own_parent;	/* what leads to the leaf is ours */
	bool systemd;		/* it is systemd's scope */
};

static int plan_all(const struct cgroup_survey *s, const struct plan_choice *choice,
		    struct cgroup_list *list, struct err *e)
{
	const bool hybrid = cgroup_survey_mode(s) == CGROUP_MODE_HYBRID;
	const char *path = choice->path;
	_autofree_ char *clean = path_clean(path);

	if (!clean)
		return err_set(e, -ENOMEM, "plan cgroups");
	if (strcmp(clean, "/") == 0 || strcmp(clean, ".") == 0)
		return err_say(e, -EINVAL,
			       "cgroupsPath '%s' names a cgroup that holds others' processes",
			       path);
	for (size_t i = 0; i < s->n; i++) {
		/* Beside v1, engines leave v2 alone: a pod's directory there is its containers'. */
		bool own_parent = choice->own_parent || (hybrid && s->v[i].version == 2);
		_autofree_ char *below = NULL;
		int r = plan_path(&s->v[i], path, &below, e);

		if (r == 0 && choice->systemd && s->v[i].version == 2)
			r = plan_guarded(&below, e);
		if (r == 0)
			r = plan_hierarchy(&s->v[i], below, own_parent, list, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int plan_systemd(const struct cgroup_survey *s, const char *triple, char **path,
			struct err *e)
{
	if (!s->systemd)
		return err_say(
			e, -EOPNOTSUPP,
			"--systemd-cgroup, cgroupsPath '%s': systemd does not run "
			"here; use the cgroupfs driver (podman: cgroup_manager=\"cgroupfs\", "
			"containerd: SystemdCgroup = false, "
			"docker: --exec-opt native.cgroupdriver=cgroupfs)",
			triple);
	return cgroup_systemd_path(triple, path, e);
}

int cgroup_plan(const struct cgroup_survey *s, const char *path, bool systemd, const char *id,
		struct cgroup_list *list, struct err *e)
{
	struct cgroup_list made = CGROUP_LIST_INIT;
	_autofree_ char *chosen = NULL;
	struct plan_choice choice = { .systemd = systemd };
	int r = 0;

	if (systemd) {
		_autofree_ char *triple =
			path && path[0] ? strdup(path) : str_printf(":runnc:%s", id);

		if (!triple)
			return err_set(e, -ENOMEM, "plan cgroups");
		r = plan_systemd(s, triple, &chosen, e);
		if (r < 0)
			return r;
	} else if (path && path[0] != '\0') {
		chosen = strdup(path);
	} else {
		chosen = str_printf("%s/%s", CGROUP_DEFAULT_PARENT, id);
		choice.own_parent = true;
	}
	if (!chosen)
		return err_set(e, -ENOMEM, "plan cgroups");

	choice.path = chosen;
	r = plan_all(s, &choice, &made, e);
	if (r < 0) {
		cgroup_list_free(&made);
		return r;
	}
	*list = made;
	return 0;
}

static bool systemd_name_ok(const char *name, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

	for (size_t i = 0; i < len; i++)
		if (name[i] == '\0' || !strchr(allowed, name[i]))
			return false;
	return len <= 255;
}

/* systemd.slice(5): "a-b.slice" lies in "a.slice"; "-.slice" is the root. Appends to *@path. */
static int systemd_slice(const char *name, size_t len, char **path)
{
	size_t stem = len - strlen(".slice");

	if (len <= strlen(".slice") || memcmp(name + stem, ".slice", strlen(".slice")) != 0)
		return -EINVAL;
	if (stem == 1 && name[0] == '-')
		return 0;
	for (size_t i = 0; i <= stem; i++) {
		char *longer;

		if (i < stem && name[i] != '-')
			continue;
		/* No empty part: "-a", "a-", "a--b". */
		if (i == 0 || name[i - 1] == '-')
			return -EINVAL;
		longer = str_printf("%s/%.*s.slice", *path, (int)i, name);
		if (!longer)
			return -ENOMEM;
		free(*path);
		*path = longer;
	}
	return 0;
}

int cgroup_systemd_path(const char *triple, char **path, struct err *e)
{
	static const char fallback[] = "system.slice";
	const char *prefix = strchr(triple, ':');
	const char *name = prefix ? strchr(prefix + 1, ':') : NULL;
	_autofree_ char *slices = strdup("");
	char *whole;
	size_t slice_len;
	int r;

	if (!slices)
		return err_set(e, -ENOMEM, "plan cgroups");
	if (!name || name[1] == '\0' || strchr(name + 1, ':') ||
	    !systemd_name_ok(triple, strlen(triple)))
		return err_say(e, -EINVAL, "cgroupsPath '%s': with --systemd-cgroup expected "
			       "\"slice:prefix:name\"", triple);

	slice_len = (size_t)(prefix - triple);
	r = systemd_slice(slice_len ? triple : fallback, slice_len ? slice_len : strlen(fallback),
			  &slices);
	if (r < 0)
		return err_say(e, r, "cgroupsPath '%s': '%.*s' is no name of a slice", triple,
			       (int)slice_len, triple);

	if (str_ends(name + 1, ".slice"))
		whole = str_printf("%s/%s", slices, name + 1);
	else if (prefix + 1 == name)
		whole = str_printf("%s/%s.scope", slices, name + 1);
	else
		whole = str_printf("%s/%.*s-%s.scope", slices, (int)(name - prefix - 1), prefix + 1,
				   name + 1);
	if (!whole)
		return err_set(e, -ENOMEM, "plan cgroups");
	*path = whole;
	return 0;
}
