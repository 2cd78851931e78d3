/* SPDX-License-Identifier: GPL-2.0-only */
/* A unikernel's manifest: copied, then checked. */
#include "solo5/manifest.h"

#include <errno.h>
#include <string.h>

#define HEAD offsetof(struct solo5_manifest, entry)

/* By hand: isalnum() asks the locale. */
static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool solo5_name_valid(const char *name)
{
	size_t len = 0;

	while (is_name_char(name[len]))
		len++;
	return len >= 1 && len <= SOLO5_NAME_MAX && name[len] == '\0';
}

size_t solo5_manifest_size(uint32_t entries)
{
	return HEAD + entries * sizeof(struct solo5_manifest_entry);
}

const char *solo5_device_name(uint32_t type)
{
	return type == SOLO5_BLOCK ? "disk" : "network device";
}

static int check_entry(const struct solo5_manifest *m, uint32_t i, struct err *e)
{
	const struct solo5_manifest_entry *entry = &m->entry[i];

	if (entry->name[SOLO5_NAME_MAX])
		return err_say(e, -ENOEXEC, "the name of device %u has no end", i);
	if (entry->attached)
		return err_say(e, -ENOEXEC, "device %u is attached already", i);
	if (i == 0) {
		if (entry->type != SOLO5_RESERVED_FIRST || entry->name[0])
			return err_say(e, -ENOEXEC, "entry 0 is not the reserved one");
		return 0;
	}
	if (!solo5_name_valid(entry->name))
		return err_say(e, -ENOEXEC,
			       "the name of device %u is not 1 to %d letters or digits", i,
			       SOLO5_NAME_MAX);
	if (entry->type != SOLO5_BLOCK && entry->type != SOLO5_NET)
		return err_say(e, -ENOEXEC, "device '%s' is of the unknown type %u", entry->name,
			       entry->type);
	for (uint32_t other = 1; other < i; other++)
		if (!strcmp(m->entry[other].name, entry->name))
			return err_say(e, -ENOEXEC, "two devices have the name '%s'", entry->name);
	return 0;
}

static int check(const struct solo5_manifest *m, size_t len, struct err *e)
{
	if (len < HEAD)
		return err_say(e, -ENOEXEC, "%zu bytes are too short", len);
	if (m->version != SOLO5_MANIFEST_VERSION)
		return err_say(e, -ENOEXEC, "version %u is not %u", m->version,
			       SOLO5_MANIFEST_VERSION);
	if (m->entries < 1 || m->entries > SOLO5_MANIFEST_ENTRIES)
		return err_say(e, -ENOEXEC, "%u entries, not 1 to %u", m->entries,
			       SOLO5_MANIFEST_ENTRIES);
	if (len != solo5_manifest_size(m->entries))
		return err_say(e, -ENOEXEC, "%zu bytes for %u entries, not %zu", len, m->entries,
			       solo5_manifest_size(m->entries));
	return 0;
}

int solo5_manifest_read(const void *data, size_t len, struct solo5_manifest *m, struct err *e)
{
	int ret;

	memset(m, 0, sizeof(*m));
	if (len > sizeof(*m))
		return err_say(e, -ENOEXEC, "manifest: %zu bytes are too long", len);
	memcpy(m, data, len);
	ret = check(m, len, e);
	for (uint32_t i = 0; ret == 0 && i < m->entries; i++)
		ret = check_entry(m, i, e);
	if (ret < 0)
		return err_wrap(e, ret, "manifest");
	return 0;
}

struct solo5_manifest_entry *solo5_manifest_find(struct solo5_manifest *m, const char *name)
{
	for (uint32_t i = 1; i < m->entries; i++)
		if (!strcmp(m->entry[i].name, name))
			return &m->entry[i];
	return NULL;
}
