/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control device of the Linux guest, /dev/nabla-control: what passes between the guest kernel
 * and the guest's init (guest/init).
 *
 * read() blocks and returns one struct nabla_event; it can be polled. write() takes one struct
 * nabla_command. Both are 8 bytes; any other length gives EINVAL. Only one opener at a time
 * (EBUSY).
 */
#ifndef NABLA_CONTROL_H
#define NABLA_CONTROL_H

#include <stdint.h>

struct nabla_event {
	uint32_t type;			/* NABLA_EVENT_* */
	uint32_t value;
};

#define NABLA_EVENT_SIGNAL	1	/* somebody on the host sent this signal to the container */

struct nabla_command {
	uint32_t type;			/* NABLA_COMMAND_* */
	uint32_t value;
};

#define NABLA_COMMAND_EXIT	1	/* end the host process with this status (0-255) at once */

_Static_assert(sizeof(struct nabla_event) == 8, "control ABI");
_Static_assert(sizeof(struct nabla_command) == 8, "control ABI");

/*
 * The standard streams, when the container has no terminal: character devices without a line
 * discipline (isatty is false). stdin: read, 0 at end of file, poll. stdout, stderr: write, poll;
 * EPIPE as the host gives it (with SIGPIPE). With a terminal (NABLA_LAUNCH_TTY) the device is
 * /dev/hvc0 instead, a normal tty that has the size of the host's.
 */
#define NABLA_DEV_CONTROL	"/dev/nabla-control"
#define NABLA_DEV_STDIN		"/dev/nabla-stdin"
#define NABLA_DEV_STDOUT	"/dev/nabla-stdout"
#define NABLA_DEV_STDERR	"/dev/nabla-stderr"
#define NABLA_DEV_TTY		"/dev/hvc0"

/* The block image with index N of the launch record is /dev/nablaN. */
#define NABLA_DEV_IMAGE		"/dev/nabla"

#endif
