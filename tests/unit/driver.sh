#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tests/run-all itself: what counts as passed, failed and skipped, and what cannot pass unnoticed.
. "$(dirname "$0")/../lib/tap.sh"

export TEST_LOGS=$TMP/logs

# script NAME: one that does what standard input says.
script() { { echo '#!/bin/sh'; cat; } >"$TMP/$1.sh"; chmod +x "$TMP/$1.sh"; }
# last TEXT STATUS LINE NAME...: the driver's last line and status for these scripts.
last()
{
	local text=$1 wanted=$2 line=$3 output status=0
	shift 3
	output=$("$top/tests/run-all" "${@/#/$TMP/}" 2>&1) || status=$?
	is "$text" "$wanted: $line" "$status: $(tail -n 1 <<<"$output")"
}

script good <<<'echo ok 1 - a; echo noise; echo ok 2 - b; echo 1..2'
script bad <<<'echo ok 1 - a; echo not ok 2 - b; echo 1..2; exit 1'
script quiet <<<'echo not ok 1 - a; echo 1..1'
script skips <<<'echo "ok 1 - a # SKIP no such device"; echo 1..1'
script skipped <<<'echo "1..0 # SKIP no such machine"'
script short <<<'echo ok 1 - a; echo 1..2'
script planless <<<'echo ok 1 - a'
script silent <<<':'
script dies <<<'echo ok 1 - a; echo 1..1; kill -SEGV $$'
{ echo '#!/bin/sh'; echo '# timeout: 1'; echo 'echo ok 1 - a; sleep 20; echo 1..1'; } >"$TMP/slow.sh"
chmod +x "$TMP/slow.sh"

last "passing" 0 "2 passed, 0 failed" good.sh
last "a failure" 1 "1 passed, 1 failed" bad.sh
last "a failure whose script says 0" 1 "0 passed, 1 failed" quiet.sh
last "a skip beside a pass" 0 "2 passed, 0 failed, 1 skipped" good.sh skips.sh
last "a whole script skipped" 0 "2 passed, 0 failed, 1 skipped" good.sh skipped.sh
last "nothing but skips is no success" 1 "0 passed, 0 failed, 1 skipped" skips.sh
last "fewer results than planned" 1 "1 passed, 1 failed" short.sh
last "no plan" 1 "1 passed, 1 failed" planless.sh
last "no output" 1 "0 passed, 1 failed" silent.sh
last "death by signal after a good plan" 1 "1 passed, 1 failed" dies.sh
last "no end" 1 "1 passed, 2 failed" slow.sh
last "no such stage" 1 "0 passed, 1 failed" nosuchstage
has "the reason of a skip is shown" "a: no such device" "$("$top/tests/run-all" "$TMP/skips.sh")"
has "the output of a failure is shown" "not ok 2 - b" "$("$top/tests/run-all" "$TMP/bad.sh")"
tap_done
