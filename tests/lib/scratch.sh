# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts to source: names of their own, and clean-up in the reverse order of making.
#
#	$TMP		a directory of the script's own, removed at its end
#	$TAG		what names of links, namespaces and containers start with; no other run uses it
#	$RUNNC		the runtime under test; a caller may point it elsewhere
#	$finished	to be set before a script ends well: one that ends early by accident, even with
#			status 0, has failed
#
#	at_exit COMMAND...		run this when the script ends, however it ends, last one first
#	wait_for SECONDS COMMAND...	try until its status is 0; status 1 when the time is over
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export RUNNC=${RUNNC:-$top/build/src/cli/runnc}
TAG=rnc$$
TMP=$(mktemp -d /tmp/$TAG.XXXXXX)
finished=
scratch_exit=()

at_exit() { scratch_exit+=("$(printf '%q ' "$@")"); }

wait_for()
{
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1 </dev/null; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.05
	done
}

scratch_cleanup()
{
	local status=$? i
	trap '' INT TERM HUP
	for ((i = ${#scratch_exit[@]} - 1; i >= 0; i--)); do
		eval "${scratch_exit[i]}" >/dev/null 2>&1 </dev/null
	done
	rm -rf --one-file-system "$TMP"
	[ -n "$finished" ] || [ $status != 0 ] || status=1
	exit $status
}
trap scratch_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
