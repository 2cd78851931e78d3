#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs/unikernels.md's table of host system calls is the one that the filter is made of, and its counts of
# instructions are the filter's.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

cat >"$TMP/table.c" <<'C'
#include <stdio.h>
#include "confine/confine_solo5.h"
int main(void)
{
	for (size_t i = 0; i < confine_solo5_nr_calls; i++) {
		const struct confine_call *c = &confine_solo5_calls[i];

		printf("| `%s` | %s | `%s` | %s |\n", c->name, c->args, c->made_by, c->reason);
	}
	return 0;
}
C
check "the table's program compiles" "${CC:-cc}" -Isrc -I. -o "$TMP/table" "$TMP/table.c" src/confine/confine_solo5.c
is "docs/unikernels.md has the table" "$("$TMP/table")" \
	"$(sed -n '/^### Host system calls/,/^| claim/p' docs/unikernels.md | grep '^| `')"
check "the helper compiles" "${CC:-cc}" -Isrc -I. -o "$TMP/helper" bench/solo5.c src/confine/confine_solo5.c
has "the counts of instructions" "$("$TMP/helper" filter 0 0) instructions without devices, $("$TMP/helper" filter 1 0) with a network device, $("$TMP/helper" filter 1 1) with a disk" \
	"$(tr '\n' ' ' <docs/unikernels.md)"
tap_done
