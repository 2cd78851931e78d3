#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What every file of the tree must look like, as far as a line tells: the SPDX line, tabs, 100 columns,
# no blanks at the end, no unfinished marks; tests that can be run, libraries that cannot.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

# Corpora are inputs, patches and configurations have formats of their own.
mapfile -t files < <({ git ls-files --cached --others --exclude-standard 2>/dev/null ||
	find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\n'; } |
	grep -vE '^tests/(fuzz/.*corpus|fuzz/corpus|golden|reject)|\.(patch|config|json|txt|bin|png)$' |
	while read -r file; do [ -f "$file" ] && ! [ -L "$file" ] && echo "$file"; done)
mapfile -t code < <(printf '%s\n' "${files[@]}" | grep -E '\.(c|h|S)$')
mapfile -t listed < <(printf '%s\n' "${files[@]}" |
	grep -vE '\.(md|gitignore|gitattributes)$|^(COPYING|LICENSE)')

# nothing TEXT OUTPUT: ok if a search printed nothing.
nothing() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$(head -n 20 <<<"$2")"; fi; }

[ ${#code[@]} -gt 0 ] || not_ok "there is code to look at"
nothing "every file names its licence in its first three lines" "$(for file in "${listed[@]}"; do
	[ ! -s "$file" ] || head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
		echo "$file"; done)"
nothing "no blanks at the end of a line" "$(grep -nE '[[:blank:]]+$' "${files[@]}" /dev/null |
	grep -v '^[^:]*\.md:')"
nothing "code is indented by tabs" "$(grep -nE '^ {8}' "${code[@]}" /dev/null)"
nothing "no line of code is longer than 100 columns" "$(for file in "${code[@]}"; do
	expand "$file" | awk -v f="$file" 'length > 100 { print f ":" NR ": " length }'; done)"
# The mark is put together here so that this line is not one.
nothing "nothing is marked as unfinished" "$(grep -nE "\b(TO""DO|FIX""ME|XX""X)\b" "${files[@]}" /dev/null)"
nothing "a program in tests/ is executable, a library has no #! line" "$(
	for file in tests/*/*.sh; do
		if [ "$(head -c 2 "$file")" = '#!' ]; then
			[ -x "$file" ] || echo "$file: not executable"
		else
			[ ! -x "$file" ] || echo "$file: executable, without #!"
		fi
	done)"
tap_done
