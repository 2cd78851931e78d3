/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of one command.
 *
 * Mutable state of this file: where lines go and which are written; set by log_open() and
 * log_close() only, which the command line calls before there is a second thread.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/timestamp.h"

#define LOG_MESSAGE_MAX	4096		/* a longer message is cut */
#define LOG_LINE_MAX	(8 * LOG_MESSAGE_MAX)

static struct {
	int fd;				/* of --log; -1: descriptor 2 */
	enum log_format format;
	bool debug;
} log_to = { .fd = -1 };

static const char *const log_level_names[] = { "debug", "info", "warning", "error" };

int log_open(const char *path, enum log_format format, bool debug, struct err *e)
{
	_autoclose_ int fd = -1;

	if (path && *path) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
		if (fd < 0)
			return err_set(e, -errno, "open log '%s'", path);
		if (fd <= 2) {
			int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);

			if (above < 0)
				return err_set(e, -errno, "open log '%s'", path);
			fd_close(&fd);
			fd = above;
		}
	}
	log_close();
	log_to.fd = take_fd(&fd);
	log_to.format = format;
	log_to.debug = debug;
	return 0;
}

void log_close(void)
{
	fd_close(&log_to.fd);
}

static void log_put(int fd, struct buf *line)
{
	if (buf_error(line) == 0 && write(fd, line->data, line->len) < 0) {
		/*
		 * A log that cannot be written (disk full, reader gone) must not fail the command.
		 */
	}
	buf_free(line);
}

static void log_put_json(int fd, enum log_level level, const char *message, const char *time)
{
	struct buf line = BUF_INIT(LOG_LINE_MAX);

	buf_printf(&line, "{\"level\":\"%s\",\"msg\":", log_level_names[level]);
	buf_add_json(&line, message);
	buf_printf(&line, ",\"time\":\"%s\"}\n", time);
	log_put(fd, &line);
}

static void log_put_text(int fd, enum log_level level, const char *message, const char *time)
{
	struct buf line = BUF_INIT(LOG_LINE_MAX);

	buf_printf(&line, "time=\"%s\" level=%s msg=", time, log_level_names[level]);
	buf_add_json(&line, message);
	buf_add(&line, "\n", 1);
	log_put(fd, &line);
}

/*
 * For people: control characters, which a hostile image may have put into a name, are not passed
 * on.
 */
static void log_put_plain(enum log_level level, const char *message)
{
	struct buf line = BUF_INIT(LOG_LINE_MAX);

	buf_add_str(&line, "runnc: ");
	if (level != LOG_ERROR)
		buf_printf(&line, "%s: ", log_level_names[level]);
	for (; *message; message++) {
		bool control = (unsigned char)*message < 0x20 || *message == 0x7f;

		buf_add(&line, control ? "?" : message, 1);
	}
	buf_add(&line, "\n", 1);
	log_put(STDERR_FILENO, &line);
}

static void log_vprintf(enum log_level level, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void log_vprintf(enum log_level level, const char *format, va_list ap)
{
	char message[LOG_MESSAGE_MAX], time[TIMESTAMP_MAX];
	int saved = errno;

	if (level < LOG_WARNING && !log_to.debug)
		return;
	if (vsnprintf(message, sizeof(message), format, ap) < 0)
		message[0] = '\0';
	timestamp_now_seconds(time);

	if (log_to.format == LOG_JSON)
		log_put_json(log_to.fd < 0 ? STDERR_FILENO : log_to.fd, level, message, time);
	else if (log_to.fd >= 0)
		log_put_text(log_to.fd, level, message, time);
	if (log_to.fd < 0 ? log_to.format == LOG_TEXT : level == LOG_ERROR)
		log_put_plain(level, message);
	errno = saved;
}

#define LOG_FUNCTION(name, level)					\
	void name(const char *format, ...)				\
	{								\
		va_list ap;						\
									\
		va_start(ap, format);					\
		log_vprintf(level, format, ap);				\
		va_end(ap);						\
	}

LOG_FUNCTION(log_debug, LOG_DEBUG)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_error, LOG_ERROR)
