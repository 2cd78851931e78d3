# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Clusters made of network namespaces, for tests and for the demo: source this file, call one of the
# topo_*_up functions, use the variables it sets, call topo_down (also from a trap; it is idempotent).
#
#   topo_a_up     the post's old cluster: pods share a /16 on one bridge, with a router on it
#   topo_b1_up    the post's new cluster: pods have /32 (and /128) addresses and 169.254.1.1 as their
#                 gateway behind proxy ARP, all on one bridge; the router holds a PERMANENT neighbour
#                 entry with each pod's original MAC
#   topo_b2_up    the same, Calico's way: the node is the router, with one veth per pod
#   topo_ptp_up   the CNI plugin ptp: pod /24 without the kernel's prefix route, host route per pod
#   topo_two_up   as A, and a second interface net1 (10.9.0.0/24) on a bridge of its own
#   topo_macvlan_up  the CNI plugin macvlan: both pods on one master in the node, /24, no router
#   topo_none_up  one pod with nothing but a loopback
#
# Set before the call: TOPO_MTU (1500), TOPO_V6 (1: dual stack, 0: IPv4 only).
#
# Set by the call:
#   TOPO                  its name: a b1 b2 ptp two macvlan none
#   TOPO_POD1 TOPO_POD2   network namespaces (under /run/netns) of the pod under test and its peer
#   TOPO_NODE             namespace with the host ends of the pods' links
#   TOPO_ROUTER           namespace that routes (the same as TOPO_NODE in b2, ptp)
#   TOPO_HOST1 TOPO_HOST2 names of the host ends in TOPO_NODE
#   TOPO_IP1 TOPO_IP2     IPv4 addresses of the pods; TOPO_IP1_6 TOPO_IP2_6: IPv6 ("" without)
#   TOPO_GW TOPO_GW6      gateways as the pods see them
#   TOPO_MAC1 TOPO_MAC2   the original MACs of the pods' eth0
#   TOPO_ROUTER_IF        the interface of TOPO_ROUTER that leads to pod 1
#
# Run a command inside: `topo_in "$TOPO_POD1" ping ...` (nsenter: `ip netns exec` would remount /sys).

: "${TOPO_PREFIX:=rnc$$}"

topo_in()
{
	local ns=$1

	shift
	nsenter --net="/run/netns/$ns" "$@"
}

topo_sysctl()
{
	local ns=$1

	shift
	topo_in "$ns" sysctl -qw "$@"
}

# topo_ns SUFFIX: make a namespace with its loopback up; its name is printed.
topo_ns()
{
	ip netns add "$TOPO_PREFIX-$1" && ip -n "$TOPO_PREFIX-$1" link set lo up &&
		echo "$TOPO_PREFIX-$1"
}

topo_down()
{
	local ns

	for ns in pod1 pod2 node router; do
		[ ! -e "/run/netns/$TOPO_PREFIX-$ns" ] || ip netns del "$TOPO_PREFIX-$ns"
	done
}

# topo_reset NAME: forget the last topology and set what all of them share.
topo_reset()
{
	topo_down
	TOPO=$1
	: "${TOPO_MTU:=1500}" "${TOPO_V6:=1}"
	TOPO_POD1='' TOPO_POD2='' TOPO_NODE='' TOPO_ROUTER='' TOPO_ROUTER_IF=''
	TOPO_HOST1='' TOPO_HOST2='' TOPO_IP1='' TOPO_IP2='' TOPO_IP1_6='' TOPO_IP2_6=''
	TOPO_GW='' TOPO_GW6='' TOPO_MAC1='' TOPO_MAC2=''
}

