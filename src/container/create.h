/* SPDX-License-Identifier: GPL-2.0-only */
/* Between create.c, start.c and run.c: a container while one process makes it. */
#ifndef RUNNC_CONTAINER_CREATE_H
#define RUNNC_CONTAINER_CREATE_H

#include <stdbool.h>

#include "bundle/bundle.h"
#include "container/facts.h"
#include "container/lifecycle.h"
#include "container/plan.h"
#include "container/solo5_launch.h"
#include "container/state.h"
#include "image/stack.h"
#include "ns/ns.h"

struct creation {
	const struct lifecycle *l;
	const struct lifecycle_request *r;

	char *config;			/* config.json: `start` and `delete` read a copy */
	size_t config_len;
	struct bundle *bundle;
	struct facts facts;
	struct plan plan;

	char *init;			/* contents of nabla-init.cpio */
	size_t init_len;
	int kernel;			/* nabla-linux, or nabla-run */
	struct solo5_files solo5;	/* of a unikernel; the image is not used then */
	struct image_stack images;
	int exec_fifo;
	int status_fifo;
	int master;			/* of the console; -1: none, or sent to the engine */
	int slave;
	struct nabla_net nets[NABLA_LAUNCH_NETS];
	unsigned int nr_nets;

	struct state state;
	struct state_lock lock;
	struct ns_child child;
	bool hooked;			/* hooks were reached, so poststop hooks are due */
};

#define CREATION_INIT \
	{ \
		.kernel = -1, .solo5 = SOLO5_FILES_INIT, .images = IMAGE_STACK_INIT, \
		.exec_fifo = -1, .status_fifo = -1, .master = -1, .slave = -1, \
		.state = STATE_INIT, .lock = STATE_LOCK_INIT, .child = NS_CHILD_INIT \
	}

/* Make it (@c->l and @c->r are set); a failure is undone. Returns 0, still locked, or -errno. */
int creation_make(struct creation *c, struct err *e);

/* Undo it, from the state; for a failure after creation_make(). */
void creation_undo(struct creation *c);

/* Free what the process holds; the container lives on. */
void creation_free(struct creation *c);
#define _autocreation_ __attribute__((cleanup(creation_free)))

/* start.c: let the created container under @lock run. Returns 0 or -errno. */
int start_locked(struct state *s, const struct state_lock *lock, const struct bundle *b,
		 struct err *e);

/*
 * delete.c: end all processes of the container and undo everything that the state lists but the
 * state itself. With @force, what cannot be undone is a warning. Returns 0 or -errno.
 */
int delete_resources(struct state *s, const struct state_lock *lock, bool force, struct err *e);

/*
 * delete.c: delete --force, but only of the container that @was describes: another one may have its
 * id by now. Returns as lifecycle_delete(), without the container's name in the message.
 */
int delete_same(const struct lifecycle *l, const struct state *was, struct err *e);

/* Run the hooks of one kind; the status is what they are told. Returns as hooks_run(). */
int creation_run_hooks(enum bundle_hook_kind kind, const struct bundle *b, const struct state *s,
		       enum state_status status, struct err *e);

#endif
