/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of one command: --log FILE, --log-format text|json, --debug.
 *
 * One line is one write(2) to a file opened with O_APPEND. As text:
 *	time="2026-11-24T14:31:53Z" level=error msg="..."
 * as JSON, which containerd's shim reads (it shows its user the msg of the last line of level
 * error):
 *	{"level":"error","msg":"...","time":"2026-11-24T14:31:53Z"}
 *
 * Without --log the lines go to descriptor 2, as text of the form "runnc: ..." ("runnc: warning:
 * ..." and so on) or as JSON. With --log an error goes to the file and, as "runnc: ...", to
 * descriptor 2. Nothing here ever fails its caller.
 */
#ifndef RUNNC_BASE_LOG_H
#define RUNNC_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/*
 * Open the log; before it, lines go to descriptor 2 as text, debug lines nowhere. @path NULL or "":
 * descriptor 2. LOG_INFO and LOG_DEBUG lines are dropped unless @debug. The descriptor is
 * close-on-exec and above 2. Returns 0 or -errno (the former log stays).
 */
int log_open(const char *path, enum log_format format, bool debug, struct err *e);

/* Close the file; lines go to descriptor 2 again. For a child about to give up all descriptors. */
void log_close(void);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
