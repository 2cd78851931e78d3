// SPDX-License-Identifier: GPL-2.0-only
/* The guest configuration, read with every bound checked, once. */
#include "guest/init/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/launch.h"

/* What the payload of a record must look like beyond its type. */
enum shape {
	SHAPE_STRING,			/* one string, its NUL the last byte */
	SHAPE_FIXED,			/* a struct and nothing else */
	SHAPE_STRUCT,			/* a struct and more, checked by its own function */
};

struct rule {
	const char *name;
	enum shape shape;
	uint32_t size;			/* of the struct */
	uint16_t type;
	bool once;			/* at most one such record */
	/* Returns NULL, or what is wrong with a payload whose shape is right. */
	const char *(*check)(const struct init_config *c, const void *payload, uint32_t len);
};

/*
 * The end of the string that starts at @at (just behind its NUL), 0 if it does not end within @len.
 */
static uint32_t string_end(const void *payload, uint32_t at, uint32_t len)
{
	const char *bytes = payload;
	const char *nul;

	if (at >= len)
		return 0;
	nul = memchr(bytes + at, '\0', len - at);
	return nul ? (uint32_t)(nul - bytes) + 1 : 0;
}

static const char *check_absolute(const struct init_config *c, const void *payload, uint32_t len)
{
	const char *path = payload;

	(void)c;
	(void)len;
	return path[0] == '/' ? NULL : "not an absolute path";
}

static const char *check_not_empty(const struct init_config *c, const void *payload, uint32_t len)
{
	(void)c;
	(void)payload;
	return len > 1 ? NULL : "empty";
}

static const char *check_user(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_user *user = payload;

	(void)c;
	if (len - sizeof(*user) != (uint64_t)user->nr_groups * sizeof(uint32_t))
		return "wrong number of groups";
	return NULL;
}

static const char *check_flags(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_flags *flags = payload;

	(void)c;
	(void)len;
	if (flags->flags &
	    ~(uint32_t)(GCFG_FLAG_NO_NEW_PRIVS | GCFG_FLAG_TERMINAL | GCFG_FLAG_NO_CAPS))
		return "unknown flag";
	return NULL;
}

static const char *check_layer(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_layer *layer = payload;

	(void)len;
	if (layer->image >= NABLA_LAUNCH_IMAGES)
		return "image out of range";
	return c->nr_layers < NABLA_LAUNCH_IMAGES ? NULL : "too many layers";
}

static const char *check_root(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_root *root = payload;

	(void)c;
	(void)len;
	return root->flags & ~(uint32_t)GCFG_ROOT_READONLY ? "unknown flag" : NULL;
}

static const char *check_mount(const struct init_config *c, const void *payload, uint32_t len)
{
	uint32_t at = sizeof(struct gcfg_mount);
	uint32_t start = 0;

	(void)c;
	for (int i = 0; i < 4; i++) {
		start = at;
		at = string_end(payload, at, len);
		if (!at)
			return "a string does not end";
		if (i == 2 && ((const char *)payload)[start] != '/')
			return "destination is not absolute";
	}
	return at == len ? NULL : "bytes behind the strings";
}

static const char *check_file(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_file *file = payload;
	uint32_t end = string_end(payload, sizeof(*file), len);

	(void)c;
	if (!end)
		return "the path does not end";
	if (((const char *)payload)[sizeof(*file)] != '/')
		return "not an absolute path";
	if (file->size != len - end)
		return "wrong size of the contents";
	if (file->mode & ~07777u)
		return "bad mode";
	return file->flags & ~(uint32_t)GCFG_FILE_READONLY ? "unknown flag" : NULL;
}

static const char *check_device(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_device *device = payload;

	(void)c;
	if (string_end(payload, sizeof(*device), len) != len)
		return "the path does not end";
	if (((const char *)payload)[sizeof(*device)] != '/')
		return "not an absolute path";
	if (!S_ISCHR(device->mode) && !S_ISBLK(device->mode) && !S_ISFIFO(device->mode))
		return "neither a device nor a FIFO";
	return NULL;
}

static const char *check_link(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_link *link = payload;
	size_t name_len = strnlen(link->name, sizeof(link->name));

	(void)len;
	if (!name_len || name_len == sizeof(link->name) || strchr(link->name, '/') ||
	    !strcmp(link->name, ".") || !strcmp(link->name, ".."))
		return "bad name";
	if (link->index >= NABLA_LAUNCH_NETS)
		return "index out of range";
	if (link->flags & ~(uint32_t)(GCFG_LINK_ANNOUNCE | GCFG_LINK_NO_IPV6 |
				       GCFG_LINK_POD))
		return "unknown flag";
	/* Records before this one are checked already, so the list can be searched up to it. */
	return init_config_link(c, link->index) == link ? NULL : "index given twice";
}

