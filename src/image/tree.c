/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trees: the walkers, and the sum of what they bring.
 *
 * The paths of directories still to be read are kept in a stack, from which walkers take one at a
 * time and hold only that open: depth costs neither descriptors nor stack. Each directory gives a
 * hash over its path and its entries in the order of their names' bytes; the tree's is that over
 * all of them, sorted. So neither the file system's order nor the walkers' goes into it.
 *
 * The fingerprint is most of what a start from the cache costs (some 2.5 us of the kernel's time
 * for each file), so a tree with many directories has up to WALKERS threads. They have all
 * signals blocked and are gone when the function returns. The digest has one walker: links are
 * numbered as they come.
 */
#include "image/tree_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define WALKERS		4
/* directories waiting, before more walkers are worth their start */
#define WALKERS_FROM	32

int tree_todos_push(struct tree_todos *t, const struct tree_todo *todo)
{
	if (todo->path && t->count == t->room) {
		struct tree_todo *grown = reallocarray(t->todo, t->room * 2 + 64, sizeof(*grown));

		if (!grown) {
			free(todo->path);
			return -ENOMEM;
		}
		t->todo = grown;
		t->room = t->room * 2 + 64;
	}
	if (!todo->path)
		return -ENOMEM;
	t->todo[t->count++] = *todo;
	return 0;
}

void tree_todos_free(struct tree_todos *t)
{
	while (t->count > 0)
		free(t->todo[--t->count].path);
	free(t->todo);
}

static void note_facts(struct tree_facts *all, const struct tree_facts *f)
{
	const struct statx_timestamp newest = { .tv_sec = f->newest.tv_sec,
						.tv_nsec = (uint32_t)f->newest.tv_nsec };

	all->files += f->files;
	if (__builtin_add_overflow(all->bytes, f->bytes, &all->bytes))
		all->bytes = UINT64_MAX;
	all->trusted |= f->trusted;
	all->refers |= f->refers;
	tree_note_ctime(all, &newest);
	all->fine |= f->fine;
}

static int add_sum(struct tree_sums *s, struct sha256_ctx *hash)
{
	if (s->count == s->room) {
		void *more = reallocarray(s->sum, s->room * 2 + 256, sizeof(*s->sum));

		if (!more)
			return -ENOMEM;
		s->sum = more;
		s->room = s->room * 2 + 256;
	}
	sha256_digest(hash, SHA256_DIGEST_SIZE, s->sum[s->count++]);
	return 0;
}

/* Hand in the directory that @w has read. Under the pool's lock. */
static void hand_in(struct tree_walk *w, struct tree_pool *p, int rc)
{
	/* In this order: by the order in which directories are read, links have their numbers. */
	for (size_t i = 0; i < w->found.count; i++)
		if (tree_todos_push(&p->dirs, &w->found.todo[i]) < 0 && rc == 0)
			rc = tree_walk_fail(w, -ENOMEM, "remember", "");
	w->found.count = 0;
	if (p->read && w->names.len > 0)
		buf_add(p->read, w->names.data, w->names.len);
	if (p->read && buf_error(&w->names))
		p->read->error = buf_error(&w->names);
	w->names.len = 0;
	if (rc == 0 && add_sum(&p->sums, &w->hash) < 0)
		rc = tree_walk_fail(w, -ENOMEM, "remember", "");
	if (p->walkers == 1) {
		p->facts = w->facts;
	} else {
		note_facts(&p->facts, &w->facts);
		memset(&w->facts, 0, sizeof(w->facts));
	}
	if (rc == 0)
		rc = tree_walk_totals(w, &p->facts);
	if (rc < 0 && p->rc == 0) {
		p->rc = rc;
		p->e = w->e;
	}
}

static void start_walkers(struct tree_walk *first, struct tree_pool *p);

