#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# A guest that has a raw socket and wants to be somebody else, in each mode: the neighbour believes what it
# believed before, not one of the frames is seen at the host's end, each is counted for the right reason;
# and what an honest guest sends passes. The same frames without the guard show that the test could fail.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/net/topology.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/wire.sh"

spoof=$TMP/spoof
check "the hostile program compiles" gcc -O2 -Wall -Wextra -static -o "$spoof" "$top/tests/net/spoof.c"

wire_shows() { tcpdump -nr "$TMP/wire" "$@" 2>/dev/null | wc -l; }

in_guest() { guest_in timeout 20 "$@"; }
# shellcheck disable=SC2086	# none or two words
run_spoof() { in_guest "$spoof" eth0 "$1" "$TOPO_IP1" "$TOPO_GW" "$TOPO_IP2" ${TOPO_IP1_6:+$TOPO_IP1_6 $TOPO_GW6}; }

ask_gateway()
{
	in_pod2 ping -q -c 1 -W 2 "$TOPO_GW" && { [ -z "$TOPO_GW6" ] || in_pod2 ping -q -c 1 -W 2 "$TOPO_GW6"; }
}

# The pod's link writes no checksums any more: what a guest left to it is written in front of it.
complete() { topo_in "$TOPO_POD1" ethtool -K eth0 tx off >/dev/null; }

# start MODE: cluster and guest; the neighbour knows its gateway, and would believe a newer answer at once.
# The router does not check for a while whether its own knowledge is still true: that would correct others'.
start()
{
	topo_a_up && in_pod2 sysctl -qw net.ipv4.neigh.eth0.locktime=0 net.ipv6.conf.eth0.accept_ra=2 &&
		topo_in "$TOPO_ROUTER" sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=300 \
			net.ipv6.neigh.eth0.delay_first_probe_time=300 &&
		guest_start "$1" adopt && ping4 -n >/dev/null && ask_gateway >/dev/null
}

# ---- honest ---------------------------------------------------------------------------------------

receives() { [ -n "$(in_pod2 ss -Hlun sport = :9999)" ]; }

fragments()
{
	head -c 8000 /dev/urandom >"$TMP/datagram"
	in_pod2 timeout 5 socat -u UDP4-RECVFROM:9999 "CREATE:$TMP/datagram.got" &
	local receiver=$!
	wait_for 5 receives
	in_guest socat -b 9000 -u "OPEN:$TMP/datagram" "UDP4-SENDTO:$TOPO_IP2:9999"
	wait $receiver
	cmp "$TMP/datagram" "$TMP/datagram.got"
}

# wire_joined ROUTERS GROUP: how often the kernel has told that it joined a group.
wire_joined() { tcpdump -vnr "$TMP/wire" dst "$1" 2>/dev/null | grep -c "gaddr $2 to_ex"; }
reported() { [ "$(wire_joined 224.0.0.22 239.9.9.9)" -gt 0 ] && [ "$(wire_joined ff02::16 ff05::99)" -gt 0 ]; }

# An IPv4 and an IPv6 group, joined by sockets that stay until the kernel has reported both.
join()
{
	local v4 v6 status=0

	guest_in timeout 30 socat -u "UDP4-RECVFROM:9998,ip-add-membership=239.9.9.9:eth0" - &
	v4=$!
	guest_in timeout 30 socat -u "UDP6-RECVFROM:9997,ipv6-join-group=[ff05::99]:eth0" - &
	v6=$!
	wait_for 25 reported || status=1
	kill $v4 $v6
	wait $v4 $v6
	return $status
}