static bool prefix_fits(uint8_t family, uint8_t prefix)
{
	return family == 2 ? prefix <= 32 : family == 10 && prefix <= 128;
}

static const char *check_addr(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_addr *addr = payload;

	(void)c;
	(void)len;
	return prefix_fits(addr->family, addr->prefix) ? NULL : "bad family or prefix";
}

static const char *check_route(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_route *route = payload;
	const struct gcfg_hop *hop = (const void *)(route + 1);

	(void)c;
	if (len - sizeof(*route) != route->nr_hops * sizeof(*hop))
		return "wrong number of hops";
	if (!prefix_fits(route->family, route->dst_prefix) ||
	    !prefix_fits(route->family, route->src_prefix))
		return "bad family or prefix";
	for (unsigned int i = 0; i < route->nr_hops; i++) {
		if (hop[i].gateway_family && !prefix_fits(hop[i].gateway_family, 0))
			return "bad gateway family";
		if (hop[i].weight > 256)
			return "bad weight";
	}
	return NULL;
}

static const char *check_neigh(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_neigh *neigh = payload;

	(void)c;
	(void)len;
	return prefix_fits(neigh->family, 0) ? NULL : "bad family";
}

static const char *check_policy(const struct init_config *c, const void *payload, uint32_t len)
{
	const struct gcfg_rule *rule = payload;

	(void)c;
	(void)len;
	if (!prefix_fits(rule->family, rule->dst_prefix) ||
	    !prefix_fits(rule->family, rule->src_prefix))
		return "bad family or prefix";
	if (strnlen(rule->iif, sizeof(rule->iif)) == sizeof(rule->iif) ||
	    strnlen(rule->oif, sizeof(rule->oif)) == sizeof(rule->oif))
		return "an interface's name does not end";
	return NULL;
}

static const struct rule rules[] = {
	{ "argument", SHAPE_STRING, 0, GCFG_ARG, false, NULL },
	{ "environment", SHAPE_STRING, 0, GCFG_ENV, false, check_not_empty },
	{ "cwd", SHAPE_STRING, 0, GCFG_CWD, true, check_absolute },
	{ "user", SHAPE_STRUCT, sizeof(struct gcfg_user), GCFG_USER, true, check_user },
	{ "rlimit", SHAPE_FIXED, sizeof(struct gcfg_rlimit), GCFG_RLIMIT, false, NULL },
	{ "capabilities", SHAPE_FIXED, sizeof(struct gcfg_caps), GCFG_CAPS, true, NULL },
	{ "flags", SHAPE_FIXED, sizeof(struct gcfg_flags), GCFG_FLAGS, true, check_flags },
	{ "oom_score_adj", SHAPE_FIXED, sizeof(struct gcfg_oom), GCFG_OOM_SCORE_ADJ, true, NULL },
	{ "hostname", SHAPE_STRING, 0, GCFG_HOSTNAME, true, NULL },
	{ "domainname", SHAPE_STRING, 0, GCFG_DOMAINNAME, true, NULL },
	{ "sysctl", SHAPE_STRING, 0, GCFG_SYSCTL, false, check_not_empty },
	{ "layer", SHAPE_FIXED, sizeof(struct gcfg_layer), GCFG_LAYER, false, check_layer },
	{ "root", SHAPE_FIXED, sizeof(struct gcfg_root), GCFG_ROOT, true, check_root },
	{ "mount", SHAPE_STRUCT, sizeof(struct gcfg_mount), GCFG_MOUNT, false, check_mount },
	{ "file", SHAPE_STRUCT, sizeof(struct gcfg_file), GCFG_FILE, false, check_file },
	{ "device", SHAPE_STRUCT, sizeof(struct gcfg_device), GCFG_DEVICE, false, check_device },
	{ "masked path", SHAPE_STRING, 0, GCFG_MASKED_PATH, false, check_absolute },
	{ "read-only path", SHAPE_STRING, 0, GCFG_READONLY_PATH, false, check_absolute },
	{ "link", SHAPE_FIXED, sizeof(struct gcfg_link), GCFG_LINK, false, check_link },
	{ "address", SHAPE_FIXED, sizeof(struct gcfg_addr), GCFG_ADDR, false, check_addr },
	{ "route", SHAPE_STRUCT, sizeof(struct gcfg_route), GCFG_ROUTE, false, check_route },
	{ "neighbour", SHAPE_FIXED, sizeof(struct gcfg_neigh), GCFG_NEIGH, false, check_neigh },
	{ "policy rule", SHAPE_FIXED, sizeof(struct gcfg_rule), GCFG_RULE, false, check_policy },
};

