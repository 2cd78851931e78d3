#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1200
# clang-tidy, with the checks and reasons of .clang-tidy at the top, finds nothing in what meson
# compiles. A file that did not change since it was found clean is not looked at again.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"

check "the build is configured, its headers are there" sanitized_sources clang
cd "$top" || exit 1
database=build/test/clang
mapfile -t sources < <(jq -r '.[] | if .file | startswith("/") then .file
	else .directory + "/" + .file end' $database/compile_commands.json |
	xargs -r realpath --relative-to=. | sort -u)

# Headers count for every file: which of them a file includes is the compiler's knowledge.
common=$({ cat .clang-tidy && find abi src guest/init tests -name '*.h' -exec cat {} +; } | sha256sum)
clean=build/test/clang-tidy.clean
touch $clean
tidy()
{
	local key
	key=$({ echo "$common"; cat "$1"; } | sha256sum | cut -c1-64)
	grep -q "$key" $clean && return 0
	timeout 300 clang-tidy --quiet -p $database --warnings-as-errors='*' "$1" >"$TMP/${1//\//-}" \
		2>/dev/null || {
		# The finding itself; the path that leads there is clang-tidy's to show, by hand.
		grep -E ': (warning|error): ' "$TMP/${1//\//-}" || echo "$1: clang-tidy failed"
		return 1
	}
	echo "$key $1" >>$clean
}
export -f tidy
export common clean database TMP

[ ${#sources[@]} -gt 0 ] || not_ok "there is something to look at"
check "clang-tidy: ${#sources[@]} files" xargs -P "$(nproc)" -n 1 -d '\n' \
	-a <(printf '%s\n' "${sources[@]}") bash -c 'tidy "$1"' tidy
tap_done
