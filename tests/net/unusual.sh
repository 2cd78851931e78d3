#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# Namespaces that hold what a guest's kernel cannot have just as it is, or that change while they are looked
# at: a container starts there, has a network, and leaves the namespace as it was.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

pod_ip() { ip -n "$TOPO_POD1" "$@"; }
plan_of() { topo_in "$TOPO_POD1" "$NET_TOOL" plan tc adopt 2>&1; }

# begins NAME [OPTION]...: the container, or why there is none.
begins()
{
	pod_container "$1" tc "${@:2}" || { not_ok "$1: it starts" "$(container_log "$1")"; return 1; }
}
ends()
{
	check "$1: delete" container_delete "$1"
	same "$1: restored exactly" "$2"
}

# ---- addresses and routes -------------------------------------------------------------------------

furnish()
{
	pod_ip addr add 10.255.0.1/32 dev lo &&
		pod_ip route replace default via "$TOPO_GW" dev eth0 src 10.255.0.1 &&
		pod_ip addr add fe80::2/64 dev eth0 nodad &&
		pod_ip addr add 10.66.0.1 peer 0.0.0.0/0 dev eth0 &&
		pod_ip -6 route add 2001:db8:79::/64 via fe80::1 dev eth0 expires 1
}
# The kernel lists it for up to half a minute more.
expired() { pod_ip -6 route show 2001:db8:79::/64 | grep -q 'expires -'; }

for kept in keep none; do
	if ! topo_a_up || ! furnish || ! wait_for 10 expired; then not_ok "$kept: build"; fi
	before=$(pod_dump | grep -v 2001:db8:79)
	if begins "odd-$kept" --annotation "org.runnc.net.sidecars=$kept"; then
		check "$kept: the guest is reached" ping4
		has "$kept: and reaches others" " 0% packet loss" "$(guest ping -c 1 -W 2 "$TOPO_IP2")"
		has "$kept: without a source that it does not have" "src $TOPO_IP1" "$(guest ip route get 192.0.2.1)"
		has "$kept: a notice says so" "route to 0.0.0.0/0 names a source address" \
			"$(container_log "odd-$kept")"
		is "$kept: both link-local addresses" "$(printf '%s\n' fe80::2 "$(wire_link_local)" | sort)" \
			"$(guest ip -6 -o addr show dev eth0 scope link | grep -o 'fe80::[0-9a-f:]*' | sort)"
		has "$kept: an address with the peer 0.0.0.0" "inet 10.66.0.1/32" "$(guest ip addr show dev eth0)"
		is "$kept: no route that has expired" "" "$(guest ip -6 route show 2001:db8:79::/64)"
	fi
	check "odd-$kept: delete" container_delete "odd-$kept"
	is "odd-$kept: restored exactly" "$before" "$(pod_dump | grep -v 2001:db8:79)"
	is "odd-$kept: and what had expired is not there for good" "" \
		"$(pod_ip -6 route show 2001:db8:79::/64 | grep -v 'expires -')"
done

# ---- a router that advertises ---------------------------------------------------------------------

# advertise SECONDS: a router's word on itself, and on a prefix and how long addresses in it live.
advertise()
{
	topo_in "$TOPO_ROUTER" python3 - "$TOPO_ROUTER_IF" "$1" <<'P'
import socket, struct, sys
link, seconds = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, seconds, seconds, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:5::")
s.sendto(head + prefix, ("ff02::1", 0, 0, socket.if_nametoindex(link)))
P
}
made() { python3 -c 'import sys, ipaddress
m = bytes.fromhex(sys.argv[1].replace(":", ""))
print(ipaddress.IPv6Address(bytes.fromhex("20010db800050000") + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:]))' \
	"$TOPO_MAC1"; }
# lives SECONDS COMMAND...: has the address that long, by what `ip addr` says through COMMAND?
lives()
{
	local left
	left=$("${@:2}" ip -6 -o addr show dev eth0 scope global | grep -F "$(made)" | grep -o 'valid_lft [0-9]*')
	[ "${left#valid_lft }" -gt "$1" ]
}
# heard SECONDS COMMAND...: the router says it, and is it known?
heard() { advertise "$1" && lives $(($1 - 200)) "${@:2}"; }
in_pod1() { topo_in "$TOPO_POD1" "$@"; }
own_router() { "$@" ip -6 route show default proto ra | grep -q 'metric 1024'; }

