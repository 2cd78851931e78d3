# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts here, after tap.sh and topology.sh: a guest's stand-in (net-tool guest) in pod 1.
#
#	guest_start MODE MAC	pod 1 gets a guest; its record is $TMP/record, its process $GUEST_PID
#	guest_in COMMAND...	run in the guest's own network
#	guest_stop [SIGNAL]	end it
#	restore [COMMAND]...	net-tool restore in pod 1, under a command (env ...)
#	pod_dump		all there is to know about pod 1's network, as text
#	same TEXT BEFORE	a result: is pod_dump still the text BEFORE?
#	ping4, ping6 [OPTION]...	pod 2 pings pod 1: two answers to two questions
#	tcp_to_guest, tcp_from_guest	4 MiB between pod 2 and the guest, compared by checksum
#	capture_start, capture_stop	frames that leave pod 1; MACs and types are then in $TMP/captured

# Of the same build as the runtime.
NET_TOOL=${NET_TOOL:-$(dirname "$RUNNC")/../net/net-tool}
GUEST_PID=''
CAPTURE_PID=''
at_exit topo_down
at_exit guest_stop KILL
at_exit capture_stop

guest_start()
{
	rm -f "$TMP/guest.out"
	# exec, so that the process is the tool's and not a shell's.
	{ exec nsenter --net="/run/netns/$TOPO_POD1" "$NET_TOOL" guest "$TMP/record" "$1" "$2" \
		>"$TMP/guest.out" 2>"$TMP/guest.err" </dev/null; } &
	GUEST_PID=$!
	wait_for 10 grep -q ready "$TMP/guest.out" && return
	cat "$TMP/guest.err" >&2
	return 1
}

guest_in() { nsenter -t "$GUEST_PID" -n "$@"; }

guest_stop()
{
	[ -n "$GUEST_PID" ] || return 0
	kill -"${1:-TERM}" "$GUEST_PID" 2>/dev/null
	wait "$GUEST_PID" 2>/dev/null
	GUEST_PID=''
}

restore() { topo_in "$TOPO_POD1" "$@" "$NET_TOOL" restore "$TMP/record"; }

# Neighbours that come and go, and the seconds of lifetimes, are no part of what can be restored. The name
# of the peer's namespace is found by ip in all of /run/netns, where other tests come and go. The kernel
# tells a filter's parent in the words of the last request that concerned the qdisc.
pod_dump()
{
	local ns=$TOPO_POD1 link

	{
		ip -n "$ns" -d addr
		ip -n "$ns" -d route show table all
		ip -n "$ns" -d -6 route show table all
		ip -n "$ns" -d neigh show nud permanent
		ip -n "$ns" neigh show proxy
		ip -n "$ns" nexthop
		ip -n "$ns" rule
		ip -n "$ns" -6 rule
		tc -n "$ns" qdisc
		topo_in "$ns" sysctl net.ipv4.ip_local_port_range
		for link in eth0 net1; do
			tc -n "$ns" filter show dev $link ingress 2>/dev/null
			topo_in "$ns" sysctl -a -r "^net.ipv[46].conf.${link}[.]" 2>/dev/null
		done
	} 2>"$TMP/dump.err" | sed -E -e 's/(_lft|expires) [0-9]+sec/\1 SECONDS/g' \
		-e 's/ link-netns(id)? [^ ]+//' -e 's/^filter (parent ffff: |ingress |egress )/filter /'
}

# same TEXT BEFORE: is the pod's network what BEFORE says? Only the differences are told.
same()
{
	local now

	now=$(pod_dump)
	if [ "${2#*inet }" = "$2" ]; then
		not_ok "$1" "no address in what it was before:" "$2" "$(cat "$TMP/dump.err")"
	elif [ "$2" = "$now" ]; then
		ok "$1"
	else
		not_ok "$1" "$(diff <(echo "$2") <(echo "$now"))"
	fi
}

ping4() { topo_in "$TOPO_POD2" ping -q -c 2 -i 0.2 -W 1 "$@" "$TOPO_IP1"; }
ping6() { topo_in "$TOPO_POD2" ping -q -c 2 -i 0.2 -W 1 "$@" "$TOPO_IP1_6"; }

# tcp_between SERVER-PREFIX CLIENT-PREFIX ADDRESS, prefixes being names of functions.
tcp_between()
{
	local listener status=0

	[ -f "$TMP/data" ] || head -c 4M /dev/urandom >"$TMP/data"
	"$1" timeout 10 socat -u TCP-LISTEN:7777,reuseaddr "OPEN:$TMP/received,creat,trunc" &
	listener=$!
	wait_for 5 listens "$1" && "$2" timeout 8 socat -u "OPEN:$TMP/data" "TCP:$3:7777" || status=1
	wait $listener || status=1
	[ $status = 0 ] && cmp "$TMP/data" "$TMP/received"
}

listens() { [ -n "$("$1" ss -Htln sport = :7777)" ]; }
in_pod2() { topo_in "$TOPO_POD2" "$@"; }
tcp_to_guest() { tcp_between guest_in in_pod2 "$TOPO_IP1"; }
tcp_from_guest() { tcp_between in_pod2 guest_in "$TOPO_IP2"; }

capture_start()
{
	rm -f "$TMP/captured"
	{ exec nsenter --net="/run/netns/$TOPO_NODE" "$NET_TOOL" capture "$TOPO_HOST1" \
		>"$TMP/captured" </dev/null; } &
	CAPTURE_PID=$!
	wait_for 10 grep -q ready "$TMP/captured"
}

capture_stop()
{
	[ -n "$CAPTURE_PID" ] || return 0
	kill "$CAPTURE_PID" 2>/dev/null
	wait "$CAPTURE_PID" 2>/dev/null
	CAPTURE_PID=''
}

# The MACs that frames from pod 1 had, one a line.
captured_macs() { sed -n 's/^\(..:..:..:..:..:..\) .*/\1/p' "$TMP/captured" | sort -u; }
