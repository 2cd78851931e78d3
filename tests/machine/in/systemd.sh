#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine, where systemd is PID 1: containers beside its units, in cgroups that it is not told
# about, keep their limits whatever it does to its own.
. "$(dirname "$0")/../../lib/tap.sh"
ROOTFS=$BUSYBOX
. "$top/tests/lib/container.sh"
export CONTAINER_TIMEOUT=200
top_group=/sys/fs/cgroup
limits='.linux.resources += { memory: {limit: 134217728}, pids: {limit: 64},
	cpu: {shares: 1024, quota: 150000, period: 200000, cpus: "0"} }'

# started NAME PATH [OPTION]...: a container with limits and this cgroupsPath, by these options of runnc.
started()
{
	local name=$1 path=$2
	shift 2
	at_exit container_delete "$name"
	container_bundle "$name" --jq "$limits | if \"$path\" != \"\" then .linux.cgroupsPath = \"$path\" else . end" -- \
		sleep 1000 &&
		"$RUNNC" "${container_root[@]}" "$@" run --detach --bundle "$TMP/$name" --pid-file "$TMP/$name.pid" \
			"$TAG-$name" >"$TMP/$name.out" 2>&1 </dev/null
}
group_of() { sed -n 's/^0:://p' "/proc/$(container_pid "$1")/cgroup"; }

limited()
{
	local text=$1 group=$top_group$2
	is "$text: limits" "134217728 64 39 150000 200000 0" "$(cat "$group"/{memory.max,pids.max,cpu.weight,cpu.max,cpuset.cpus} 2>&1 |
		tr '\n' ' ' | sed 's/ $//')"
}

# What an administrator does to units: each makes systemd look at its controllers anew.
disturb()
{
	systemctl daemon-reload
	systemd-run --quiet --wait -p CPUQuota=50% -p MemoryMax=100M -p AllowedCPUs=0 true
	systemctl set-property --runtime system.slice CPUWeight=50
	systemctl set-property --runtime system.slice CPUWeight=
	systemctl daemon-reload
}

is "systemd is PID 1" systemd "$(cat /proc/1/comm)"
is "cgroup v2 is all there is" cgroup2 \
	"$(awk '{ for (i = 7; $i != "-"; i++); print $(i + 1) }' /proc/self/mountinfo | grep ^cgroup | sort -u)"

made()
{
	if started "$@"; then ok "$1: it starts"; else not_ok "$1: it starts" "$(container_log "$1")"; fi
}
made plain ""
made system "system.slice:runnc:$TAG" --systemd-cgroup
made own "$TAG-own.slice:runnc:x" --systemd-cgroup
made default "" --systemd-cgroup
is "plain: where" "/runnc/$TAG-plain" "$(group_of plain)"
has "system: where" "/system.slice/runnc-$TAG.scope" "$(group_of system)"
has "own: where" "/$TAG.slice/$TAG-own.slice/runnc-x.scope" "$(group_of own)"
has "default: where" "/system.slice/runnc-$TAG-default.scope" "$(group_of default)"
for name in plain system own default; do limited $name "$(group_of $name)"; done
check "units come and go" disturb
echo "# controllers: $(cat $top_group/cgroup.subtree_control); system.slice: $(cat $top_group/system.slice/cgroup.subtree_control)"
for name in plain system own default; do limited "$name, afterwards" "$(group_of $name)"; done
for name in plain system own default; do check "$name: delete" container_delete $name; done
is "nothing is left" "" "$(find $top_group -name "*$TAG*")"
# Not is-system-running, which waits for the unit that this script runs in.
is "and no unit of systemd's has failed" "" "$(systemctl --failed --plain --no-legend)"
tap_done
