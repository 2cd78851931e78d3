/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.json: struct state as text and back. The members that the runtime-spec gives a state have
 * its names; ours are beside them. Unknown members are ignored, those of a wrong type make it
 * damaged.
 */
#include "container/state_json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

void state_free(struct state *s)
{
	free(s->id);
	free(s->oci_version);
	free(s->bundle);
	free(s->rootfs);
	json_decref(s->annotations);
	free(s->exec_fifo);
	cgroup_list_free(&s->cgroups);
	for (size_t i = 0; i < s->nr_namespaces; i++) {
		free(s->namespaces[i].type);
		free(s->namespaces[i].path);
	}
	free(s->namespaces);
	str_vector_free(s->images);
	json_decref(s->net);
	json_decref(s->extra);
	memset(s, 0, sizeof(*s));
}

const char *state_status_name(enum state_status status)
{
	static const char *const names[] = { "creating", "created", "running", "stopped" };

	return names[status];
}

/* jansson refuses strings that are not UTF-8: paths may be so. Then what can be shown of it. */
static json_t *text_json(const char *s)
{
	json_t *j = json_string(s);
	size_t len = strlen(s);
	_autofree_ char *shown = NULL;
	size_t at = 0;

	if (j)
		return j;
	shown = strdup(s);
	while (shown && at < len) {
		size_t step = str_utf8_step(s + at, len - at);

		if (step == 0)
			shown[at] = '?';
		at += step ? step : 1;
	}
	return shown ? json_string(shown) : NULL;
}

