/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks: a root directory becomes one image, or one for each layer of its overlay mount. */
#include "image/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "image/layers.h"
#include "image/source.h"
#include "image/store.h"

/* What get and find share. */
struct job {
	const struct store *store;
	const struct image_limits *limits;
	const char *rootfs;
	int root;
	bool build;			/* or only look; the store may be missing then */
};

void image_stack_free(struct image_stack *stack)
{
	for (unsigned int i = 0; i < stack->count; i++) {
		free(stack->part[i].source);
		fd_close(&stack->part[i].fd);
	}
	stack->count = 0;
	free(stack->note);
	stack->note = NULL;
}

/* @stack gets a part that is not known yet; NULL: no memory. */
static struct image_part *add_part(struct image_stack *stack, const char *source)
{
	struct image_part *part = &stack->part[stack->count];

	memset(part, 0, sizeof(*part));
	part->fd = -1;
	part->source = strdup(source);
	if (!part->source)
		return NULL;
	stack->count++;
	return part;
}

static int fill_from_cache(const struct job *job, struct source *s, struct image_part *part,
			   struct err *e)
{
	int rc = 0;

	if (job->build)
		return source_get(job->store, s, &part->fd, &part->size, part->digest, e);
	if (job->store)
		rc = source_find(job->store, s, &part->fd, &part->size, part->digest, e);
	return rc == IMAGE_ABSENT ? 0 : rc;
}

/* What is one container's own goes into the cache only if it is large. */
static int fill_own(const struct job *job, struct source *s, struct image_part *part,
		    struct err *e)
{
	int rc = job->build ? source_build_own(job->store, s, &part->fd, &part->size,
					       part->digest, e) :
			      source_find_own(s, e);

	if (rc == -E2BIG)
		return fill_from_cache(job, s, part, e);
	part->own = rc == 0;
	return rc;
}

static int add_layer(const struct job *job, const struct layer *layer, struct image_stack *stack,
		     struct err *e)
{
	struct image_part *part = add_part(stack, layer->path);
	struct source s;
	int rc;

	if (!part)
		return err_set(e, -ENOMEM, "stack the layers");
	source_init(&s, layer->dir, job->limits);
	s.layer = true;
	if (layer->kind == LAYER_STORED)
		s.identity = layer->identity;
	rc = layer->kind == LAYER_OWN ? fill_own(job, &s, part, e) :
					fill_from_cache(job, &s, part, e);
	if (rc == SOURCE_UNFIT)
		return err_say(e, rc, "'%s' refers to other layers (metacopy, redirect)",
			       layer->path);
	return rc < 0 ? err_wrap(e, rc, "image of layer '%s'", layer->path) : rc;
}

static unsigned int count_images(const struct layers *l)
{
	unsigned int n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += !l->layer[i].empty;
	return n;
}

/* Returns 0, LAYERS_UNFIT with the reason in @e, or -errno. */
static int add_layers(const struct job *job, const struct layers *l, struct image_stack *stack,
		      struct err *e)
{
	unsigned int n = count_images(l);

	if (n > IMAGE_STACK_MAX)
		return err_say(e, LAYERS_UNFIT, "it has %u layers, and a guest takes %d images", n,
			       IMAGE_STACK_MAX);
	for (size_t i = 0; i < l->count; i++) {
		int rc = 0;

		/* Of nothing but empty layers the lowest is the root. */
		if (!l->layer[i].empty || (n == 0 && i == 0))
			rc = add_layer(job, &l->layer[i], stack, e);
		/*
		 * What an image cannot hold may be hidden by a layer above, and what is mounted on
		 * a lower directory is no part of the mount: the merged tree decides.
		 */
		if (rc == SOURCE_UNFIT || rc == -EXDEV || rc == -EINVAL || rc == -ENAMETOOLONG ||
		    rc == -EOPNOTSUPP)
			return LAYERS_UNFIT;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_whole(const struct job *job, struct image_stack *stack, struct err *e)
{
	struct image_part *part = add_part(stack, job->rootfs);
	struct source s;
	int rc;

	if (!part)
		return err_set(e, -ENOMEM, "image of '%s'", job->rootfs);
	source_init(&s, job->root, job->limits);
	rc = fill_from_cache(job, &s, part, e);
	return rc < 0 ? err_wrap(e, rc, "image of '%s'", job->rootfs) : 0;
}

static int stack_up(const struct job *job, struct image_stack *stack, struct err *e)
{
	_autolayers_ struct layers l = LAYERS_INIT;
	int rc = layers_survey(job->root, &l, e);

	if (rc == 0)
		rc = add_layers(job, &l, stack, e);
	if (rc == 0)
		return 0;
	if (rc < 0)
		return err_wrap(e, rc, "overlay '%s'", job->rootfs);
	image_stack_free(stack);
	if (rc == LAYERS_UNFIT) {
		stack->note = str_printf("the overlay mount '%s' is packed as a whole: %s",
					 job->rootfs, e->text);
		if (!stack->note)
			return err_set(e, -ENOMEM, "stack the layers");
	}
	return add_whole(job, stack, e);
}

static int open_root(struct job *job, struct err *e)
{
	job->root = open(job->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (job->root < 0)
		return err_set(e, -errno, "open root directory '%s'", job->rootfs);
	return 0;
}

int image_stack_get(const char *rootfs, const char *cachedir, const struct image_limits *limits,
		    struct image_stack *stack, struct err *e)
{
	struct job job = { .rootfs = rootfs, .limits = limits, .root = -1, .build = true };
	_autostore_ struct store c = STORE_INIT;
	int rc = store_open(cachedir, true, &c, e);

	stack->count = 0;
	stack->note = NULL;
	if (rc < 0)
		return err_wrap(e, rc, "image cache");
	job.store = &c;
	rc = open_root(&job, e);
	if (rc == 0)
		rc = stack_up(&job, stack, e);
	fd_close(&job.root);
	return rc;
}

int image_stack_find(const char *rootfs, const char *cachedir, struct image_stack *stack,
		     struct err *e)
{
	struct job job = { .rootfs = rootfs, .root = -1 };
	_autostore_ struct store c = STORE_INIT;
	int rc = store_open(cachedir, false, &c, e);

	stack->count = 0;
	stack->note = NULL;
	if (rc == 0)
		job.store = &c;
	else if (rc != -ENOENT)
		return err_wrap(e, rc, "image cache");
	rc = open_root(&job, e);
	if (rc == 0)
		rc = stack_up(&job, stack, e);
	fd_close(&job.root);
	return rc;
}
