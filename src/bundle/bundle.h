/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bundle: config.json of the OCI runtime-spec 1.0 to 1.2 as plain C, checked once, const from
 * then on.
 *
 * Section numbers in comments name the spec's files: [config] config.md, [linux] config-linux.md.
 * Unknown fields are ignored, as [config] "Extensibility" demands. A JSON null counts as absent, as
 * engines written in Go emit it for empty lists. A known field of the wrong type or out of its
 * range is refused with its JSON path:
 *	config.json: process.rlimits[2].soft: expected an integer from 0 to 18446744073709551615
 *
 * Strings are never NULL unless the field's comment says so, hold no NUL inside, and are valid
 * UTF-8. Everything belongs to the bundle and lives until bundle_free(). Nothing here touches the
 * file system but bundle_load(), which reads DIR/config.json and nothing else: whether the root,
 * the sources of mounts or the namespaces exist is for those to find out who open them.
 */
#ifndef RUNNC_BUNDLE_BUNDLE_H
#define RUNNC_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define BUNDLE_MAX_CONFIG	(16u << 20)	/* longest config.json, in bytes */
#define BUNDLE_MAX_DEPTH	64		/* deepest nesting of arrays and objects in it */
#define BUNDLE_MAX_VALUES	1000000		/* most values in it: bounds our own memory */

/* A number that config.json does not give. Never a valid value of such a field. */
#define BUNDLE_UNSET		INT64_MIN

struct bundle_strings {
	char **v;			/* n strings, then NULL: fit for execve(); NULL itself if n
					 * is 0 */
	size_t n;
};

struct bundle_pair {
	char *key;			/* not empty */
	char *value;
};

struct bundle_pairs {			/* in the order of config.json; keys are distinct */
	struct bundle_pair *v;
	size_t n;
};

/* [config] "process" */

struct bundle_user {
	uint32_t uid;			/* 0..4294967294 */
	uint32_t gid;
	uint32_t umask;			/* 0..0777; meaningless without has_umask */
	bool has_umask;
	uint32_t *groups;		/* additionalGids, in order, at most 65536 */
	size_t nr_groups;
};

struct bundle_rlimit {
	int resource;			/* RLIMIT_*; each at most once */
	uint64_t soft;			/* <= hard; all ones: unlimited */
	uint64_t hard;
};

struct bundle_caps {			/* bit N: capability N of linux/capability.h */
	bool present;			/* false: config.json has no capabilities object, keep
					 * none */
	uint64_t bounding;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t permitted;
	uint64_t ambient;
};

struct bundle_process {
	bool terminal;
	uint16_t console_rows;		/* 0: not given */
	uint16_t console_columns;
	char *cwd;			/* absolute */
	struct bundle_strings args;	/* at least one */
	struct bundle_strings env;	/* each "NAME=value" with a name that is not empty */
	struct bundle_user user;
	struct bundle_rlimit *rlimits;
	size_t nr_rlimits;
	struct bundle_caps caps;
	bool no_new_privs;
	int64_t oom_score_adj;		/* -1000..1000 or BUNDLE_UNSET */
	char *apparmor_profile;		/* NULL: none */
	char *selinux_label;		/* NULL: none */
};

/* [config] "mounts" */

struct bundle_mount {
	char *destination;		/* absolute, cleaned by path_clean(); a relative one got its
					 * "/" */
	char *type;			/* "bind" for every bind mount; "" if not given */
	char *source;			/* of a bind mount: absolute (relative ones are below the
					 * bundle) */
	struct bundle_strings options;	/* as written */
	unsigned long flags;		/* MS_* of mount(2) from the options, without propagation;
					 * MS_BIND also where only the type says "bind" */
	unsigned long flags_cleared;	/* MS_* that an option asked to be off, e.g. MS_RDONLY by
					 * "rw" */
	unsigned long propagation;	/* MS_SHARED, _SLAVE, _PRIVATE or _UNBINDABLE, | MS_REC; 0:
					 * none. Of several the last one, as the kernel would end up
					 * with */
	uint64_t rec_attr_set;		/* MOUNT_ATTR_* for mount_setattr(2) by "rro" and its
					 * like */
	uint64_t rec_attr_clear;
	char *data;			/* all other options, comma-separated; "" if none */
	bool tmpcopyup;			/* option "tmpcopyup": fill the tmpfs from what it covers */
	bool has_id_mappings;		/* uidMappings, gidMappings, or option "idmap" or
					 * "ridmap" */
};

/* [config] "POSIX-platform Hooks" */

enum bundle_hook_kind {			/* in the order in which a container meets them */
	BUNDLE_HOOK_PRESTART,
	BUNDLE_HOOK_CREATE_RUNTIME,
	BUNDLE_HOOK_CREATE_CONTAINER,
	BUNDLE_HOOK_START_CONTAINER,
	BUNDLE_HOOK_POSTSTART,
	BUNDLE_HOOK_POSTSTOP,
	BUNDLE_HOOK_KINDS
};

struct bundle_hook {
	char *path;			/* absolute */
	struct bundle_strings args;	/* argv with argv[0]; if config.json gives none: { path } */
	struct bundle_strings env;	/* the whole environment, may be empty */
	uint32_t timeout;		/* seconds, 0: none */
};

struct bundle_hooks {
	struct bundle_hook *v;
	size_t n;
};

/* [linux] */

enum bundle_ns_type {
	BUNDLE_NS_PID,
	BUNDLE_NS_NETWORK,
	BUNDLE_NS_MOUNT,
	BUNDLE_NS_IPC,
	BUNDLE_NS_UTS,
	BUNDLE_NS_USER,
	BUNDLE_NS_CGROUP,
	BUNDLE_NS_TIME,
	BUNDLE_NS_TYPES
};

