#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# kill -9 before each single change that connecting the pod's loopback makes, and before each that restore
# makes: another restore gives the namespace that was there, its lo included.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/net/topology.sh"
. "$top/tests/net/lib.sh"
export NET_TOOL_LOOPBACK=1

# As pod_dump, and the loopback.
state()
{
	pod_dump
	topo_in "$TOPO_POD1" sysctl -a -r '^net.ipv[46].conf.lo[.]' 2>/dev/null
	tc -n "$TOPO_POD1" filter show dev lo egress
}

same_state()
{
	local now

	now=$(state)
	if [ "${2#*inet }" != "$2" ] && [ "$2" = "$now" ]; then
		ok "$1"
	else
		not_ok "$1" "$(diff <(echo "$2") <(echo "$now"))"
	fi
}

steps_of() { sed -n 's/^steps //p' "$1"; }

killed()
{
	local status=0

	topo_in "$TOPO_POD1" env NET_TOOL_KILL_AT="$1" "${@:2}" >/dev/null 2>&1 </dev/null || status=$?
	[ $status = 137 ]
}

each_kill()
{
	local what=$1 before=$2 mode=${3:-tc} n total

	guest_start "$mode" adopt || { not_ok "$what: start" "$(cat "$TMP/guest.err")"; return; }
	total=$(steps_of "$TMP/guest.err")
	check "$what: the loopback is connected" topo_in "$TOPO_POD1" ip link show rnctl
	guest_stop KILL
	restore 2>"$TMP/restore.err" || not_ok "$what: restore" "$(cat "$TMP/restore.err")"
	same_state "$what: restored exactly after kill -9 of the guest" "$before"
	for n in $(seq "$total"); do
		killed "$n" "$NET_TOOL" guest "$TMP/record" "$mode" adopt ||
			not_ok "$what: apply killed at $n of $total"
		restore 2>"$TMP/err" || not_ok "$what: restore" "$(cat "$TMP/err")"
		same_state "$what: apply killed at change $n of $total" "$before"
	done
	total=$(steps_of "$TMP/restore.err")
	for n in $(seq "$total"); do
		guest_start "$mode" adopt || not_ok "$what: start"
		guest_stop KILL
		killed "$n" "$NET_TOOL" restore "$TMP/record" ||
			not_ok "$what: restore killed at $n of $total"
		restore 2>"$TMP/err" || not_ok "$what: restore" "$(cat "$TMP/err")"
		same_state "$what: restore killed at change $n of $total" "$before"
	done
}

# A loopback with settings of its own, an address, and a filter of somebody else's; of eth0 only the pod's.
topo_a_up || not_ok "build"
sleep 2		# until the addresses are no longer tentative
each_kill "a new loopback" "$(state)"
each_kill "a shared interface" "$(state)" keep
topo_sysctl "$TOPO_POD1" net.ipv4.conf.lo.accept_local=1 net.ipv4.conf.lo.rp_filter=1
ip -n "$TOPO_POD1" addr add 10.1.1.1/32 dev lo
tc -n "$TOPO_POD1" qdisc add dev lo clsact
tc -n "$TOPO_POD1" filter add dev lo egress prio 7 protocol ip u32 match ip dst 10.1.1.1 classid 1:1
each_kill "a used loopback" "$(state)"
ip -n "$TOPO_POD1" link set eth0 down
ip -n "$TOPO_POD1" addr del 127.0.0.1/8 dev lo
ip -n "$TOPO_POD1" link set lo down
each_kill "a loopback that is down, and no interface" "$(state)"
tap_done
