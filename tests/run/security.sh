#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SECURITY.md says what the filter is, word for word, as do `runnc plan` and `runnc features`; and the
# tests that it names are there.
. "$(dirname "$0")/../lib/tap.sh"
page=$top/SECURITY.md

mkdir "$TMP/bundle" "$TMP/bundle/rootfs"
check "a bundle" "$RUNNC" spec --bundle "$TMP/bundle"
jq '.process.terminal = false' "$TMP/bundle/config.json" >"$TMP/new" && mv "$TMP/new" "$TMP/bundle/config.json"
"$RUNNC" plan --format json "$TMP/bundle" >"$TMP/plan" 2>"$TMP/err" || not_ok "plan" "$(cat "$TMP/err")"

is "features names the calls of plan" "$(jq -r '[.filter[].name] | join(",")' "$TMP/plan")" \
	"$("$RUNNC" features | jq -r '.annotations["org.runnc.host-syscalls"]')"
is "the table of SECURITY.md is the filter's" \
	"$(jq -r '.filter[] | "| `\(.name)` | \(.args | gsub("\\|"; "\\|")) | `\(.madeBy)` | \(.reason) |"' \
		"$TMP/plan")" \
	"$(sed -n '/^| call | arguments |/,/^$/{/^| `/p}' "$page")"
nr=$(jq '.filter | length' "$TMP/plan")
check "it has at most 12 calls" test "$nr" -gt 0 -a "$nr" -le 12

# Files, and fuzz targets and test functions by their names.
missing=$(
	grep -oE '`(src|tests|guest)/[A-Za-z0-9_/.-]+`' "$page" | tr -d '`' | sort -u |
		while read -r path; do [ -e "$top/$path" ] || echo "$path"; done
	grep -oE '`fuzz-[a-z-]+`' "$page" | tr -d '`' | sort -u |
		while read -r name; do [ -e "$top/tests/fuzz/$name.c" ] || echo "$name"; done
	grep -oE '`test_[a-z_]+`' "$page" | tr -d '`' | sort -u |
		while read -r name; do grep -rqw "$name" "$top/src" || echo "$name"; done
)
is "what SECURITY.md names is there" "" "$missing"
tap_done
