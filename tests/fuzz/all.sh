#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1200
# Each fuzz target runs on its corpus and then for FUZZ_SECONDS (10 unless set) on what it makes of it.
# The corpus of fuzz-NAME.c is the folder corpus/NAME or fuzz-NAME.corpus, or corpus-NAME.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"
seconds=${FUZZ_SECONDS:-10}
artifacts=$top/build/test-logs/fuzz
mkdir -p "$artifacts"

corpus_of()
{
	local folder
	for folder in "corpus/$1" "$1" "fuzz-$1" "fuzz-$1.corpus" "corpus-$1"; do
		[ -d "$top/tests/fuzz/$folder" ] && echo "$top/tests/fuzz/$folder" && return
	done
}

fuzz()
{
	local name=$1 corpus=$2 program=$top/build/test/clang/tests/fuzz/fuzz-$1 status=0
	mkdir "$TMP/$name"
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
		-artifact_prefix="$artifacts/$name-" "$TMP/$name" "$corpus" || status=$?
	return $status
}

check "the fuzz targets build" sanitized_build clang
if [ $tap_failed = 0 ]; then
	for source in "$top"/tests/fuzz/fuzz-*.c; do
		[ -f "$source" ] || continue
		name=$(basename "$source" .c)
		name=${name#fuzz-}
		corpus=$(corpus_of "$name")
		if [ -z "$corpus" ] || [ -z "$(ls "$corpus")" ]; then
			not_ok "fuzz $name" "it has no corpus: put a few inputs into tests/fuzz/corpus/$name"
			continue
		fi
		check "fuzz $name, $seconds s from $(ls "$corpus" | wc -l) inputs" fuzz "$name" "$corpus"
	done
fi
tap_done
