/* SPDX-License-Identifier: GPL-2.0-only */
/* A unikernel's manifest, whatever it is: refused with a reason, or every device can be named. */
#include <stdlib.h>
#include <string.h>

#include "solo5/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct solo5_manifest m;

	if (solo5_manifest_read(data, size, &m, &e) < 0) {
		if (!e.text[0])
			abort();
		return 0;
	}
	if (m.entries < 1 || m.entries > SOLO5_MANIFEST_ENTRIES ||
	    size != solo5_manifest_size(m.entries))
		abort();
	for (uint32_t i = 1; i < m.entries; i++)
		if (!solo5_name_valid(m.entry[i].name) || m.entry[i].attached ||
		    solo5_manifest_find(&m, m.entry[i].name) != &m.entry[i])
			abort();
	return 0;
}
