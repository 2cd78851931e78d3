# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts here, after tap.sh, container.sh and lib.sh: a real container in pod 1, and what is seen of
# it from outside.
#
#	pod_container NAME MODE [OPTION]...	make, start and wait for a container that runs guest.py; of several in
#			one pod each has a port of its own, $GUEST_PORT
#	guest COMMAND...		run a shell command inside, by $GUEST_PORT; its output
#	wire_start, wire_stop		capture what leaves pod 1, at the host end, into $TMP/wire
#	wire FILTER...			the captured frames that match
#	wire_is_clean TEXT		results: no frame with a MAC or an address that is not the pod's
#	wire_has_announcements TEXT	results: each address was announced

WIRE_PID=''
GUEST_PORT=8080

pod_container()
{
	local name=$1 mode=$2 guest_port=''
	shift 2
	[ "$GUEST_PORT" = 8080 ] || guest_port=$GUEST_PORT
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" \
		--annotation "org.runnc.net.mode=$mode" "$@" \
		--mount "$top/tests/net/guest.py:/guest.py:ro" -- python3 /guest.py $guest_port || return
	container_start "$name" && wait_for 30 serves "$name"
}

# shellcheck disable=SC2153	# TOPO_IP1 is set by topology.sh
serves() { in_pod2 curl -gsS -m 2 "http://$TOPO_IP1:$GUEST_PORT/1"; }
guest() { in_pod2 curl -gsS -m 25 --data-binary "$*" "http://$TOPO_IP1:$GUEST_PORT/run"; }

wire_start()
{
	{ exec nsenter --net="/run/netns/$TOPO_NODE" tcpdump -i "$TOPO_HOST1" -Q in -U -w "$TMP/wire" -Z root \
		2>"$TMP/wire.err" </dev/null; } &
	WIRE_PID=$!
	wait_for 10 grep -q "listening on" "$TMP/wire.err"
}

wire_stop()
{
	[ -n "$WIRE_PID" ] || return 0
	# What has arrived is written when the kernel hands it over: within a second.
	sleep 1.1
	kill -INT "$WIRE_PID" 2>/dev/null
	wait "$WIRE_PID" 2>/dev/null
	WIRE_PID=''
}
at_exit wire_stop

wire() { tcpdump -enn -r "$TMP/wire" "$@" 2>/dev/null; }

# An IPv4 address as tcpdump compares it.
wire_hex()
{
	local part

	for part in ${1//./ }; do
		printf '%02x' "$part"
	done
}

# The link-local address of the pod's MAC.
wire_link_local()
{
	python3 -c 'import sys, ipaddress
m = bytes.fromhex(sys.argv[1].replace(":", ""))
print(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:]))' "$TOPO_MAC1"
}

wire_is_clean()
{
	local text=$1 mac=${TOPO_MAC1//:/} ip
	ip=$(wire_hex "$TOPO_IP1")

	has "$text: frames were captured" "$TOPO_MAC1" "$(wire | head -n 5)"
	is "$text: no frame with a foreign MAC" "" "$(wire "not ether src $TOPO_MAC1")"
	is "$text: no ARP from a foreign MAC" "" \
		"$(wire "arp and (arp[8:4] != 0x${mac:0:8} or arp[12:2] != 0x${mac:8:4})")"
	is "$text: no ARP from a foreign address" "" "$(wire "arp and arp[14:4] != 0x$ip")"
	is "$text: no IPv4 from a foreign address" "" "$(wire "ip and not src host $TOPO_IP1")"
	# Before an address is usable, group memberships are reported from "::".
	is "$text: no IPv6 from a foreign address" "" "$(wire "ip6 and not src host ${TOPO_IP1_6:-::} \
		and not src host $(wire_link_local) and not src host ::")"
	is "$text: nothing but ARP, IPv4 and IPv6" "" "$(wire "not arp and not ip and not ip6")"
}

wire_has_announcements()
{
	local text=$1 ip
	ip=$(wire_hex "$TOPO_IP1")

	has "$text: gratuitous ARP" "Request who-has $TOPO_IP1" \
		"$(wire "arp and arp[14:4] = 0x$ip and arp[24:4] = 0x$ip and ether broadcast")"
	[ -z "$TOPO_IP1_6" ] || has "$text: unsolicited neighbour advertisement" "tgt is $TOPO_IP1_6" \
		"$(wire -v "icmp6 and ip6[40] = 136 and src host $TOPO_IP1_6 and dst host ff02::1")"
}
