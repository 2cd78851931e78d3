#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# The pod's loopback: what dials 127.0.0.1, ::1 or a pod's address inside of its namespace reaches the guest;
# the namespace keeps what is its own; nobody outside gets in; Docker's resolver is reached from the guest.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
TOPO_PREFIX=$TAG
at_exit topo_down

talk=$top/tests/net/talk.py
FURTHER=10.77.0.5 FURTHER6=fd00:77::5

# dials TEXT: of lines "SPEC ANSWER" on the standard input, each is answered so; from the namespace
dials()
{
	local lines specs got spec wanted

	lines=$(cat)
	mapfile -t specs < <(cut -d ' ' -f 1 <<<"$lines")
	got=$(topo_in "$TOPO_POD1" timeout -s KILL 120 python3 "$talk" each "${specs[@]}" 2>&1)
	while read -r spec wanted; do
		is "$1: $spec" "$spec $wanted" "$(grep -F "$spec " <<<"$got" || tail -n 3 <<<"$got")"
	done <<<"$lines"
}

pod_begin()
{
	"topo_$1_up" || return
	ip -n "$TOPO_POD1" addr add $FURTHER/24 dev eth0
	ip -n "$TOPO_POD1" addr add $FURTHER6/64 dev eth0 nodad
}

# The namespace, to compare: seconds of lifetimes and neighbours come and go.
pod_state()
{
	{
		ip -n "$TOPO_POD1" -d addr
		ip -n "$TOPO_POD1" route show table all
		ip -n "$TOPO_POD1" -6 route show table all
		tc -n "$TOPO_POD1" qdisc
		tc -n "$TOPO_POD1" filter show dev lo egress
		topo_in "$TOPO_POD1" sysctl -a -r '^net.ipv[46].conf.(lo|eth0)[.]'
	} 2>/dev/null | sed -E 's/(_lft|expires) [0-9]+sec/\1 SECONDS/g; s/ link-netns(id)? [^ ]+//'
}

# serve_in_guest NAME [OPTION]... -- SPEC...
serve_in_guest()
{
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" --mount "$talk:/talk.py:ro" \
		--env TALK_NAME="$name" "${options[@]}" -- python3 /talk.py serve "$@" &&
		container_start "$name" && wait_for 20 grep -q ready "$TMP/$name.out"
}

# serve_in_pod NAME SPEC...: in the namespace itself; its output is $TMP/NAME.out
serve_in_pod()
{
	local name=$1
	shift
	{ TALK_NAME=$name exec nsenter --net="/run/netns/$TOPO_POD1" python3 "$talk" serve "$@" \
		>"$TMP/$name.out" 2>&1 </dev/null; } &
	at_exit kill -9 $!
	wait_for 10 grep -q ready "$TMP/$name.out"
}

servers=(tcp:0.0.0.0:80 tcp:127.0.0.1:81 udp:0.0.0.0:83 udp:127.0.0.1:84
	tcp::::80 tcp:::1:81 udp::::83 udp:::1:84)

# ---- every address, TCP and UDP, small and large ---------------------------------------------------------

# address ADDRESS CLIENT: what a client that dials it is answered
address()
{
	cat <<-END
	tcp:$1:80 guest 80 from $2
	tcp:$1:80,4000000 guest 80 from $2
	udp:$1:83 guest 83 from $2
	udp:$1:83,65000 guest 83 from $2
	tcp:$1:99 refused
	udp:$1:99 refused
	END
}

# Servers at 127.0.0.1 and ::1 alone: reached there and, as in any pod, not at the pod's address.
loopback_only()
{
	cat <<-END
	tcp:127.0.0.1:81 guest 81 from 127.254.0.1
	udp:127.0.0.1:84 guest 84 from 127.254.0.1
	tcp:::1:81 guest 81 from fd6e:6162:6c61::fe:0
	udp:::1:84 guest 84 from fd6e:6162:6c61::fe:0
	tcp:$TOPO_IP1:81 refused
	udp:$TOPO_IP1_6:84 refused
	tcp:127.0.0.9:80 guest 80 from 127.254.0.1
	END
}

everything()
{
	address 127.0.0.1 127.254.0.1
	address ::1 fd6e:6162:6c61::fe:0
	address "$TOPO_IP1" 127.254.255.0
	address $FURTHER 127.254.255.1
	address "$TOPO_IP1_6" fd6e:6162:6c61::fe:2
	address $FURTHER6 fd6e:6162:6c61::fe:1
	loopback_only
}

