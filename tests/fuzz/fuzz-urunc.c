/* SPDX-License-Identifier: GPL-2.0-only */
/* A urunc.json of any bytes: values that are text within the limits, or an error with words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "container/urunc.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct urunc u = { .value = { NULL } };
	struct err e = { .text = "" };
	int r = urunc_from_json((const char *)data, len, &u, &e);

	MUST(r == 0 || (r < 0 && e.text[0]));
	for (int i = 0; i < URUNC_KEYS; i++) {
		const char *value = u.value[i];

		MUST(!value || (value[0] && strlen(value) <= URUNC_VALUE_MAX));
		for (size_t at = 0; value && value[at];) {
			size_t step = str_utf8_step(value + at, strlen(value + at));

			MUST(step > 0);
			at += step;
		}
	}
	urunc_free(&u);
	return 0;
}
