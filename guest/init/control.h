/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Init's life after the start of the user's process: wait, without ever polling on a timer, for
 * events of the control device (abi/control.h) and for children that ended.
 */
#ifndef NABLA_INIT_CONTROL_H
#define NABLA_INIT_CONTROL_H

#include <sys/types.h>

/* Before the process is started: block SIGCHLD, so that no end of a child is missed. */
void init_control_prepare(void);

/* In the child: undo it. */
void init_control_forget(void);

/*
 * Forward events from @control (or -1) to @pid, reap every child, return the exit status of @pid
 * when it ended (its own, or 128 + the signal that killed it) and the terminal @tty (or -1) has
 * sent all.
 */
int init_control_wait(int control, int tty, pid_t pid);

/* End the guest with @status. Does not return. */
__attribute__((noreturn)) void init_control_exit(int control, int status);

#endif
