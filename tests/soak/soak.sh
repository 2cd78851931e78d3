#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1800
# Many short lives: $SOAK_COUNT containers (60), $SOAK_WIDTH (20) at a time, some in pods with a network,
# with exit statuses and deaths of all kinds. A part of them are victims: once in their life kill -9 hits
# one of their processes, a command in flight with its helpers, or the container itself, at a random
# moment. The others must not notice. Afterwards nothing is left that was not there before.
#
#	SOAK_COUNT=500 tests/soak/soak.sh	the long form
#	SOAK_SEED=N				the same lives and moments again, as far as timing allows
#	SOAK_VICTIMS=N				how many of a hundred are victims (40)
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/net/topology.sh"

count=${SOAK_COUNT:-60}
width=${SOAK_WIDTH:-20}
victims=${SOAK_VICTIMS:-40}
seed=${SOAK_SEED:-$RANDOM}
nr_pods=$((width < 4 ? width : 4))
patience=45			# seconds that a command or a change of state may take on a machine at work
echo "# SOAK_SEED=$seed SOAK_COUNT=$count SOAK_WIDTH=$width SOAK_VICTIMS=$victims"

for need in jq setsid "$RUNNC"; do
	command -v "$need" >/dev/null || { not_ok "$need is there"; tap_done; }
done

# ---- everything below $TMP: whose executable lies there is ours

libexec=${RUNNC_LIBEXEC:-${RUNNC%/src/cli/runnc}/guest}
mkdir "$TMP/bin" "$TMP/libexec" "$TMP/run" "$TMP/cache" "$TMP/log"
cp "$RUNNC" "$TMP/bin/runnc"
cp "$libexec/nabla-linux" "$TMP/libexec/nabla-linux" || { not_ok "the guest's kernel is there"; tap_done; }
cp "$(find "$libexec" -name nabla-init.cpio | head -n 1)" "$TMP/libexec/nabla-init.cpio" ||
	{ not_ok "the guest's init is there"; tap_done; }
export RUNNC_LIBEXEC=$TMP/libexec RUNNC_IMAGE_CACHE=$TMP/cache
rootfs=$("$top/scripts/rootfs" busybox 2>"$TMP/rootfs.log" | tail -n 1)
[ -d "$rootfs" ] || { not_ok "a root file system" "$(cat "$TMP/rootfs.log")"; tap_done; }

rt() { "$TMP/bin/runnc" --root "$TMP/state" "$@"; }

# our_processes: pid, executable, of all whose executable lies below $TMP; no zombies (they have none).
our_processes()
{
	find /proc/[0-9]*/exe -maxdepth 0 -lname "$TMP/*" -printf '%h %l\n' 2>/dev/null | sed 's,^/proc/,,'
}

# What the machine holds, one thing a line. Others may use it meanwhile: what carries the tag of another
# test is not ours, nor is a cgroup below /runnc without our tag, nor that parent while it has children.
snapshot()
{
	local all
	all=$(
		ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/link \1/'
		cut -d' ' -f5 /proc/self/mountinfo | sed 's/^/mount /'
		find /sys/fs/cgroup -type d -path '*/runnc*' ! -path '*/runnc/*' -links 2 2>/dev/null |
			sed 's/^/cgroup without children /'
		find /sys/fs/cgroup -type d ! -path '*/runnc*' 2>/dev/null | sed 's/^/cgroup /'
		find /run/netns -mindepth 1 2>/dev/null | sed 's/^/netns /'
	)
	{
		grep -vE 'rnc[0-9]+' <<<"$all"
		grep -F "$TAG" <<<"$all"
		find /sys/fs/cgroup /run/runnc -type d -name "*$TAG*" 2>/dev/null
	} | sort -u
}

# populated CGROUP: is there a process in it or below it?
populated() { [ -n "$(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null)" ]; }

