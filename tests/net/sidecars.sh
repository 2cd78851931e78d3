#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Who else is in the pod's namespace keeps its network, while the guest has its own, under the same addresses; what
# each of them says and hears is its own; nothing foreign is on the wire; and it is all as it was afterwards. With
# org.runnc.net.sidecars=none the others have no network.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"
. "$top/tests/net/dials.sh"

MANY=1000
LARGE=100000000
keep=(--annotation org.runnc.net.sidecars=keep)

# each FAMILY-ADDRESS...: lines for dials, of the peer's servers
of_peer()
{
	local address from

	for address; do
		[[ $address == *:* ]] && from=$TOPO_IP1_6 || from=$TOPO_IP1
		cat <<-END
		tcp:$address:80 peer 80 from $from
		tcp:$address:80,3000000 peer 80 from $from
		udp:$address:83 peer 83 from $from
		udp:$address:83,5000 peer 83 from $from
		tcp:$address:99 refused
		udp:$address:99 refused
		END
	done
}

# ... of what is behind the pod's address: the sidecar's at 7001 and 7002, the guest's at 7011 and 7012
of_pod()
{
	local address from

	for address; do
		[[ $address == *:* ]] && from=$TOPO_IP2_6 || from=$TOPO_IP2
		cat <<-END
		tcp:$address:7001 sidecar 7001 from $from
		tcp:$address:7001,3000000 sidecar 7001 from $from
		udp:$address:7002 sidecar 7002 from $from
		udp:$address:7002,5000 sidecar 7002 from $from
		udp:$address:7002,60000 sidecar 7002 from $from
		tcp:$address:7011 guest 7011 from $from
		tcp:$address:7011,3000000 guest 7011 from $from
		udp:$address:7012 guest 7012 from $from
		udp:$address:7012,5000 guest 7012 from $from
		udp:$address:7012,60000 guest 7012 from $from
		tcp:$address:99 refused
		udp:$address:99 refused
		END
	done
}

servers_start()
{
	serve "$TOPO_POD2" peer tcp:0.0.0.0:80 tcp::::80 udp:0.0.0.0:83 udp::::83 echo:0.0.0.0:81 echo:0.0.0.0:82 dns:0.0.0.0:53
	serve "$TOPO_POD1" sidecar tcp:0.0.0.0:7001 tcp::::7001 udp:0.0.0.0:7002 udp::::7002
}

# begin NAME [OPTION]...: a guest with servers
begin()
{
	local name=$1
	shift
	pod_container "$name" tc "$@" --mount "$talk:/talk.py:ro" || { not_ok "start" "$(container_log "$name")"; return 1; }
	guest "TALK_NAME=guest setsid python3 /talk.py serve tcp:0.0.0.0:7011 tcp::::7011 udp:0.0.0.0:7012 \
		udp::::7012 >/tmp/log 2>&1 & until grep -q ready /tmp/log; do sleep 0.1; done"
}

resets() { sidecar awk '/^Tcp:/ { n = $15 } END { print n }' /proc/net/snmp; }

resolve()
{
	echo "nameserver $TOPO_IP2" >"$TMP/resolv.conf"
	sidecar unshare --mount sh -c "mount --bind '$TMP/resolv.conf' /etc/resolv.conf && getent ahostsv4 pod.test"
}

# Both at once, in one direction and the other.
checks_bulk()
{
	at_once sidecar in_pod2 python3 "$talk" dial "tcp:$TOPO_IP1:7001" $LARGE
	at_once guest in_pod2 python3 "$talk" dial "tcp:$TOPO_IP1_6:7011" $LARGE
	together
	is "$1: the sidecar receives 100 MB" "sidecar 7001 from $TOPO_IP2" "$(outcome sidecar)"
	is "$1: and the guest at the same time, over IPv6" "guest 7011 from $TOPO_IP2_6" "$(outcome guest)"
	at_once sidecar sidecar python3 "$talk" crowd "tcp:$TOPO_IP2:81" $MANY
	at_once guest guest "python3 /talk.py crowd tcp:$TOPO_IP2:81 $MANY"
	together
	is "$1: the sidecar has $MANY connections to one port" "$MANY of $MANY heard, 0 beyond the range" \
		"$(outcome sidecar)"
	is "$1: and so has the guest at the same time" "$MANY of $MANY heard, 0 beyond the range" "$(outcome guest)"
}

