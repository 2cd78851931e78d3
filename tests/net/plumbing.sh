#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Each cluster, each mode: the guest answers under the pod's address, no frame leaves with a foreign MAC,
# and after restore the pod's network is what it was.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/net/topology.sh"
. "$top/tests/net/lib.sh"

restores()
{
	local before=$1 text=$2

	check "$text: restore" restore
	same "$text: restored exactly" "$before"
	check "$text: restore again" restore
	same "$text: nothing changed by that" "$before"
	check "$text: the pod itself answers again" ping4
}

adopts()
{
	local mode=$1 text="$TOPO $1 adopt" before

	before=$(pod_dump)
	capture_start || not_ok "$text: capture"
	if guest_start "$mode" adopt; then
		check "$text: ping" ping4
		check "$text: ping with fragments" ping4 -s 4000
		[ -z "$TOPO_IP1_6" ] || check "$text: ping by IPv6" ping6
		check "$text: the guest pings" guest_in ping -q -c 1 -W 2 "$TOPO_IP2"
		check "$text: TCP to the guest" tcp_to_guest
		check "$text: TCP from the guest" tcp_from_guest
	else
		not_ok "$text: start" "$(cat "$TMP/guest.err")"
	fi
	guest_stop
	restores "$before" "$text"
	capture_stop
	is "$text: no frame with a foreign MAC" "$TOPO_MAC1" "$(captured_macs)"
}

# The post's failure: only where somebody asks for the MAC does a random one work.
randomizes()
{
	local mode=$1 expected=$2 text="$TOPO $1 random" before

	before=$(pod_dump)
	if ! guest_start "$mode" random; then
		not_ok "$text: start" "$(cat "$TMP/guest.err")"
	elif [ "$expected" = works ]; then
		check "$text: ping" ping4
	else
		refuse "$text: ping gets no answer" 1 ping4
	fi
	guest_stop
	# The peer may believe in the random MAC for half a minute more.
	ip -n "$TOPO_POD2" neigh flush dev eth0
	restores "$before" "$text"
}

modes=${MODES:-tc bridge macvtap packet}
for name in a b1 b2 ptp; do
	"topo_${name}_up" || { not_ok "$name: build"; continue; }
	for mode in $modes; do
		adopts $mode
	done
done

topo_a_up && for mode in $modes; do
	randomizes $mode works
done
for name in b1 b2; do
	"topo_${name}_up" && for mode in $modes; do
		randomizes $mode fails
	done
done

# A kernel without cls_bpf.
export NET_TOOL_NO_BPF=1 NET_TOOL_UNGUARDED=1
topo_b1_up && adopts tc
unset NET_TOOL_NO_BPF NET_TOOL_UNGUARDED

# macvlan delivers multicast only for groups that the interface has asked for: neighbour solicitations
# for the guest among them. In mode bridge it could deliver nothing to the guest, and says so.
if topo_macvlan_up; then
	before=$(pod_dump)
	guest_start tc adopt
	check "macvlan tc: ping" ping4
	check "macvlan tc: ping by IPv6" ping6
	check "macvlan tc: TCP to the guest" tcp_to_guest
	guest_stop
	check "macvlan tc: restore" restore
	same "macvlan tc: restored exactly" "$before"
	has "macvlan bridge: a notice" "macvlan" \
		"$(topo_in "$TOPO_POD1" "$NET_TOOL" plan bridge adopt | grep ^notice)"
else
	not_ok "macvlan: build"
fi

TOPO_V6=0
topo_b2_up && for mode in $modes; do
	adopts $mode
done
TOPO_V6=1

TOPO_MTU=1400
topo_a_up && for mode in $modes; do
	guest_start $mode adopt
	has "mtu 1400 $mode: the guest knows" "mtu 1400" "$(guest_in ip -o link show dev eth0)"
	check "mtu 1400 $mode: the largest frame" ping4 -M "do" -s 1372
	check "mtu 1400 $mode: TCP to the guest" tcp_to_guest
	check "mtu 1400 $mode: TCP from the guest" tcp_from_guest
	guest_stop
	restore
done
TOPO_MTU=1500

topo_two_up && for mode in $modes; do
	before=$(pod_dump)
	guest_start $mode adopt
	check "two interfaces $mode: ping the first" ping4
	check "two interfaces $mode: ping the second" in_pod2 ping -q -c 1 -W 2 10.9.0.5
	guest_stop KILL
	check "two interfaces $mode: restore" restore
	same "two interfaces $mode: restored exactly" "$before"
done

topo_none_up
before=$(pod_dump)
is "no interface: an empty plan" "ports 0" "$(topo_in "$TOPO_POD1" "$NET_TOOL" plan)"
# Not by check, whose subshell would keep the process's id to itself.
if guest_start tc adopt; then ok "no interface: nothing to apply"; else not_ok "no interface: start"; fi
guest_stop
check "no interface: nothing to restore" restore
same "no interface: nothing changed" "$before"

# A record belongs to one namespace: in another one it does nothing.
topo_b2_up && guest_start tc adopt && guest_stop
topo_down
topo_b2_up
before=$(pod_dump)
check "another namespace: nothing to restore" restore
same "another namespace: nothing changed" "$before"

# The number of a namespace that is gone is given to another one; its cookie is not.
guest_start tc adopt && guest_stop KILL
cp "$TMP/record" "$TMP/right"
sed -i -E 's/"cookie":[0-9]+/"cookie":1/' "$TMP/record"
check "the same number, another cookie: nothing to restore" restore
refuse "the same number, another cookie: nothing changed" 1 test "$(pod_dump)" = "$before"
sed -E 's/"cookie":[0-9]+,//' "$TMP/right" >"$TMP/record"
check "the record of an older runnc, without a cookie: restore" restore
same "the record of an older runnc: restored exactly" "$before"

tap_done
