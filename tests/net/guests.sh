#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Several guests in one pod, and an ordinary container beside them: each dials, serves and is reached under the pod's
# addresses, from outside and over the pod's loopback; a port is one's alone; they come and go in any order, also by
# kill -9, and the last one restores what the first one found.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"
. "$top/tests/net/dials.sh"

MANY=300
keep=(--annotation org.runnc.net.sidecars=keep)

# at N COMMAND...: run it inside guest N
at() { local GUEST_PORT=808$1; shift; guest "$@"; }
by() { at "$1" "TALK_NAME=guest$1 python3 /talk.py each ${*:2}"; }
own() { [[ $1 == *:* ]] && echo "$TOPO_IP1_6" || echo "$TOPO_IP1"; }

# begin N [OPTION]...: guest N serves at 70N1 (TCP) and 70N2 (UDP)
begin()
{
	local n=$1 GUEST_PORT=808$1
	shift
	rm -rf "$TMP/guest$n"
	pod_container "guest$n" tc "$@" --mount "$talk:/talk.py:ro" ||
		{ not_ok "guest $n starts" "$(container_log "guest$n")"; return 1; }
	guest "TALK_NAME=guest$n setsid python3 /talk.py serve tcp:0.0.0.0:70${n}1 tcp::::70${n}1 udp:0.0.0.0:70${n}2 \
		udp::::70${n}2 >/tmp/log 2>&1 & until grep -q ready /tmp/log; do sleep 0.1; done"
	is "guest $n serves" ready "$(at "$n" head -n 1 /tmp/log)"
}

# of_peer: lines for dials, of the peer's servers
of_peer()
{
	local address

	for address in "$TOPO_IP2" "$TOPO_IP2_6"; do
		cat <<-END
		tcp:$address:80,3000000 peer 80 from $(own "$address")
		udp:$address:83,5000 peer 83 from $(own "$address")
		tcp:$address:99 refused
		udp:$address:99 refused
		END
	done
}

# of_pod N...: ... of the guests' servers, the sidecar's, and of ports that nobody has, as the peer dials them
of_pod()
{
	local address from n

	for address in "$TOPO_IP1" "$TOPO_IP1_6"; do
		[[ $address == *:* ]] && from=$TOPO_IP2_6 || from=$TOPO_IP2
		for n; do
			cat <<-END
			tcp:$address:70${n}1,3000000 guest$n 70${n}1 from $from
			udp:$address:70${n}2,5000 guest$n 70${n}2 from $from
			END
		done
		cat <<-END
		tcp:$address:7001 sidecar 7001 from $from
		udp:$address:7002 sidecar 7002 from $from
		tcp:$address:99 refused
		udp:$address:99 refused
		END
	done
}

# of_loopback N...: ... as a guest dials them over the pod's loopback, or at the pod's own address
of_loopback()
{
	local n

	for n; do
		cat <<-END
		tcp:127.0.0.1:70${n}1,3000000 guest$n 70${n}1 from 127.0.0.1
		udp:127.0.0.1:70${n}2,5000 guest$n 70${n}2 from 127.0.0.1
		tcp:$TOPO_IP1:70${n}1,3000000 guest$n 70${n}1 from $TOPO_IP1
		udp:$TOPO_IP1:70${n}2,5000 guest$n 70${n}2 from $TOPO_IP1
		END
	done
	cat <<-END
	tcp:127.0.0.1:7001 sidecar 7001 from 127.253.0.1
	udp:127.0.0.1:7002 sidecar 7002 from 127.253.0.1
	tcp:$TOPO_IP1:7001,3000000 sidecar 7001 from 127.253.255.0
	udp:$TOPO_IP1:7002,5000 sidecar 7002 from 127.253.255.0
	tcp:127.0.0.1:99 refused
	tcp:$TOPO_IP1:99 refused
	udp:$TOPO_IP1:99 refused
	END
}

# ... as the sidecar does
of_namespace()
{
	local n

	for n; do
		cat <<-END
		tcp:127.0.0.1:70${n}1 guest$n 70${n}1 from 127.254.0.1
		udp:127.0.0.1:70${n}2 guest$n 70${n}2 from 127.254.0.1
		tcp:::1:70${n}1 guest$n 70${n}1 from fd6e:6162:6c61::fe:0
		tcp:$TOPO_IP1:70${n}1 guest$n 70${n}1 from 127.254.255.0
		tcp:$TOPO_IP1_6:70${n}1 guest$n 70${n}1 from fd6e:6162:6c61::fe:1
		END
	done
	echo "tcp:127.0.0.1:99 refused"
}

