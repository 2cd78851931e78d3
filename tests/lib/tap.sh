# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For test scripts to source: results in TAP, and what scratch.sh gives.
#
#	ok TEXT				a result
#	not_ok TEXT [LINE...]		a result, with lines that say why
#	skip TEXT REASON		a result that this machine cannot give: say what it lacks
#	check TEXT COMMAND...		ok if the command's status is 0; shows its output if not
#	refuse TEXT STATUS COMMAND...	ok if the command ends with exactly that status
#	is TEXT WANTED GOT		ok if both are the same text
#	has TEXT PART WHOLE		ok if the second text contains the first
#	tap_done			print the plan; the last line of each script
. "$(dirname "${BASH_SOURCE[0]}")/scratch.sh"
tap_count=0
tap_failed=0

ok() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $1"; }
skip() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $1 # SKIP $2"; }
not_ok()
{
	local line
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	for line in "${@:2}"; do
		printf '%s\n' "$line" | sed 's/^/# /'
	done
}

check()
{
	local text=$1 output status=0
	shift
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [ $status = 0 ]; then
		ok "$text"
	else
		not_ok "$text" "status $status from: $*" "$(printf '%s\n' "$output" | tail -n 40)"
	fi
}

refuse()
{
	local text=$1 wanted=$2 output status=0
	shift 2
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [ $status = "$wanted" ]; then
		ok "$text"
	else
		not_ok "$text" "status $status instead of $wanted from: $*" \
			"$(printf '%s\n' "$output" | tail -n 40)"
	fi
}

is()
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted: $2" "got:    $3"; fi
}

has()
{
	case $3 in
	*"$2"*) ok "$1" ;;
	*) not_ok "$1" "no '$2' in:" "$(printf '%s\n' "$3" | tail -n 40)" ;;
	esac
}

tap_done()
{
	finished=1
	echo "1..$tap_count"
	[ $tap_failed = 0 ] && [ $tap_count != 0 ]
	exit
}