static const struct rule *find_rule(uint16_t type)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

/* The record at offset @at, whole with its padding and within the data, or NULL. */
static const struct gcfg_record *record_at(const struct init_config *c, size_t at)
{
	const struct gcfg_record *record;
	size_t left;

	if (at > c->size || c->size - at < sizeof(*record))
		return NULL;
	record = (const void *)(c->data + at);
	left = c->size - at - sizeof(*record);
	if (record->len > left || (((size_t)record->len + 7) & ~(size_t)7) > left)
		return NULL;
	return record;
}

static size_t record_end(const struct init_config *c, const struct gcfg_record *record)
{
	size_t at = (size_t)((const unsigned char *)record - c->data);

	return at + sizeof(*record) + (((size_t)record->len + 7) & ~(size_t)7);
}

const struct gcfg_record *init_config_next(const struct init_config *config, uint16_t type,
					   const struct gcfg_record *after)
{
	size_t at = after ? record_end(config, after) : sizeof(struct gcfg_header);

	for (;;) {
		const struct gcfg_record *record = record_at(config, at);

		if (!record || record->type == type)
			return record;
		at = record_end(config, record);
	}
}

const struct gcfg_link *init_config_link(const struct init_config *config, uint32_t index)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_LINK, record))) {
		const struct gcfg_link *link = init_config_payload(record);

		if (record->len == sizeof(*link) && link->index == index)
			return link;
	}
	return NULL;
}

struct init_config_mount init_config_mount(const struct gcfg_record *record)
{
	const struct gcfg_mount *mount = init_config_payload(record);
	struct init_config_mount parts = {
		.flags = mount->flags, .propagation = mount->propagation,
	};

	parts.type = (const char *)(mount + 1);
	parts.source = parts.type + strlen(parts.type) + 1;
	parts.destination = parts.source + strlen(parts.source) + 1;
	parts.data = parts.destination + strlen(parts.destination) + 1;
	return parts;
}

const char *init_config_file_path(const struct gcfg_record *record)
{
	return (const char *)init_config_payload(record) + sizeof(struct gcfg_file);
}

const void *init_config_file_contents(const struct gcfg_record *record)
{
	const char *path = init_config_file_path(record);

	return path + strlen(path) + 1;
}

const char *init_config_device_path(const struct gcfg_record *record)
{
	return (const char *)init_config_payload(record) + sizeof(struct gcfg_device);
}

static const char *wrong_shape(const struct rule *rule, const struct gcfg_record *record)
{
	const void *payload = init_config_payload(record);

	switch (rule->shape) {
	case SHAPE_STRING:
		return string_end(payload, 0, record->len) == record->len && record->len ?
		       NULL : "not one terminated string";
	case SHAPE_FIXED:
		return record->len == rule->size ? NULL : "wrong length";
	case SHAPE_STRUCT:
		return record->len >= rule->size ? NULL : "too short";
	}
	return "no shape";
}

/* Remember a checked record that is looked up often, or that may be there once. */
static void note_record(struct init_config *c, const struct gcfg_record *record, char ***arg,
			char ***env)
{
	const void *payload = init_config_payload(record);
	/* execve() takes what it will not change as char *: here alone const is dropped. */
	union { const void *given; char *taken; } string = { payload };

	switch (record->type) {
	case GCFG_ARG:
		*(*arg)++ = string.taken;
		break;
	case GCFG_ENV:
		*(*env)++ = string.taken;
		c->nr_env++;
		break;
	case GCFG_CWD:
		c->cwd = payload;
		break;
	case GCFG_HOSTNAME:
		c->hostname = payload;
		break;
	case GCFG_DOMAINNAME:
		c->domainname = payload;
		break;
	case GCFG_USER:
		c->user = payload;
		break;
	case GCFG_CAPS:
		c->caps = payload;
		break;
	case GCFG_OOM_SCORE_ADJ:
		c->oom = payload;
		break;
	case GCFG_ROOT:
		c->root = payload;
		break;
	case GCFG_FLAGS:
		c->flags = ((const struct gcfg_flags *)payload)->flags;
		break;
	case GCFG_LAYER:
		c->nr_layers++;
		break;
	default:
		break;
	}
}

