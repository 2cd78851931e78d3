#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The host side builds with clang without a warning, and its unit tests pass under the address and
# undefined-behaviour sanitizers.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"

check "clang: builds without a warning" sanitized_build clang
[ $tap_failed != 0 ] || sanitized_units clang
tap_done
