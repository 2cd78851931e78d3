/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * [linux]: namespaces, id maps, devices and the rest of the object "linux", but for its resources.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "bundle/names.h"
#include "bundle/parse.h"

/* The kernel's dev_t has 12 bits of major and 20 bits of minor number. */
#define LINUX_MAX_MAJOR		4095
#define LINUX_MAX_MINOR		1048575
#define LINUX_MAX_ID		(UINT32_MAX - 1)

static void parse_namespace(const struct bundle_at *at, struct bundle_ns ns[BUNDLE_NS_TYPES])
{
	char *name = NULL, *path = NULL;
	int type;

	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	bundle_require(BUNDLE_KEY(at, "type"));
	bundle_read_string(BUNDLE_KEY(at, "type"), &name);
	bundle_read_name(BUNDLE_KEY(at, "path"), &path);
	if (path && *path != '/')
		bundle_refuse(BUNDLE_KEY(at, "path"), "expected an absolute path");
	if (at->r->code)
		return;
	type = bundle_ns_number(name);
	if (type < 0) {
		bundle_refuse(BUNDLE_KEY(at, "type"), "unknown namespace '%s'", name);
		return;
	}
	if (ns[type].present) {
		bundle_refuse(at, "second entry for '%s'", name);
		return;
	}
	ns[type].present = true;
	ns[type].path = path;
}

static void parse_namespaces(const struct bundle_at *at, struct bundle_ns ns[BUNDLE_NS_TYPES])
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);

	for (size_t i = 0; i < n; i++)
		parse_namespace(BUNDLE_ITEM(at, i), ns);
}

static void parse_id_map(const struct bundle_at *at, struct bundle_id_map *map)
{
	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	bundle_require(BUNDLE_KEY(at, "containerID"));
	bundle_require(BUNDLE_KEY(at, "hostID"));
	bundle_require(BUNDLE_KEY(at, "size"));
	bundle_read_u32(BUNDLE_KEY(at, "containerID"), UINT32_MAX, &map->container_id);
	bundle_read_u32(BUNDLE_KEY(at, "hostID"), UINT32_MAX, &map->host_id);
	bundle_read_u32(BUNDLE_KEY(at, "size"), UINT32_MAX, &map->size);
	if (!map->size)
		bundle_refuse(BUNDLE_KEY(at, "size"), "expected more than 0 ids");
	/* The kernel's sum: the last id must stay below (uid_t)-1. */
	if ((uint64_t)map->container_id + map->size > UINT32_MAX ||
	    (uint64_t)map->host_id + map->size > UINT32_MAX)
		bundle_refuse(at, "reaches beyond the last id %u", UINT32_MAX - 1);
}

static void parse_id_maps(const struct bundle_at *at, bool user_ns, struct bundle_id_maps *maps)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_id_map *v = bundle_alloc(at->r, n, sizeof(*v));

	if (!v)
		return;
	if (n && !user_ns)
		bundle_refuse(at, "given without a user namespace");
	for (size_t i = 0; i < n; i++)
		parse_id_map(BUNDLE_ITEM(at, i), &v[i]);
	maps->v = v;
	maps->n = n;
}

static uint32_t device_type(const struct bundle_at *at)
{
	char *type = NULL;

	bundle_require(at);
	bundle_read_string(at, &type);
	if (!type)
		return 0;
	if (strcmp(type, "c") == 0 || strcmp(type, "u") == 0)
		return S_IFCHR;
	if (strcmp(type, "b") == 0)
		return S_IFBLK;
	if (strcmp(type, "p") == 0)
		return S_IFIFO;
	bundle_refuse(at, "expected 'c', 'u', 'b' or 'p'");
	return 0;
}

static void parse_device(const struct bundle_at *at, struct bundle_device *device)
{
	uint32_t mode = 0666;
	char *path = NULL;

	bundle_require(at);
	if (!bundle_is_object(at))
		return;
	device->mode = device_type(BUNDLE_KEY(at, "type"));
	bundle_require(BUNDLE_KEY(at, "path"));
	bundle_read_path(BUNDLE_KEY(at, "path"), &path);
	if (device->mode != S_IFIFO) {
		bundle_require(BUNDLE_KEY(at, "major"));
		bundle_require(BUNDLE_KEY(at, "minor"));
		bundle_read_u32(BUNDLE_KEY(at, "major"), LINUX_MAX_MAJOR, &device->major);
		bundle_read_u32(BUNDLE_KEY(at, "minor"), LINUX_MAX_MINOR, &device->minor);
	}
	/* Some engines pass on st_mode with its type; only the permission bits are meant. */
	bundle_read_u32(BUNDLE_KEY(at, "fileMode"), UINT32_MAX, &mode);
	bundle_read_u32(BUNDLE_KEY(at, "uid"), LINUX_MAX_ID, &device->uid);
	bundle_read_u32(BUNDLE_KEY(at, "gid"), LINUX_MAX_ID, &device->gid);
	if (at->r->code)
		return;
	device->mode |= mode & 07777;
	device->path = bundle_copy_take(at->r, path_clean(path));
}

