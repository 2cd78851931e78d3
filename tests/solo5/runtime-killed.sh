#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# kill -9 of create, at any moment: delete --force leaves no process, no link, no file, and the namespace as
# it was; and kill -9 of a running unikernel's process is like any other end.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"
ROOTFS=$TMP/rootfs
mkdir "$ROOTFS"
cp "$GUESTS"/{echo,block,hostile}.spt "$ROOTFS"
truncate -s 8M "$ROOTFS/disk.img"
. "$top/tests/lib/container.sh"

export TOPO_PREFIX=$TAG TOPO_V6=0 RUNNC_IMAGE_CACHE=$TMP/cache
at_exit topo_down
topo_b1_up >/dev/null

picture()
{
	ip -n "$TOPO_POD1" addr | sed -E 's/_lft [0-9]+sec/_lft/g; s/ link-netns(id)? [^ ]+//'
	ip -n "$TOPO_POD1" route show table all
	tc -n "$TOPO_POD1" qdisc show
}
before=$(picture)

# Processes of this test's containers: their cgroups are called after the test. Zombies are PID 1's affair.
alive()
{
	local file
	grep -ls "/$TAG-" /proc/[0-9]*/cgroup 2>/dev/null | while read -r file; do
		grep -s '^State:[[:space:]]*[RSDTt]' "${file%cgroup}status"
	done | wc -l
}

# killed NAME DELAY: create, kill -9 after so many seconds, delete --force.
killed()
{
	local pid
	setsid "$RUNNC" "${container_root[@]}" create --bundle "$TMP/$1" "$TAG-$1" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "$2"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	"$RUNNC" "${container_root[@]}" delete --force "$TAG-$1" >"$TMP/delete.out" 2>&1
}

container_bundle net --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.solo5.type=mirage -- /echo.spt
container_bundle disk --annotation org.runnc.block.storage=/disk.img -- /hostile.spt
bad=0 steps=25
for ((i = 0; i < steps; i++)); do
	for name in net disk; do
		killed $name "$(printf '0.%03d' $((i * 3)))" || bad=$((bad + 1))
		[ "$(picture)" = "$before" ] || bad=$((bad + 1))
		[ "$(alive)" = 0 ] || bad=$((bad + 1))
		[ -z "$(ls "$TMP/cache/tmp" 2>/dev/null)" ] || bad=$((bad + 1))
		[ -z "$(ls -A "$TMP/state" 2>/dev/null)" ] || bad=$((bad + 1))
	done
done
is "$((2 * steps)) creates killed: each was undone" 0 $bad

# The test sees what it looks for: a create that is let alone leaves a process, a link and a state.
container_start net
refuse "... and is not blind: links" 1 test "$(picture)" = "$before"
is "... processes" 1 "$(alive)"
wait_for 10 in_peer ping -q -c 1 -W 1 "$TOPO_IP1" || not_ok "it answers"
kill -KILL "$(container_pid net)"
check "its process is killed: stopped" wait_for 5 container_is net stopped
check "delete" "$RUNNC" "${container_root[@]}" delete "$TAG-net"
is "the namespace is as it was" "$before" "$(picture)"
tap_done