# checks TEXT N...: all that the guests N do
checks()
{
	local text=$1 n others
	shift

	for n; do
		others=("${@/$n/}")
		dials "$text: guest $n dials" by "$n" < <(of_peer)
		# shellcheck disable=SC2068	# without the one that was taken out
		dials "$text: guest $n dials over the loopback" by "$n" < <(of_loopback ${others[@]})
		has "$text: guest $n pings" " 0% packet loss" "$(at "$n" ping -q -c 2 -i 0.2 -W 1 -s 4000 "$TOPO_IP2")"
		has "$text: guest $n pings over IPv6" " 0% packet loss" \
			"$(at "$n" ping -q -c 2 -i 0.2 -W 1 "$TOPO_IP2_6")"
	done
	dials "$text: the peer dials" by_peer < <(of_pod "$@")
	dials "$text: the sidecar dials" by_sidecar < <(of_peer)
	dials "$text: the sidecar dials over the loopback" by_sidecar < <(of_namespace "$@")
	ip -n "$TOPO_NODE" neigh flush dev "$TOPO_HOST1" nud all 2>/dev/null
	check "$text: the pod is pinged" ping4
	check "$text: the pod is pinged over IPv6" ping6
}

range() { at "$1" cat /proc/sys/net/ipv4/ip_local_port_range | tr '\t' ' '; }
bind_at() { at "$1" "python3 -c 'import socket,sys; s=socket.socket(*map(int,sys.argv[1:3])); s.bind((\"\",int(sys.argv[3])))' $2 $3 $4 2>&1 | tail -n 1"; }

