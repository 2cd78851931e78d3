#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# Namespaces that are not like the usual one: other names and addresses, several interfaces with policy
# routing, gateways that answer no ARP, links that carry no Ethernet, links that somebody else has left.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

plan() { topo_in "$TOPO_POD1" "$NET_TOOL" plan "${1:-tc}" "${2:-adopt}" 2>&1; }

# works TEXT MODE [COMMAND...]: a guest's stand-in answers, and all is as before afterwards.
works()
{
	local text=$1 mode=$2 before
	shift 2

	before=$(pod_dump)
	if guest_start "$mode" adopt; then
		check "$text $mode: it answers" "${@:-ping4}"
		check "$text $mode: it asks" guest_in ping -q -c 1 -W 2 "$TOPO_IP2"
	else
		not_ok "$text $mode: start" "$(cat "$TMP/guest.err")"
	fi
	guest_stop
	check "$text $mode: restore" restore
	same "$text $mode: restored exactly" "$before"
}

every_mode()
{
	local mode

	for mode in tc bridge macvtap packet; do
		works "$1" $mode "${@:2}"
	done
}

# ---- addresses and gateways ----------------------------------------------------------------------

# Two ends of a /31, and nothing else.
slash31()
{
	local ns=$TOPO_PREFIX-$1

	ip -n "$ns" addr flush dev eth0 scope global
	ip -n "$ns" addr add "$2/31" dev eth0
}
TOPO_V6=0
topo_a_up && slash31 pod1 10.3.0.0 && slash31 pod2 10.3.0.1
TOPO_IP1=10.3.0.0 TOPO_IP2=10.3.0.1
every_mode "/31"

# A gateway in another subnet, which answers ARP there: the router has one more address.
topo_a_up
ip -n "$TOPO_ROUTER" addr add 10.77.0.1/32 dev eth0
ip -n "$TOPO_POD1" route replace default via 10.77.0.1 dev eth0 onlink
TOPO_IP2=192.0.2.1
ip -n "$TOPO_ROUTER" addr add $TOPO_IP2/32 dev lo
every_mode "a gateway in another subnet"

# As in Amazon's VPC: nobody answers ARP for the gateway, the pod has a permanent entry.
topo_b2_up
topo_sysctl "$TOPO_NODE" "net.ipv4.conf.$TOPO_HOST1.proxy_arp=0" "net.ipv4.conf.$TOPO_HOST1.arp_ignore=8"
ip -n "$TOPO_POD1" neigh replace $TOPO_GW lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent
ip -n "$TOPO_POD1" neigh replace $TOPO_GW lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent
every_mode "a silent gateway"
TOPO_V6=1

# ---- names and numbers of interfaces -------------------------------------------------------------

topo_a_up
ip -n "$TOPO_POD1" link set eth0 down
ip -n "$TOPO_POD1" link set eth0 name blue-7.x
ip -n "$TOPO_POD1" link set blue-7.x up
ip -n "$TOPO_POD1" route add default via "$TOPO_GW"
if pod_container renamed tc; then
	has "another name: the guest has it" "blue-7.x" "$(guest ip -o link)"
	check "another name: ping" ping4
else
	not_ok "another name: start" "$(container_log renamed)"
fi
container_delete renamed

# multus: a second interface with a table of its own, chosen by the source address.
second()
{
	in_pod2 ip addr add 10.10.10.1/32 dev lo
	ip -n "$TOPO_POD1" route add default via 10.9.0.4 dev net1 table 100
	ip -n "$TOPO_POD1" rule add from 10.9.0.5 lookup 100 pref 100
}
for mode in tc macvtap; do
	topo_two_up && second
	before=$(pod_dump)
	if pod_container "two-$mode" $mode; then
		has "two interfaces $mode: the rule" "from 10.9.0.5 lookup 100" "$(guest ip rule)"
		has "two interfaces $mode: by the second one's table" "via 10.9.0.4 dev net1 table 100" \
			"$(guest ip route get 10.10.10.1 from 10.9.0.5)"
		check "two interfaces $mode: ping the second" in_pod2 ping -q -c 1 -W 2 10.9.0.5
		has "two interfaces $mode: it answers by that" " 0% packet loss" \
			"$(guest ping -c 1 -W 2 -I 10.9.0.5 10.10.10.1)"
	else
		not_ok "two interfaces $mode: start" "$(container_log "two-$mode")"
	fi
	check "two interfaces $mode: delete" container_delete "two-$mode"
	same "two interfaces $mode: restored exactly" "$before"
done

