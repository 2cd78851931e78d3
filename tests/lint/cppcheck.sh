#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# cppcheck finds nothing in the host side and the guest's init. What it may not say is in
# cppcheck.txt, each with its reason.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"

run()
{
	cppcheck --enable=warning,performance,portability --std=c11 --inline-suppr --quiet \
		--error-exitcode=1 --suppressions-list="$top/tests/lint/cppcheck.txt" \
		-j "$(nproc)" "$@"
}

check "the build is configured, its headers are there" sanitized_sources clang
mkdir -p "$top/build/test/cppcheck"
check "cppcheck: what meson compiles" run --project="$top/build/test/clang/compile_commands.json" \
	--cppcheck-build-dir="$top/build/test/cppcheck"
tap_done
