/* SPDX-License-Identifier: GPL-2.0-only */
/* Points in time as text, RFC 3339, UTC. */
#ifndef RUNNC_BASE_TIMESTAMP_H
#define RUNNC_BASE_TIMESTAMP_H

#define TIMESTAMP_MAX 40	/* longest text with its NUL */

/* Now, with nanoseconds: "2026-11-24T14:31:53.123456789Z". */
void timestamp_now(char out[TIMESTAMP_MAX]);

/* Now, in whole seconds: "2026-11-24T14:31:53Z". */
void timestamp_now_seconds(char out[TIMESTAMP_MAX]);

#endif
