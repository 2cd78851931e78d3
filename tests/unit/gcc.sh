#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The host side builds with gcc without a warning, and its unit tests pass under the address and
# undefined-behaviour sanitizers.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/sanitized.sh"

check "gcc: builds without a warning" sanitized_build gcc
[ $tap_failed != 0 ] || sanitized_units gcc
tap_done