# All lines for mode tc; every third for the others, in which the same programs run beside another path.
order()
{
	if [ "$1" = tc ]; then cat; else awk 'NR % 3 == 1'; fi
}

check_mode()
{
	local mode=$1 before

	pod_begin "$2" || { not_ok "$mode: build"; return; }
	sleep 2		# until the addresses are no longer tentative
	before=$(pod_state)
	serve_in_guest guest --annotation org.runnc.net.mode="$mode" -- "${servers[@]}" ||
		not_ok "$mode: start" "$(container_log guest)"
	dials "$mode" < <(everything | order "$mode")
	is "$mode: the guest is reached from outside as before" "guest 80 from $TOPO_IP2" \
		"$(topo_in "$TOPO_POD2" python3 "$talk" dial "tcp:$TOPO_IP1:80")"
	container_delete guest
	is "$mode: restored" "$before" "$(pod_state)"
	rm -rf "$TMP/guest"
	topo_down
}

check_mode tc a
for mode in bridge macvtap packet; do
	check_mode $mode b1
done

# ---- what is the namespace's own -------------------------------------------------------------------------

pod_begin a || not_ok "build"
serve_in_pod sidecar tcp:127.0.0.1:7080 udp:0.0.0.0:7083 tcp:::1:7080 || not_ok "a server in the namespace"
# Where the interface is the guest's alone, it does not ask whether a port is free.
serve_in_guest guest --annotation org.runnc.net.sidecars=none -- \
	tcp:0.0.0.0:7080 udp:0.0.0.0:7083 tcp::::7080 "${servers[@]}" || not_ok "start" "$(container_log guest)"
dials "what the namespace listens on stays its own, and no more" <<END
tcp:127.0.0.1:7080 sidecar 7080 from 127.0.0.1
udp:127.0.0.1:7083 sidecar 7083 from 127.0.0.1
tcp:::1:7080 sidecar 7080 from ::1
tcp:$TOPO_IP1:7080 guest 7080 from 127.254.255.0
END
container_delete guest
rm -rf "$TMP/guest"
serve_in_guest guest -- "${servers[@]}" || not_ok "start" "$(container_log guest)"

# An ordinary container of the same pod, over localhost.
"$top/scripts/bundle" "$TMP/plain" "$ROOTFS" --netns "/run/netns/$TOPO_POD1" --readonly \
	--mount "$talk:/talk.py:ro" -- sh -c '
		python3 /talk.py each tcp:127.0.0.1:80 udp:127.0.0.1:83 tcp:::1:80'
mkdir "$TMP/plain-root" "$TMP/plain-upper" "$TMP/plain-work"
mount -t overlay overlay -o "lowerdir=$ROOTFS,upperdir=$TMP/plain-upper,workdir=$TMP/plain-work" \
	"$TMP/plain-root" && at_exit umount "$TMP/plain-root"
jq --arg root "$TMP/plain-root" '.root.path = $root' "$TMP/plain/config.json" >"$TMP/plain/new" &&
	mv "$TMP/plain/new" "$TMP/plain/config.json"
is "an ordinary container of the pod, by localhost" \
	"tcp:127.0.0.1:80 guest 80 from 127.254.0.1
udp:127.0.0.1:83 guest 83 from 127.254.0.1
tcp:::1:80 guest 80 from fd6e:6162:6c61::fe:0" \
	"$(timeout -s KILL 30 "$top/scripts/crun" --root "$TMP/crun" run --bundle "$TMP/plain" "$TAG-plain" \
		2>&1 </dev/null)"

# ---- nobody outside gets in ------------------------------------------------------------------------------

