/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest configurations for the tests, built record by record. */
#ifndef NABLA_INIT_TEST_BUILD_H
#define NABLA_INIT_TEST_BUILD_H

#include "abi/guest_config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct build {
	_Alignas(8) unsigned char bytes[65536];
	size_t size;
};

static inline void build_start(struct build *b)
{
	struct gcfg_header header = { .version = GCFG_VERSION, .size = sizeof(header) };

	memcpy(header.magic, GCFG_MAGIC, sizeof(header.magic));
	memset(b, 0, sizeof(*b));
	memcpy(b->bytes, &header, sizeof(header));
	b->size = sizeof(header);
}

static inline struct gcfg_header *build_header(struct build *b)
{
	return (struct gcfg_header *)(void *)b->bytes;
}

/* Add a record of two parts; returns its payload. */
static inline void *build_add2(struct build *b, uint16_t type, const void *one, size_t one_len,
			       const void *two, size_t two_len)
{
	struct gcfg_record record = { .type = type, .len = (uint32_t)(one_len + two_len) };
	unsigned char *at = b->bytes + b->size;

	if (sizeof(b->bytes) - b->size < sizeof(record) + one_len + two_len + 8)
		abort();
	memcpy(at, &record, sizeof(record));
	if (one_len)
		memcpy(at + sizeof(record), one, one_len);
	if (two_len)
		memcpy(at + sizeof(record) + one_len, two, two_len);
	b->size += sizeof(record) + ((one_len + two_len + 7) & ~(size_t)7);
	build_header(b)->size = (uint32_t)b->size;
	build_header(b)->count++;
	return at + sizeof(record);
}

static inline void *build_add(struct build *b, uint16_t type, const void *payload, size_t len)
{
	return build_add2(b, type, payload, len, NULL, 0);
}

static inline void *build_string(struct build *b, uint16_t type, const char *string)
{
	return build_add(b, type, string, strlen(string) + 1);
}

static inline void build_mount(struct build *b, const char *type, const char *source,
			       const char *destination, const char *data, uint64_t flags)
{
	const struct gcfg_mount mount = { .flags = flags };
	const char *parts[4] = { type, source, destination, data };
	char strings[4096];
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		size_t part = strlen(parts[i]) + 1;

		if (len + part > sizeof(strings))
			abort();
		memcpy(strings + len, parts[i], part);
		len += part;
	}
	build_add2(b, GCFG_MOUNT, &mount, sizeof(mount), strings, len);
}

static inline void build_file(struct build *b, const char *path, const char *contents,
			      uint32_t mode, uint32_t uid, uint32_t flags)
{
	const struct gcfg_file file = {
		.mode = mode, .uid = uid, .gid = uid, .flags = flags, .size = strlen(contents),
	};
	char rest[4096];
	size_t len = strlen(path) + 1;

	if (len + strlen(contents) > sizeof(rest))
		abort();
	memcpy(rest, path, len);
	memcpy(rest + len, contents, strlen(contents));
	build_add2(b, GCFG_FILE, &file, sizeof(file), rest, len + strlen(contents));
}

static inline void build_device(struct build *b, const char *path, uint32_t mode, uint32_t major,
				uint32_t minor)
{
	const struct gcfg_device device = { .mode = mode, .major = major, .minor = minor };

	build_add2(b, GCFG_DEVICE, &device, sizeof(device), path, strlen(path) + 1);
}

static inline void build_layer(struct build *b, uint32_t image)
{
	const struct gcfg_layer layer = { .image = image };

	build_add(b, GCFG_LAYER, &layer, sizeof(layer));
}

#endif
