#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine: limits where there is cgroup v2 and nothing else. Each is looked for in the kernel's
# files, and memory's is met.
. "$(dirname "$0")/../../lib/tap.sh"
ROOTFS=$BUSYBOX
. "$top/tests/lib/container.sh"
export CONTAINER_TIMEOUT=200
top_group=/sys/fs/cgroup

rt() { "$RUNNC" "${container_root[@]}" "$@"; }
value() { cat "$top_group/$1"; }
event() { awk -v name="$2" '$1 == name { print $2 }' "$top_group/$1/memory.events"; }

is "cgroup v2 is all there is" "cgroup2" \
	"$(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) }' /proc/self/mountinfo | grep ^cgroup | sort -u)"
check "the runtime's own test of cgroups" "$top/build/src/ns/test-cgroup-live"

# ---- each file, with the default path

container_bundle all --memory 134217728 --jq '.linux.resources += {
	memory: {limit: 134217728, swap: 134217728, reservation: 67108864},
	pids: {limit: 64}, cpu: {shares: 1024, quota: 150000, period: 200000, cpus: "0", mems: "0"},
	unified: {"memory.high": "130000000"}}' -- \
	sh -c 'echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait'
check "a container with every limit" container_start all
check "it runs" wait_for 60 grep -q ready "$TMP/all.out"
group=runnc/$TAG-all
pid=$(container_pid all)
is "memory.max" 134217728 "$(value $group/memory.max)"
is "memory.swap.max: swap is memory and swap together in OCI's words" 0 "$(value $group/memory.swap.max)"
is "memory.low" 67108864 "$(value $group/memory.low)"
is "memory.high, by unified" "129998848" "$(value $group/memory.high)"
is "pids.max" 64 "$(value $group/pids.max)"
is "cpu.weight" 39 "$(value $group/cpu.weight)"
is "cpu.max" "150000 200000" "$(value $group/cpu.max)"
is "cpuset.cpus" 0 "$(value $group/cpuset.cpus)"
is "cpuset.mems" 0 "$(value $group/cpuset.mems)"
is "the container's process is in it" "$pid" "$(value $group/cgroup.procs)"
is "... and nowhere else" "0::/$group" "$(cat "/proc/$pid/cgroup")"
is "ten processes in the guest are one outside" 1 "$(value $group/pids.current)"
is "controllers on the way" "cpuset cpu memory pids" "$(value runnc/cgroup.subtree_control)"
check "its memory is counted" test "$(value $group/memory.current)" -gt 1000000
check "its time is counted" test "$(sed -n 's/^usage_usec //p' "$top_group/$group/cpu.stat")" -gt 1000
check "delete --force" rt delete --force "$TAG-all"
# A zombie is only a number that its parent has not asked for yet.
check "its process is gone" sh -c "! grep -q '^State:.*[^Z] (' /proc/$pid/status 2>/dev/null"
check "its cgroup is gone" test ! -e "$top_group/$group"
check "and the parent, being empty" test ! -e "$top_group/runnc"

# ---- beyond memory's limit

container_try --memory 134217728 -- sh -c 'dd if=/dev/zero of=/dev/shm/a bs=1M count=200 2>&1; echo $?; ls -l /dev/shm/a | wc -l'
is "the guest stops at its own limit first: it goes on" 0 "$status"
container_try --memory 134217728 -- sh -c 'x=x; while :; do x=$x$x; done'
is "a program that takes all of it is killed in the guest" "137 " "$status $output"

container_bundle oom --memory 268435456 -- \
	sh -c 'dd if=/dev/zero of=/tmp/a bs=1M count=100 2>/dev/null; echo filled; sleep 1000'
check "100 MiB are written" container_start oom
group=runnc/$TAG-oom
check "... they are there" wait_for 100 grep -q filled "$TMP/oom.out"
check "... and counted" test "$(value $group/memory.current)" -gt 104857600
is "no process was killed yet" 0 "$(event $group oom_kill)"
check "the limit is lowered below them" sh -c "echo 33554432 >$top_group/$group/memory.max"
check "the kernel ends the container" wait_for 20 container_is oom stopped
is "... for its memory" 1 "$(event $group oom_kill)"
check "delete" rt delete "$TAG-oom"

# ---- time

container_bundle slow --jq '.linux.resources.cpu = {quota: 20000, period: 100000}' -- \
	sh -c 'echo ready; while :; do :; done'
check "a loop with a fifth of the processor" container_start slow
group=runnc/$TAG-slow
check "it loops" wait_for 100 grep -q ready "$TMP/slow.out"
used() { sed -n 's/^usage_usec //p' "$top_group/$group/cpu.stat"; }
# An emulated machine may itself have had to wait, between one reading and the other: once of three is enough.
for _ in 1 2 3; do
	before=$(used) began=${EPOCHREALTIME/./}
	sleep 3
	share=$((($(used) - before) * 100 / (${EPOCHREALTIME/./} - began)))
	[ $share -lt 5 ] || [ $share -gt 25 ] || break
done
check "it gets its share and not more ($share %)" test $share -ge 5 -a $share -le 25
check "it was held back" test "$(sed -n 's/^nr_throttled //p' "$top_group/$group/cpu.stat")" -gt 5
check "delete --force" rt delete --force "$TAG-slow"

# ---- pids

# Room for the process itself, and none for another: the guest needs no other.
container_try --jq '.linux.resources.pids.limit = 1' -- sh -c 'for i in 1 2 3 4 5; do (exit $i) & done; wait; echo $i'
is "a limit of one process is the host's: programs in the guest fork" 5 "$output"

# ---- paths

container_bundle path --jq ".linux.cgroupsPath = \"/$TAG/deep/er\" | .linux.resources.pids.limit = 33" -- sleep 1000
check "an absolute cgroupsPath" container_start path
is "... is used" "0::/$TAG/deep/er" "$(cat "/proc/$(container_pid path)/cgroup")"
is "... with the limit" 33 "$(value "$TAG/deep/er/pids.max")"
check "... delete --force" rt delete --force "$TAG-path"
check "... and nothing stays" test ! -e "$top_group/$TAG"

# v2 lets no cgroup have both processes and controllers for children: as an engine's own may be. The kernel
# says so when memory is switched on; with pids, only when a process shall go in.
mkdir "$top_group/$TAG-busy"
at_exit rmdir "$top_group/$TAG-busy"
sleep 1000 &
holder=$!
at_exit kill $holder
echo $holder >"$top_group/$TAG-busy/cgroup.procs"
for limit in memory.limit=134217728 pids.limit=33; do
	container_bundle "below-$limit" --jq ".linux.cgroupsPath = \"/$TAG-busy/c\" | .linux.resources.$limit" -- true
	has "a cgroupsPath below one that holds processes, $limit: what to do" \
		"holds processes of its own; choose a cgroupsPath below one that holds none" \
		"$(rt create --bundle "$TMP/below-$limit" "$TAG-below" 2>&1)"
done
is "... and nothing is left of it" "" "$(rt list -q; find "$top_group/$TAG-busy" -mindepth 1 -type d)"
kill $holder
wait $holder 2>/dev/null

if ! [ -d /run/systemd/system ]; then
	container_bundle slice --jq '.linux.cgroupsPath = "runnc.slice:x:y"' -- true
	has "--systemd-cgroup without systemd: what to do" "use the cgroupfs driver" \
		"$(rt --systemd-cgroup create --bundle "$TMP/slice" "$TAG-slice" 2>&1)"
fi
tap_done
