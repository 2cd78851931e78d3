/* SPDX-License-Identifier: GPL-2.0-only */
/* urunc's words, from annotations or from /urunc.json. */
#include "container/urunc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <nettle/base64.h>

#include "base/fd.h"
#include "base/str.h"

#define URUNC_BASE64 "b64:"

static const char *const urunc_names[URUNC_KEYS] = {
	[URUNC_TYPE] = "unikernelType",
	[URUNC_VERSION] = "unikernelVersion",
	[URUNC_BINARY] = "binary",
	[URUNC_CMDLINE] = "cmdline",
	[URUNC_HYPERVISOR] = "hypervisor",
	[URUNC_INITRD] = "initrd",
	[URUNC_BLOCK] = "block",
	[URUNC_BLOCK_MOUNT] = "blkMntPoint",
	[URUNC_MOUNT_ROOTFS] = "mountRootfs",
	[URUNC_DM_BLOCK] = "useDMBlock",
	[URUNC_NET_DEVICE] = "solo5NetDev",
	[URUNC_BLOCK_DEVICE] = "solo5BlkDev",
};

const char *urunc_key_name(enum urunc_key key)
{
	return urunc_names[key];
}

/* URUNC_KEYS for a key that is not urunc's, or not one of these. */
static enum urunc_key urunc_key_of(const char *key)
{
	int i = 0;

	if (!str_starts(key, URUNC_PREFIX))
		return URUNC_KEYS;
	while (i < URUNC_KEYS && strcmp(key + strlen(URUNC_PREFIX), urunc_names[i]) != 0)
		i++;
	return (enum urunc_key)i;
}

/* ---- values ------------------------------------------------------------------------------- */

static bool urunc_is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t step = str_utf8_step(s + i, len - i);

		if (step == 0 || (step == 1 && ((unsigned char)s[i] < ' ' || s[i] == 0x7f)))
			return false;
		i += step;
	}
	return true;
}

/* *@out is a heap block. Returns 0, -EINVAL if @in is not base64 of a text, or -ENOMEM. */
static int urunc_decode(const char *in, char **out)
{
	struct base64_decode_ctx ctx;
	size_t len = strlen(in), done;
	_autofree_ char *data = NULL;

	/* Strict: nettle would skip white space. */
	if (len == 0 || len % 4 != 0 || in[strcspn(in, " \t\r\n\v\f")] != '\0')
		return -EINVAL;
	done = BASE64_DECODE_LENGTH(len);
	data = malloc(done + 1);
	if (!data)
		return -ENOMEM;
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &done, (uint8_t *)data, len, in) ||
	    !base64_decode_final(&ctx) || !urunc_is_text(data, done))
		return -EINVAL;
	data[done] = '\0';
	*out = take_ptr(data);
	return 0;
}

static int urunc_value(const char *text, char **value)
{
	int r;

	if (str_starts(text, URUNC_BASE64))
		return urunc_decode(text + strlen(URUNC_BASE64), value);
	r = urunc_decode(text, value);
	if (r != -EINVAL)
		return r;
	*value = strdup(text);
	return *value ? 0 : -ENOMEM;
}

static int urunc_set(struct urunc *u, enum urunc_key key, const char *text, struct err *e)
{
	_autofree_ char *value = NULL;
	int r;

	if (strlen(text) > URUNC_VALUE_MAX)
		return err_say(e, -EINVAL, URUNC_PREFIX "%s: longer than %u bytes",
			       urunc_names[key], URUNC_VALUE_MAX);
	r = urunc_value(text, &value);
	if (r == -EINVAL)
		return err_say(e, r, URUNC_PREFIX "%s: '%.64s' is not base64 of a text",
			       urunc_names[key], text);
	if (r < 0)
		return err_set(e, r, URUNC_PREFIX "%s", urunc_names[key]);
	if (value[0] == '\0')
		return 0;
	free(u->value[key]);
	u->value[key] = take_ptr(value);
	return 0;
}

/* ---- sources ------------------------------------------------------------------------------ */

int urunc_from_annotations(const struct bundle *b, struct urunc *u, struct err *e)
{
	for (size_t i = 0; i < b->annotations.n; i++) {
		enum urunc_key key = urunc_key_of(b->annotations.v[i].key);
		int r = key == URUNC_KEYS ? 0 : urunc_set(u, key, b->annotations.v[i].value, e);

		if (r < 0)
			return err_wrap(e, r, "annotation");
	}
	return 0;
}

static int urunc_from_object(const json_t *json, struct urunc *u, struct err *e)
{
	for (int i = 0; i < URUNC_KEYS; i++) {
		char key[64] = URUNC_PREFIX;
		const json_t *value;
		int r;

		strcat(key, urunc_names[i]);
		value = json_object_get(json, key);
		if (!value || json_is_null(value))
			continue;
		if (!json_is_string(value))
			return err_say(e, -EINVAL, "%s: expected a string", key);
		r = urunc_set(u, (enum urunc_key)i, json_string_value(value), e);
		if (r < 0)
			return r;
	}
	return 0;
}

int urunc_from_json(const char *json, size_t len, struct urunc *u, struct err *e)
{
	json_error_t where;
	json_t *object;
	int r;

	if (len > URUNC_FILE_MAX)
		return err_say(e, -EINVAL, "'%s' is longer than %u KiB", URUNC_FILE,
			       URUNC_FILE_MAX >> 10);
	object = json_loadb(json, len, JSON_REJECT_DUPLICATES, &where);
	if (!object)
		return err_say(e, -EINVAL, "'%s': line %d: %s", URUNC_FILE, where.line, where.text);
	if (json_is_object(object))
		r = urunc_from_object(object, u, e);
	else
		r = err_say(e, -EINVAL, "expected an object");
	json_decref(object);
	return r < 0 ? err_wrap(e, r, "'%s'", URUNC_FILE) : 0;
}

/* ---- questions ---------------------------------------------------------------------------- */

bool urunc_complete(const struct urunc *u)
{
	return u->value[URUNC_TYPE] && u->value[URUNC_HYPERVISOR] && u->value[URUNC_BINARY];
}

bool urunc_is_true(const struct urunc *u, enum urunc_key key)
{
	const char *value = u->value[key];

	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

void urunc_free(struct urunc *u)
{
	for (int i = 0; i < URUNC_KEYS; i++)
		free(u->value[i]);
	memset(u, 0, sizeof(*u));
}