for kept in keep none; do
	topo_a_up
	topo_sysctl "$TOPO_POD1" net.ipv6.conf.eth0.accept_ra=2
	pod_ip -6 route del default
	check "$kept: the pod has heard its router" wait_for 10 heard 3000 in_pod1
	if begins "router-$kept" --annotation "org.runnc.net.sidecars=$kept"; then
		has "$kept: the guest has the address" "$(made)" "$(guest ip -6 addr show dev eth0)"
		has "$kept: and the route, behind its own kernel's" "metric 1025" \
			"$(guest ip -6 route show default proto ra)"
		check "$kept: the guest believes what the router says next" wait_for 10 heard 9000 guest
		check "$kept: and has its route by itself" own_router guest
	fi
	check "router-$kept: delete" container_delete "router-$kept"
	check "$kept: and so does the pod afterwards" wait_for 10 heard 20000 in_pod1
	check "$kept: which has the router's route" wait_for 10 own_router in_pod1
done

# ---- interfaces -----------------------------------------------------------------------------------

topo_a_up
for end in "$TOPO_POD1 eth0" "$TOPO_NODE $TOPO_HOST1"; do
	# shellcheck disable=SC2086	# two words
	set -- $end
	ip -n "$1" link set "$2" mtu 65535
done
pod_ip link add "a=b" type veth peer name "c$(printf '\033')d"
pod_ip link set "a=b" up
pod_ip link set "c$(printf '\033')d" up
pod_ip addr add 10.77.0.1/24 dev "a=b"
topo_settle
before=$(pod_dump)
has "an interface whose name has a '='" "'a=b' has a name with '='" "$(plan_of)"
has "one with an escape" "interface 'c?d'" "$(plan_of)"
is "told in JSON" "interface 'c?d' has no address: not handed over" \
	"$("$RUNNC" net --format json "/run/netns/$TOPO_POD1" | jq -r '.. | strings | select(test("c.d. has no"))' | sort -u)"
if begins large; then
	has "the largest MTU" "mtu 65521" "$(guest ip link show dev eth0)"
	check "the guest is reached" ping4 -s 20000
fi
ends large "$before"

# What changes while it is listed is listed again.
topo_a_up
for i in {1..120}; do
	echo "link add v$i type veth peer name w$i"
done | ip -n "$TOPO_POD1" -batch -
: >"$TMP/come-and-go"
while [ -e "$TMP/come-and-go" ]; do
	pod_ip link add come type veth peer name go 2>/dev/null
	pod_ip link del come 2>/dev/null
done &
changing=$!
failed=0
for i in {1..25}; do
	plan_of >"$TMP/listed" || { failed=$((failed + 1)); cat "$TMP/listed"; }
done
rm "$TMP/come-and-go"
wait $changing
is "25 listings of a namespace that changes" 0 "$failed"

# ---- a record that is over -------------------------------------------------------------------------

# As a delete leaves it that was killed when all was restored, but not yet written down.
over() { cp -a "$TMP/state/$TAG-$1" "$TMP/over" && container_delete "$1" && cp -a "$TMP/over" "$TMP/state/$TAG-$1"; }

for kept in keep none; do
	topo_a_up
	before=$(pod_dump)
	rm -rf "$TMP/over"
	if begins "first-$kept" --annotation org.runnc.net.sidecars=none && check "$kept: over" over "first-$kept" &&
		begins "second-$kept" --annotation "org.runnc.net.sidecars=$kept"; then
		has "$kept: of the two, who runs is shown" "second-$kept" \
			"$("$RUNNC" "${container_root[@]}" net "/run/netns/$TOPO_POD1")"
		check "$kept: a record that is over is deleted" container_delete "first-$kept"
		check "$kept: the interface is another one's by now" ping4
		check "$kept: which serves" serves
	fi
	ends "second-$kept" "$before"
done

# As a create leaves it that was killed when it had divided the ports, and its filters were not there yet: who
# comes next must not take that for what the namespace was like.
topo_a_up
before=$(pod_dump)
rm -rf "$TMP/over"
if begins early && check "early: over" over early; then
	topo_sysctl "$TOPO_POD1" net.ipv4.ip_local_port_range="32768 36295" net.ipv6.conf.eth0.accept_dad=0
	for kept in keep none; do
		container_bundle "late-$kept" --netns "/run/netns/$TOPO_POD1" \
			--annotation "org.runnc.net.sidecars=$kept" -- sleep 1000
		refuse "$kept: another one is refused" 1 container_start "late-$kept"
		has "$kept: with what to do" "delete that one, or try again" "$(container_log "late-$kept")"
	done
	check "early: delete" container_delete early
	same "early: restored exactly" "$before"
	check "then another one starts" container_start late-keep
	ends late-keep "$before"
fi
tap_done
