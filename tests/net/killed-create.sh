#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1200
# kill -9 of the whole runtime at any moment of create, and of delete: another delete gives the pod its
# network back, and a second container finds what the first one found. In each mode. (killed.sh goes through
# the single steps; here is that the state says what they did.)
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

now_ms() { echo $(($(date +%s%N) / 1000000)); }
least() { printf '%s\n' $1 "$2" | sort -n | head -n 1; }

# killed_after MILLISECONDS COMMAND...: status 137 if it was killed, its own if it was faster.
killed_after()
{
	local seconds
	seconds=$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))
	shift
	timeout --foreground -s KILL "$seconds" "$@" >/dev/null 2>&1 </dev/null
}

create() { "$RUNNC" "${container_root[@]}" create --bundle "$TMP/$1" "$TAG-$1"; }
delete() { "$RUNNC" "${container_root[@]}" delete --force "$TAG-$1"; }

topo_a_up || not_ok "build"
before=$(pod_dump)
for mode in ${MODES:-tc none bridge macvtap packet}; do
	name=k-$mode
	annotation=org.runnc.net.mode=$mode
	# An interface that nobody shares, in mode tc.
	[ $mode != none ] || annotation=org.runnc.net.sidecars=none
	at_exit container_delete "$name"
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" \
		--annotation "$annotation" -- sleep 1000
	# How long it takes when nobody kills it: the least of three, as one may have waited for a CPU.
	took='' took_delete=''
	for i in 1 2 3; do
		start=$(now_ms)
		create "$name" >"$TMP/out" 2>&1 </dev/null || not_ok "$mode: create" "$(cat "$TMP/out")"
		took=$(least "$took" $(($(now_ms) - start)))
		start=$(now_ms)
		delete "$name" || not_ok "$mode: delete"
		took_delete=$(least "$took_delete" $(($(now_ms) - start)))
	done
	same "$mode: as before, without a kill" "$before"

	killed=0 wrong=0
	for i in $(seq 1 12); do
		status=0
		killed_after $((took * i / 12 + 1)) "$RUNNC" "${container_root[@]}" create --bundle "$TMP/$name" \
			"$TAG-$name" || status=$?
		[ $status != 137 ] || killed=$((killed + 1))
		delete "$name" >"$TMP/out" 2>&1 || true
		[ "$(pod_dump)" = "$before" ] || { wrong=$((wrong + 1)); same "$mode: create killed at $i/12" "$before"; }
		[ ! -e "$TMP/state/$TAG-$name" ] || not_ok "$mode: no state is left" "$(cat "$TMP/out")"
	done
	is "$mode: create killed at twelve moments: as before each time" 0 $wrong
	check "$mode: some of them were kills: $killed of 12" [ $killed -ge 4 ]

	killed=0 wrong=0
	for i in $(seq 1 6); do
		create "$name" >"$TMP/out" 2>&1 </dev/null || not_ok "$mode: create" "$(cat "$TMP/out")"
		status=0
		killed_after $((took_delete * i / 8 + 1)) "$RUNNC" "${container_root[@]}" delete --force "$TAG-$name" || status=$?
		[ $status != 137 ] || killed=$((killed + 1))
		delete "$name" >/dev/null 2>&1 || true
		[ "$(pod_dump)" = "$before" ] || { wrong=$((wrong + 1)); same "$mode: delete killed at $i/8" "$before"; }
	done
	is "$mode: delete killed at six moments: as before each time" 0 $wrong
	check "$mode: some of them were kills: $killed of 6" [ $killed -ge 2 ]

	# The next container of the pod.
	if pod_container "next-$mode" "${mode/none/tc}" --annotation "$annotation"; then
		check "$mode: the next container has the network" ping4
	else
		not_ok "$mode: the next container" "$(container_log "next-$mode")"
	fi
	container_delete "next-$mode"
	same "$mode: as before in the end" "$before"
done
tap_done
