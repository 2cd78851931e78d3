/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container's process, between its birth in its namespaces and the execution of the guest.
 *
 *	runtime (create.c)			child
 *	ns_child_start()
 *	hooks, network, launch record
 *	CHILD_LAUNCH, with descriptors ------>	stdio, descriptors in their places, empty root,
 *						privileges given up for good
 *	  <---------------------- CHILD_READY	waits on the exec FIFO
 *	(create returns)
 *
 *	runtime (start.c)
 *	one byte into the exec FIFO -------->	executes the guest
 *	  <------ end of file, or a message,	(close-on-exec, or the error's text)
 *		  in the status FIFO
 *
 * Nothing of the image has been looked at by any process up to this point.
 */
#ifndef RUNNC_CONTAINER_CHILD_H
#define RUNNC_CONTAINER_CHILD_H

#include <stdint.h>

#include "abi/launch.h"
#include "base/err.h"

#define CHILD_EXEC_FIFO		"exec.fifo"
#define CHILD_STATUS_FIFO	"exec.status"

/* Messages over the socket of ns_child_start(). */
#define CHILD_LAUNCH	1	/* with CHILD_LAUNCH_FDS descriptors */
#define CHILD_READY	2

/*
 * With CHILD_LAUNCH: the launch record (of a unikernel: that of solo5_launch.h), then one TAP for
 * each of its interfaces, then the launch record again until the number is reached (the child
 * learns from the record how many are real).
 */
#define CHILD_LAUNCH_FDS	(1 + NABLA_LAUNCH_NETS)

/* The numbers of the descriptors in the guest's process, as the launch record must name them. */
#define CHILD_FD_NET(i)		(NABLA_LAUNCH_FD + 1 + (int)(i))
#define CHILD_FD_IMAGE(i)	(CHILD_FD_NET(NABLA_LAUNCH_NETS) + (int)(i))

/* Borrowed from the runtime; the descriptors are among those that ns_child_start() keeps. */
struct child {
	int kernel;			/* the guest's program: nabla-linux, or nabla-run */
	int unikernel;			/* what nabla-run loads, -1: the guest is Linux */
	int exec_fifo;			/* open for reading and writing */
	int status_fifo;		/* open for reading and writing */
	int tty;			/* slave end of the console, or -1 */
	const int *images;		/* of a unikernel: its disks */
	unsigned int nr_images;
	uint32_t uid;			/* and gid */
};

/* ns_request.run; @arg is a struct child. Returns only on failure, before CHILD_READY. */
int child_run(int sync, void *arg, struct err *e);

#endif