json_t *state_json(const struct state *s, enum state_status status)
{
	json_t *j = json_object();
	int bad = 0;

	if (!j)
		return NULL;
	bad |= json_object_set_new(j, "ociVersion",
				   text_json(s->oci_version ? s->oci_version : "1.0.2"));
	bad |= json_object_set_new(j, "id", text_json(s->id));
	bad |= json_object_set_new(j, "status", json_string(state_status_name(status)));
	if (s->pid > 0 && status != STATE_STOPPED)
		bad |= json_object_set_new(j, "pid", json_integer(s->pid));
	if (s->bundle)
		bad |= json_object_set_new(j, "bundle", text_json(s->bundle));
	if (s->annotations && json_object_size(s->annotations) > 0)
		bad |= json_object_set(j, "annotations", s->annotations);
	if (bad) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* Writing. */

static int set_text(json_t *j, const char *key, const char *value)
{
	json_t *string = value ? json_string(value) : NULL;

	/* What later commands act on must come back as it was. */
	if (value && !string)
		return -1;
	return value ? json_object_set_new(j, key, string) : 0;
}

static int set_value(json_t *j, const char *key, json_t *value)
{
	return value ? json_object_set(j, key, value) : 0;
}

static json_t *cgroups_json(const struct cgroup_list *list)
{
	json_t *array = json_array();
	int bad = !array;

	for (size_t i = 0; i < list->n && !bad; i++) {
		const struct cgroup_place *p = &list->v[i];

		bad = json_array_append_new(
			array, json_pack("{s:s, s:i, s:I, s:b, s:b}", "dir", p->dir, "version",
					 p->version, "controllers", (json_int_t)p->controllers,
					 "leaf", (int)p->leaf, "ours", (int)p->ours));
	}
	if (bad) {
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *namespaces_json(const struct state *s)
{
	json_t *array = json_array();
	int bad = !array;

	for (size_t i = 0; i < s->nr_namespaces && !bad; i++)
		bad = json_array_append_new(array,
					    json_pack("{s:s, s:s?}", "type", s->namespaces[i].type,
						      "path", s->namespaces[i].path));
	if (bad) {
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *images_json(char *const *images)
{
	json_t *array = json_array();
	int bad = !array;

	for (; images && *images && !bad; images++)
		bad = json_array_append_new(array, json_string(*images));
	if (bad) {
		json_decref(array);
		return NULL;
	}
	return array;
}

int state_to_text(const struct state *s, char **text, struct err *e)
{
	json_t *j = json_object();
	int bad = !j;

	bad |= set_text(j, "ociVersion", s->oci_version);
	bad |= set_text(j, "id", s->id);
	bad |= json_object_set_new(j, "pid", json_integer(s->pid));
	bad |= set_text(j, "bundle", s->bundle);
	bad |= set_value(j, "annotations", s->annotations);
	bad |= set_text(j, "created", s->created);
	bad |= json_object_set_new(j, "owner", json_integer(s->owner));
	bad |= set_text(j, "rootfs", s->rootfs);
	/* 64 bits of ticks: json_int_t is signed, and boot was not 3 billion years ago. */
	bad |= json_object_set_new(j, "pidStart", json_integer((json_int_t)s->pid_start));
	bad |= json_object_set_new(j, "creator", json_integer(s->creator));
	bad |= json_object_set_new(j, "creatorStart", json_integer((json_int_t)s->creator_start));
	bad |= json_object_set_new(j, "complete", json_boolean(s->complete));
	bad |= set_text(j, "execFifo", s->exec_fifo);
	bad |= json_object_set_new(j, "cgroups", cgroups_json(&s->cgroups));
	bad |= json_object_set_new(j, "namespaces", namespaces_json(s));
	bad |= json_object_set_new(j, "images", images_json(s->images));
	bad |= set_value(j, "net", s->net);
	bad |= s->net_failed ? json_object_set_new(j, "netFailed", json_true()) : 0;
	bad |= set_value(j, "extra", s->extra);
	*text = bad ? NULL : json_dumps(j, JSON_INDENT(1));
	json_decref(j);
	if (!*text)
		return err_say(e, -ENOMEM, "no memory, or a string that is not UTF-8");
	return 0;
}

/* Reading: each accessor notes the first member that is wrong and does nothing from then on. */

struct reader {
	struct err *e;
	int result;
};

static void wrong(struct reader *r, const char *key)
{
	if (r->result == 0)
		r->result = err_say(r->e, -EPROTO, "member '%s' is missing or wrong", key);
}

static void get_text(struct reader *r, json_t *j, const char *key, bool needed, char **out)
{
	json_t *value = json_object_get(j, key);

	if (!value && !needed)
		return;
	if (!json_is_string(value)) {
		wrong(r, key);
		return;
	}
	*out = strdup(json_string_value(value));
	if (!*out && r->result == 0)
		r->result = err_set(r->e, -ENOMEM, "read '%s'", key);
}

static json_int_t get_number(struct reader *r, json_t *j, const char *key, json_int_t max)
{
	json_t *value = json_object_get(j, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > max) {
		wrong(r, key);
		return 0;
	}
	return number;
}

static bool get_bool(struct reader *r, json_t *j, const char *key)
{
	json_t *value = json_object_get(j, key);

	if (!json_is_boolean(value))
		wrong(r, key);
	return json_is_true(value);
}

static json_t *get_value(struct reader *r, json_t *j, const char *key, json_type type, bool any)
{
	json_t *value = json_object_get(j, key);

	if (!value)
		return NULL;
	if (!any && json_typeof(value) != type) {
		wrong(r, key);
		return NULL;
	}
	return json_incref(value);
}

static json_t *get_array(struct reader *r, json_t *j, const char *key, size_t *n)
{
	json_t *value = json_object_get(j, key);

	*n = json_array_size(value);
	if (!json_is_array(value))
		wrong(r, key);
	return value;
}

static void *get_memory(struct reader *r, size_t n, size_t size)
{
	void *v = n ? calloc(n, size) : NULL;

	if (n && !v && r->result == 0)
		r->result = err_set(r->e, -ENOMEM, "read the state");
	return v;
}

static void get_cgroups(struct reader *r, json_t *j, struct cgroup_list *list)
{
	size_t n;
	json_t *array = get_array(r, j, "cgroups", &n);

	list->v = get_memory(r, n, sizeof(*list->v));
	for (size_t i = 0; list->v && i < n && r->result == 0; i++) {
		json_t *item = json_array_get(array, i);
		struct cgroup_place *p = &list->v[list->n++];

		get_text(r, item, "dir", true, &p->dir);
		p->version = (int)get_number(r, item, "version", 2);
		p->controllers = (uint32_t)get_number(r, item, "controllers", UINT32_MAX);
		p->leaf = get_bool(r, item, "leaf");
		p->ours = get_bool(r, item, "ours");
		if (p->dir && p->dir[0] != '/')
			wrong(r, "dir");
	}
}

static void get_namespaces(struct reader *r, json_t *j, struct state *s)
{
	size_t n;
	json_t *array = get_array(r, j, "namespaces", &n);

	s->namespaces = get_memory(r, n, sizeof(*s->namespaces));
	for (size_t i = 0; s->namespaces && i < n && r->result == 0; i++) {
		json_t *item = json_array_get(array, i);
		struct state_ns *ns = &s->namespaces[s->nr_namespaces++];

		get_text(r, item, "type", true, &ns->type);
		if (!json_is_null(json_object_get(item, "path")))
			get_text(r, item, "path", true, &ns->path);
	}
}

static void get_images(struct reader *r, json_t *j, struct state *s)
{
	size_t n;
	json_t *array = get_array(r, j, "images", &n);

	s->images = n ? get_memory(r, n + 1, sizeof(*s->images)) : NULL;
	for (size_t i = 0; s->images && i < n && r->result == 0; i++) {
		json_t *item = json_array_get(array, i);

		if (!json_is_string(item)) {
			wrong(r, "images");
			return;
		}
		s->images[i] = strdup(json_string_value(item));
		if (!s->images[i])
			r->result = err_set(r->e, -ENOMEM, "read the state");
	}
}

static void get_created(struct reader *r, json_t *j, char created[TIMESTAMP_MAX])
{
	const char *text = json_string_value(json_object_get(j, "created"));

	if (!text || strlen(text) >= TIMESTAMP_MAX) {
		wrong(r, "created");
		return;
	}
	strcpy(created, text);
}

static int read_all(json_t *j, const char *id, struct state *s, struct err *e)
{
	struct reader r = { .e = e };

	get_text(&r, j, "id", true, &s->id);
	if (s->id && strcmp(s->id, id) != 0)
		wrong(&r, "id");
	get_text(&r, j, "ociVersion", false, &s->oci_version);
	get_text(&r, j, "bundle", false, &s->bundle);
	get_text(&r, j, "rootfs", false, &s->rootfs);
	get_text(&r, j, "execFifo", false, &s->exec_fifo);
	get_created(&r, j, s->created);
	s->owner = (uid_t)get_number(&r, j, "owner", UINT32_MAX);
	s->pid = (pid_t)get_number(&r, j, "pid", INT_MAX);
	s->pid_start = (uint64_t)get_number(&r, j, "pidStart", INT64_MAX);
	s->creator = (pid_t)get_number(&r, j, "creator", INT_MAX);
	s->creator_start = (uint64_t)get_number(&r, j, "creatorStart", INT64_MAX);
	s->complete = get_bool(&r, j, "complete");
	s->annotations = get_value(&r, j, "annotations", JSON_OBJECT, false);
	s->net = get_value(&r, j, "net", JSON_OBJECT, true);
	s->net_failed = json_object_get(j, "netFailed") && get_bool(&r, j, "netFailed");
	s->extra = get_value(&r, j, "extra", JSON_OBJECT, false);
	get_cgroups(&r, j, &s->cgroups);
	get_namespaces(&r, j, s);
	get_images(&r, j, s);
	return r.result;
}

int state_from_text(const char *text, size_t len, const char *id, struct state *s, struct err *e)
{
	json_error_t why;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int r;

	if (!j)
		return err_say(e, -EPROTO, "line %d: %s", why.line, why.text);
	r = json_is_object(j) ? read_all(j, id, s, e) : err_say(e, -EPROTO, "it is no JSON object");
	json_decref(j);
	return r;
}
