/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNNC_BASE_LOCK_H
#define RUNNC_BASE_LOCK_H

/*
 * Take flock(2)'s exclusive lock of the open file or directory @fd, waiting up to @timeout_ms
 * milliseconds (0: not at all). It goes with the last descriptor of this opening. Returns 0,
 * -ETIMEDOUT if another opening has it all that time, or another -errno. Who has waited long looks
 * every 20 ms.
 */
int lock_exclusive(int fd, int timeout_ms);

#endif