static int check_header(const void *data, size_t size, struct err *e)
{
	const struct gcfg_header *header = data;

	if (size < sizeof(*header))
		return err_say(e, -EINVAL, "shorter than its header");
	if (size > GCFG_MAX_SIZE)
		return err_say(e, -EINVAL, "too long");
	if (memcmp(header->magic, GCFG_MAGIC, sizeof(header->magic)) != 0)
		return err_say(e, -EINVAL, "wrong magic");
	if (header->version != GCFG_VERSION)
		return err_say(e, -EINVAL, "version %u, not %u", header->version, GCFG_VERSION);
	if (header->size != size)
		return err_say(e, -EINVAL, "%zu bytes, not %u as it says", size, header->size);
	return 0;
}

/* Pass 1: records that lie within the data, of known types, as many as announced. */
static int count_records(const struct init_config *c, uint32_t announced, size_t *args,
			 size_t *envs, struct err *e)
{
	size_t at = sizeof(struct gcfg_header);
	uint32_t count = 0;

	while (at < c->size) {
		const struct gcfg_record *record = record_at(c, at);

		if (!record)
			return err_say(e, -EINVAL, "record %u does not fit", count);
		if (!find_rule(record->type))
			return err_say(e, -EINVAL, "record %u has the unknown type %u", count,
				       record->type);
		*args += record->type == GCFG_ARG;
		*envs += record->type == GCFG_ENV;
		at = record_end(c, record);
		count++;
	}
	if (count != announced)
		return err_say(e, -EINVAL, "%u records, not %u as it says", count, announced);
	return 0;
}

/* Pass 2: each payload. */
static int check_records(struct init_config *c, struct err *e)
{
	uint64_t seen[2] = { 0, 0 };
	char **arg = c->argv, **env = c->envp;
	uint32_t number = 0;

	for (size_t at = sizeof(struct gcfg_header); at < c->size; number++) {
		const struct gcfg_record *record = record_at(c, at);
		const struct rule *rule = find_rule(record->type);
		uint64_t bit = 1ull << (record->type & 63);
		const char *wrong = wrong_shape(rule, record);

		if (!wrong && rule->once && (seen[record->type >> 6] & bit))
			wrong = "given twice";
		if (!wrong && rule->check)
			wrong = rule->check(c, init_config_payload(record), record->len);
		if (wrong)
			return err_say(e, -EINVAL, "record %u (%s): %s", number, rule->name, wrong);
		seen[record->type >> 6] |= bit;
		note_record(c, record, &arg, &env);
		at = record_end(c, record);
	}
	return 0;
}

/* Pass 3: links may stand behind what refers to them. */
static int check_references(const struct init_config *c, struct err *e)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(c, GCFG_ADDR, record))) {
		const struct gcfg_addr *addr = init_config_payload(record);

		if (!init_config_link(c, addr->link))
			return err_say(e, -EINVAL, "an address refers to link %u", addr->link);
	}
	while ((record = init_config_next(c, GCFG_NEIGH, record))) {
		const struct gcfg_neigh *neigh = init_config_payload(record);

		if (!init_config_link(c, neigh->link))
			return err_say(e, -EINVAL, "a neighbour refers to link %u", neigh->link);
	}
	while ((record = init_config_next(c, GCFG_ROUTE, record))) {
		const struct gcfg_route *route = init_config_payload(record);
		const struct gcfg_hop *hop = (const void *)(route + 1);

		for (unsigned int i = 0; i < route->nr_hops; i++)
			if (!init_config_link(c, hop[i].link))
				return err_say(e, -EINVAL, "a route refers to link %u",
					       hop[i].link);
	}
	return 0;
}

int init_config_parse(const void *data, size_t size, struct init_config *config, struct err *e)
{
	struct init_config c = { .data = data, .size = size, .cwd = "/" };
	size_t args = 0, envs = 0;
	int r;

	r = check_header(data, size, e);
	if (r < 0)
		return r;
	r = count_records(&c, ((const struct gcfg_header *)data)->count, &args, &envs, e);
	if (r < 0)
		return r;
	if (!args)
		return err_say(e, -EINVAL, "no argument: nothing to run");

	c.argv = calloc(args + 1, sizeof(*c.argv));
	c.envp = calloc(envs + 2, sizeof(*c.envp));
	r = c.argv && c.envp ? check_records(&c, e) : err_set(e, -ENOMEM, "read configuration");
	if (!r)
		r = check_references(&c, e);
	if (!r && !c.nr_layers)
		r = err_say(e, -EINVAL, "no layer: nothing to run from");
	if (r < 0) {
		init_config_free(&c);
		return r;
	}
	*config = c;
	return 0;
}

void init_config_free(struct init_config *config)
{
	free(config->argv);
	free(config->envp);
	*config = (struct init_config)INIT_CONFIG_NONE;
}