# topo_pods: the namespaces of two pods and the node, each pod with an eth0 whose other end is
# pod1 or pod2 in the node.
topo_pods()
{
	local n ns

	TOPO_NODE=$(topo_ns node) && TOPO_POD1=$(topo_ns pod1) && TOPO_POD2=$(topo_ns pod2) || return
	TOPO_HOST1=pod1 TOPO_HOST2=pod2
	for n in 1 2; do
		ns=$TOPO_PREFIX-pod$n
		# The peer's address needs no detection to settle; the pod under test keeps the
		# kernel's defaults, as a CNI plugin would leave them.
		[ $n = 1 ] || topo_sysctl "$ns" net.ipv6.conf.default.accept_dad=0
		[ "$TOPO_V6" = 1 ] || topo_sysctl "$ns" net.ipv6.conf.default.disable_ipv6=1
		ip -n "$TOPO_NODE" link add "pod$n" mtu "$TOPO_MTU" type veth \
			peer name eth0 mtu "$TOPO_MTU" netns "$ns" || return
		topo_sysctl "$TOPO_NODE" "net.ipv6.conf.pod$n.accept_dad=0"
		ip -n "$TOPO_NODE" link set "pod$n" up
		ip -n "$ns" link set eth0 up
	done
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	TOPO_MAC2=$(topo_mac "$TOPO_POD2" eth0)
}

# topo_mac NS LINK
topo_mac()
{
	ip -n "$1" -o link show dev "$2" | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p'
}

# topo_bridge: a bridge br0 in the node with both pods and a router's link on it.
topo_bridge()
{
	local link

	ip -n "$TOPO_NODE" link add br0 mtu "$TOPO_MTU" type bridge stp_state 0 forward_delay 0 \
		mcast_snooping 0 || return
	topo_sysctl "$TOPO_NODE" net.ipv6.conf.br0.disable_ipv6=1
	TOPO_ROUTER=$(topo_ns router) || return
	TOPO_ROUTER_IF=eth0
	ip -n "$TOPO_NODE" link add router mtu "$TOPO_MTU" type veth \
		peer name eth0 mtu "$TOPO_MTU" netns "$TOPO_ROUTER" || return
	for link in router "$TOPO_HOST1" "$TOPO_HOST2"; do
		topo_sysctl "$TOPO_NODE" "net.ipv6.conf.$link.disable_ipv6=1"
		ip -n "$TOPO_NODE" link set "$link" master br0 up || return
	done
	topo_sysctl "$TOPO_ROUTER" net.ipv6.conf.eth0.accept_dad=0 net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	ip -n "$TOPO_NODE" link set br0 up
	ip -n "$TOPO_ROUTER" link set eth0 up
}

# topo_settle: wait until no address of pod 1 is tentative and its eth0 has carrier.
topo_settle()
{
	local try link tentative

	for try in $(seq 100); do
		# No pipes: under pipefail a `grep -q` that ends early makes its pipe fail.
		link=$(ip -n "$TOPO_POD1" -o link show dev eth0)
		tentative=$(ip -n "$TOPO_POD1" -o addr show tentative)
		case $link in
		*LOWER_UP*) [ -n "$tentative" ] || return 0 ;;
		esac
		sleep 0.05
	done
	echo "topology $TOPO: eth0 of $TOPO_POD1 did not settle ($try tries)" >&2
	return 1
}

topo_a_up()
{
	topo_reset a
	topo_a_build && topo_settle
}

topo_a_build()
{
	topo_pods && topo_bridge || return
	TOPO_IP1=172.17.0.5 TOPO_IP2=172.17.0.4 TOPO_GW=172.17.0.1
	ip -n "$TOPO_ROUTER" addr add $TOPO_GW/16 dev eth0
	ip -n "$TOPO_POD1" addr add $TOPO_IP1/16 brd + dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/16 brd + dev eth0
	ip -n "$TOPO_POD1" route add default via $TOPO_GW dev eth0
	ip -n "$TOPO_POD2" route add default via $TOPO_GW dev eth0 || return
	[ "$TOPO_V6" = 1 ] || return 0
	TOPO_IP1_6=fd00:17::5 TOPO_IP2_6=fd00:17::4 TOPO_GW6=fd00:17::1
	ip -n "$TOPO_ROUTER" addr add $TOPO_GW6/64 dev eth0
	ip -n "$TOPO_POD1" addr add $TOPO_IP1_6/64 dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2_6/64 dev eth0
	ip -n "$TOPO_POD1" -6 route add default via $TOPO_GW6 dev eth0
	ip -n "$TOPO_POD2" -6 route add default via $TOPO_GW6 dev eth0
}

