# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of spoofing, after lib.sh: what leaves pod 1, who believes it, what the guard dropped.
#
#	wire_start, wire_stop	everything that comes in at the host's end of pod 1's link, in $TMP/wire
#	wire_whole		after that: did tcpdump see each of them? (It may have to wait for a CPU.)
#	marked			how many of the hostile program's frames are in it (they carry $MARK)
#	belief			what pod 2 believes about the gateway, by both families
#	guard_place MODE	where a mode's guard stands: DEVICE SIDE
#	drops MODE		its counters

MARK='rnc-spoof!'
WIRE_PID=''
at_exit wire_stop

# As many frames have room as may come while tcpdump is not running; for the whole length of a frame, in
# immediate mode, that would be 32 only.
wire_start()
{
	rm -f "$TMP/wire" "$TMP/tcpdump"
	{ exec nsenter --net="/run/netns/$TOPO_NODE" tcpdump -Z root --immediate-mode -U -Q in -i "$TOPO_HOST1" \
		-s 2048 -B 16384 -w "$TMP/wire" >/dev/null 2>"$TMP/tcpdump" </dev/null; } &
	WIRE_PID=$!
	wait_for 10 grep -q "listening on" "$TMP/tcpdump"
}

wire_stop()
{
	[ -n "$WIRE_PID" ] || return 0
	# What is on its way reaches the file first.
	sleep 0.5
	kill -INT "$WIRE_PID" 2>/dev/null
	wait "$WIRE_PID" 2>/dev/null
	WIRE_PID=''
}

wire_whole() { grep '^0 packets dropped by kernel' "$TMP/tcpdump" || { cat "$TMP/tcpdump"; false; }; }

marked() { grep -aoF "$MARK" "$TMP/wire" | wc -l; }

belief()
{
	ip -n "$TOPO_POD2" neigh show to "$TOPO_GW" dev eth0 | grep -o 'lladdr [^ ]*'
	[ -z "$TOPO_GW6" ] || ip -n "$TOPO_POD2" neigh show to "$TOPO_GW6" dev eth0 | grep -o 'lladdr [^ ]*'
}

guard_place()
{
	local tap

	tap=$(ip -n "$TOPO_POD1" -o link | grep -oE 'rnc[tm][0-9a-f]+(\.[0-9]+)?' | head -n 1)
	case $1 in
	tc|bridge)	echo "$tap" ingress ;;
	macvtap)	echo "$tap" egress ;;
	packet)		echo eth0 egress ;;
	esac
}

drops()
{
	# shellcheck disable=SC2046	# two words
	topo_in "$TOPO_POD1" "$NET_TOOL" drops $(guard_place "$1") | sort
}