serve_in_pod outside udp:127.0.0.1:7090 udp:::1:7090 || not_ok "a server in the namespace"
{
	echo "$TOPO_IP2:5000 $TOPO_IP1:83 control"
	echo "$TOPO_IP2_6:5000 $TOPO_IP1_6:83 control6"
	for port in 83 84 7090; do
		for source in 127.0.0.1 127.254.0.1 127.253.0.1 "$TOPO_IP2" "$TOPO_IP1"; do
			for dest in 127.0.0.1 127.254.0.1 127.253.0.1; do
				echo "$source:5000 $dest:$port attack"
			done
		done
		for source in ::1 fd6e:6162:6c61::fe:0 "$TOPO_IP2_6" "$TOPO_IP1_6"; do
			for dest in ::1 fd6e:6162:6c61::fe:0; do
				echo "$source:5000 $dest:$port attack"
			done
		done
	done
	echo "127.0.0.1:5000 $TOPO_IP1:83 attack"
	echo "::1:5000 $TOPO_IP1_6:83 attack"
	echo "fd6e:6162:6c61::fe:0:5000 $TOPO_IP1_6:83 attack"
} | topo_in "$TOPO_POD2" timeout 20 python3 "$talk" frames eth0 "$TOPO_MAC2" "$TOPO_MAC1"
check "a frame for the pod's address arrives" wait_for 5 grep -q "datagram control from" "$TMP/guest.out"
check "a frame for the pod's IPv6 address arrives" wait_for 5 grep -q "datagram control6 from" "$TMP/guest.out"
sleep 0.5
is "no frame for or from a loopback address arrives in the guest" "" "$(grep attack "$TMP/guest.out")"
is "no frame for or from a loopback address arrives in the namespace" "" "$(cat "$TMP"/{outside,sidecar}.out |
	grep attack)"

# ---- a guest that sends what it likes ---------------------------------------------------------------------

container_delete guest
rm -rf "$TMP/guest"
pod0=02:6e:62:6c:61:70
cat >"$TMP/frames" <<END
127.0.0.1:9999 127.254.0.1:7090 free
::1:9999 fd6e:6162:6c61::fe:0:7090 free6
127.0.0.1:7083 127.254.0.1:7090 owned
127.0.0.9:7083 127.254.0.1:7090 owned
8.8.8.8:9999 127.254.0.1:7090 foreign
127.254.0.1:9999 127.254.0.1:7090 foreign
127.0.0.1:9999 127.0.0.1:7090 untranslated
$TOPO_IP2:9999 127.254.255.0:7083 foreign
$TOPO_IP2_6:9999 fd6e:6162:6c61::fe:0:7090 foreign
127.0.0.1:9999 $TOPO_IP2:83 leak
$TOPO_IP1:9999 $TOPO_IP2:83 leak
$TOPO_IP1_6:9999 $TOPO_IP2_6:83 leak
127.0.0.1:9999 255.255.255.255:83 leak
::1:9999 ff02::1:83 leak
END
{ exec nsenter --net="/run/netns/$TOPO_NODE" timeout 60 tcpdump -lnnei "$TOPO_HOST1" \
	"ether host $pod0 or net 127.0.0.0/8 or net fd6e:6162:6c61::/48" >"$TMP/wire" 2>/dev/null; } &
at_exit kill $!
container_bundle guest --netns "/run/netns/$TOPO_POD1" --mount "$talk:/talk.py:ro" \
	--mount "$TMP/frames:/frames:ro" --env TALK_NAME=guest -- sh -c "
		python3 /talk.py frames pod0 $pod0 $pod0 </frames && echo sent
		exec python3 /talk.py serve ${servers[*]}"
container_start guest && wait_for 20 grep -q ready "$TMP/guest.out"
has "the guest sends frames of its own making" sent "$(container_log guest)"
check "what is from a port that nobody has arrives in the namespace" \
	wait_for 5 grep -q "datagram free from 127.0.0.1" "$TMP/outside.out"
check "the same with IPv6" wait_for 5 grep -q "datagram free6 from ::1" "$TMP/outside.out"
sleep 0.5
is "nothing else arrives: a socket's own address and port, foreign ones, others" "" \
	"$(cat "$TMP"/{outside,sidecar}.out | grep -E 'owned|foreign|untranslated|leak')"
is "and nothing of it is on the wire" "" "$(cat "$TMP/wire")"

# ---- the guest's end: until delete, the namespace is as if there was none --------------------------------

kill -9 "$(container_pid guest)"
wait_for 10 container_is guest stopped
dials "the guest was killed: refused at once, and the namespace goes on" <<END
tcp:127.0.0.1:80 refused
tcp:::1:80 refused
tcp:$TOPO_IP1:80 refused
tcp:127.0.0.1:7080 sidecar 7080 from 127.0.0.1
END
container_delete guest
rm -rf "$TMP/guest"

# ---- asked for nothing -----------------------------------------------------------------------------------

