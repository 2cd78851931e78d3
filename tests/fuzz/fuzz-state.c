/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as state.json: damaged, or a state that is written and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "container/state_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state s = STATE_INIT;
	struct state again = STATE_INIT;
	struct err e = ERR_INIT;
	char *first = NULL;
	char *second = NULL;

	if (state_from_text((const char *)data, size, "c1", &s, &e) == 0) {
		if (state_to_text(&s, &first, &e) < 0 ||
		    state_from_text(first, strlen(first), "c1", &again, &e) < 0 ||
		    state_to_text(&again, &second, &e) < 0 || strcmp(first, second) != 0)
			abort();
	}
	free(first);
	free(second);
	state_free(&s);
	state_free(&again);
	return 0;
}
