#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A unikernel's network devices: by name and by descriptor, MAC and MTU, one and two of them, frames in
# both directions without loss.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

net_up || { not_ok "a network namespace with two TAPs"; tap_done; }
with=$top/tests/solo5/with-tap
mac=02:ab:cd:ef:01:23

# echoes TEXT: the one in the background answers.
echoes()
{
	wait_for 10 tender_says ready || not_ok "$1: ready" "$(cat "$TMP/out")"
	check "$1: ping" in_net ping -c 2 -W 5 10.0.0.2
	output=$(in_net ping -q -f -w 30 -c 1000 10.0.0.2)
	has "$1: ping flood without loss" "1000 received, 0% packet loss" "$output"
	output=$(in_net ping -q -f -w 30 -c 200 -s 1400 10.0.0.2)
	has "$1: ... of 1400 bytes" "200 received, 0% packet loss" "$output"
	is "$1: UDP echo of 0 to 1472 bytes" "all the same" \
		"$(in_net "$top/tests/solo5/udp-echo" 10.0.0.2 400 2>&1)"
}

tender_start --net:service=tap0 --net-mac:service=$mac "$GUESTS/echo.spt" 10.0.0.2
echoes "by name"
has "the MAC is the one of the option" "lladdr $mac" "$(ip -n "$NETNS" neigh show to 10.0.0.2)"
tender --net:left=tap0 --net:right=tap1 "$GUESTS/twonets.spt" q
is "an interface that is in use" \
	"1 nabla-run: network device 'left': interface 'tap0' is in use by another process" "$status $output"
tender_end
is "... it lived until it was killed" 137 $status

nsenter "--net=/run/netns/$NETNS" "$with" 5=tap:tap0 -- "$NABLA_RUN" --net:service=@5 --net-mac:service=$mac \
	"$GUESTS/echo.spt" --ipv4=10.0.0.2/24 >"$TMP/out" 2>&1 </dev/null &
pid=$!
at_exit kill -KILL $pid
echoes "by descriptor"
tender_end

nsenter "--net=/run/netns/$NETNS" "$with" 200=tap:tap0 -- "$NABLA_RUN" --net:service=@200 \
	"$GUESTS/echo.spt" 10.0.0.2 >"$TMP/out" 2>&1 </dev/null &
pid=$!
at_exit kill -KILL $pid
wait_for 10 tender_says ready
ip -n "$NETNS" neigh flush dev tap0
check "without a MAC option" in_net ping -c 1 -W 5 10.0.0.2
random=$(ip -n "$NETNS" neigh show to 10.0.0.2 | sed 's/.*lladdr \([^ ]*\).*/\1/')
check "... it is a locally administered unicast address: $random" [ $((0x${random%%:*} & 3)) = 2 ]
tender_end

# Two devices: each has its own MAC and MTU, and frames leave by the right one.
ip -n "$NETNS" link set tap1 mtu 9000
tender --net:right=tap1 --net-mac:left=02:00:00:00:00:01 --net:left=tap0 --net-mac:right=02:00:00:00:00:02 \
	"$GUESTS/twonets.spt" q
is "two devices: MAC and MTU" "left 02:00:00:00:00:01 mtu 1500
right 02:00:00:00:00:02 mtu 9000" "$output"
tender --net:right=tap1 --net-mtu:right=1400 --net:left=tap0 --net-mtu:left=65535 "$GUESTS/twonets.spt" q
has "... the option's MTU" "mtu 65535" "$output"
has "... the other's" "mtu 1400" "$output"
status=0
output=$(in_net "$with" 7=pair 8=pair -- "$NABLA_RUN" --net:right=@7 --net:left=@8 "$GUESTS/twonets.spt" q) || status=$?
is "descriptors that are no TAP: MTU 1500" "0 2" "$status $(grep -c 'mtu 1500' <<<"$output")"

# A wire between the TAP and another namespace's.
ip netns add "${TAG}far"
at_exit ip netns del "${TAG}far"
ip -n "${TAG}far" tuntap add tap2 mode tap
ip -n "${TAG}far" link set tap2 up
ip -n "${TAG}far" addr add 10.0.0.3/24 dev tap2
nsenter "--net=/run/netns/${TAG}far" "$with" 9=tap:tap2 -- nsenter "--net=/run/netns/$NETNS" \
	"$NABLA_RUN" --net:left=tap0 --net:right=@9 "$GUESTS/twonets.spt" >"$TMP/out" 2>&1 </dev/null &
pid=$!
at_exit kill -KILL $pid
wait_for 10 tender_says right
output=$(in_net ping -q -f -w 30 -c 1000 10.0.0.3)
has "a wire between two devices, 1000 echoes through it" "1000 received, 0% packet loss" "$output"
tender_end

# Descriptors that do not fit.
misfit()
{
	status=0
	output=$(in_net "$with" "5=$2" -- "$NABLA_RUN" --net:service=@5 "$GUESTS/echo.spt" 10.0.0.2 2>&1) || status=$?
	is "$1" "1 nabla-run: network device 'service': $3" "$status $output"
}
misfit "a TAP with a virtio header" vnet:tap1 \
	"the TAP of descriptor 5 puts a header before frames; open it without IFF_VNET_HDR"
misfit "a TUN" "tun:${TAG}u" "descriptor 5 is a TUN, not a TAP: it has no Ethernet frames"
tender --net:service=@63 "$GUESTS/echo.spt"
is "a descriptor that is not open" "1 nabla-run: network device 'service': descriptor 63: Bad file descriptor" \
	"$status $output"
tender --net:service=@9 "$GUESTS/echo.spt" 9<"$GUESTS/echo.spt"
is "a descriptor of a file" "1 nabla-run: network device 'service': descriptor 9 is a file, not a network device" \
	"$status $output"
tender --net:service=nosuch0 "$GUESTS/echo.spt"
is "no such interface" "1 nabla-run: network device 'service': there is no interface 'nosuch0'; ip tuntap add nosuch0 mode tap makes one" \
	"$status $output"
is "... none is made" "" "$(ip -n "$NETNS" -o link show nosuch0 2>/dev/null)"
tender --net:service=lo "$GUESTS/echo.spt"
is "no TAP" "1 nabla-run: network device 'service': interface 'lo' is no TAP of one queue" "$status $output"
tender --net:service=aninterfacewithalongname "$GUESTS/echo.spt"
has "a name that is too long" "Filename too long" "$output"

# A hostile guest's descriptors: the frames' descriptor is the only one besides 1.
tender_start --net:service=tap0 "$GUESTS/echo.spt" 10.0.0.2
wait_for 10 tender_says ready
# shellcheck disable=SC2012	# numbers
is "descriptors: 0-2, epoll, timer, TAP" "0 1 2 3 4 5" "$(ls "/proc/$pid/fd" | sort -n | tr '\n' ' ' | sed 's/ $//')"
tender_end
tap_done
