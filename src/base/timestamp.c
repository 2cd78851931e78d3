/* SPDX-License-Identifier: GPL-2.0-only */
/* Points in time as text. */
#include "base/timestamp.h"

#include <stdio.h>
#include <time.h>

/* The current second as "2026-11-24T14:31:53"; returns the nanoseconds within it. */
static long timestamp_write_seconds(char out[TIMESTAMP_MAX])
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	if (strftime(out, TIMESTAMP_MAX, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		out[0] = '\0';
	return now.tv_nsec;
}

void timestamp_now(char out[TIMESTAMP_MAX])
{
	char seconds[TIMESTAMP_MAX];
	long ns = timestamp_write_seconds(seconds);

	snprintf(out, TIMESTAMP_MAX, "%.19s.%09ldZ", seconds, ns);
}

void timestamp_now_seconds(char out[TIMESTAMP_MAX])
{
	char seconds[TIMESTAMP_MAX];

	timestamp_write_seconds(seconds);
	snprintf(out, TIMESTAMP_MAX, "%.19sZ", seconds);
}
