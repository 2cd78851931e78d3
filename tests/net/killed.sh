#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# kill -9 before each single change that apply makes, and before each that restore makes: another restore
# gives the original network, in a pod that has a bit of everything.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/net/topology.sh"
. "$top/tests/net/lib.sh"

# All that an interface may carry: what is restored must not depend on what we thought of.
furnish()
{
	local pod=$TOPO_POD1

	ip -n "$pod" addr add 172.17.9.9/16 dev eth0
	ip -n "$pod" addr add 10.11.12.13/24 dev eth0 label eth0:x valid_lft 90000 preferred_lft 80000
	ip -n "$pod" addr add 10.20.0.1 peer 10.20.0.2/32 dev eth0 scope link
	ip -n "$pod" addr add 10.30.0.1/24 dev eth0 noprefixroute metric 77
	ip -n "$pod" addr add fd00:17::6/64 dev eth0 nodad
	ip -n "$pod" addr add fd00:17::7/64 dev eth0 nodad valid_lft 90000 preferred_lft 0
	ip -n "$pod" addr add fd00:18::1/64 dev eth0 nodad noprefixroute
	ip -n "$pod" route add 203.0.113.0/24 via 10.99.0.1 dev eth0 onlink metric 5 mtu 1300
	ip -n "$pod" route add 203.0.113.0/24 via 172.17.0.9 metric 6 src 172.17.9.9
	ip -n "$pod" route add 198.51.100.0/24 nexthop via 172.17.0.8 weight 3 \
		nexthop via 172.17.0.9 weight 1
	ip -n "$pod" route add blackhole 192.0.2.0/24
	ip -n "$pod" route add 10.40.0.0/16 via 172.17.0.7 table 100 proto static
	ip -n "$pod" route add default via 172.17.0.7 metric 500 advmss 1200 initcwnd 20
	ip -n "$pod" -6 route add 2001:db8:1::/48 via fd00:17::9 metric 5 mtu 1400
	ip -n "$pod" -6 route add 2001:db8:2::/48 nexthop via fd00:17::8 nexthop via fd00:17::9
	ip -n "$pod" -6 route add 2001:db8:3::/48 via fd00:17::9 expires 90000
	ip -n "$pod" -6 route add unreachable 2001:db8:4::/48
	ip -n "$pod" rule add from 172.17.9.9 lookup 100
	ip -n "$pod" neigh add 172.17.0.1 lladdr 02:aa:00:00:00:01 dev eth0 nud permanent
	ip -n "$pod" neigh add 172.17.0.77 lladdr 02:aa:00:00:00:02 dev eth0 nud permanent
	ip -n "$pod" neigh add fd00:17::77 lladdr 02:aa:00:00:00:03 dev eth0 nud permanent router
	ip -n "$pod" neigh add proxy 172.17.0.78 dev eth0
	ip -n "$pod" link set eth0 txqueuelen 333
	topo_sysctl "$pod" net.ipv6.conf.eth0.accept_ra=0 net.ipv4.conf.eth0.arp_notify=1
}

steps_of() { sed -n 's/^steps //p' "$1"; }

# Try guest_start with a kill at change $2; it must not come up.
killed_apply()
{
	local status=0

	topo_in "$TOPO_POD1" env NET_TOOL_KILL_AT="$2" "$NET_TOOL" guest "$TMP/record" "$1" adopt \
		>/dev/null 2>&1 </dev/null || status=$?
	[ $status = 137 ]
}

killed_restore()
{
	local status=0

	restore env NET_TOOL_KILL_AT="$1" >/dev/null 2>&1 || status=$?
	[ $status = 137 ]
}

each_kill()
{
	local mode=$1 before=$2 n total

	guest_start "$mode" adopt || { not_ok "$mode: start"; return; }
	total=$(steps_of "$TMP/guest.err")
	guest_stop KILL
	restore 2>"$TMP/restore.err" || not_ok "$mode: restore" "$(cat "$TMP/restore.err")"
	same "$mode: restored exactly after kill -9 of the guest" "$before"
	for n in $(seq "$total"); do
		killed_apply "$mode" "$n" || not_ok "$mode: apply killed at $n of $total"
		restore 2>"$TMP/err" || not_ok "$mode: restore" "$(cat "$TMP/err")"
		same "$mode: apply killed at change $n of $total" "$before"
	done
	total=$(steps_of "$TMP/restore.err")
	for n in $(seq "$total"); do
		guest_start "$mode" adopt || not_ok "$mode: start"
		guest_stop KILL
		killed_restore "$n" || not_ok "$mode: restore killed at $n of $total"
		restore 2>"$TMP/err" || not_ok "$mode: restore" "$(cat "$TMP/err")"
		same "$mode: restore killed at change $n of $total" "$before"
	done
}

if ! topo_a_up || ! furnish; then not_ok "build"; fi
before=$(pod_dump)
for mode in ${MODES:-tc keep bridge macvtap packet}; do
	each_kill $mode "$before"
done

# The pod itself is gone, or its interface: nothing is left to restore, and that is fine.
guest_start tc adopt
guest_stop KILL
ip -n "$TOPO_NODE" link del "$TOPO_HOST1"
check "the interface is gone: restore" restore
tap_done