# What has a tag belongs to the VLAN interface, not to the one below it.
topo_a_up
if ip -n "$TOPO_NODE" link add link "$TOPO_HOST2" name vlan5 type vlan id 5 2>/dev/null; then
	ip -n "$TOPO_NODE" link del vlan5
	ip -n "$TOPO_POD1" link add link eth0 name eth0.5 type vlan id 5
	ip -n "$TOPO_POD2" link add link eth0 name eth0.5 type vlan id 5
	ip -n "$TOPO_POD1" link set eth0.5 up
	ip -n "$TOPO_POD2" link set eth0.5 up
	ip -n "$TOPO_POD1" addr add 10.5.0.1/24 dev eth0.5
	ip -n "$TOPO_POD2" addr add 10.5.0.2/24 dev eth0.5
	topo_settle
	every_mode "VLAN" ping4
	every_mode "VLAN, tagged" in_pod2 ping -q -c 1 -W 2 10.5.0.1
else
	skip "VLAN" "this kernel has no VLAN interfaces"
fi

# ---- what is no Ethernet -------------------------------------------------------------------------

topo_a_up
ip -n "$TOPO_POD1" tuntap add wg0 mode tun
ip -n "$TOPO_POD1" link set wg0 up
ip -n "$TOPO_POD1" addr add 10.200.0.2/32 dev wg0
has "a tunnel for IP packets is refused in words" \
	"notice interface 'wg0' carries IP packets, not Ethernet frames" "$(plan)"
has "and the other interface is taken" "link eth0" "$(plan)"

# With nexthop_compat_mode=0 the kernel tells the number of a nexthop object and nothing else.
ip -n "$TOPO_POD1" nexthop add id 7 via "$TOPO_GW" dev eth0
ip -n "$TOPO_POD1" route add 10.60.0.0/16 nhid 7
has "a route by a nexthop object" "route 10.60.0.0/16" "$(plan)"
topo_sysctl "$TOPO_POD1" net.ipv4.nexthop_compat_mode=0
has "one that is not told is named" \
	"notice route to 10.60.0.0/16 goes by a nexthop object that the kernel does not tell" "$(plan)"

# ---- what others have left -----------------------------------------------------------------------

# As urunc connects its guest: a tap, and redirects by cls_u32 both ways; the address stays.
urunc()
{
	local pod=$TOPO_POD1 from to

	ip -n "$pod" tuntap add tap0_urunc mode tap
	ip -n "$pod" link set tap0_urunc up
	for from in eth0 tap0_urunc; do
		[ $from = eth0 ] && to=tap0_urunc || to=eth0
		tc -n "$pod" qdisc add dev $from ingress
		tc -n "$pod" filter add dev $from parent ffff: protocol all u32 match u32 0 0 \
			action mirred egress redirect dev $to
	done
}
topo_a_up && urunc
works "left by urunc" tc
has "left by urunc, packet: refused" "has a qdisc 'ingress' of somebody else" "$(plan packet)"
has "left by urunc, bridge: a notice" "has filters of others" "$(plan bridge)"
has "left by urunc, auto" "mode tc (auto)" "$(plan auto)"
for lacks in "tun=packet" "clsact=macvtap" "clsact macvtap=bridge"; do
	topo_a_up
	has "auto without ${lacks%=*}" "mode ${lacks#*=} (auto)" "$(NET_TOOL_LACKS=${lacks%=*} plan auto)"
done
has "auto without anything" "neither tc, packet, macvtap nor bridge works here (taps: no, clsact: no" \
	"$(NET_TOOL_LACKS="tun clsact macvtap bridge" plan auto)"
topo_a_up && urunc
{ exec nsenter --net="/run/netns/$TOPO_POD1" python3 -c 'import fcntl, struct, time
f = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(f, 0x400454ca, struct.pack("16sH22x", b"tap0_urunc", 0x1002))
print("held", flush=True)
time.sleep(60)' >"$TMP/held" </dev/null; } &
holder=$!
at_exit kill $holder
wait_for 10 grep -q held "$TMP/held"
has "urunc's guest lives: not taken" "is redirected to 'tap0_urunc', which the guest of another runtime holds" \
	"$(plan)"
has "and no interface is" "ports 0" "$(plan)"
kill $holder

# The first runnc: a bridge of eth0 and a tap; eth0's address was given away for good.
topo_a_up
ip -n "$TOPO_POD1" link add br0 type bridge
ip -n "$TOPO_POD1" tuntap add tap0 mode tap
ip -n "$TOPO_POD1" link set tap0 master br0
ip -n "$TOPO_POD1" addr flush dev eth0
ip -n "$TOPO_POD1" link set eth0 master br0
has "left by the first runnc" "is a port of bridge 'br0' beside 'tap0': so the first runnc left it" "$(plan)"

# A guest of ours that nobody deleted, in each mode.
for mode in tc bridge macvtap packet; do
	topo_a_up
	guest_start $mode adopt
	guest_stop KILL
	has "left by a guest in mode $mode" "was never deleted" "$(plan)"
	check "left by a guest in mode $mode: its record still restores" restore
	has "and the interface can be taken again" "link eth0" "$(plan)"
done
tap_done