checks()
{
	local text=$1 before

	is "$text: the namespace has an eighth of the ports, the guest half of them" "32768 36295
36296 50407" "$({ sidecar cat /proc/sys/net/ipv4/ip_local_port_range
		guest cat /proc/sys/net/ipv4/ip_local_port_range; } | tr '\t' ' ')"
	dials "$text: the sidecar dials" by_sidecar < <(of_peer "$TOPO_IP2" "$TOPO_IP2_6")
	dials "$text: the guest dials" by_guest < <(of_peer "$TOPO_IP2" "$TOPO_IP2_6")
	before=$(resets)
	dials "$text: the peer dials" by_peer < <(of_pod "$TOPO_IP1" "$TOPO_IP1_6")
	is "$text: for a port that nobody has the guest refuses" "$before" "$(resets)"
	check "$text: the guest is pinged" ping4
	check "$text: the guest is pinged in fragments" ping4 -s 4000
	check "$text: the guest is pinged over IPv6" ping6 -s 4000
	for address in "$TOPO_IP2" "$TOPO_IP2_6"; do
		check "$text: the sidecar pings $address" sidecar ping -q -c 2 -i 0.2 -W 1 "$address"
		check "$text: ... in fragments" sidecar ping -q -c 2 -i 0.2 -W 1 -s 4000 "$address"
		has "$text: the guest pings $address" " 0% packet loss" \
			"$(guest ping -q -c 2 -i 0.2 -W 1 -s 4000 "$address")"
	done
	has "$text: the sidecar resolves a name" 192.0.2.53 "$(resolve)"
	dials "$text: the pod's loopback, from the namespace" by_sidecar <<-END
	tcp:127.0.0.1:7001 sidecar 7001 from 127.0.0.1
	tcp:127.0.0.1:7011 guest 7011 from 127.254.0.1
	udp:127.0.0.1:7012 guest 7012 from 127.254.0.1
	tcp:::1:7011 guest 7011 from fd6e:6162:6c61::fe:0
	tcp:$TOPO_IP1:7001 sidecar 7001 from $TOPO_IP1
	tcp:$TOPO_IP1:7011 guest 7011 from 127.254.255.0
	udp:$TOPO_IP1:7012 guest 7012 from 127.254.255.0
	tcp:$TOPO_IP1_6:7001 sidecar 7001 from $TOPO_IP1_6
	tcp:$TOPO_IP1_6:7011 guest 7011 from fd6e:6162:6c61::fe:1
	tcp:$TOPO_IP1:99 refused
	END
	dials "$text: the pod's loopback, from the guest" by_guest <<-END
	tcp:127.0.0.1:7001 sidecar 7001 from 127.253.0.1
	tcp:127.0.0.1:7011 guest 7011 from 127.0.0.1
	tcp:$TOPO_IP1:7001 sidecar 7001 from 127.253.255.0
	udp:$TOPO_IP1:7002 sidecar 7002 from 127.253.255.0
	tcp:$TOPO_IP1:7011 guest 7011 from $TOPO_IP1
	END
	is "$text: lo has no address that eth0 has" "" "$(sidecar ip -o addr show dev lo to "$TOPO_IP1")"
	checks_bulk "$text"
}

# What is too long for the way to pod 2 is told to who sent it, guest or not.
checks_path()
{
	local address

	ip -n "$TOPO_NODE" link set "$TOPO_HOST2" mtu 1300
	for address in "$TOPO_IP2" "$TOPO_IP2_6"; do
		dials "path MTU: the sidecar" by_sidecar <<<"tcp:$address:80,1000000 peer 80 from $(own "$address")"
		dials "path MTU: the guest" by_guest <<<"tcp:$address:80,1000000 peer 80 from $(own "$address")"
		is "path MTU: the sidecar has learned it for $address" 1300 "$(sidecar python3 -c "$path_mtu" "$address")"
		is "path MTU: the guest has learned it for $address" 1300 "$(guest "python3 -c '$path_mtu' $address")"
	done
	ip -n "$TOPO_NODE" link set "$TOPO_HOST2" mtu 1500
}