struct bundle_ns {
	bool present;			/* false: stay in the runtime's namespace */
	char *path;			/* absolute: join it; NULL: make a new one */
};

struct bundle_id_map {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;			/* > 0; neither side + size is above 2^32 */
};

struct bundle_id_maps {
	struct bundle_id_map *v;
	size_t n;
};

struct bundle_device {
	char *path;			/* absolute, cleaned */
	uint32_t mode;			/* S_IFCHR, S_IFBLK or S_IFIFO; with fileMode's bits or
					 * 0666 */
	uint32_t major;			/* 0 for a FIFO */
	uint32_t minor;
	uint32_t uid;			/* 0 if not given */
	uint32_t gid;
};

#define BUNDLE_DEVICE_READ	0x1
#define BUNDLE_DEVICE_WRITE	0x2
#define BUNDLE_DEVICE_MKNOD	0x4

struct bundle_device_rule {		/* linux.resources.devices, in order */
	bool allow;
	char type;			/* 'a', 'b' or 'c' */
	int64_t major;			/* -1: any */
	int64_t minor;
	unsigned int access;		/* BUNDLE_DEVICE_* */
};

struct bundle_resources {
	bool present;
	/*
	 * Bytes; -1: unlimited; BUNDLE_UNSET. The spec's words are those of cgroup v1. Engines
	 * write 0 for "not given", here and in the pids limit and cpu quota; it becomes
	 * BUNDLE_UNSET.
	 */
	int64_t memory_limit;
	int64_t memory_reservation;
	int64_t memory_swap;		/* memory plus swap, as memory.memsw in cgroup v1 */
	int64_t pids_limit;		/* -1 (also for any other below 0): unlimited;
					 * BUNDLE_UNSET */
	uint64_t cpu_shares;		/* 0: not given */
	int64_t cpu_quota;		/* microseconds; -1 (any below 0): none; BUNDLE_UNSET */
	uint64_t cpu_period;		/* microseconds; 0: not given */
	char *cpu_cpus;			/* NULL: not given; not checked further */
	char *cpu_mems;
	struct bundle_pairs unified;	/* file names of cgroup v2 without a slash, and what to
					 * write */
	struct bundle_device_rule *devices;
	size_t nr_devices;
};

enum bundle_personality {
	BUNDLE_PERSONALITY_NONE,
	BUNDLE_PERSONALITY_LINUX,
	BUNDLE_PERSONALITY_LINUX32
};

struct bundle {
	char *dir;			/* of the bundle: absolute, cleaned */
	char *oci_version;		/* 1.x.y */

	char *root_path;		/* absolute; as written, so with its symlinks and ".." */
	bool root_readonly;

	/*
	 * [config]: process may be missing at create; start then has nothing to run and must fail.
	 */
	bool has_process;
	struct bundle_process process;	/* all zero without has_process */

	char *hostname;			/* NULL: not given; at most 64 bytes */
	char *domainname;		/* NULL: not given; at most 64 bytes */
	struct bundle_mount *mounts;	/* in order */
	size_t nr_mounts;
	struct bundle_hooks hooks[BUNDLE_HOOK_KINDS];
	struct bundle_pairs annotations;

	/* linux */
	struct bundle_ns ns[BUNDLE_NS_TYPES];
	struct bundle_id_maps uid_maps;	/* empty unless ns[BUNDLE_NS_USER].present */
	struct bundle_id_maps gid_maps;
	struct bundle_device *devices;
	size_t nr_devices;
	char *cgroups_path;		/* NULL: not given; a path or systemd's
					 * "slice:prefix:name" */
	struct bundle_resources resources;
	struct bundle_pairs sysctl;	/* keys as written, with dots or slashes */
	struct bundle_strings masked_paths;	/* absolute */
	struct bundle_strings readonly_paths;	/* absolute */
	unsigned long rootfs_propagation;	/* as bundle_mount.propagation */
	char *mount_label;		/* NULL: none */
	enum bundle_personality personality;
	bool has_seccomp;		/* linux.seccomp is there; its rules are not read */

	/*
	 * What config.json asks for and nobody here does, one line each, to be logged as warnings:
	 * unknown capability names, relative mount destinations, resources that are not applied.
	 */
	struct bundle_strings warnings;
};

/*
 * Read @dir/config.json (@dir may be relative to the current directory). *@out is the caller's, to
 * be given to bundle_free(). Returns 0; -EINVAL for a config.json that is refused; -EFBIG for one
 * above BUNDLE_MAX_CONFIG; -ENOENT if there is none; or another -errno.
 */
int bundle_load(const char *dir, struct bundle **out, struct err *e);

/*
 * The same for @len bytes of JSON in memory; @dir is the absolute path of the bundle they are said
 * to be from. Returns 0, -EINVAL, -EFBIG or -ENOMEM.
 */
int bundle_parse(const char *json, size_t len, const char *dir, struct bundle **out, struct err *e);

/* NULL is fine. */
void bundle_free(struct bundle *b);
static inline void bundle_free_ptr(struct bundle **b)
{
	bundle_free(*b);
}
#define _autobundle_ __attribute__((cleanup(bundle_free_ptr)))

/* The value of annotation @key, or NULL. */
const char *bundle_annotation(const struct bundle *b, const char *key);

/*
 * Print the config.json that `runnc spec` gives: a shell in "rootfs", for this runtime and for any
 * other. @rootless: with a user namespace that maps @uid and @gid to 0 and without what an
 * unprivileged user may not have. Returns 0 or -errno.
 */
int bundle_spec_write(FILE *out, bool rootless, uint32_t uid, uint32_t gid, struct err *e);

#endif