honest()
{
	local mode=$1 text="$1: honest" sent wanted

	wire_start
	check "$text: ping both ways" eval "ping4 && in_guest ping -q -c 1 -W 2 $TOPO_IP2"
	check "$text: ping with fragments" in_guest ping -q -c 2 -i 0.2 -W 2 -s 5000 "$TOPO_IP2"
	check "$text: IPv6, and with fragments" \
		eval "ping6 && in_guest ping -q -c 2 -i 0.2 -W 2 -s 5000 $TOPO_IP2_6"
	check "$text: TCP to the guest" tcp_to_guest
	check "$text: TCP from the guest, in segments of 64 KiB" tcp_from_guest
	check "$text: a datagram of 8000 bytes" fragments
	check "$text: ARP for a neighbour that is not there" eval "in_guest ping -q -c 1 -W 1 172.17.9.9; [ \$? = 1 ]"
	check "$text: joins multicast groups, and the kernel reports them on the wire" join
	check "$text: the link leaves checksums to the kernel" complete
	sent=$(run_spoof honest)
	wanted=$((3 * $(grep -c . <<<"$sent")))
	wait_for 10 eval "[ \"\$(marked)\" -ge $wanted ]"
	wire_stop
	check "$text: the capture is whole" wire_whole
	is "$text: nothing dropped" "" "$(drops "$mode")"
	is "$text: probes, announcements, DHCP, reports: all on the wire" $wanted "$(marked)"
	is "$text: checksums of UDP and TCP are written in their places" 12 "$(
		tcpdump -vvnr "$TMP/wire" 'port 7 or ip6[6] = 60' 2>/dev/null |
			grep -cE '\[udp sum ok\]|cksum 0x[0-9a-f]+ \(correct\)')"
}

# ---- hostile --------------------------------------------------------------------------------------

hostile()
{
	local mode=$1 text="$1: hostile" before sent wanted

	before=$(belief)
	complete
	wire_start
	sent=$(run_spoof hostile) || not_ok "$text: the program runs" "$sent"
	wire_stop
	check "$text: the capture is whole" wire_whole
	wanted=$(awk '{ n[$2] += 3 } END { for (r in n) print r, n[r] }' <<<"$sent" | sort)
	is "$text: 44 frames of all kinds" 44 "$(grep -c . <<<"$sent")"
	is "$text: each counted for its reason" "$wanted" "$(drops "$mode")"
	is "$text: none on the wire" 0 "$(marked)"
	is "$text: the neighbour believes what it did" "$before" "$(belief)"
	has "$text: that is the router's MAC" "$(topo_mac "$TOPO_ROUTER" eth0)" "$before"
	is "$text: the neighbour has no other router" "" \
		"$(ip -n "$TOPO_POD2" -6 route show default proto ra)"
	check "$text: the guest still works" ping4
}

guarded()
{
	local mode=$1 before now

	if ! start "$mode"; then
		not_ok "$mode: start" "$(cat "$TMP/guest.err")"
		return
	fi
	honest "$mode"
	hostile "$mode"
	guest_stop
	check "$mode: restore" restore
	check "$mode: the pod itself answers again" ping4
	is "$mode: no filter of ours is left" "" \
		"$(for side in ingress egress; do tc -n "$TOPO_POD1" filter show dev eth0 $side; done 2>/dev/null)"
}

# Frames that a link has finished: what arrives is not what the guest wrote.
wire_finished()
{
	local option='ip6[6] = 60 and ip6[42] = 0x1e and ip6[40] = 58'

	echo "a port $(wire_shows 'src port 67 and dst port 68 and greater 56')"
	echo "an ICMP type $(wire_shows 'icmp[0:2] = 0x500')"
	echo "a DHCP client $(wire_shows 'dst port 67 and udp[40:2] = 0xef01')"
	echo "an ICMPv6 type $(wire_shows "$option and ip6[46] = 1 and ip6[48] = 134")"
	echo "a next header $(wire_shows "$option and ip6[46] = 2")"
	echo "a target $(wire_shows "$option and ip6[46] = 3 and ip6[70:2] = 1")"
}

