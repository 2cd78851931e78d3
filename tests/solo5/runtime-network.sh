#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# A unikernel in the clusters of "br1dging the Gap II": it has the pod's address and eth0's own MAC, answers
# a ping flood without a loss and UDP; the namespace is afterwards as it was, and the next container of
# the pod runs in it.

. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"
ROOTFS=$TMP/rootfs
mkdir "$ROOTFS"
cp "$GUESTS"/{echo,ask,twonets}.spt "$ROOTFS"
. "$top/tests/lib/container.sh"

export TOPO_PREFIX=$TAG TOPO_V6=0
at_exit topo_down

# What the pod's next container finds.
addresses() { ip -n "$TOPO_POD1" -d addr show "$@" | sed -E 's/_lft [0-9]+sec/_lft/g; s/ link-netns(id)? [^ ]+//'; }

picture()
{
	addresses
	ip -n "$TOPO_POD1" -d route show table all
	ip -n "$TOPO_POD1" neigh show nud permanent
	tc -n "$TOPO_POD1" qdisc show
}

# The echo server at $TOPO_IP1, as container $1 with the options behind.
serve()
{
	local name=$1
	shift
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" \
		--annotation org.runnc.solo5.type=mirage "$@" -- /echo.spt &&
		container_start "$name" && wait_for 10 answers
}
answers() { in_peer ping -q -c 1 -W 1 "$TOPO_IP1"; }

# 1000 questions as fast as the answers come: "1000 packets transmitted, 1000 received".
flood() { in_peer ping -q -f -c 1000 -w 30 "$TOPO_IP1" | sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p'; }

# 200 datagrams of different sizes come back as they went.
udp_echo()
{
	in_peer python3 - "$TOPO_IP1" <<-'PYTHON'
		import socket, sys, os
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(3)
		s.connect((sys.argv[1], 7))
		for i in range(200):
		    data = os.urandom(1 + i * 7)
		    s.send(data)
		    assert s.recv(65536) == data, i
		print("200 datagrams")
	PYTHON
}

# The MAC that the peer, or where it is not on the same wire the router, has for the pod.
seen_mac()
{
	local ns=$TOPO_POD2
	[ "$TOPO" = a ] || ns=$TOPO_ROUTER
	ip -n "$ns" neigh show "$TOPO_IP1" | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p'
}

in_cluster()
{
	local mode before
	"topo_$1_up" >/dev/null || { not_ok "cluster $1"; return; }
	before=$(picture)
	for mode in tc bridge macvtap; do
		check "$TOPO, $mode: the unikernel answers" \
			serve "$mode$1" --annotation "org.runnc.net.mode=$mode"
		has "$TOPO, $mode: known by eth0's own MAC" "$TOPO_MAC1" "$(seen_mac)"
		is "$TOPO, $mode: ping flood" "1000 1000" "$(flood)"
		is "$TOPO, $mode: UDP" "200 datagrams" "$(udp_echo 2>&1 | tail -n 1)"
		check "$TOPO, $mode: kill" container_kill "$mode$1" TERM
		check "$TOPO, $mode: SIGTERM ends it" wait_for 5 container_is "$mode$1" stopped
		check "$TOPO, $mode: delete" "$RUNNC" "${container_root[@]}" delete "$TAG-$mode$1"
		is "$TOPO, $mode: the namespace is as it was" "$before" "$(picture)"
	done
	# Then the pod's next container: a Linux one's namespace is what it was, too.
	check "$TOPO: the next container answers" serve "again$1"
	check "$TOPO: delete --force" container_delete "again$1"
	is "$TOPO: the namespace is as it was" "$before" "$(picture)"
	topo_down
}

# What the post is about, and a check that the tests below can fail: with a MAC of its own nothing arrives.
# On a bridge, that is: this unikernel takes any frame that tc redirects to it.
topo_b1_up >/dev/null
container_bundle random --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.net.mac=random \
	--annotation org.runnc.net.mode=bridge --annotation org.runnc.solo5.type=mirage -- /echo.spt
check "b1, random MAC: it runs" container_start random
refuse "b1, random MAC: unreachable" 1 in_peer ping -q -c 2 -i 0.2 -W 1 "$TOPO_IP1"
container_delete random
topo_down

for cluster in a b1 b2; do
	in_cluster $cluster
done

# A gateway outside of the subnet, by what MirageOS's stack does first: ask who it is. The router answers for
# it; where only the namespace knows it, by a permanent neighbour entry, the plumbing does.
ask() { container_try --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.solo5.type=mirage -- /ask.spt; }
topo_b1_up >/dev/null
router=$(ip -n "$TOPO_ROUTER" -j link show "$TOPO_ROUTER_IF" | jq -r '.[0].address')
ask
is "b1: the router says who the gateway is" "0 the gateway is $router" "$status $output"
topo_sysctl "$TOPO_ROUTER" "net.ipv4.conf.$TOPO_ROUTER_IF.proxy_arp=0"
ip -n "$TOPO_POD1" neigh flush dev eth0
ask
is "b1 without proxy ARP: nobody does" "1 nobody answers" "$status $output"
ip -n "$TOPO_POD1" neigh replace "$TOPO_GW" lladdr 02:11:22:33:44:55 dev eth0 nud permanent
for mode in tc bridge; do
	container_try --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.solo5.type=mirage \
		--annotation "org.runnc.net.mode=$mode" -- /ask.spt
	is "b1, $mode: the namespace's permanent entry is told" "0 the gateway is 02:11:22:33:44:55" \
		"$status $output"
done
topo_down

# Two devices, in the manifest's order: the interface with the default route first.
topo_two_up >/dev/null
container_bundle two --netns "/run/netns/$TOPO_POD1" -- /twonets.spt
container_start two
wait_for 10 grep -q right "$TMP/two.out"
is "two devices: MACs and MTUs" \
	"left $TOPO_MAC1 mtu 1500
right $(ip -n "$TOPO_POD1" -j link show net1 | jq -r '.[0].address') mtu 1500" "$(container_log two)"
container_delete two

# One device, two interfaces: the other stays where it is.
before=$(addresses net1)
check "one device of two interfaces" serve one
is "the other interface is left alone" "$before" "$(addresses net1)"
container_delete one
topo_down

topo_none_up >/dev/null
container_bundle none --netns "/run/netns/$TOPO_POD1" -- /echo.spt
output=$(container_run none 2>&1)
has "no interface: refused in words" \
	"the unikernel has 1 network devices, and its network namespace 0 interfaces for them: 'service' needs one" \
	"$output"
container_bundle host --jq '.linux.namespaces |= map(select(.type != "network"))' -- /echo.spt
output=$(container_run host 2>&1)
has "no namespace of its own: refused in words" "no network namespace of its own: add one" "$output"
tap_done