static void parse_devices(const struct bundle_at *at, struct bundle *b)
{
	size_t n = bundle_count(at, BUNDLE_MAX_VALUES);
	struct bundle_device *devices = bundle_alloc(at->r, n, sizeof(*devices));

	if (!devices)
		return;
	for (size_t i = 0; i < n; i++)
		parse_device(BUNDLE_ITEM(at, i), &devices[i]);
	b->devices = devices;
	b->nr_devices = n;
}

/*
 * Keys become file names below /proc/sys: "net.ipv4.ip_forward" or
 * "net/ipv4/conf/eth0.7/forwarding".
 */
static bool sysctl_key_is_sane(const char *key)
{
	size_t part;

	for (; *key; key += part + (key[part] == '/')) {
		part = strcspn(key, "/");
		if (part == 0 || key[0] == '.')
			return false;
	}
	return true;
}

static void parse_sysctl(const struct bundle_at *at, struct bundle_pairs *sysctl)
{
	bundle_read_pairs(at, sysctl);
	if (at->r->code)
		return;
	for (size_t i = 0; i < sysctl->n; i++)
		if (!sysctl_key_is_sane(sysctl->v[i].key))
			bundle_refuse(BUNDLE_KEY(at, sysctl->v[i].key), "not the name of a sysctl");
}

static void parse_propagation(const struct bundle_at *at, unsigned long *propagation)
{
	char *word = NULL;

	bundle_read_name(at, &word);
	if (!word)
		return;
	*propagation = bundle_propagation(word);
	if (!*propagation)
		bundle_refuse(at, "unknown propagation '%s'", word);
}

static void parse_personality(const struct bundle_at *at, enum bundle_personality *personality)
{
	char *domain = NULL;

	if (!bundle_is_object(at))
		return;
	bundle_require(BUNDLE_KEY(at, "domain"));
	bundle_read_string(BUNDLE_KEY(at, "domain"), &domain);
	bundle_warn_ignored(BUNDLE_KEY(at, "flags"));
	if (!domain)
		return;
	if (strcmp(domain, "LINUX") == 0)
		*personality = BUNDLE_PERSONALITY_LINUX;
	else if (strcmp(domain, "LINUX32") == 0)
		*personality = BUNDLE_PERSONALITY_LINUX32;
	else
		bundle_refuse(BUNDLE_KEY(at, "domain"), "expected 'LINUX' or 'LINUX32'");
}

void bundle_parse_linux(const struct bundle_at *at, struct bundle *b)
{
	bool user_ns;

	if (!bundle_is_object(at))
		return;
	parse_namespaces(BUNDLE_KEY(at, "namespaces"), b->ns);
	user_ns = b->ns[BUNDLE_NS_USER].present;
	parse_id_maps(BUNDLE_KEY(at, "uidMappings"), user_ns, &b->uid_maps);
	parse_id_maps(BUNDLE_KEY(at, "gidMappings"), user_ns, &b->gid_maps);
	parse_devices(BUNDLE_KEY(at, "devices"), b);
	bundle_read_name(BUNDLE_KEY(at, "cgroupsPath"), &b->cgroups_path);
	bundle_parse_resources(BUNDLE_KEY(at, "resources"), &b->resources);
	parse_sysctl(BUNDLE_KEY(at, "sysctl"), &b->sysctl);
	bundle_read_paths(BUNDLE_KEY(at, "maskedPaths"), &b->masked_paths);
	bundle_read_paths(BUNDLE_KEY(at, "readonlyPaths"), &b->readonly_paths);
	parse_propagation(BUNDLE_KEY(at, "rootfsPropagation"), &b->rootfs_propagation);
	bundle_read_name(BUNDLE_KEY(at, "mountLabel"), &b->mount_label);
	parse_personality(BUNDLE_KEY(at, "personality"), &b->personality);
	b->has_seccomp = bundle_is_object(BUNDLE_KEY(at, "seccomp"));
	bundle_warn_ignored(BUNDLE_KEY(at, "intelRdt"));
	bundle_warn_ignored(BUNDLE_KEY(at, "timeOffsets"));
}