# What the machine holds that it did not before, without what is somebody else's: a login or a service may
# come meanwhile and stay, with a cgroup, mounts and namespaces of its own. Mounts of ours are below $TMP
# or in the root directory, names of ours have the tag; a cgroup of ours would be empty, as no process
# of ours is left.
what_is_new()
{
	local line
	comm -13 "$TMP/before" <(snapshot) | while read -r line; do
		case $line in
		*"$TAG"*|"mount $rootfs"*)	;;
		"mount "*|"netns "*)		continue ;;
		"cgroup /"*)			! populated "${line#cgroup }" || continue ;;
		esac
		echo "$line"
	done
}

# What a pod's namespace holds, in one process of it; without what changes by itself.
# (Where /run/netns has a name that is no namespace, of a run elsewhere, ip complains about it.)
picture()
{
	topo_in "$1" sh -c 'ip -o link; ip -o -4 address; ip -4 route; ip -4 neigh show nud permanent
		tc qdisc show; tc filter show dev eth0 ingress; cd /proc/sys/net
		cat ipv6/conf/eth0/disable_ipv6 ipv6/conf/eth0/accept_* ipv4/conf/eth0/forwarding' 2>&1 |
		sed '/noqueue/{/^qdisc/d}; /^Error: Peer netns/d; s/ qlen [0-9]*//; s/@if[0-9]*//; s/ valid_lft.*//'
}

# Holders of locks on files of the cache: references to images, builders at work.
image_references()
{
	local inodes
	inodes=$(find "$TMP/cache" -type f -printf '%i\n' | paste -sd'|')
	[ -z "$inodes" ] || grep -E ":($inodes) " /proc/locks
}

memory_kib() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }

remove_all()
{
	local id p
	for id in $(rt list -q); do rt delete --force "$id"; done
	for p in $(our_processes | cut -d' ' -f1); do kill -9 "$p"; done
	for ((p = 0; p < nr_pods; p++)); do
		TOPO_PREFIX=$TAG$(printf %x "$p") topo_down
	done
}
at_exit remove_all

# ---- the pods, one for each of the first workers

export TOPO_V6=0
pods=() pictures=() peers=()
for ((p = 0; p < nr_pods; p++)); do
	TOPO_PREFIX=$TAG$(printf %x "$p")
	if [ $((p % 2)) = 0 ]; then topo_a_up; else topo_b1_up; fi >"$TMP/topo" 2>&1 ||
		{ not_ok "pod $p" "$(cat "$TMP/topo")"; tap_done; }
	pods[p]=$TOPO_POD1 peers[p]=$TOPO_IP2
done

# The image is built, and the parent of all cgroups made, before anything is compared.
"$top/scripts/bundle" "$TMP/first" "$rootfs" -- true
rt run --bundle "$TMP/first" "$TAG-first" >"$TMP/first.out" 2>&1 </dev/null ||
	{ not_ok "a first container runs" "$(cat "$TMP/first.out")"; tap_done; }
for ((p = 0; p < nr_pods; p++)); do pictures[p]=$(picture "${pods[p]}"); done
snapshot >"$TMP/before"
# The images themselves, and what tree they are of, are there to stay.
cache_files() { find "$TMP/cache" ! -path "*/image/*" ! -path "*/tree/*" ! -path "*/names/*" | sort; }
files_before=$(cache_files)
free_before=$(memory_kib MemAvailable) shmem_before=$(memory_kib Shmem)

# ---- what they run: with 10 added, in a pod

programs=(
	"exit @N@"
	"n=0; while [ \$n -lt 10 ]; do (exit 3) | cat; n=\$((n + 1)); done; (sh -c 'kill -SEGV \$\$'); exit \$?"
	"trap 'exit 0' TERM; while :; do sleep 1; done"
	"echo \$((@N@ * 2))"
	"trap 'exit 0' TERM; echo ready; while :; do sleep 1; done"
	"exit 1"
	"cat /unique; exit @N@"
)
templates=()
for kind in "${!programs[@]}"; do
	"$top/scripts/bundle" "$TMP/first" @ROOT@ -- sh -c "${programs[kind]}"
	templates[kind]=$(cat "$TMP/first/config.json")
	"$top/scripts/bundle" "$TMP/first" @ROOT@ --netns @NETNS@ --annotation org.runnc.net.mode=@MODE@ \
		-- sh -c "ping -c 1 -W 10 @PEER@ >/dev/null || exit 251; ${programs[kind]}"
	templates[kind + 10]=$(cat "$TMP/first/config.json")
