#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# What a restore cannot put back is named, and fails the first delete but no later one; what went with its
# interface is no failure. And the order of routes to one place, which decides which of them is used.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/run/standin.sh"
. "$top/tests/net/topology.sh"
. "$top/tests/net/lib.sh"
ID=$TAG-c

# A route that a restore cannot put back: by a nexthop object that somebody deletes meanwhile.
nexthop_add() { ip -n "$TOPO_POD1" nexthop add id 7 via "$TOPO_GW" dev eth0; }
nexthop_del() { ip -n "$TOPO_POD1" nexthop del id 7; }
pod_routes() { ip -n "$TOPO_POD1" route show; }
pod_up_with_nexthop()
{
	topo_a_up && nexthop_add && ip -n "$TOPO_POD1" route add 198.51.100.0/24 nhid 7 &&
		ip -n "$TOPO_POD1" route add 203.0.113.0/24 via "$TOPO_GW"
}

# ---- the plumbing alone --------------------------------------------------------------------------

names_all()
{
	local mode=$1 output status=0
	pod_up_with_nexthop || { not_ok "$mode: build"; return; }
	ip -n "$TOPO_POD1" neigh add 172.17.0.77 lladdr 02:aa:00:00:00:02 dev eth0 nud permanent
	guest_start "$mode" adopt || not_ok "$mode: start"
	guest_stop KILL
	nexthop_del
	output=$(NET_TOOL_REFUSE=neighbour restore 2>&1) || status=$?
	is "$mode: not all can be put back" 1 "$status"
	is "$mode: it is said what, and why" "net-tool: route 198.51.100.0/24 over 'eth0': Nexthop id does not exist: \
Invalid argument; neighbour 172.17.0.77 of 'eth0': refused: Operation not permitted" "$output"
	has "$mode: all else is put back" "203.0.113.0/24 via 172.17.0.1 dev eth0" "$(pod_routes)"
	nexthop_add
	check "$mode: the cause is gone: restore" restore
	has "$mode: the route is there" "198.51.100.0/24 nhid 7 via 172.17.0.1 dev eth0" "$(pod_routes)"
	has "$mode: the neighbour is there" "172.17.0.77" "$(ip -n "$TOPO_POD1" neigh show nud permanent)"
}

# An address, and the route that has it as its source: that this is missing as well, nobody needs to be told.
names_address()
{
	topo_a_up && ip -n "$TOPO_POD1" route add 203.0.113.0/24 via "$TOPO_GW" src "$TOPO_IP1"
	guest_start tc adopt || not_ok "an address: start"
	guest_stop KILL
	has "an address that cannot be put back" "net-tool: address 172.17.0.5/16 of 'eth0': refused: Operation not" \
		"$(NET_TOOL_REFUSE=address4 restore 2>&1)"
	is "its routes are not named" "" "$(NET_TOOL_REFUSE=address4 restore 2>&1 | grep -o 203.0.113)"
	check "nothing is refused: restore" restore
	has "address and route are there" "203.0.113.0/24 via 172.17.0.1 dev eth0 src 172.17.0.5" "$(pod_routes)"
}

# Routes over and by the address of an interface that was taken away or set down: nobody's failure.
silent()
{
	topo_two_up || { not_ok "two: build"; return; }
	ip -n "$TOPO_POD1" route add 203.0.113.0/24 dev net1 src "$TOPO_IP1"
	ip -n "$TOPO_POD1" route add 198.51.100.0/24 nexthop via 172.17.0.1 dev eth0 nexthop via 10.9.0.4 dev net1
	guest_start tc adopt || not_ok "two: start"
	guest_stop KILL
	ip -n "$TOPO_NODE" link del "$TOPO_HOST1"
	check "one of two interfaces is gone: restore" restore
	has "the other one is put back" "10.9.0.0/24 dev net1" "$(pod_routes)"

	topo_two_up && ip -n "$TOPO_POD1" addr flush dev net1 &&
		ip -n "$TOPO_POD1" route add 203.0.113.0/24 dev net1
	guest_start tc adopt || not_ok "two: start"
	guest_stop KILL
	ip -n "$TOPO_POD1" link set net1 down
	check "an interface that was not handed over is down: restore" restore
	has "the other one is put back" "default via 172.17.0.1 dev eth0" "$(pod_routes)"
}

