#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# gcc's analyzer, which follows paths, finds nothing: double free, use after free, values never set,
# descriptors, unsafe calls in signal handlers. Off, each for its reason:
#   malloc-leak               what is handed out through a pointer's pointer counts as lost; the leak
#                             sanitizer looks for the true cases
#   mismatching-deallocation  version 12 does not know that reallocarray() frees like realloc()
#   null-argument, null-dereference, possible-null-*   it takes -errno after a failure for a number that
#                             may be positive, and goes on with the results of that "success"
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"

off=(malloc-leak mismatching-deallocation null-argument null-dereference possible-null-argument
	possible-null-dereference)
export FLAGS="-fanalyzer -Werror -fno-sanitize=all ${off[*]/#/-Wno-analyzer-} -fdiagnostics-color=never -o /dev/null"

check "the build is configured, its headers are there" sanitized_sources gcc
database=$top/build/test/gcc/compile_commands.json
# The command of each file, without what it writes.
check "gcc -fanalyzer: $(jq length "$database") files" xargs -P "$(nproc)" -n 2 -d '\n' -a <(
	jq -r '.[] | .directory, (.command | sub(" -MD -MQ [^ ]+ -MF [^ ]+ -o [^ ]+"; ""))' "$database"
	) bash -c 'cd "$1" && eval "$2 $FLAGS"' analyze
tap_done
