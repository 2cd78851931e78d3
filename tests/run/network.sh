#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# The network through the whole runtime, with a stand-in guest: what the namespace had is what the
# guest is told, in both modes; hooks may bring the interface; afterwards all is as before. That frames
# flow is tested with the real guest, and for the plumbing alone in tests/net.
# shellcheck disable=SC2016	# jq's variables
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/standin.sh"
. "$top/tests/net/topology.sh"

ID=$TAG-c
export TOPO_PREFIX=$TAG TOPO_V6=0 TOPO_MTU=1450
at_exit topo_down

picture()
{
	topo_in "$TOPO_POD1" ip -o link | sed 's/ qlen [0-9]*//'
	topo_in "$TOPO_POD1" ip -o -4 address | sed 's/ valid_lft.*//'
	topo_in "$TOPO_POD1" ip -4 route
	topo_in "$TOPO_POD1" tc qdisc show | grep -v noqueue
}

in_cluster()
{
	local mode before dump
	before=$(picture)
	for mode in tc bridge; do
		bundle c dump
		config c '(.linux.namespaces[] | select(.type == "network")).path = $path
			| .annotations["org.runnc.net.mode"] = $mode' \
			--arg path "/run/netns/$TOPO_POD1" --arg mode $mode
		has "$TOPO, $mode: plan" "interface   eth0: mode $mode, MAC $TOPO_MAC1 (adopt), MTU 1450" \
			"$(rt plan "$TMP/c")"
		is "$TOPO, $mode: plan has touched nothing" "$before" "$(picture)"
		dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
		has "$TOPO, $mode: the device" "net 0 fd=4 name=eth0 mtu=1450 hdr=10 mac=$TOPO_MAC1" "$dump"
		has "$TOPO, $mode: the link" "link 0 eth0 mtu=1450" "$dump"
		has "$TOPO, $mode: the address" "addr 0 $TOPO_IP1/" "$dump"
		has "$TOPO, $mode: the gateway" "via $TOPO_GW" "$dump"
		is "$TOPO, $mode: all is as before" "$before" "$(picture)"

		config c '.annotations["org.runnc.net.mac"] = "random"'
		dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
		has "$TOPO, $mode, random MAC: the device" "name=eth0 mtu=1450" "$dump"
		is "$TOPO, $mode, random MAC: not the original one" "" \
			"$(grep -F "mac=$TOPO_MAC1" <<<"$dump")"
		is "$TOPO, $mode, random MAC: all is as before" "$before" "$(picture)"
	done

	bundle c wait
	config c '(.linux.namespaces[] | select(.type == "network")).path = $path' \
		--arg path "/run/netns/$TOPO_POD1"
	made "$TOPO: --net-mode bridge" rt --net-mode bridge run --detach --bundle "$TMP/c" "$ID"
	has "$TOPO: there is a bridge" "bridge" "$(topo_in "$TOPO_POD1" ip -o -d link)"
	# As the next container of a pod finds it.
	check "$TOPO: delete --force" rt delete --force "$ID"
	is "$TOPO: all is as before" "$before" "$(picture)"
	topo_down >/dev/null 2>&1
}

if topo_a_up >"$TMP/topo" 2>&1; then in_cluster; else not_ok "cluster a" "$(cat "$TMP/topo")"; fi
if topo_b1_up >"$TMP/topo" 2>&1; then in_cluster; else not_ok "cluster b1" "$(cat "$TMP/topo")"; fi

# ---- a namespace that a hook fills, as Docker's does; the guest sees what came

cat >"$TMP/hook" <<'END'
#!/bin/sh
pid=$(jq -r .pid)
exec >"$LOG" 2>&1
set -ex
ip link add "$LINK" type veth peer name "${LINK}p"
ip link set "${LINK}p" netns "$pid"
ip link set "$LINK" up
n="nsenter --net=/proc/$pid/ns/net ip"
$n link set lo up
$n link set "${LINK}p" name eth0
$n addr add 172.31.77.2/24 dev eth0
$n link set eth0 up
$n route add default via 172.31.77.1
END
chmod +x "$TMP/hook"
at_exit ip link delete "$TAG"
bundle c dump
config c '.hooks.prestart = [{path: $hook, env: ["LINK=" + $link, "LOG=" + $log, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]' \
	--arg hook "$TMP/hook" --arg link "$TAG" --arg log "$TMP/hook.log"
dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
has "a prestart hook brings the interface" "addr 0 172.31.77.2/24" "$dump"
has "... and the route" "via 172.31.77.1" "$dump"

# ---- without one

bundle c dump
dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
is "an empty namespace: it runs, without a network" "" "$(grep -E '^(net|link|addr) ' <<<"$dump")"
has "... it runs" "arg dump" "$dump"
# Without what changes by itself: seconds of lifetimes, names of namespaces.
host_picture() { { ip -o link; ip -o address; } | sed -E 's/_lft [0-9]+sec/_lft/g; s/ link-netns(id)? [^ ]+//'; }
before=$(host_picture)
config c 'del(.linux.namespaces[] | select(.type == "network"))'
dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
is "the host's namespace: it runs, without a network" "" "$(grep -E '^(net|link|addr) ' <<<"$dump")"
has "... it runs as well" "arg dump" "$dump"
config c '.linux.namespaces += [{type: "network", path: "/proc/1/ns/net"}]'
if [ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ]; then
	dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
	has "the host's namespace by its path: a warning" "it runs without a network" "$dump"
	is "... without a network" "" "$(grep -E '^(net|link|addr) ' <<<"$dump")"
else
	skip "the host's namespace by its path" "this shell has a network namespace of its own"
fi
is "the host's links are untouched" "$before" "$(host_picture)"
check "nothing is left" nothing_left
tap_done
