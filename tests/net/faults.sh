#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# What goes wrong around a running container, in each mode: the link goes down and comes back, a neighbour
# forgets, another host claims the address, the interface is taken away.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

# Clock ticks that the process of container $1 has used.
ticks() { awk '{ print $14 + $15 }' "/proc/$(container_pid "$1")/stat"; }

link_down_up()
{
	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" down
	refuse "$1: link down: no answer" 1 ping4
	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" up
	check "$1: link up again" wait_for 10 ping4
	check "$1: link up again, IPv6" wait_for 10 ping6
}

neighbours_forget()
{
	ip -n "$TOPO_POD2" neigh flush all
	check "$1: a neighbour that forgot asks and is answered" ping4
	check "$1: the same by IPv6" ping6
	has "$1: with the pod's MAC" "$TOPO_MAC1" "$(ip -n "$TOPO_POD2" neigh show "$TOPO_IP1")"
}

# A second host with the pod's addresses: whoever was there first stays.
duplicate()
{
	ip -n "$TOPO_ROUTER" addr add "$TOPO_IP1/32" dev eth0
	ip -n "$TOPO_ROUTER" addr add "$TOPO_IP1_6/128" dev eth0 nodad
	topo_in "$TOPO_ROUTER" arping -q -c 1 -w 1 -U -I eth0 "$TOPO_IP1" 2>/dev/null
	is "$1: a duplicate: the guest keeps its addresses" "" \
		"$(guest_sure 'ip -o addr show dev eth0 | grep -E "tentative|dadfailed"')"
	ip -n "$TOPO_ROUTER" addr del "$TOPO_IP1/32" dev eth0
	ip -n "$TOPO_ROUTER" addr del "$TOPO_IP1_6/128" dev eth0
	ip -n "$TOPO_POD2" neigh flush all
	check "$1: the duplicate is gone: the guest answers" ping4
	check "$1: the same by IPv6" ping6
}

# As long as two hosts have the address: to the guest, whatever the neighbour believes.
guest_sure()
{
	ip -n "$TOPO_POD2" neigh replace "$TOPO_IP1" lladdr "$TOPO_MAC1" dev eth0 nud permanent
	guest "$*"
	ip -n "$TOPO_POD2" neigh del "$TOPO_IP1" dev eth0
}

removed()
{
	local text=$1 name=$2 before

	ip -n "$TOPO_NODE" link del "$TOPO_HOST1"
	check "$text: the interface is gone: it runs on" container_is "$name" running
	sleep 0.5
	before=$(ticks "$name")
	sleep 2
	# Two seconds are 200 ticks.
	if [ $(($(ticks "$name") - before)) -lt 50 ]; then
		ok "$text: and sleeps"
	else
		not_ok "$text: and sleeps" "$(($(ticks "$name") - before)) ticks of 200"
	fi
	check "$text: delete" container_delete "$name"
}

for mode in ${MODES:-tc bridge macvtap packet}; do
	topo_a_up || { not_ok "build"; continue; }
	# The address has a double before the container starts: it is used all the same.
	ip -n "$TOPO_ROUTER" addr add "$TOPO_IP1_6/128" dev eth0 nodad
	if ! pod_container "f-$mode" "$mode"; then
		not_ok "$mode: it starts" "$(container_log "f-$mode")"
		continue
	fi
	is "$mode: started beside a duplicate: no address waits" "" \
		"$(guest 'ip -o addr show dev eth0 | grep -E "tentative|dadfailed"')"
	ip -n "$TOPO_ROUTER" addr del "$TOPO_IP1_6/128" dev eth0
	link_down_up "$mode"
	neighbours_forget "$mode"
	duplicate "$mode"
	removed "$mode" "f-$mode"
done

# Calico's router knows the pod by a permanent entry; without it, it asks.
if topo_b2_up && pod_container asked tc; then
	ip -n "$TOPO_NODE" neigh del "$TOPO_IP1" dev "$TOPO_HOST1"
	ip -n "$TOPO_NODE" neigh del "$TOPO_IP1_6" dev "$TOPO_HOST1"
	check "a router that forgot asks and is answered" ping4
	check "the same by IPv6" ping6
else
	not_ok "b2: it starts"
fi
container_delete asked
tap_done
