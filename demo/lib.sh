# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The demo's vocabulary: what is said on the terminal, what was expected, the two apps, measurements.

bold='' plain='' red='' green=''
if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m' red=$'\e[31m' green=$'\e[32m'
fi
steps=0
steps_total=0
expectations=()
unmet=0

die() { echo "demo: $*" >&2; exit 1; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
step()
{
	steps=$((steps + 1))
	printf '[%d/%d] %s\n' $steps $steps_total "$*"
}

# show COMMAND...: run it, its output indented; its status.
show() { "$@" 2>&1 | grep -v '^$' | sed 's/^/    /'; }

# expect TEXT WANTED GOT: remember whether both are the same.
expect()
{
	if [ "$2" = "$3" ]; then
		expectations+=("${green}ok${plain}    $1$(outcome "$2")")
	else
		unmet=$((unmet + 1))
		expectations+=("${red}NOT${plain}   $1: expected '$2', got '$3'")
		printf '    %snot as expected: %s%s\n' "$red" "$1" "$plain"
	fi
}

# A failure that was expected must not read like a success.
outcome() { [ "$1" != no ] || echo ": none, as expected"; }

summary()
{
	title "What was expected"
	printf '  %s\n' "${expectations[@]}"
	echo
	echo "${#expectations[@]} expectations, $unmet not met; $SECONDS seconds"
	finished=1
	[ $unmet = 0 ]
	exit
}

draw() { echo; demo/picture "$TOPO_POD1" "$TOPO_POD2" "$TOPO_NODE" "$TOPO_ROUTER" "$@" || die "no picture"; echo; }

# What the pod's next container will find: link, MAC, MTU, addresses, routes.
pod_state()
{
	ip -n "$TOPO_POD1" -j addr show | jq -c '[.[] | { ifname, address, mtu, flags: (.flags | sort),
		addr: [.addr_info[] | { local, prefixlen, scope }] }]'
	ip -n "$TOPO_POD1" -j route show | jq -c 'sort_by(.dst)'
}

python=
python_start()
{
	# Not by topo_in: the id must be that of the program itself, which outlives its cluster.
	[ -z "$python" ] || kill "$python"
	nsenter --net="/run/netns/$TOPO_POD2" python3 demo/app/client.py serve 8080 \
		>"$TMP/python.log" 2>&1 </dev/null &
	python=$!
	at_exit kill $python
	wait_for 10 topo_in "$TOPO_POD2" curl -s -o /dev/null http://127.0.0.1:8080/ ||
		die "the python app did not start: $(cat "$TMP/python.log")"
}

web_count=0
web=
web_start()
{
	web_count=$((web_count + 1))
	web=web$web_count
	container_bundle $web --netns "/run/netns/$TOPO_POD1" --env "PEER=$TOPO_IP2" \
		--annotation "org.runnc.net.mode=$1" --annotation "org.runnc.net.mac=$2" \
		-- node -e "$(cat demo/app/server.js)" && container_start $web && wait_for 30 web_listens
}
web_listens() { container_log $web | grep -q '^listening'; }
web_pid() { container_pid $web; }
web_log() { container_log $web | tail -n 20 | sed 's/^/    | /'; }
web_delete() { container_delete $web; }

# Have the web app report, into $TMP/report.
web_report()
{
	container_kill $web USR2 && wait_for 15 web_reported && web_reports | tail -n 1 >"$TMP/report"
}
web_reports() { container_log $web | grep '^{'; }
web_reported() { [ -n "$(web_reports)" ]; }
report() { jq -r "$1" "$TMP/report"; }

# Requests for as long as the file is there.
traffic()
{
	local i
	for ((i = 0; i < 200; i++)); do
		topo_in "$TOPO_POD2" curl -s -m 5 -o /dev/null "http://$TOPO_IP1:8080/"
	done
}

# count_calls FILE: the host system calls that strace sees while there is traffic, by name. A guest
# program's own system call instruction is seen as well, if its site was not rewritten yet: the filter
# refuses it with SIGSYS, which takes it to the guest's kernel. Those are counted apart.
count_calls()
{
	local tracer
	strace -f -qq -e signal=SIGSYS -o "$TMP/trace" -p "$(web_pid)" 2>"$TMP/strace" </dev/null &
	tracer=$!
	wait_for 10 traced || die "strace: $(cat "$TMP/strace")"
	traffic
	kill -INT $tracer
	wait $tracer
	awk '
		{ sub(/^[0-9]+ +/, "") }
		/^--- SIGSYS/ { if (name) { made[name]--; refused++ } name = ""; next }
		/^[a-z_0-9]+\(/ { name = $0; sub(/\(.*/, "", name); made[name]++; next }
		END {
			for (name in made)
				if (made[name])
					printf "%8d %s\n", made[name], name
			printf "%8d (taken by the guest kernel instead: first uses of system call sites)\n",
				refused
		}' "$TMP/trace" | sort -rn >"$1"
}
traced() { grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$(web_pid)/status"; }

# pss PID: KiB of it and its children.
pss()
{
	local pid total
	total=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$1/smaps_rollup")
	for pid in $(cat "/proc/$1/task/"*/children); do
		total=$((total + $(pss "$pid")))
	done
	echo "$total"
}

# The same app, as idle, under crun.
peer_pss()
{
	(
		RUNNC=scripts/crun
		container_root=(--root "$TMP/state-crun")
		container_bundle peer --env "PEER=$TOPO_IP2" -- node -e "$(cat demo/app/server.js)" &&
			container_start peer || exit
		web=peer
		wait_for 30 web_listens && pss "$(container_pid peer)"
		status=$?
		container_delete peer >/dev/null
		umount "$TMP/peer/rootfs"
		exit $status
	)
}

# start_time NAME RUNTIME: median of 11 runs, in ms with one decimal.
start_time()
{
	local i begin dir=$TMP/true-$1
	(
		RUNNC=$2
		container_bundle "${dir##*/}" -- /bin/true || exit
		for ((i = 0; i < 11; i++)); do
			begin=${EPOCHREALTIME/./}
			"$RUNNC" "${container_root[@]}" run --bundle "$dir" "$TAG-true$i" \
				>/dev/null 2>"$TMP/true.log" </dev/null || { cat "$TMP/true.log" >&2; exit 1; }
			echo $((${EPOCHREALTIME/./} - begin))
		done >"$TMP/times"
		! [ -d "$dir/rootfs" ] || umount "$dir/rootfs"
	) || return
	sort -n "$TMP/times" | awk 'NR == 6 { printf "%.1f\n", $1 / 1000 }'
}