# The control: unguarded, all frames arrive, and the neighbour believes the guest.
unguarded()
{
	local mode=$1 text="$1 unguarded" sent mac

	export NET_TOOL_UNGUARDED=1
	start "$mode" || not_ok "$text: start" "$(cat "$TMP/guest.err")"
	unset NET_TOOL_UNGUARDED
	mac=$TOPO_MAC1
	is "$text: there is no guard" none "$(drops "$mode")"
	complete
	wire_start
	sent=$(run_spoof hostile)
	wire_stop
	check "$text: the capture is whole" wire_whole
	is "$text: the link has written what was not there" "$(printf '%s 3\n' 'a port' 'an ICMP type' \
		'a DHCP client' 'an ICMPv6 type' 'a next header' 'a target')" "$(wire_finished)"
	# A bridge, or the kernel's IP code on its behalf, leaves out some that are malformed.
	check "$text: most frames on the wire" [ "$(marked)" -ge $((2 * $(grep -c . <<<"$sent"))) ]
	is "$text: the neighbour believes the guest" "lladdr $mac lladdr $mac" "$(belief | tr '\n' ' ' | sed 's/ $//')"
	has "$text: the guest is a router" "proto ra" "$(ip -n "$TOPO_POD2" -6 route show default)"
	guest_stop
	check "$text: restore" restore
}

modes=${SPOOF_MODES:-tc bridge macvtap packet}
for mode in $modes; do
	guarded "$mode"
done
for mode in $modes; do
	unguarded "$mode"
done

# ---- special cases --------------------------------------------------------------------------------

# A kernel without cls_bpf has no guard: then there is no network either.
topo_a_up
before=$(pod_dump)
NET_TOOL_NO_BPF=1 guest_start tc adopt 2>/dev/null && not_ok "without cls_bpf: refused"
has "without cls_bpf: refused, with what to do" "docs/spoofing.md" "$(cat "$TMP/guest.err")"
guest_stop KILL
check "without cls_bpf: restore" restore
same "without cls_bpf: restored exactly" "$before"

# A clsact of somebody else's, with a filter, stays; ours go.
tc -n "$TOPO_POD1" qdisc add dev eth0 clsact
tc -n "$TOPO_POD1" filter add dev eth0 ingress prio 7 protocol ip u32 match u32 0 0 classid 1:7
before=$(pod_dump)
for mode in $modes; do
	# The packet mode's own filter gives way to one that comes earlier.
	guest_start "$mode" adopt
	guest_stop
	check "foreign clsact, $mode: restore" restore
	same "foreign clsact, $mode: restored exactly" "$before"
	is "foreign clsact, $mode: nothing at its egress" "" \
		"$(tc -n "$TOPO_POD1" filter show dev eth0 egress)"
done

# What names a loopback address on the wire does not reach the guest.
for mode in $modes; do
	topo_a_up && guest_start "$mode" adopt
	guest_in sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	in_pod2 sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
	ip -n "$TOPO_POD2" neigh replace 127.0.0.77 lladdr "$TOPO_MAC1" dev eth0
	ip -n "$TOPO_POD2" route del local 127.0.0.0/8 dev lo table local
	ip -n "$TOPO_POD2" route add 127.0.0.77/32 dev eth0 src "$TOPO_IP2"
	guest_in timeout 20 tcpdump --immediate-mode -nn -Z root -i eth0 -c 100 -U -w "$TMP/inside" net 127.0.0.0/8 \
		>/dev/null 2>"$TMP/tcpdump" &
	sniffer=$!
	wait_for 10 grep -q "listening on" "$TMP/tcpdump"
	refuse "loopback from outside, $mode: no answer" 1 in_pod2 ping -q -c 3 -i 0.2 -W 1 127.0.0.77
	kill -INT "$(pgrep -P $sniffer tcpdump || echo $sniffer)" 2>/dev/null
	wait $sniffer
	is "loopback from outside, $mode: the guest sees none" 0 \
		"$(tcpdump -nr "$TMP/inside" 2>/dev/null | grep -c 'IP ')"
	[ "$mode" = packet ] || is "loopback from outside, $mode: counted" "loopback 3" \
		"$(topo_in "$TOPO_POD1" "$NET_TOOL" drops eth0 ingress)"
	guest_stop
	check "loopback from outside, $mode: restore" restore
done

tap_done