# topo_proxy NS LINK...: NS answers ARP for every address it can route elsewhere. Without a default
# route of its own, proxy ARP would stay silent.
topo_proxy()
{
	local ns=$1 link

	shift
	ip -n "$ns" addr add 192.0.2.1/32 dev lo
	ip -n "$ns" route add default via 192.0.2.254 dev lo onlink
	topo_sysctl "$ns" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for link; do
		topo_sysctl "$ns" "net.ipv4.conf.$link.proxy_arp=1" "net.ipv4.conf.$link.forwarding=1" \
			"net.ipv4.conf.$link.send_redirects=0" "net.ipv4.neigh.$link.proxy_delay=0"
	done
	topo_sysctl "$ns" net.ipv4.conf.all.send_redirects=0
}

# topo_slash32 LINK1 LINK2: /32 pods behind the router, which knows their addresses and MACs.
topo_slash32()
{
	local gw6 n ip mac link

	TOPO_IP1=172.17.0.5 TOPO_IP2=172.17.0.4 TOPO_GW=169.254.1.1
	[ "$TOPO_V6" != 1 ] || TOPO_IP1_6=fd00:17::5 TOPO_IP2_6=fd00:17::4
	for n in 1 2; do
		[ $n = 1 ] && link=$1 ip=$TOPO_IP1 mac=$TOPO_MAC1 || link=$2 ip=$TOPO_IP2 mac=$TOPO_MAC2
		ip -n "$TOPO_PREFIX-pod$n" addr add "$ip/32" dev eth0
		ip -n "$TOPO_PREFIX-pod$n" route add $TOPO_GW dev eth0 scope link
		ip -n "$TOPO_PREFIX-pod$n" route add default via $TOPO_GW dev eth0
		ip -n "$TOPO_ROUTER" route add "$ip/32" dev "$link" scope link
		ip -n "$TOPO_ROUTER" neigh replace "$ip" lladdr "$mac" dev "$link" nud permanent || return
		[ "$TOPO_V6" = 1 ] || continue
		[ $n = 1 ] && ip=$TOPO_IP1_6 || ip=$TOPO_IP2_6
		gw6=$(ip -n "$TOPO_ROUTER" -6 -o addr show dev "$link" scope link |
			sed -n 's/.*inet6 \([^/]*\).*/\1/p')
		[ $n = 2 ] || TOPO_GW6=$gw6
		ip -n "$TOPO_PREFIX-pod$n" addr add "$ip/128" dev eth0
		ip -n "$TOPO_PREFIX-pod$n" -6 route add default via "$gw6" dev eth0
		ip -n "$TOPO_ROUTER" -6 route add "$ip/128" dev "$link"
		ip -n "$TOPO_ROUTER" neigh replace "$ip" lladdr "$mac" dev "$link" nud permanent || return
	done
}

topo_b1_up()
{
	topo_reset b1
	topo_pods && topo_bridge && topo_proxy "$TOPO_ROUTER" eth0 && topo_slash32 eth0 eth0 &&
		topo_settle
}

topo_b2_up()
{
	local link

	topo_reset b2
	topo_pods || return
	TOPO_ROUTER=$TOPO_NODE TOPO_ROUTER_IF=$TOPO_HOST1
	for link in "$TOPO_HOST1" "$TOPO_HOST2"; do
		# Down and up again, so that the link-local address follows the MAC.
		ip -n "$TOPO_NODE" link set "$link" down
		ip -n "$TOPO_NODE" link set "$link" address ee:ee:ee:ee:ee:ee up
	done
	topo_proxy "$TOPO_NODE" "$TOPO_HOST1" "$TOPO_HOST2" &&
		topo_slash32 "$TOPO_HOST1" "$TOPO_HOST2" && topo_settle
}