own() { [[ $1 == *:* ]] && echo "$TOPO_IP1_6" || echo "$TOPO_IP1"; }

# The guest speaks to the namespace's sockets by way of the router, as if it was one of them: what says that it is
# the pod's own is nobody's.
checks_detour()
{
	{ exec nsenter --net="/run/netns/$TOPO_NODE" timeout 60 tcpdump -lnni "$TOPO_HOST1" -Q out udp src port 5000 \
		>"$TMP/detour" 2>"$TMP/detour.err" </dev/null; } &
	at_exit kill $!
	wait_for 10 grep -q "listening on" "$TMP/detour.err"
	guest "printf '%s\\n' '$TOPO_IP1_6:5000 $TOPO_IP1_6:7002 detour' '$TOPO_IP1_6:5000 $TOPO_IP1_6:7012 detour' \
		'$TOPO_IP1:5000 $TOPO_IP1:7002 detour' |
		python3 /talk.py frames eth0 $TOPO_MAC1 $(topo_mac "$TOPO_NODE" "$TOPO_HOST1")"
	has "the router sends the guest's own packet back" "$TOPO_IP1_6.5000 > $TOPO_IP1_6.7002" \
		"$(wait_for 5 grep -q 7002 "$TMP/detour"; cat "$TMP/detour")"
	sleep 0.5
	is "it does not come to the guest" "" "$(guest cat /tmp/log | grep detour)"
	is "nor to the namespace's sockets" "" "$(grep detour "$TMP/sidecar.log")"
}

path_mtu='import socket, sys
six = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 9))
print(s.getsockopt(41 if six else 0, 24 if six else 14))'

# ---- a router behind each pod, as Calico makes it ---------------------------------------------------------

topo_b2_up || not_ok "build"
sleep 2		# until the addresses are no longer tentative
before=$(pod_dump)
servers_start
wire_start || not_ok "capture" "$(cat "$TMP/wire.err")"
hold
if begin routed "${keep[@]}"; then
	checks "routed"
	checks_path
	checks_detour
	# The explainer's questions are not the guest's.
	wire_stop
	wire_is_clean "routed"
	wire_has_announcements "routed"
	out=$("$RUNNC" "${container_root[@]}" net --check "$TAG-routed") && status=0 || status=$?
	is "runnc net --check finds nothing broken" 0 $status
	has "runnc net draws that the interface is shared" "stays, if a socket of the namespace wants it" "$out"
	is "runnc net: one answers for the address" 0 "$(grep -c "the pod's own kernel" <<<"$out")"
	"$top/scripts/bundle" "$TMP/second" "$ROOTFS" --netns "/run/netns/$TOPO_POD1" "${keep[@]}" -- true
	has "a second guest gets the interface as well" \
		"it is guest number 2 of those" "$("$RUNNC" "${container_root[@]}" plan "$TMP/second")"
fi
# What a sidecar changes meanwhile is its own affair.
ip -n "$TOPO_POD1" route add 198.51.100.0/24 dev eth0
check "delete" container_delete routed
held "routed"
is "delete leaves the sidecar's route" "198.51.100.0/24 scope link" \
	"$(ip -n "$TOPO_POD1" route show dev eth0 | grep -F 198.51 | sed 's/ *$//')"
ip -n "$TOPO_POD1" route del 198.51.100.0/24 dev eth0
same "restored exactly" "$before"
servers_stop
topo_down

# ---- a bridge, whose ports send back what is said to all; a namespace that is strict about sources ---------

topo_a_up || not_ok "build"
for link in "$TOPO_HOST1" "$TOPO_HOST2"; do
	ip -n "$TOPO_NODE" link set dev "$link" type bridge_slave hairpin on
