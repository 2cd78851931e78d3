#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Frames that come often and frames that come seldom: the guest looks for the first itself and has a signal
# for each of the others (guest/linux/arch/um/nabla/moderate.c). None is lost in either way or between
# them, beside a program that computes as well, and a device that is gone is not looked at for ever.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

pod_up || exit 1

# guest NAME PROGRAM...: a container in the pod; $pid is its process.
guest()
{
	local name=$1
	shift
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" -- "$@" && container_start "$name" ||
		{ not_ok "$name: it starts" "$(container_log "$name")"; tap_done; }
	pid=$(container_pid "$name")
	check "$name: it answers" wait_for 20 in_peer ping -q -c 1 -W 1 "$TOPO_IP1"
}

# Is SIGIO on for the first network device, descriptor 8? O_ASYNC is 020000.
signals() { (($(sed -n 's/^flags:[[:space:]]*//p' "/proc/$pid/fdinfo/8") & 020000)); }
looks() { ! signals; }

lost() { sed -n 's/.* \([0-9.]*%\) packet loss.*/\1/p'; }
# flood OPTION...: as fast as the answers come, and 100 in a second at least; prints what was lost.
flood() { in_peer timeout 100 ping -q -f "$@" "$TOPO_IP1" | lost; }

guest calm sleep 1000
check "frames are rare at first: signals" signals
flood -c 60000 >"$TMP/lost" &
flooding=$!
check "while they are frequent the guest looks itself" wait_for 20 looks
wait $flooding
is "none was lost" "0%" "$(cat "$TMP/lost")"
quiet() { in_peer ping -q -c 1 "$TOPO_IP1" && signals; }
check "and signals when they are rare again" wait_for 10 quiet
is "slow ones are all answered" "0%" \
	"$(in_peer ping -q -c 10 -i 0.1 "$TOPO_IP1" | lost)"

# From looking to signals and back, many times: a frame between the two has neither.
losses=
for ((i = 0; i < 20; i++)); do
	losses+=$(flood -c 400)
	sleep 0.02
done
is "none is lost on the way from one to the other" "$(printf '0%%%.0s' {1..20})" "$losses"

# The device's host end goes away under a guest that looks.
flood -w 8 >/dev/null &
flooding=$!
check "it looks again" wait_for 20 looks
in_pod() { nsenter --net="/run/netns/$TOPO_POD1" "$@"; }
tap=$(in_pod ip -o link | sed -n 's/^[0-9]*: \(rnct[0-9]*\):.*/\1/p')
check "its device is taken away" in_pod ip link del "$tap"
sleeps() { [ "$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$pid/status")" = S ]; }
check "then it sleeps" wait_for 10 sleeps
# Not once by chance: a guest that spins is seen running.
awake=0
for ((i = 0; i < 20; i++)); do
	sleeps || awake=$((awake + 1))
	sleep 0.02
done
check "and goes on sleeping" test $awake -lt 10
wait $flooding
check "it is deleted" container_delete calm

guest busy sh -c 'while :; do :; done & exec sleep 1000'
flood -c 20000 >"$TMP/lost" &
flooding=$!
seen=0
for ((i = 0; i < 40; i++)); do
	! signals || seen=$((seen + 1))
	sleep 0.01
done
check "there frames have signals, though they are frequent" test $seen -gt 0
wait $flooding
is "none was lost beside a program that computes" "0%" "$(cat "$TMP/lost")"
tap_done