before=$(topo_in "$TOPO_POD1" ip -d addr show lo; topo_in "$TOPO_POD1" sysctl -a -r 'net.ipv[46].conf.lo[.]')
serve_in_guest guest --annotation org.runnc.net.loopback=none -- "${servers[@]}" || not_ok "start: loopback=none"
dials "org.runnc.net.loopback=none" <<<"tcp:127.0.0.1:80 refused"
is "org.runnc.net.loopback=none: lo is left alone" "$before" "$(topo_in "$TOPO_POD1" ip -d addr show lo
	topo_in "$TOPO_POD1" sysctl -a -r 'net.ipv[46].conf.lo[.]')"
container_delete guest
rm -rf "$TMP/guest"
topo_down

# ---- Docker's resolver -----------------------------------------------------------------------------------

# What Docker leaves in a container's namespace: a resolver at two random ports of 127.0.0.11, and rules that
# make port 53 of them, for what the namespace itself sends.
docker_resolver()
{
	serve_in_pod docker dns:127.0.0.11:35353 tcp:127.0.0.11:35354 || return
	topo_in "$TOPO_POD1" nft -f - <<-END
	table ip nat {
		chain output {
			type nat hook output priority -100;
			ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:35353
			ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:35354
		}
	}
	END
}

pod_begin a || not_ok "build"
docker_resolver || not_ok "a resolver like Docker's"
serve_in_pod second tcp:127.0.0.1:7080 udp:0.0.0.0:7083 || not_ok "a server in the namespace"
echo "nameserver 127.0.0.11" >"$TMP/resolv.conf"
cat >"$TMP/dial" <<'END'
getent ahostsv4 pod.test | head -n 1
python3 /talk.py each tcp:127.0.0.11:53 udp:127.0.0.11:54 tcp:127.0.0.11:54
TALK_NAME=guest python3 /talk.py serve tcp:127.0.0.1:7081 udp:127.0.0.1:7084 >/tmp/ready & server=$!
until grep -qs ready /tmp/ready; do sleep 0.1; done
python3 /talk.py each tcp:127.0.0.1:7080 tcp:127.0.0.1:7080,4000000 tcp:::ffff:127.0.0.1:7080 \
	udp:127.0.0.1:7083 udp:127.0.0.1:7083,60000 udp:::ffff:127.0.0.1:7083 \
	tcp:127.0.0.1:7081 udp:127.0.0.1:7084 tcp:127.0.0.1:9 udp:127.0.0.1:9
kill $server
exec python3 - <<'PYTHON'
import socket
s = socket.create_connection(("127.0.0.1", 7080))
print(s.getpeername())
s.close()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b"hi", ("127.0.0.1", 7083))
print(s.recvfrom(100)[1])
PYTHON
END
container_bundle guest --netns "/run/netns/$TOPO_POD1" --mount "$talk:/talk.py:ro" \
	--mount "$TMP/resolv.conf:/etc/resolv.conf:ro" --mount "$TMP/dial:/dial:ro" -- sh /dial
output=$(container_run guest 2>&1)
is "the guest asks Docker's resolver, by UDP and TCP, and there is nothing else" \
	"192.0.2.53      STREAM pod.test
tcp:127.0.0.11:53 docker 35354 from 127.253.0.1
udp:127.0.0.11:54 refused
tcp:127.0.0.11:54 refused" "$(head -n 4 <<<"$output")"
is "the guest dials 127.0.0.1: its own server, else the namespace's, else it is refused" \
	"tcp:127.0.0.1:7080 second 7080 from 127.253.0.1
tcp:127.0.0.1:7080,4000000 second 7080 from 127.253.0.1
tcp:::ffff:127.0.0.1:7080 second 7080 from 127.253.0.1
udp:127.0.0.1:7083 second 7083 from 127.253.0.1
udp:127.0.0.1:7083,60000 second 7083 from 127.253.0.1
udp:::ffff:127.0.0.1:7083 second 7083 from 127.253.0.1
tcp:127.0.0.1:7081 guest 7081 from 127.0.0.1
udp:127.0.0.1:7084 guest 7084 from 127.0.0.1
tcp:127.0.0.1:9 refused
udp:127.0.0.1:9 refused" "$(sed -n '5,14p' <<<"$output")"
is "the program is told the address that it dialled" "('127.0.0.1', 7080)
('127.0.0.1', 7083)" "$(sed -n '15,$p' <<<"$output")"
has "the namespace itself still asks the resolver" 192.0.2.53 \
	"$(topo_in "$TOPO_POD1" unshare --mount sh -c "mount --bind '$TMP/resolv.conf' /etc/resolv.conf &&
		getent ahostsv4 pod.test")"
tap_done