# hand_over N: guest N has port 707N, and gives it back while guest 3 asks for it again and again. Then the moment of
# that is in $TMP/once.from; what guest 3 was told at first, and the moment when it had the port, in $TMP/once.to.
hand_over()
{
	at_once from at "$1" "python3 -c '
import os, socket, time
s = socket.create_server((\"\", 707$1))
open(\"/tmp/has\", \"w\")
while not os.path.exists(\"/tmp/enough\"): time.sleep(0.05)
print(time.time())
s.close()'"
	at "$1" "until [ -e /tmp/has ]; do sleep 0.1; done"
	at_once to at 3 "python3 -c '
import socket, time
first = None
while True:
    s = socket.socket()
    try:
        s.bind((\"\", 707$1))
        break
    except OSError as error:
        first = first or error
    open(\"/tmp/asked$1\", \"w\")
    time.sleep(0.05)
print(\"OSError:\", first)
print(time.time())'"
	at 3 "until [ -e /tmp/asked$1 ]; do sleep 0.1; done"
	at "$1" "touch /tmp/enough"
	together
}

# All guests have the host's clock.
waited() { paste "$TMP/once.from" <(outcome to) | awk '{ print $2 - $1 }'; }
within() { awk -v n="$1" -v least="$2" -v most="$3" 'BEGIN { exit !(n >= least && n <= most) }'; }

topo_b2_up || not_ok "build"
sleep 2		# until the addresses are no longer tentative
before=$(pod_dump)
serve "$TOPO_POD2" peer tcp:0.0.0.0:80 tcp::::80 udp:0.0.0.0:83 udp::::83 echo:0.0.0.0:81 echo:0.0.0.0:82
serve "$TOPO_POD1" sidecar tcp:0.0.0.0:7001 tcp::::7001 udp:0.0.0.0:7002 udp::::7002
wire_start || not_ok "capture" "$(cat "$TMP/wire.err")"
hold

# ---- three, of which the second and third need not be told ------------------------------------------------

begin 1 "${keep[@]}" && begin 2 && begin 3 || { tap_done; exit; }
is "the ports: half of them, and an eighth each" \
	"36296 50407, 50408 53935, 53936 57463" "$(range 1), $(range 2), $(range 3)"
checks "three" 1 2 3

for n in 1 2 3; do
	at_once "guest$n" at "$n" "python3 /talk.py crowd tcp:$TOPO_IP2:81 $MANY"
done
at_once sidecar sidecar python3 "$talk" crowd "tcp:$TOPO_IP2:81" $MANY
together
for who in guest1 guest2 guest3 sidecar; do
	is "$who has $MANY connections to one port, as the others at the same time" \
		"$MANY of $MANY heard, 0 beyond the range" "$(outcome "$who")"
done

# ---- a port is one's alone ---------------------------------------------------------------------------------

taken="OSError: [Errno 98] Address already in use"
for family in 2 10; do
	is "family $family: a port of another guest is in use" "$taken" "$(bind_at 2 $family 1 7011)"
	is "family $family: for UDP too" "$taken" "$(bind_at 3 $family 2 7022)"
	is "family $family: but not for the other protocol" "" "$(bind_at 2 $family 2 7011)"
	is "family $family: a port of the sidecar is in use" "$taken" "$(bind_at 1 $family 1 7001)"
	is "family $family: one that nobody has is free" "" "$(bind_at 1 $family 1 7099)"
done
# In the first one's part of the ports it is that one's no more to choose, as long as it is in use.
at 2 "python3 -c 'import socket, time; s = socket.create_server((\"\", 40001)); time.sleep(3)'" &
held_port=$!
check "a port of another's part is not chosen there" wait_for 5 eval 'at 1 cat /proc/sys/net/ipv4/ip_local_reserved_ports | grep -w 40001'
wait $held_port
check "... until it is given back" wait_for 10 eval '! at 1 cat /proc/sys/net/ipv4/ip_local_reserved_ports | grep -w 40001'
for n in 1 2; do
	hand_over "$n"
	is "a port that guest $n has is not the next one's" "$taken" "$(head -n 1 "$TMP/once.to")"
	check "... when it is given back, not at once, but soon: after $(waited) s" within "$(waited)" 0.9 10
done

# From a port of another's, in the name of 127.253.0.1, to a third: as if it was the other's server.
at 3 "printf '127.0.0.1:7012 127.253.0.1:7022 forged\n127.0.0.1:7002 127.253.0.1:7022 forged\n127.0.0.1:7032 127.253.0.1:7022 own\n' |
	python3 /talk.py frames pod0 02:6e:62:6c:61:70 02:6e:62:6c:61:70"
has "a guest speaks to another from a port of its own" "datagram own from 127.0.0.1" \
	"$(at 2 "until grep own /tmp/log; do sleep 0.1; done")"
is "and from no other's" "" "$(at 2 grep forged /tmp/log)"

# ---- they come and go ------------------------------------------------------------------------------------------

check "the second one is deleted" container_delete guest2
checks "without the second" 1 3
begin 2 && is "who comes next gets the second one's ports" "50408 53935" "$(range 2)"
checks "three again" 1 2 3
check "the first one is deleted" container_delete guest1
checks "without the first" 2 3
kill -9 "$(container_pid guest3)"
wait_for 10 container_is guest3 stopped
checks "the third one was killed" 2
is "its ports are free" "" "$(bind_at 2 2 1 7031)"
# Who comes before that one is deleted has the names of its links, which the kernel has taken back.
begin 4
check "delete after kill -9" container_delete guest3
checks "another one came before that" 2 4
rm -rf "$TMP/guest5"
container_bundle guest5 --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.net.sidecars=none -- true
has "who wants the interface for itself does not get it" "interface 'eth0' is shared by the guest of another container" \
	"$("$RUNNC" "${container_root[@]}" plan "$TMP/guest5" | tr -s ' \n' ' ')"
is "nor a loopback, and changes nothing" 0 "$(container_run guest5 >/dev/null 2>&1; echo $?)"
checks "one came that shares nothing" 2 4
check "delete" container_delete guest4
begin 1 && is "who comes now is the first again" "36296 50407" "$(range 1)"
checks "two" 1 2
is "the namespace is not what it was as long as one is there" "32768 36295" \
	"$(sidecar cat /proc/sys/net/ipv4/ip_local_port_range | tr '\t' ' ')"
check "delete" container_delete guest2
check "delete the last one" container_delete guest1
held "guests"
same "restored exactly" "$before"

# ---- at once ---------------------------------------------------------------------------------------------------

begin 1 "${keep[@]}" && begin 2 && begin 3
for n in 1 2 3; do
	at_once "$n" container_delete "guest$n"
done
together
is "three deletes at once say nothing" "" "$(cat "$TMP"/once.[123])"
same "restored exactly by three deletes at once" "$before"

# A create is killed at any time; the one that was there before goes on, and restores.
begin 1 "${keep[@]}"
for ms in 20 40 60 80 100 120; do
	rm -rf "$TMP/guest2"
	container_bundle guest2 --netns "/run/netns/$TOPO_POD1" -- true
	"$RUNNC" "${container_root[@]}" create --bundle "$TMP/guest2" "$TAG-guest2" >/dev/null 2>&1 </dev/null &
	sleep "0.$(printf %03d "$ms")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	container_delete guest2
done
checks "creates of a second one were killed" 1
check "delete" container_delete guest1
same "restored exactly after killed creates" "$before"
wire_stop
wire_is_clean "guests"

# ---- a guest that shares nothing ---------------------------------------------------------------------------------

begin 1 --annotation org.runnc.net.sidecars=none
rm -rf "$TMP/second"
"$top/scripts/bundle" "$TMP/second" "$ROOTFS" --netns "/run/netns/$TOPO_POD1" -- true
has "a guest that has the interface for itself keeps it" "another container" \
	"$("$RUNNC" "${container_root[@]}" plan "$TMP/second" 2>&1)"
container_delete guest1
same "it is restored exactly" "$before"
servers_stop
topo_down
tap_done
