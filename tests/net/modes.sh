#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# Whole containers in each mode: what a client sees, and what the wire sees from before create to after
# delete. Port-security clusters shut a port for one frame with a foreign MAC or address.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

head -c 3M /dev/urandom >"$TMP/blob"
sum=$(sha256sum <"$TMP/blob" | cut -d' ' -f1)

udp_echo()
{
	in_pod2 python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
data = bytes(range(256)) * 20
s.sendto(data, (sys.argv[1], 7))
sys.exit(s.recv(65536) != data)' "$1"
}

talks()
{
	local text=$1 ip=$2 url=$2
	[ "${ip#*:}" = "$ip" ] || url="[$ip]"

	check "$text: ping" in_pod2 ping -q -c 2 -i 0.2 -W 2 "$ip"
	check "$text: ping with fragments" in_pod2 ping -q -c 1 -W 2 -s 4000 "$ip"
	is "$text: 3 MB to the guest" "$sum" \
		"$(in_pod2 curl -gsS -m 30 --data-binary @"$TMP/blob" "http://$url:8080/sum")"
	is "$text: 3 MB from the guest" 3000000 \
		"$(in_pod2 curl -gsS -m 30 "http://$url:8080/3000000" | wc -c)"
	check "$text: a datagram of 5120 bytes and back" udp_echo "$ip"
}

mode_works()
{
	local mode=$1 text="$TOPO $1" before

	before=$(pod_dump)
	wire_start || not_ok "$text: capture" "$(cat "$TMP/wire.err")"
	if pod_container "c-$TOPO-$mode" "$mode"; then
		talks "$text" "$TOPO_IP1"
		[ -z "$TOPO_IP1_6" ] || talks "$text, IPv6" "$TOPO_IP1_6"
		has "$text: the guest reaches others" " 0% packet loss" "$(guest ping -c 1 -W 2 "$TOPO_IP2")"
		has "$text: with the pod's MAC" "$TOPO_MAC1" "$(guest ip link show eth0)"
	else
		not_ok "$text: it starts" "$(container_log "c-$TOPO-$mode")"
	fi
	check "$text: delete" container_delete "c-$TOPO-$mode"
	same "$text: restored exactly" "$before"
	check "$text: the pod itself answers again" ping4
	wire_stop
	wire_is_clean "$text"
	wire_has_announcements "$text"
}

for name in ${TOPOLOGIES:-a b2}; do
	"topo_${name}_up" || { not_ok "$name: build"; continue; }
	for mode in ${MODES:-tc bridge macvtap packet auto}; do
		mode_works "$mode"
	done
done

# The checks of the wire can fail: a guest with a MAC of its own is seen.
topo_a_up && wire_start
if pod_container random tc --annotation org.runnc.net.mac=random; then
	check "a random MAC: ping" ping4
fi
container_delete random
wire_stop
has "a random MAC is seen on the wire" "Request who-has" "$(wire "not ether src $TOPO_MAC1 and arp")"
tap_done