topo_ptp_up()
{
	local n ip host

	topo_reset ptp
	topo_pods || return
	TOPO_ROUTER=$TOPO_NODE TOPO_ROUTER_IF=$TOPO_HOST1
	TOPO_IP1=10.67.0.2 TOPO_IP2=10.67.0.3 TOPO_GW=10.67.0.1
	topo_sysctl "$TOPO_NODE" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for n in 1 2; do
		[ $n = 1 ] && ip=$TOPO_IP1 host=$TOPO_HOST1 || ip=$TOPO_IP2 host=$TOPO_HOST2
		ip -n "$TOPO_NODE" addr add $TOPO_GW/32 dev "$host"
		ip -n "$TOPO_NODE" route add "$ip/32" dev "$host" scope host
		ip -n "$TOPO_PREFIX-pod$n" addr add "$ip/24" brd 10.67.0.255 dev eth0
		ip -n "$TOPO_PREFIX-pod$n" route del 10.67.0.0/24 dev eth0
		ip -n "$TOPO_PREFIX-pod$n" route add $TOPO_GW dev eth0 scope link src "$ip"
		ip -n "$TOPO_PREFIX-pod$n" route add 10.67.0.0/24 via $TOPO_GW dev eth0 src "$ip"
		ip -n "$TOPO_PREFIX-pod$n" route add default via $TOPO_GW dev eth0 || return
	done
	topo_settle
}

topo_two_up()
{
	topo_reset two
	topo_a_build || return
	ip -n "$TOPO_NODE" link add net1 type veth peer name net1 netns "$TOPO_POD1"
	ip -n "$TOPO_NODE" link add net2 type veth peer name net1 netns "$TOPO_POD2"
	ip -n "$TOPO_NODE" link add br1 type bridge stp_state 0 forward_delay 0
	topo_sysctl "$TOPO_NODE" net.ipv6.conf.br1.disable_ipv6=1 \
		net.ipv6.conf.net1.disable_ipv6=1 net.ipv6.conf.net2.disable_ipv6=1
	ip -n "$TOPO_NODE" link set net1 master br1 up
	ip -n "$TOPO_NODE" link set net2 master br1 up
	ip -n "$TOPO_NODE" link set br1 up
	ip -n "$TOPO_POD1" link set net1 up
	ip -n "$TOPO_POD2" link set net1 up
	ip -n "$TOPO_POD1" addr add 10.9.0.5/24 dev net1
	ip -n "$TOPO_POD2" addr add 10.9.0.4/24 dev net1 || return
	topo_settle
}

topo_macvlan_up()
{
	local n ns

	topo_reset macvlan
	TOPO_NODE=$(topo_ns node) && TOPO_POD1=$(topo_ns pod1) && TOPO_POD2=$(topo_ns pod2) || return
	TOPO_IP1=10.8.0.5 TOPO_IP2=10.8.0.4 TOPO_IP1_6=fd00:8::5 TOPO_IP2_6=fd00:8::4
	ip -n "$TOPO_NODE" link add uplink type veth peer name wire || return
	ip -n "$TOPO_NODE" link set uplink up
	ip -n "$TOPO_NODE" link set wire up
	for n in 1 2; do
		ns=$TOPO_PREFIX-pod$n
		ip -n "$TOPO_NODE" link add link uplink name "mv$n" type macvlan mode bridge || return
		ip -n "$TOPO_NODE" link set "mv$n" netns "$ns" name eth0 || return
		ip -n "$ns" link set eth0 up
	done
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	TOPO_MAC2=$(topo_mac "$TOPO_POD2" eth0)
	ip -n "$TOPO_POD1" addr add $TOPO_IP1/24 dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/24 dev eth0
	ip -n "$TOPO_POD1" addr add $TOPO_IP1_6/64 dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2_6/64 dev eth0 nodad
	topo_settle
}

topo_none_up()
{
	topo_reset none
	TOPO_POD1=$(topo_ns pod1)
}
