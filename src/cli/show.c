/* SPDX-License-Identifier: GPL-2.0-only */
/* What several commands print. */
#include "cli/show.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>

#include "container/guest_end.h"

int show_json(json_t *json, struct err *e)
{
	int r;

	if (!json)
		return err_set(e, -ENOMEM, "print JSON");
	r = json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	if (r < 0 || putchar('\n') == EOF)
		return err_say(e, -EIO, "write to stdout");
	return 0;
}

const char *show_owner(uid_t uid, char name[SHOW_OWNER_MAX])
{
	char space[1024];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, space, sizeof(space), &found) == 0 && found)
		snprintf(name, SHOW_OWNER_MAX, "%s", found->pw_name);
	else
		snprintf(name, SHOW_OWNER_MAX, "#%u", (unsigned int)uid);
	return name;
}

/* Paths may hold bytes that JSON cannot: better without the path than without an answer. */
json_t *show_text(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_string("");
}

/* Which guest it is, and how it ended as far as that is known. Returns 0 or -ENOMEM. */
static int show_guest(json_t *json, const struct state *s)
{
	struct guest_end end;
	const char *words;
	int r = json_object_set_new(json, "guest",
				    json_string(guest_kind_name(guest_kind_of(s))));

	if (r < 0 || !guest_end_of(s, &end))
		return r;
	words = guest_end_words(&end);
	r = json_object_set_new(json, "exitStatus", json_integer(guest_end_status(&end)));
	if (r == 0 && words)
		r = json_object_set_new(json, "exitReason", json_string(words));
	return r;
}

json_t *show_state(const struct state *s)
{
	json_t *json = state_json(s, state_status(s));
	char owner[SHOW_OWNER_MAX];

	if (!json)
		return NULL;
	if ((json_object_get(json, "pid") ||
	     json_object_set_new(json, "pid", json_integer(0)) == 0) &&
	    json_object_set_new(json, "rootfs", show_text(s->rootfs)) == 0 &&
	    json_object_set_new(json, "created", json_string(s->created)) == 0 &&
	    json_object_set_new(json, "owner", show_text(show_owner(s->owner, owner))) == 0 &&
	    show_guest(json, s) == 0)
		return json;
	json_decref(json);
	return NULL;
}

int show_append(json_t *array, json_t *value)
{
	if (!array || !value) {
		json_decref(value);
		return -ENOMEM;
	}
	return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}