done

# ---- one life

# Children of a process, and theirs.
family()
{
	local child
	echo "$1"
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do family "$child"; done
}

# kill_one PID: kill -9 a random one of it and its descendants that is ours.
kill_one()
{
	local pid exe all=()
	for pid in $(family "$1"); do
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in "$TMP"/*|*/mkfs.erofs) all+=("$pid") ;; esac
	done
	[ ${#all[@]} != 0 ] || return 1
	pid=${all[RANDOM % ${#all[@]}]}
	exe=$(readlink "/proc/$pid/exe" 2>/dev/null)
	kill -9 "$pid" 2>/dev/null && echo "${exe##*/}" >>"$TMP/log/killed"
}

builder=$(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.erofs)

# kill_builder PID: that of the image which this command builds, as soon as it is there.
kill_builder()
{
	local pid
	while kill -0 "$1" 2>/dev/null; do
		for pid in $(family "$1"); do
			[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" -ef "$builder" ] || continue
			kill -9 "$pid" 2>/dev/null && echo "${builder##*/}" >>"$TMP/log/killed"
			return
		done
	done
}

pause_ms() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

# do_one COMMAND...: one command of the runtime. That with the number $victim is hit on its way.
do_one()
{
	local pid status=0 begin=$SECONDS
	step=$((step + 1))
	setsid "$TMP/bin/runnc" --root "$TMP/state" "$@" >>"$out" 2>&1 </dev/null &
	pid=$!
	if [ "$kind$victim" = 6builder ]; then
		kill_builder $pid
	elif [ $step = "$victim" ]; then
		pause_ms $((RANDOM % (1 + RANDOM % 400)))		# most commands are short
		kill_one $pid
	fi
	wait $pid 2>/dev/null || status=$?
	[ $((SECONDS - begin)) -lt $patience ] || fault "$1 took $((SECONDS - begin)) s (status $status): $(tail -n 5 "$out")"
	return $status
}

# The container's own process is hit, a random while after it was started.
maybe_hit_container()
{
	[ "$victim" = container ] || return 0
	pause_ms $((RANDOM % (1 + RANDOM % 300)))
	[ ! -s "$dir/pid" ] || kill_one "$(cat "$dir/pid")"
}

# A fault is one whatever happened; a complaint is none about a victim, of whom anything may become.
fault() { echo "life $i (kind $kind, victim: ${victim:-no}${pod:+, in a pod, $mode}): $1" >>"$TMP/log/faults"; }
complain() { [ -n "$victim" ] || fault "$1: $(tail -n 5 "$out")"; }
expect() { [ "$2" = "$3" ] || complain "$1: wanted $2, got $3"; }

expect_status()
{
	local until=$((SECONDS + patience)) state
	[ -z "$victim" ] || until=$((SECONDS + 2))		# it may never get there
	while [ $SECONDS -lt $until ]; do
		state=$(rt state "$id" 2>/dev/null)
		case $state in
		*'"status": "'"$1"'"'*) return ;;
		'') break ;;
		esac
		sleep 0.1
	done
	complain "wanted $1, is: $state"
}

# new_tree DIR TEXT: a root directory whose image has to be built.
new_tree()
{
	mkdir "$1" "$1/proc" "$1/dev" "$1/sys"
	cp -a "$rootfs/bin" "$1/" && echo "$2" >"$1/unique"
	[ "${victim-}" != builder ] || truncate -s 64M "$1/large"	# it is to be met at work
}

# bundle N: the bundle of this life, from the template of its kind.
bundle()
{
	local config=${templates[kind${pod:+ + 10}]}
	config=${config//@N@/$1}
	config=${config//@ROOT@/$root}
	config=${config//@NETNS@//run/netns/$pod}
	config=${config//@MODE@/$mode}
	config=${config//@PEER@/$peer}
	[ $((i % 3)) != 0 ] ||
		config=${config/\"resources\": {/\"resources\": { \"memory\": { \"limit\": $((160 << 20)) \},}
	echo "$config" >"$dir/config.json"
}

life()
{
	local i=$1 pod=${pods[$2]-} peer=${peers[$2]-} mode=tc id dir out kind victim='' step=0 got wanted until root=$rootfs
	RANDOM=$((seed + i * 7919))
	got=$RANDOM$RANDOM			# the first numbers of neighbouring seeds are alike
	id=$TAG-$i dir=$TMP/run/$i out=$TMP/log/$i got=0
	mkdir "$dir"
	: >"$out"
	[ $((RANDOM % 2)) = 0 ] || mode=bridge
	kind=$((RANDOM % 7)) wanted=$((RANDOM % 250))
	if [ $((RANDOM % 100)) -lt "$victims" ]; then
		victim=$((RANDOM % 4))
		[ $victim != 0 ] || victim=container
		case $kind in 0|1|6) victim=1 ;; esac		# these have one command only
		[ $kind != 6 ] || [ $((RANDOM % 2)) = 0 ] || victim=builder
	fi
	[ $kind != 6 ] || { root=$dir/root; new_tree "$root" "$id"; }
	bundle $wanted

	case $kind in
	0)	do_one run --bundle "$dir" "$id" || got=$?
		expect "run" $wanted $got ;;
	1)	do_one run --bundle "$dir" "$id" || got=$?
		expect "run to SIGSEGV" 139 $got ;;
	2)	do_one create --pid-file "$dir/pid" --bundle "$dir" "$id" || complain "create: status $?"
		do_one start "$id" || complain "start: status $?"
		expect_status running
		maybe_hit_container
		do_one delete --force "$id" || complain "delete --force: status $?" ;;
	3)	do_one create --pid-file "$dir/pid" --bundle "$dir" "$id" || complain "create: status $?"
		expect_status created
		maybe_hit_container
		do_one start "$id" || complain "start: status $?"
		expect_status stopped
		grep -qx "$((wanted * 2))" "$out" || complain "its output"
		do_one delete "$id" || complain "delete: status $?" ;;
	4)	do_one run --detach --pid-file "$dir/pid" --bundle "$dir" "$id" || complain "run: status $?"
		[ -n "$victim" ] || wait_for $patience grep -qx ready "$out" || complain "it says nothing"
		maybe_hit_container
		do_one kill "$id" TERM || complain "kill: status $?"
		[ -n "$victim" ] || expect_status stopped
		do_one delete "$id" || complain "delete: status $?" ;;
	5)	do_one create --pid-file "$dir/pid" --bundle "$dir" "$id" || complain "create: status $?"
		maybe_hit_container
		do_one kill "$id" KILL || complain "kill: status $?"
		expect_status stopped
		do_one delete "$id" || complain "delete: status $?" ;;
	6)	do_one run --bundle "$dir" "$id" || got=$?
		expect "run of an image of its own" $wanted $got
		grep -qx "$id" "$out" || complain "its image" ;;
	esac

	# Whatever became of it: this must work, at once, and leave the pod as it was.
	got=0 until=$((SECONDS + patience))
	rt delete --force "$id" >"$out.delete" 2>&1 </dev/null || got=$?
	[ $got = 0 ] && ! [ -s "$out.delete" ] || fault "delete --force: status $got: $(cat "$out.delete")"
	[ $SECONDS -lt $until ] || fault "delete --force took $((SECONDS - until + patience)) s"
	[ ! -e "$TMP/state/$id" ] || fault "its state is left"
	[ -z "$pod" ] || [ "$(picture "$pod")" = "${pictures[$2]}" ] ||
		fault "its pod is not as before: $(diff <(echo "${pictures[$2]}") <(picture "$pod"))"
	echo "$kind ${victim:-none} ${pod:+pod}" >>"$TMP/log/lives"
	rm -rf "$dir"
}

# ---- all of them

worker()
{
	local i
	for ((i = $1; i < count; i += width)); do life "$i" "$1"; done
}

# The most that they took at once: private memory and their share of what is shared, of all of ours.
sample()
{
	local pid sum n
	while :; do
		sum=0 n=0
		for pid in $(our_processes | cut -d' ' -f1); do
			pid=$(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
			[ -z "$pid" ] || { sum=$((sum + pid)); n=$((n + 1)); }
		done
		echo "$sum $n" >>"$TMP/log/memory"
		sleep 0.5
	done
}

: >"$TMP/log/faults"
: >"$TMP/log/killed"
sample &
sampler=$!
begin=$(date +%s%N)
workers=()
for ((w = 0; w < width && w < count; w++)); do
	worker $w &
	workers+=($!)
done
wait "${workers[@]}"
took=$((($(date +%s%N) - begin) / 1000000))
kill $sampler
wait $sampler 2>/dev/null

# ---- what is left

lives=$(wc -l <"$TMP/log/lives")
is "all $count containers have lived" "$count" "$lives"
if [ -s "$TMP/log/faults" ]; then
	not_ok "each did what it should, and delete --force cleaned up after each" \
		"$(wc -l <"$TMP/log/faults") faults:" "$(head -n 60 "$TMP/log/faults")"
else
	ok "each did what it should, and delete --force cleaned up after each"
fi
[ "$victims" = 0 ] || [ "$count" -lt 20 ] || check "some were killed on the way" test -s "$TMP/log/killed"

no_processes() { [ -z "$(our_processes)" ]; }
wait_for 10 no_processes
is "no process is left" "" "$(our_processes)"
is "no container is left" "" "$(rt list -q)"
is "no state directory is left" "" "$(find "$TMP/state" -mindepth 1 2>/dev/null)"
is "no image reference is left" "" "$(image_references)"
# Whoever builds the next image sweeps away what killed builders have left.
new_tree "$TMP/last" last
"$top/scripts/bundle" "$TMP/first" "$TMP/last" -- cat /unique
is "another image is built" last "$(rt run --bundle "$TMP/first" "$TAG-last" 2>&1 </dev/null)"
is "no file is left in the image cache" "$files_before" "$(cache_files)"

nothing_new() { [ -z "$(what_is_new)" ]; }
wait_for 20 nothing_new		# others on this machine may be at work as well
is "no link, mount, cgroup or network namespace is left" "" "$(what_is_new)"
is "none is missing that was ours" "" "$(comm -23 "$TMP/before" <(snapshot) | grep -F "$TAG")"
for ((p = 0; p < nr_pods; p++)); do
	is "pod $p is as it was" "${pictures[p]}" "$(picture "${pods[p]}")"
done

echo "# killed: $(grep -c runnc "$TMP/log/killed") of the runtime's processes," \
	"$(grep -c nabla-linux "$TMP/log/killed") guests, $(grep -c mkfs "$TMP/log/killed") builders of images"
echo "# $lives lives, $(grep -c pod "$TMP/log/lives") in pods:" \
	"$((took / 1000)).$(printf %03d $((took % 1000))) s, $((took / count)) ms each at $width a time"
sort -n "$TMP/log/memory" | tail -n 1 | {
	read -r most n
	echo "# memory at its peak: $((most / 1024)) MiB PSS of $n processes"
}
echo "# free memory before, after: $((free_before / 1024)), $(($(memory_kib MemAvailable) / 1024)) MiB;" \
	"shared memory: $((shmem_before / 1024)), $(($(memory_kib Shmem) / 1024)) MiB"
tap_done
