/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first line as a mount's number, the rest as /proc/self/mountinfo: whatever it says about an
 * overlay is complete, and what is refused leaves nothing behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "image/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memchr(data, '\n', size) : NULL;
	size_t len = cut ? size - (size_t)(cut + 1 - data) : 0;
	struct err e = ERR_INIT;
	struct overlay o;
	char *text;
	int r;

	if (!cut)
		return 0;
	/* Exactly as long as promised, so that a byte too far is seen. */
	text = malloc(len + 1);
	if (!text)
		abort();
	memcpy(text, cut + 1, len);
	text[len] = '\0';
	r = overlay_parse(text, len, strtoull((const char *)data, NULL, 10), &o, &e);
	if (r == 0) {
		size_t n = 0;

		while (o.lower[n])
			if (!*o.lower[n++])
				abort();
		if (n == 0 || n != o.nr_lower || n > OVERLAY_LOWER_MAX || !o.mount_point ||
		    (o.upper && !*o.upper))
			abort();
	} else if (o.lower || o.upper || o.mount_point || (r == OVERLAY_UNFIT && !*e.text)) {
		abort();
	}
	overlay_free(&o);
	free(text);
	return 0;
}
