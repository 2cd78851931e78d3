/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gathering: from the pod's namespace along its links to the others.
 *
 * A link tells its other end by an index and by the number that its own namespace has for the
 * other's. What such a number means can be asked only with a descriptor of a namespace in hand: so
 * those that can be reached by a name are opened first, and each namespace that is read is asked
 * for its numbers of all of them.
 */
#include "explain/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "explain/space.h"

#define FACTS_NAMED_DIR "/run/netns"
#define FACTS_MAX_NAMED 1024		/* names looked at */

/* A namespace that can be reached. */
struct named {
	char name[EXPLAIN_NAME_MAX];
	int fd;
	uint64_t inode;
};

struct gathering {
	struct explain_facts *f;
	struct named *named;
	size_t nr_named;
};

/* ---- namespaces with a name ----------------------------------------------------------------- */

static void named_free(struct gathering *g)
{
	for (size_t i = 0; i < g->nr_named; i++)
		fd_close(&g->named[i].fd);
	free(g->named);
}

#define _autogathering_ __attribute__((cleanup(named_free)))

/* What is printed must not move the cursor. */
static void plain_name(const char *text, char name[EXPLAIN_NAME_MAX])
{
	size_t i = 0;

	for (; i < EXPLAIN_NAME_MAX - 1 && text[i]; i++)
		name[i] = text[i];
	name[i] = '\0';
	for (i = 0; name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
}

/*
 * Add the namespace at @path unless it is there. What cannot be opened cannot be reached: no error.
 * Returns 0 or -ENOMEM.
 */
static int named_add(struct gathering *g, const char *path, const char *name, struct err *e)
{
	_autoclose_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct named *larger;
	struct statfs fs;
	struct stat st;

	/* A name below /run/netns that nothing is mounted on is an empty file. */
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    g->nr_named == FACTS_MAX_NAMED)
		return 0;
	for (size_t i = 0; i < g->nr_named; i++)
		if (g->named[i].inode == st.st_ino)
			return 0;
	larger = reallocarray(g->named, g->nr_named + 1, sizeof(*larger));
	if (!larger)
		return err_set(e, -ENOMEM, "list network namespaces");
	g->named = larger;
	larger += g->nr_named++;
	plain_name(name, larger->name);
	larger->fd = take_fd(&fd);
	larger->inode = st.st_ino;
	return 0;
}

static int named_list(struct gathering *g, struct err *e)
{
	DIR *dir = opendir(FACTS_NAMED_DIR);
	const struct dirent *entry;
	int rc = 0;

	while (rc == 0 && dir && (entry = readdir(dir)) != NULL) {
		char path[sizeof(FACTS_NAMED_DIR) + NAME_MAX + 1];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), FACTS_NAMED_DIR "/%s", entry->d_name);
		rc = named_add(g, path, path, e);
	}
	if (dir)
		closedir(dir);
	if (rc == 0)
		rc = named_add(g, "/proc/1/ns/net", "the host", e);
	if (rc == 0)
		rc = named_add(g, "/proc/self/ns/net", "this namespace", e);
	return rc;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int add_number(struct explain_space *x, int32_t id, uint64_t inode, struct err *e)
{
	struct explain_nsid *larger = reallocarray(x->nsids, x->nr_nsids + 1, sizeof(*larger));

	if (!larger)
		return err_set(e, -ENOMEM, "list network namespaces");
	x->nsids = larger;
	larger[x->nr_nsids++] = (struct explain_nsid){ .id = id, .inode = inode };
	return 0;
}

