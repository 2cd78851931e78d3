#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# The bench of unikernels runs to its end and gives each of its figures. What they are is not judged here:
# other tests run at the same time.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

export QUICK=1 BUILD BENCH_SOLO5_JSON=$TMP/figures.json
check "bench/solo5" "$top/bench/solo5"
is "every figure is there" 18 "$(jq '[.[] | select(.ours > 0)] | length' "$TMP/figures.json")"
is "what is compared has its peer" 12 "$(jq '[.[] | select(.peer_median > 0 and .ratio > 0)] | length' "$TMP/figures.json")"
is "private memory is at most 200 KiB" true "$(jq '.[] | select(.name == "memory") | .ours <= 200' "$TMP/figures.json")"
tap_done
