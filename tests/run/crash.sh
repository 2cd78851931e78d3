#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kill -9 of every command at many points, commands against each other, and many containers at once:
# afterwards `delete --force` leaves nothing, and the network namespace is as it was.
# shellcheck disable=SC2016	# jq's variables
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/standin.sh"
. "$top/tests/net/topology.sh"

ID=$TAG-c
seed=${CRASH_SEED:-$RANDOM}
RANDOM=$seed
echo "# CRASH_SEED=$seed"

# Print what a network namespace holds, without what changes by itself.
picture()
{
	topo_in "$1" ip -o link | sed 's/ qlen [0-9]*//; s/@if[0-9]*//'
	topo_in "$1" ip -o -4 address | sed 's/ valid_lft.*//'
	topo_in "$1" ip -4 route
	topo_in "$1" tc qdisc show | grep -v noqueue
}

export TOPO_PREFIX=$TAG TOPO_V6=0
at_exit topo_down
topo_b1_up >"$TMP/topo" 2>&1 || { not_ok "the cluster is there" "$(cat "$TMP/topo")"; tap_done; }
before=$(picture "$TOPO_POD1")

bundle c wait
config c '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/run/netns/$TOPO_POD1"
rt create --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1	# the image is in the cache after this
rt delete --force "$ID"
is "create and delete bring the network back" "$before" "$(picture "$TOPO_POD1")"

# How long a create takes here and now, in ms: kills are spread over that.
now=$(date +%s%N)
rt create --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
took=$((($(date +%s%N) - now) / 1000000 + 5))
rt delete --force "$ID"
echo "# create takes $took ms"

# killed COMMAND...: start it, kill -9 it a random moment later. Notes whether it was still at it.
interrupted=0 spread=$took
killed()
{
	local pid ms=$((RANDOM % spread))
	"$TMP/bin/runnc" --root "$TMP/state" "$@" </dev/null >"$TMP/out" 2>&1 &
	pid=$!
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	! kill -9 $pid 2>/dev/null || interrupted=$((interrupted + 1))
	wait $pid 2>/dev/null
}

# What a killed create left: its child notices, or delete ends it.
clean()
{
	local text
	text=$(rt delete --force "$ID" 2>&1) || { echo "delete --force failed: $text"; return 1; }
	wait_for 10 nothing_left || { nothing_left; return 1; }
	[ "$(picture "$TOPO_POD1")" = "$before" ] || { picture "$TOPO_POD1"; return 1; }
}

rounds=${CRASH_ROUNDS:-40}
failures=
for ((i = 0; i < rounds; i++)); do
	killed create --bundle "$TMP/c" --pid-file "$TMP/c.pid" "$ID"
	clean >"$TMP/clean" || failures+="round $i: $(cat "$TMP/clean")
"
done
is "kill -9 of $rounds creates ($interrupted in time): delete --force leaves nothing" "" "$failures"
check "some were killed in time" test "$interrupted" -gt 0

failures='' interrupted=0 spread=$((took / 4))
for ((i = 0; i < rounds / 2; i++)); do
	rt create --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
	killed start "$ID"
	# Whatever became of it: a second start either works or says that it runs.
	rt start "$ID" >"$TMP/start" 2>&1 || grep -q "already running" "$TMP/start" ||
		failures+="round $i: start: $(cat "$TMP/start")
"
	is_status c running || failures+="round $i: $(status_of c)
"
	clean >"$TMP/clean" || failures+="round $i: $(cat "$TMP/clean")
"
done
is "kill -9 of $i starts ($interrupted in time): a second one puts it right" "" "$failures"

failures='' interrupted=0 spread=$took
for ((i = 0; i < rounds / 2; i++)); do
	rt run --detach --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
	killed delete --force "$ID"
	clean >"$TMP/clean" || failures+="round $i: $(cat "$TMP/clean")
"
done
is "kill -9 of $i deletes ($interrupted in time): another one leaves nothing" "" "$failures"