/* Take directories until there are none and nobody can find more, or somebody has failed. */
static void walk_all(struct tree_walk *w)
{
	struct tree_pool *p = w->pool;

	pthread_mutex_lock(&p->lock);
	while (p->rc == 0 && (p->dirs.count > 0 || p->busy > 0)) {
		struct tree_todo now;
		int rc;

		if (p->dirs.count == 0) {
			pthread_cond_wait(&p->changed, &p->lock);
			continue;
		}
		now = p->dirs.todo[--p->dirs.count];
		p->busy++;
		if (p->started == 1 && p->walkers > 1 && p->dirs.count >= WALKERS_FROM)
			start_walkers(w, p);
		pthread_mutex_unlock(&p->lock);
		w->dir = now.path;
		rc = now.known ? tree_walk_known(w, now.known) : tree_walk_dir(w, &now.stamp);
		pthread_mutex_lock(&p->lock);
		hand_in(w, p, rc);
		p->busy--;
		w->dir = "";
		free(now.path);
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
}

static void *walk_thread(void *arg)
{
	walk_all(arg);
	return NULL;
}

static int walk_init(struct tree_walk *w, struct tree_pool *p)
{
	w->pool = p;
	w->limits = p->limits;
	w->dir = "";
	w->names = (struct buf)BUF_INIT(NAMES_MAX_SIZE);
	w->buf = malloc(TREE_READ_SIZE);
	w->xnames = malloc(TREE_XATTR_SIZE);
	w->xvalue = malloc(TREE_XATTR_SIZE);
	return w->buf && w->xnames && w->xvalue ? 0 : -ENOMEM;
}

static void walk_free(struct tree_walk *w)
{
	tdestroy(w->links, free);
	tree_todos_free(&w->found);
	buf_free(&w->names);
	free(w->buf);
	free(w->xnames);
	free(w->xvalue);
}

/* Fewer than wanted will do. @first is the first of an array of WALKERS. */
static void start_walkers(struct tree_walk *first, struct tree_pool *p)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->started < p->walkers) {
		struct tree_walk *w = &first[p->started];

		if (walk_init(w, p) < 0 || pthread_create(&w->thread, NULL, walk_thread, w) != 0) {
			walk_free(w);
			p->walkers = p->started;	/* do not try again */
			break;
		}
		p->started++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int compare_sums(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_DIGEST_SIZE);
}

static void sum_up(struct tree_pool *p, const char *domain)
{
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;

	qsort(p->sums.sum, p->sums.count, sizeof(*p->sums.sum), compare_sums);
	sha256_init(&hash);
	sha256_update(&hash, strlen(domain) + 1, (const uint8_t *)domain);
	sha256_update(&hash, p->sums.count * sizeof(*p->sums.sum), p->sums.sum[0]);
	sha256_digest(&hash, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		sprintf(p->facts.hash + 2 * i, "%02x", sum[i]);
}

static unsigned int walkers_here(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n > WALKERS ? WALKERS : n < 1 ? 1 : (unsigned int)n;
}

static int push_root(struct tree_pool *p)
{
	struct tree_todo todo = { .path = strdup("") };
	struct statx st;

	if (statx(p->root, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0) {
		free(todo.path);
		p->rc = err_set(&p->e, -errno, "stat the root directory");
		return p->rc;
	}
	todo.stamp = names_stamp(&st);
	if (p->known)
		todo.known = names_find(p->known, "", &todo.stamp);
	if (tree_todos_push(&p->dirs, &todo) < 0)
		p->rc = err_set(&p->e, -ENOMEM, "walk the tree");
	return p->rc;
}

static int walk(struct tree_pool *p, const char *domain, struct tree_facts *facts, struct err *e)
{
	struct tree_walk w[WALKERS] = { 0 };
	struct statfs fs;

	if (fstatfs(p->root, &fs) < 0)
		return err_set(e, -errno, "stat the file system of the root directory");
	p->overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	if (!names_can_be_kept(fs.f_type)) {
		p->known = NULL;
		p->read = NULL;
	}
	if (p->read)
		names_begin(p->read);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->started = 1;
	if (walk_init(&w[0], p) < 0)
		p->rc = err_set(&p->e, -ENOMEM, "walk the tree");
	else if (push_root(p) == 0)
		walk_all(&w[0]);
	for (unsigned int i = 1; i < p->started; i++)
		pthread_join(w[i].thread, NULL);
	for (unsigned int i = 0; i < p->started; i++)
		walk_free(&w[i]);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);

	if (p->rc == 0)
		sum_up(p, domain);
	else
		*e = p->e;
	*facts = p->facts;
	tree_todos_free(&p->dirs);
	free(p->sums.sum);
	return p->rc;
}

int tree_fingerprint_by_names(int root, const struct image_limits *limits,
			      const struct names *known, struct buf *read,
			      struct tree_facts *facts, struct err *e)
{
	struct tree_pool p = { .root = root, .limits = limits, .visit = tree_hash_fingerprint,
			  .walkers = walkers_here(), .known = known, .read = read };

	return walk(&p, "runnc image fingerprint 1", facts, e);
}

int tree_fingerprint(int root, const struct image_limits *limits, struct tree_facts *facts,
		     struct err *e)
{
	return tree_fingerprint_by_names(root, limits, NULL, NULL, facts, e);
}

int tree_digest(int root, const struct image_limits *limits, struct tree_facts *facts,
		struct err *e)
{
	struct tree_pool p = { .root = root, .limits = limits, .visit = tree_hash_digest,
			       .walkers = 1 };

	return walk(&p, "runnc image 1: erofs, flat, extended inodes, xattrs inline", facts, e);
}