# order MODE FIRST N: two interfaces, of which FIRST has had IPv6 longer; a guest gets N of them.
order()
{
	local mode=$1 first=$2 handed=$3 before link text
	text="$1, $2 first, $3 handed over"
	topo_two_up || { not_ok "$text: build"; return; }
	[ "$handed" = 2 ] || ip -n "$TOPO_POD1" addr flush dev net1 scope global
	ip -n "$TOPO_POD1" addr add 10.9.0.6/24 dev eth0
	ip -n "$TOPO_POD1" route add 203.0.113.0/24 dev net1 metric 7
	for link in $first $([ "$first" = eth0 ] && echo net1 || echo eth0); do
		topo_sysctl "$TOPO_POD1" "net.ipv6.conf.$link.disable_ipv6=1" "net.ipv6.conf.$link.accept_dad=0"
		topo_sysctl "$TOPO_POD1" "net.ipv6.conf.$link.disable_ipv6=0"
		ip -n "$TOPO_POD1" -6 route add 2001:db8:9::/48 dev "$link" metric 9
	done
	has "$text: the first one" "multicast ff00::/8 dev $first" \
		"$(ip -n "$TOPO_POD1" -6 route show table local type multicast | sed "s/^/multicast /;q")"
	before=$(pod_dump)
	guest_start "$mode" adopt || not_ok "$text: start"
	guest_stop KILL
	check "$text: restore" restore
	same "$text: restored exactly" "$before"
}

for mode in ${MODES:-tc bridge macvtap packet}; do
	names_all "$mode"
	order "$mode" net1 2
done
order tc eth0 2
order tc eth0 1
order tc net1 1
names_address
silent

# A record of a runnc that did not look at ff00::/8 has none: those that are there stay.
topo_a_up
before=$(pod_dump)
guest_start tc adopt
guest_stop KILL
jq -c '.routes |= map(select(.text | test("^ff00::/8|255/32") | not))' "$TMP/record" >"$TMP/older"
refuse "the older record differs" 1 cmp -s "$TMP/record" "$TMP/older"
mv "$TMP/older" "$TMP/record"
check "an older record: restore" restore
same "an older record: restored exactly" "$before"

# ---- delete --------------------------------------------------------------------------------------

missing="route 198.51.100.0/24 over 'eth0': Nexthop id does not exist: Invalid argument"

# A container that has ended in a pod whose nexthop object is gone since.
stopped()
{
	pod_up_with_nexthop || return
	bundle c wait
	# Routes are put back only where the interface was the guest's alone.
	config c '(.linux.namespaces[] | select(.type == "network")).path = $path |
		.annotations["org.runnc.net.sidecars"] = "none"' --arg path "/run/netns/$TOPO_POD1"
	rt run --detach --bundle "$TMP/c" "$ID" >"$TMP/out" 2>&1 </dev/null || return
	nexthop_del
	rt kill "$ID" KILL
	wait_for 10 is_status c stopped
}

# deleted TEXT STATUS OUTPUT [OPTION]...
deleted()
{
	local output status=0
	output=$(rt delete "${@:4}" "$ID" 2>&1 </dev/null) || status=$?
	is "$1" "$2 $3" "$status $output"
}

again="the network is not as it was (another 'runnc delete' tries again, and then removes the container all the same)"
if stopped; then
	deleted "delete: the first one fails, with one line" 1 "runnc: container $ID: $again: restore the network: $missing"
	is "the container is still there" stopped "$(status_of c)"
	has "the namespace has all else" "203.0.113.0/24 via 172.17.0.1 dev eth0" "$(pod_routes)"
	deleted "the second one tries again, says what is missing, and removes it" 0 \
		"runnc: warning: container $ID: restore the network: $missing"
	check "nothing is left" nothing_left c
	refuse "a third one has nothing to delete" 1 rt delete "$ID"
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi
if stopped; then
	rt delete "$ID" 2>/dev/null
	nexthop_add
	deleted "the cause is gone: the second one succeeds" 0 ""
	has "the route is there" "198.51.100.0/24 nhid 7 via 172.17.0.1 dev eth0" "$(pod_routes)"
	check "nothing is left" nothing_left c
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi
if stopped; then
	deleted "--force: succeeds at once, with a warning" 0 \
		"runnc: warning: container $ID: restore the network: $missing" --force
	check "nothing is left" nothing_left c
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi

# A pod that is being ended: its interface, its namespace, or what its namespace was mounted on.
if stopped; then
	ip -n "$TOPO_NODE" link del "$TOPO_HOST1"
	deleted "the interface is gone: silence" 0 ""
	check "nothing is left" nothing_left c
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi
if stopped; then
	umount "/run/netns/$TOPO_POD1"
	deleted "the namespace is unmounted: silence" 0 ""
	rm "/run/netns/$TOPO_POD1"
	check "nothing is left" nothing_left c
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi
if stopped; then
	ip netns del "$TOPO_POD1"
	deleted "the namespace is gone: silence" 0 ""
	check "nothing is left" nothing_left c
else
	not_ok "stopped" "$(cat "$TMP/out")"
fi
tap_done