static int read_numbers(const struct gathering *g, struct explain_space *x, struct err *e)
{
	for (size_t i = 0; i < g->nr_named; i++) {
		int32_t id;
		int rc = space_number(g->named[i].fd, &id, e);

		if (rc == 0 && id >= 0)
			rc = add_number(x, id, g->named[i].inode, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * Names of interfaces come from the kernel, which allows nearly any byte; what is printed must not
 * move the cursor, and JSON wants UTF-8.
 */
static void plain_text(char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			*text = '?';
}

static void plain_links(struct explain_space *x)
{
	for (size_t i = 0; i < x->all.nr_links; i++) {
		plain_text(x->all.links[i].name);
		plain_text(x->all.links[i].kind);
	}
}

/* The guards of the pod's namespace, in which we are. No guard, or no right to see it: fine. */
static int read_guards(struct explain_space *x, struct err *e)
{
	for (size_t i = 0; i < x->nr_filters; i++) {
		const struct explain_filter *f = &x->filters[i];
		struct explain_guard g = { .link = f->link, .egress = f->egress }, *larger;

		if (f->priority != NET_TC_PRIORITY_GUARD ||
		    net_guard_stats(f->link, f->egress ? NET_TC_EGRESS : NET_TC_INGRESS, f->handle,
				    &g.stats, e) != 0)
			continue;
		larger = reallocarray(x->guards, x->nr_guards + 1, sizeof(*larger));
		if (!larger)
			return err_set(e, -ENOMEM, "read the guards' counters");
		x->guards = larger;
		larger[x->nr_guards++] = g;
	}
	return 0;
}

/* Returns the space's index, one that was there already too, or -errno; facts are cut: -EXFULL. */
static int add_space(struct gathering *g, const struct named *n, struct err *e)
{
	struct explain_facts *f = g->f;
	struct explain_space *x;
	int rc;

	for (size_t i = 0; i < f->nr_spaces; i++)
		if (f->spaces[i].inode == n->inode)
			return (int)i;
	if (f->nr_spaces == EXPLAIN_MAX_SPACES) {
		f->cut = true;
		return -EXFULL;
	}
	x = &f->spaces[f->nr_spaces];
	memset(x, 0, sizeof(*x));
	memcpy(x->name, n->name, sizeof(x->name));
	x->inode = n->inode;
	x->fd = fcntl(n->fd, F_DUPFD_CLOEXEC, 0);
	if (x->fd < 0)
		return err_set(e, -errno, "keep network namespace '%s'", n->name);
	f->nr_spaces++;
	rc = space_enter(x->fd, x->name, e);
	if (rc == 0)
		rc = space_read(x, e);
	if (rc == 0)
		rc = read_numbers(g, x, e);
	if (rc == 0 && f->nr_spaces == 1)
		rc = read_guards(x, e);
	if (rc < 0)
		return rc;
	plain_links(x);
	return (int)f->nr_spaces - 1;
}

static const struct named *named_by_inode(const struct gathering *g, uint64_t inode)
{
	for (size_t i = 0; i < g->nr_named; i++)
		if (g->named[i].inode == inode)
			return &g->named[i];
	return NULL;
}

/*
 * Read the namespace where link @index of space @space has its other end. Returns the index of that
 * space, -ENOENT if it has none that can be seen from here, or another -errno.
 */
static int follow(struct gathering *g, size_t space, int index, struct err *e)
{
	const struct explain_space *x = &g->f->spaces[space];
	const struct explain_link *l = explain_link(x, index);
	const struct named *n = NULL;

	if (!l || !l->other)
		return -ENOENT;
	if (l->other_nsid < 0)
		return (int)space;
	for (size_t i = 0; i < x->nr_nsids && !n; i++)
		if (x->nsids[i].id == l->other_nsid)
			n = named_by_inode(g, x->nsids[i].inode);
	return n ? add_space(g, n, e) : -ENOENT;
}

static bool is_absence(int rc)
{
	return rc == -ENOENT || rc == -EXFULL;
}

/* The other ends of the links that share a bridge with @index in @space. */
static int follow_bridge(struct gathering *g, size_t space, int index, struct err *e)
{
	const struct net_link *l = explain_net_link(&g->f->spaces[space], index);
	int bridge = l ? l->master : 0;
	/* follow() adds spaces, but the array stays where it is. */
	const struct net_survey *all = &g->f->spaces[space].all;

	for (size_t i = 0; bridge && i < all->nr_links; i++)
		if (all->links[i].master == bridge) {
			int rc = follow(g, space, all->links[i].index, e);

			if (rc < 0 && !is_absence(rc))
				return rc;
		}
	return 0;
}

static int gather(struct gathering *g, struct err *e)
{
	const struct net_survey *pod = &g->f->spaces[0].all;

	for (size_t i = 0; i < pod->nr_links; i++) {
		const struct explain_link *l = explain_link(&g->f->spaces[0], pod->links[i].index);
		int space = follow(g, 0, pod->links[i].index, e);

		if (space > 0 && l)
			space = follow_bridge(g, (size_t)space, l->other, e);
		if (space < 0 && !is_absence(space))
			return space;
	}
	return 0;
}

int explain_facts_gather(const char *path, struct explain_facts *f, struct err *e)
{
	_autogathering_ struct gathering g = { .f = f };
	_autohome_ struct space_home home = SPACE_HOME_INIT;
	struct named pod = { .fd = -1 };
	struct stat st;
	int rc;

	memset(f, 0, sizeof(*f));
	f->spaces = calloc(EXPLAIN_MAX_SPACES, sizeof(*f->spaces));
	if (!f->spaces)
		return err_set(e, -ENOMEM, "read the network");
	pod.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (pod.fd < 0 || fstat(pod.fd, &st) < 0)
		rc = err_set(e, -errno, "open network namespace '%s'", path);
	else
		rc = space_leave(&home, e);
	if (rc == 0) {
		pod.inode = st.st_ino;
		plain_name(path, pod.name);
		rc = named_list(&g, e);
	}
	/* A name says more than a process does. */
	for (size_t i = 0; rc == 0 && i < g.nr_named; i++)
		if (g.named[i].inode == pod.inode && g.named[i].name[0] == '/')
			memcpy(pod.name, g.named[i].name, sizeof(pod.name));
	if (rc == 0)
		rc = add_space(&g, &pod, e);
	if (rc == 0)
		rc = gather(&g, e);
	fd_close(&pod.fd);
	if (rc < 0)
		explain_facts_free(f);
	return rc < 0 ? rc : 0;
}

void explain_facts_free(struct explain_facts *f)
{
	for (size_t i = 0; i < f->nr_spaces; i++) {
		fd_close(&f->spaces[i].fd);
		explain_space_free(&f->spaces[i]);
	}
	free(f->spaces);
	memset(f, 0, sizeof(*f));
}
