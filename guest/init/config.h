/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest configuration (abi/guest_config.h), read with every bound checked, once.
 *
 * init_config_parse() looks at each record before anything is applied: known type, exact length,
 * strings terminated where they must be, counts and prefixes in range, references to links valid,
 * nothing given twice that may be given once. After it, the accessors return payloads that need no
 * further check. Nothing is copied: the configuration points into the caller's bytes.
 */
#ifndef NABLA_INIT_CONFIG_H
#define NABLA_INIT_CONFIG_H

#include "abi/guest_config.h"
#include "base/err.h"

#include <stddef.h>

struct init_config {
	const unsigned char *data;	/* borrowed; 8-byte aligned */
	size_t size;
	char **argv;			/* NULL-terminated, at least one; strings point into data */
	char **envp;			/* NULL-terminated, with room for one more before it */
	size_t nr_env;
	const char *cwd;		/* "/" if not given */
	const char *hostname;		/* NULL if not given, as the ones below */
	const char *domainname;
	const struct gcfg_user *user;	/* followed by its nr_groups ids */
	const struct gcfg_caps *caps;
	const struct gcfg_oom *oom;
	const struct gcfg_root *root;
	uint32_t flags;			/* GCFG_FLAG_* */
	unsigned int nr_layers;
};

#define INIT_CONFIG_NONE { .data = NULL }

/* A mount or a device, its strings found. */
struct init_config_mount {
	uint64_t flags;
	uint64_t propagation;
	const char *type;
	const char *source;
	const char *destination;
	const char *data;		/* "" if none */
};

/*
 * Check @data, @size bytes aligned to 8, and fill in *@config, which borrows it.
 * Returns 0; -EINVAL with @e saying which record is wrong and how; -ENOMEM.
 */
int init_config_parse(const void *data, size_t size, struct init_config *config, struct err *e);

/* Free what init_config_parse() allocated; harmless on INIT_CONFIG_NONE. */
void init_config_free(struct init_config *config);

/*
 * The next record of @type behind @after (NULL: the first one), NULL at the end. @after must be a
 * record that this function returned for the same configuration.
 */
const struct gcfg_record *init_config_next(const struct init_config *config, uint16_t type,
					   const struct gcfg_record *after);

/*
 * The payload of a record from init_config_next(); for GCFG_DEVICE and GCFG_FILE the path follows.
 */
static inline const void *init_config_payload(const struct gcfg_record *record)
{
	return record + 1;
}

/* The parts of a GCFG_MOUNT record. */
struct init_config_mount init_config_mount(const struct gcfg_record *record);

/* The path of a GCFG_FILE record, and its contents, of struct gcfg_file.size bytes. */
const char *init_config_file_path(const struct gcfg_record *record);
const void *init_config_file_contents(const struct gcfg_record *record);

/* The path of a GCFG_DEVICE record. */
const char *init_config_device_path(const struct gcfg_record *record);

/* The link with this index, or NULL. */
const struct gcfg_link *init_config_link(const struct init_config *config, uint32_t index);

#endif
