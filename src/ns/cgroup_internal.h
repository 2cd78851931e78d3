/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of cgroup*.c share among themselves. */
#ifndef RUNNC_NS_CGROUP_INTERNAL_H
#define RUNNC_NS_CGROUP_INTERNAL_H

#include "ns/cgroup.h"

#define CGROUP_MAX_HIERARCHIES	32
#define CGROUP_MAX_FILE		(1u << 20)	/* longest cgroupfs file that we read */
#define CGROUP_MAX_DEPTH	64		/* deepest nesting below a leaf that is followed */

struct cgroup_hierarchy {
	int version;
	uint32_t controllers;	/* CGROUP_* */
	char *mount;		/* with the source's prefix */
	char *root;		/* which cgroup is mounted there; "/" for all of them */
	char *own;		/* of this process, below @mount, "/..."; NULL: not visible there */
};

struct cgroup_survey {
	struct cgroup_hierarchy v[CGROUP_MAX_HIERARCHIES];
	size_t n;
	bool systemd;		/* it runs here */
};

/* The CGROUP_* bit of a controller's name of @len bytes, in v1's or v2's words; 0: none of ours. */
uint32_t cgroup_controller_bit(const char *name, size_t len);
/* The name of one bit, as version @version of cgroups calls it. */
const char *cgroup_controller_name(uint32_t bit, int version);

/* The leaf of the hierarchy with controller @bit; NULL: there is none. */
const struct cgroup_place *cgroup_leaf(const struct cgroup_list *list, uint32_t bit);
/* The leaf in the v2 hierarchy; NULL: there is none. */
const struct cgroup_place *cgroup_leaf_v2(const struct cgroup_list *list);

/* Contents of @dir/@file without trailing newline, a heap block in *@text. Returns 0 or -errno. */
int cgroup_read(const char *dir, const char *file, char **text, struct err *e);
/* One write(2) of @value to @dir/@file, which must exist. Returns 0 or -errno. */
int cgroup_write(const char *dir, const char *file, const char *value, struct err *e);
/* The same, whose message also shows what the file holds now. */
int cgroup_set(const char *dir, const char *file, const char *value, struct err *e);

#endif
