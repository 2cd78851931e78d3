/* SPDX-License-Identifier: GPL-2.0-only */
/* What ns.c and child.c share. */
#ifndef RUNNC_NS_NS_INTERNAL_H
#define RUNNC_NS_NS_INTERNAL_H

#include "ns/ns.h"

#define NS_KINDS 8

/* One namespace that is to be joined. */
struct ns_join {
	int flag;
	int fd;
};

struct ns_joins {
	struct ns_join v[NS_KINDS];
	size_t n;
};

/*
 * Open the namespace at @path and add it, unless the caller is in it already. Returns 0, -EINVAL if
 * it is no namespace of that kind, or another -errno.
 */
int ns_joins_add(struct ns_joins *j, int flag, const char *path, struct err *e);
/* Join them all. */
int ns_joins_enter(const struct ns_joins *j, struct err *e);
void ns_joins_close(struct ns_joins *j);

int ns_pidfd_open(pid_t pid);

#endif