done
topo_sysctl "$TOPO_POD1" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1
sleep 2
before=$(pod_dump)
servers_start
wire_start || not_ok "capture" "$(cat "$TMP/wire.err")"
hold
if begin bridged "${keep[@]}"; then
	checks "bridged"
	topo_sysctl "$TOPO_POD1" net.ipv4.tcp_syncookies=2
	dials "the sidecar answers with SYN cookies" by_peer <<-END
	tcp:$TOPO_IP1:7001 sidecar 7001 from $TOPO_IP2
	tcp:$TOPO_IP1_6:7001 sidecar 7001 from $TOPO_IP2_6
	END
	has "it did so" "TcpExtSyncookiesRecv            2" "$(sidecar nstat -asz TcpExtSyncookiesRecv)"
	topo_sysctl "$TOPO_POD1" net.ipv4.tcp_syncookies=1
	kill -9 "$(container_pid bridged)"
	wait_for 10 container_is bridged stopped
	ip -n "$TOPO_POD2" neigh flush dev eth0
	check "the guest was killed: the namespace answers for the address itself" ping4
	dials "the guest was killed: the sidecar goes on" by_sidecar <<<"tcp:$TOPO_IP2:80 peer 80 from $TOPO_IP1"
fi
check "delete after kill -9" container_delete bridged
held "bridged"
same "restored exactly after kill -9" "$before"
wire_stop
wire_is_clean "bridged"

# ---- a guest that has two ports to choose from, of which an older connection to the same peer has the first ---

hold 36296
if begin older "${keep[@]}" --jq '.linux.sysctl = {"net.ipv4.ip_local_port_range": "36296 36297"}'; then
	# A connection that has just ended may have one as well.
	has "a port that the namespace has is not the guest's to choose" ,36296, \
		",$(guest cat /proc/sys/net/ipv4/ip_local_reserved_ports),"
	is "it chooses the other" "1 of 1 heard, 0 beyond the range" \
		"$(guest "python3 /talk.py crowd tcp:$TOPO_IP2:82 1")"
fi
container_delete older
held "older"
same "older: restored exactly" "$before"

# ---- and without ------------------------------------------------------------------------------------------

if begin none --annotation org.runnc.net.sidecars=none; then
	dials "sidecars=none: the sidecar dials" by_sidecar <<<"tcp:$TOPO_IP2:80 [Errno 101] Network is unreachable"
	dials "sidecars=none: the peer dials the sidecar" by_peer <<<"tcp:$TOPO_IP1:7001 refused"
	dials "sidecars=none: the guest dials" by_guest <<<"tcp:$TOPO_IP2:80 peer 80 from $TOPO_IP1"
fi
container_delete none
same "sidecars=none: restored exactly" "$before"
for mode in bridge packet; do
	rm -rf "$TMP/second"
	"$top/scripts/bundle" "$TMP/second" "$ROOTFS" --netns "/run/netns/$TOPO_POD1" "${keep[@]}" \
		--annotation "org.runnc.net.mode=$mode" -- true
	has "sidecars=keep in mode $mode is refused in one line" \
		"org.runnc.net.sidecars: keep is for mode tc, and the mode is $mode" \
		"$("$RUNNC" "${container_root[@]}" create --bundle "$TMP/second" "$TAG-second" 2>&1 </dev/null)"
done
servers_stop
topo_down

# ---- two interfaces; a macvlan -----------------------------------------------------------------------------

for topology in two macvlan; do
	"topo_${topology}_up" || not_ok "build"
	sleep 2
	before=$(pod_dump)
	servers_start
	if begin $topology "${keep[@]}"; then
		dials "$topology: the sidecar dials" by_sidecar < <(of_peer "$TOPO_IP2" "$TOPO_IP2_6")
		dials "$topology: the guest dials" by_guest < <(of_peer "$TOPO_IP2" "$TOPO_IP2_6")
		dials "$topology: the peer dials" by_peer < <(of_pod "$TOPO_IP1" "$TOPO_IP1_6")
		check "$topology: the guest is pinged" ping4
	fi
	if [ $topology = two ]; then
		dials "by net1: the sidecar dials" by_sidecar <<<"tcp:10.9.0.4:80 peer 80 from 10.9.0.5"
		dials "by net1: the guest dials" by_guest <<<"tcp:10.9.0.4:80 peer 80 from 10.9.0.5"
		dials "by net1: the peer dials" by_peer <<-END
		tcp:10.9.0.5:7001 sidecar 7001 from 10.9.0.4
		tcp:10.9.0.5:7011 guest 7011 from 10.9.0.4
		END
	fi
	check "$topology: delete" container_delete $topology
	same "$topology: restored exactly" "$before"
	servers_stop
	topo_down
done
tap_done
