#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scripts are clean as far as shellcheck can tell; what it may not say is in .shellcheckrc, with reasons.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

mapfile -t scripts < <({ git ls-files --cached --others --exclude-standard 2>/dev/null ||
	find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\n'; } |
	while read -r file; do
		case $file in
		*.sh)	[ -f "$file" ] && echo "$file" ;;
		*)	[ -f "$file" ] && head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh$' && echo "$file" ;;
		esac
	done)
[ ${#scripts[@]} -gt 0 ] || not_ok "there are scripts to look at"
check "shellcheck: ${#scripts[@]} scripts" shellcheck --severity=warning --format=gcc "${scripts[@]}"
tap_done