failures=
for ((i = 0; i < rounds / 4; i++)); do
	rt run --detach --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
	kill -9 "$(guest_pid c)"
	wait_for 10 is_status c stopped || failures+="round $i: $(status_of c)
"
	clean >"$TMP/clean" || failures+="round $i: $(cat "$TMP/clean")
"
done
is "kill -9 of $i guests" "" "$failures"

# ---- commands against each other

plain=$TMP/plain
bundle plain wait
failures=
for ((i = 0; i < 5; i++)); do
	# A file that the container goes on writing to, from where it is: for nothing else.
	for j in 1 2 3 4; do
		rt create --bundle "$plain" "$ID" </dev/null >"$TMP/made$j" 2>&1 && echo made >>"$TMP/made$j" &
	done
	# shellcheck disable=SC2046	# numbers
	wait $(jobs -p)
	[ "$(cat "$TMP"/made[1-4] | grep -c '^made$')" = 1 ] || failures+="$(cat "$TMP"/made[1-4])
"
	[ "$(cat "$TMP"/made[1-4] | grep -c 'already exists$')" = 3 ] || failures+="$(cat "$TMP"/made[1-4])
"
	for j in 1 2 3; do
		rt start "$ID" >"$TMP/race$j" 2>&1 && echo made >>"$TMP/race$j" &
	done
	# shellcheck disable=SC2046
	wait $(jobs -p)
	[ "$(cat "$TMP"/race[1-3] | grep -c '^made$')" = 1 ] || failures+="$(cat "$TMP"/race[1-3])
"
	for j in 1 2 3; do
		rt delete --force "$ID" >"$TMP/race$j" 2>&1 && echo made >>"$TMP/race$j" &
	done
	rt kill "$ID" KILL >"$TMP/race4" 2>&1
	# shellcheck disable=SC2046
	wait $(jobs -p)
	[ "$(cat "$TMP"/race[1-3] | grep -c '^made$')" = 3 ] || failures+="$(cat "$TMP"/race[1-3])
"
	nothing_left >"$TMP/clean" || failures+="$(cat "$TMP/clean")
"
done
is "four creates, three starts, three deletes and a kill at once: one of each wins" "" "$failures"

failures=
for ((i = 0; i < 10; i++)); do
	rt create --bundle "$plain" "$ID" </dev/null >"$TMP/out" 2>&1 &
	rt delete --force "$ID" >"$TMP/race1" 2>&1 || failures+="$(cat "$TMP/race1")
"
	# shellcheck disable=SC2046
	wait $(jobs -p)
	clean >"$TMP/clean" || failures+="$(cat "$TMP/clean")
"
done
is "delete --force while create is at it" "" "$failures"

# ---- many

many=${CRASH_MANY:-50}
bundle many exit 7
failed=0
for ((i = 0; i < many; i++)); do
	{
		rt run --bundle "$TMP/many" "$TAG-m$i" </dev/null >"$TMP/many$i" 2>&1
		echo "status $?" >>"$TMP/many$i"
	} &
done
# shellcheck disable=SC2046
wait $(jobs -p)
for ((i = 0; i < many; i++)); do
	[ "$(cat "$TMP/many$i")" = "status 7" ] || { failed=$((failed + 1)); head -n 3 "$TMP/many$i"; }
done
is "$many containers at once run to their end" 0 "$failed"
check "nothing is left of them" nothing_left
for ((i = 0; i < many; i++)); do
	rt run --detach --bundle "$plain" "$TAG-w$i" </dev/null >"$TMP/many$i" 2>&1 &
done
# shellcheck disable=SC2046
wait $(jobs -p)
is "$many containers at once are running" "$many" \
	"$(rt list --format json | jq '[.[] | select(.status == "running")] | length')"
for ((i = 0; i < many; i++)); do
	rt delete --force "$TAG-w$i" >"$TMP/many$i" 2>&1 &
done
# shellcheck disable=SC2046
wait $(jobs -p)
check "nothing is left of those" nothing_left
tap_done
