#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# runnc net: the picture of a container's path, and what --check says when the path is broken. Each
# break is made by hand, must be named first and with its cure, and once it is mended all must work.
. "$(dirname "$0")/../lib/tap.sh"
ROOTFS=${ROOTFS:-$("$top/scripts/rootfs" busybox)} || exit 1
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
# shellcheck disable=SC2034	# for topology.sh
TOPO_PREFIX=$TAG

net() { timeout -k 5 60 "$RUNNC" "${container_root[@]}" net "$@"; }
pod() { topo_in "$TOPO_POD1" "$@"; }

# container NAME MODE [MAC]: one in pod 1 whose network is up
container()
{
	container_bundle "$1" --netns "/run/netns/$TOPO_POD1" --annotation "org.runnc.net.mode=$2" \
		--annotation "org.runnc.net.mac=${3:-adopt}" -- /bin/sh -c 'echo up; exec sleep 1000' &&
		container_start "$1" && wait_for 30 grep -q up "$TMP/$1.out"
}

# cluster TOPOLOGY NAME MODE [MAC]: it, with a container in pod 1; a result if that fails
cluster()
{
	if ! "topo_$1_up" || ! container "${@:2}"; then
		not_ok "cluster $1 with a container by mode $3" "$(container_log "$2")"
		return 1
	fi
}

# works TEXT SUBJECT: --check finds nothing broken
works()
{
	local out status=0
	out=$(net --check "$2" 2>&1) || status=$?
	if [ $status = 0 ] && [[ $out == *"It works."* ]]; then
		ok "$1"
	else
		not_ok "$1" "status $status" "$(tail -n 30 <<<"$out")"
	fi
}

# broken TEXT SUBJECT HOP WORDS CURE: status 1, and the first break is at that hop, in such words
broken()
{
	local out status=0
	out=$(net --check --format json "$2" 2>"$TMP/err") || status=$?
	if [ $status = 1 ] && jq -e --arg hop "$3" --arg what "$4" --arg cure "$5" \
		'.broken.hop == $hop and (.broken.what | contains($what)) and (.broken.cure | contains($cure))' \
		<<<"$out" >/dev/null; then
		ok "$1"
	else
		not_ok "$1" "status $status; wanted at the $3: $4" "$(jq .broken <<<"$out")" \
			"$(jq -r '.findings[] | "\(.hop) \(.verdict) \(.what)"' <<<"$out")" "$(cat "$TMP/err")"
	fi
}

# ---- what is drawn ------------------------------------------------------------------------------------

draws()
{
	local out id=$TAG-drawn
	cluster a drawn tc || return
	out=$(net "$id")
	has "text: the router" "router: /run/netns/$TOPO_ROUTER" "$out"
	has "text: the host end, on its bridge" "port of bridge br0" "$out"
	has "text: a neighbour on the segment" "leads to eth0 of $TOPO_POD2  $TOPO_MAC2" "$out"
	has "text: the pod's interface" "eth0 (veth)  $TOPO_MAC1  MTU 1500  up" "$out"
	has "text: the redirect" "what comes in: leaves by eth0 (bpf" "$out"
	has "text: the guest" "eth0 (mode tc)  $TOPO_MAC1  MTU 1500" "$out"
	has "text: its address" "address $TOPO_IP1/16" "$out"
	has "text: its gateway" "route default via $TOPO_GW" "$out"
	has "text: who answers" "the guest, with MAC $TOPO_MAC1" "$out"
	is "text: by the pod's name the same" \
		"$(sed 's/([^)]*packets[^)]*)//; s/([a-z]*)$//; /neighbour/d; /table:/d' <<<"$out")" \
		"$(net "$TOPO_POD1" | sed 's/([^)]*packets[^)]*)//; s/([a-z]*)$//; /neighbour/d; /table:/d')"
	is "json: the path" "tc $TOPO_MAC1 eth0 $TOPO_HOST1 br0 $TOPO_ROUTER_IF" \
		"$(net --format json "$id" | jq -r '.paths[0] | [.mode, .guest.mac, .pod.link, .host.link,
			.segment.link, .router.link] | join(" ")')"
	is "json: the router's namespace" "/run/netns/$TOPO_ROUTER" \
		"$(net --format json "$id" | jq -r '.paths[0].router.namespace')"
	net --format dot "$id" >"$TMP/dot"
	check "dot: Graphviz reads it" dot -Tsvg -o "$TMP/svg" "$TMP/dot"
	has "dot: the guest is drawn" "$TOPO_MAC1" "$(cat "$TMP/svg")"

	is "nothing is sent without --check" "" "$(quiet net "$id")"
	container_delete drawn
}

# quiet COMMAND...: what comes to the host end while it runs, but for what its kernels say by themselves
quiet()
{
	capture_start || return
	"$@" >/dev/null
	capture_stop
	grep -i "arp\|0806" "$TMP/captured"
}

# ---- what is found ------------------------------------------------------------------------------------

in_a_by_tc()
{
	local id=$TAG-tc before
	cluster a tc tc || return
	before=$(ip -n "$TOPO_POD2" -o neigh show "$TOPO_IP1")
	capture_start
	works "mode tc: works" "$id"
	capture_stop
	is "mode tc: the probes have no foreign MAC" "$TOPO_MAC1" "$(captured_macs)"
	is "mode tc: nobody has learned anything" "$before" "$(ip -n "$TOPO_POD2" -o neigh show "$TOPO_IP1")"

	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" down
	broken "link down" "$id" "interface" "eth0 has no carrier: its other end is down" "set the host end up"
	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" up

	ip -n "$TOPO_NODE" link set br0 down
	broken "bridge down" "$id" "segment" "link down: bridge br0 of $TOPO_NODE" "set it up"
	ip -n "$TOPO_NODE" link set br0 up

	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" mtu 1400
	broken "MTU" "$id" "host end" "the guest's is 1500, that of $TOPO_HOST1 of $TOPO_NODE is 1400" "one MTU"
	# A veth takes 4 bytes more than its MTU, for a VLAN tag.
	has "MTU: the largest that passes was measured" "but none longer than 1404 pass from the pod" \
		"$(net --check "$id")"
	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" mtu 1500
	ip -n "$TOPO_NODE" link set br0 mtu 1500

	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" mtu 1600
	broken "MTU, the other way" "$id" "host end" "of $TOPO_HOST1 of $TOPO_NODE is 1600, that of eth0 of the pod is 1500" "one MTU"
	ip -n "$TOPO_NODE" link set "$TOPO_HOST1" mtu 1500

	ip -n "$TOPO_ROUTER" route del 172.17.0.0/16 dev eth0
	broken "no route at the router" "$id" "way back" "missing route: the router (eth0 of $TOPO_ROUTER) has no route for $TOPO_IP1" "route the pod's address"
	ip -n "$TOPO_ROUTER" route add 172.17.0.0/16 dev eth0 src "$TOPO_GW"

	ip -n "$TOPO_POD2" addr add "$TOPO_IP1/16" dev eth0
	broken "duplicate address" "$id" "segment" "duplicate address: eth0 of $TOPO_POD2 has the guest's $TOPO_IP1 as well, with MAC $TOPO_MAC2" "another address"
	has "duplicate address: it was heard, too" "$TOPO_IP1 is answered by $TOPO_MAC2 (eth0 of $TOPO_POD2) as well" \
		"$(net --check "$id")"
	ip -n "$TOPO_POD2" addr del "$TOPO_IP1/16" dev eth0

	ip -n "$TOPO_ROUTER" addr del "$TOPO_GW6/64" dev eth0
	ip -n "$TOPO_ROUTER" -6 route add fd00:17::/64 dev eth0
	broken "ND unanswered" "$id" "gateway" "nobody answers neighbour discovery for the gateway $TOPO_GW6" "is IPv6 enabled there"
	ip -n "$TOPO_ROUTER" -6 route del fd00:17::/64 dev eth0
	ip -n "$TOPO_ROUTER" addr add "$TOPO_GW6/64" dev eth0 nodad

	topo_in "$TOPO_ROUTER" ethtool -K eth0 tx off >/dev/null
	segments_change "$TOPO_HOST1"
	broken "checksums" "$id" "way back" "UDP and TCP segments from /run/netns/$TOPO_ROUTER" "without their checksums"
	tc -n "$TOPO_NODE" qdisc del dev "$TOPO_HOST1" clsact
	topo_in "$TOPO_ROUTER" ethtool -K eth0 tx on >/dev/null

	ip -n "$TOPO_ROUTER" neigh flush all
	works "mode tc: all mended, works" "$id"

	pod tc qdisc del dev eth0 clsact
	broken "filter missing" "$id" "plumbing" "filter missing: nothing tells at eth0 what is for the guest" "create it again"
	container_delete tc
}

# segments_change LINK: what leaves by it has another source port than it was sent with, under the
# checksum of the old one
segments_change()
{
	cat >"$TMP/change.c" <<-'C'
	#include <linux/bpf.h>
	#include <linux/pkt_cls.h>
	static long (*load)(void *skb, __u32 at, void *to, __u32 len) = (void *)BPF_FUNC_skb_load_bytes;
	static long (*store)(void *skb, __u32 at, const void *from, __u32 len, __u64 flags) =
		(void *)BPF_FUNC_skb_store_bytes;
	__attribute__((section("classifier"), used)) int change(struct __sk_buff *skb)
	{
		__u8 type[2], protocol, port;
		__u32 at;

		if (load(skb, 12, type, 2) < 0)
			return TC_ACT_OK;
		at = type[0] == 0x08 && type[1] == 0 ? 34 : type[0] == 0x86 ? 54 : 0;
		if (!at || load(skb, at == 34 ? 23 : 20, &protocol, 1) < 0 ||
		    (protocol != 6 && protocol != 17) || load(skb, at, &port, 1) < 0)
			return TC_ACT_OK;
		port ^= 1;
		store(skb, at, &port, 1, 0);
		return TC_ACT_OK;
	}
	char _license[] __attribute__((section("license"), used)) = "GPL";
	C
	check "a filter that changes segments" clang -O2 -g -target bpf -I/usr/include/x86_64-linux-gnu \
		-c "$TMP/change.c" -o "$TMP/change.o"
	tc -n "$TOPO_NODE" qdisc add dev "$1" clsact
	check "a filter that changes segments is taken" tc -n "$TOPO_NODE" filter add dev "$1" egress \
		bpf da obj "$TMP/change.o" sec classifier
}

in_a_by_bridge()
{
	local id=$TAG-br own bridge
	cluster a br bridge || return
	capture_start
	works "mode bridge: works" "$id"
	capture_stop
	is "mode bridge: the probes have no foreign MAC" "$TOPO_MAC1" "$(captured_macs)"

	own=$(topo_mac "$TOPO_POD1" eth0)
	pod ip link set eth0 address "$TOPO_MAC1"
	broken "eth0 keeps the guest's MAC" "$id" "plumbing" "eth0 has the guest's MAC $TOPO_MAC1 as well" "another MAC"
	pod ip link set eth0 address "$own"

	bridge=$(pod ip -o link show type bridge | sed 's/.*: \(rncb[^:]*\):.*/\1/')
	pod ip link set "$bridge" arp on
	pod ip addr add "$TOPO_IP1/32" dev "$bridge"
	broken "the pod's kernel answers as well" "$id" "way back" "$TOPO_IP1 is answered by the pod's own kernel, as $bridge of the pod" "arp off"
	pod ip addr del "$TOPO_IP1/32" dev "$bridge"
	pod ip link set "$bridge" arp off

	pod nft add table inet cage
	pod nft 'add chain inet cage crossing { type filter hook forward priority 0; policy drop; }'
	pod sysctl -qw net.bridge.bridge-nf-call-iptables=1
	if in_pod2 ping -q -c 2 -i 0.2 -W 1 "$TOPO_IP1" >/dev/null 2>&1; then
		skip "firewall" "bridged frames pass no firewall on this kernel"
	else
		broken "firewall" "$id" "plumbing" "chain 'crossing' of nftables table 'inet cage' in the pod's namespace drops what crosses bridge" "mode tc"
	fi
	# A rule instead of the policy cannot be seen, but its effect can.
	pod nft 'add chain inet cage crossing { policy accept; }'
	pod nft add rule inet cage crossing drop
	broken "firewall, a rule" "$id" "way back" "ping from /run/netns/$TOPO_ROUTER to $TOPO_IP1 is not answered" "bridge-nf-call-iptables is 1"
	pod sysctl -qw net.bridge.bridge-nf-call-iptables=0
	pod nft delete table inet cage

	pod ip link set eth0 nomaster
	broken "no port any more" "$id" "plumbing" "eth0 is no port of bridge" "create it again"
	pod ip link set eth0 master "$bridge"
	works "mode bridge: all mended, works" "$id"

	kill -KILL "$(container_pid br)"
	wait_for 10 container_is br stopped
	broken "no process" "$id" "guest" "has no process" "create it again"
	container_delete br
}

in_a_by_others()
{
	local mode
	for mode in macvtap packet; do
		cluster a $mode $mode || return
		works "mode $mode: works" "$TAG-$mode"
		has "mode $mode: drawn" "eth0 (mode $mode)  $TOPO_MAC1" "$(net "$TAG-$mode")"
		container_delete $mode
	done
}

# A guest that speaks under an address that is not the pod's: the guard's counters are shown.
guarded()
{
	topo_a_up
	container_bundle spoof --netns "/run/netns/$TOPO_POD1" --jq '.process.capabilities[] += ["CAP_NET_ADMIN"]' \
		-- /bin/sh -c 'ip addr add 172.17.0.99/16 dev eth0; echo up
			while :; do ping -c 1 -W 1 -I 172.17.0.99 172.17.0.1; done'
	check "a spoofing guest starts" container_start spoof
	check "json: the guard's drops" wait_for 30 drops "$TAG-spoof"
	has "text: the guard's drops" "the guard has dropped" "$(net "$TAG-spoof")"
	has "and a note" "the guard at rnct2 of the pod has dropped" "$(net "$TAG-spoof")"
	container_delete spoof
}

drops()
{
	net --format json "$1" | jq -e '[.namespaces[0].guards[].drops | .arp + .ipv4] | add > 0'
}

# A unikernel is asked the same; what it need not know is no break.
unikernel()
{
	local id=$TAG-uni ROOTFS=$TMP/unikernel
	mkdir "$ROOTFS"
	cp "${RUNNC%/src/cli/runnc}/guest/solo5/echo.spt" "$ROOTFS"
	topo_a_up
	container_bundle uni --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.solo5.type=mirage -- /echo.spt
	check "unikernel: it starts" container_start uni
	wait_for 10 in_pod2 ping -q -c 1 -W 1 "$TOPO_IP1"
	works "unikernel: works" "$id"
	is "unikernel: that it has no IPv6 is a note" true "$(net --check --format json "$id" |
		jq '[.findings[] | select(.verdict == "note") | .what | contains("does not answer neighbour discovery")] | any')"
	container_delete uni
}

# The post's cluster, broken as it was there.
in_the_post()
{
	local mode id guest where cure="mac=adopt"
	for mode in tc bridge; do
		id=$TAG-$mode-random
		cluster b1 $mode-random $mode random || return
		guest=$(net --format json "$id" | jq -r '.paths[0].guest.mac')
		[ $mode = tc ] && where="in the guest, whose device takes only its own $guest" ||
			where="at bridge rncb"
		is "the post, $mode: the guest has another MAC" "no" "$([ "$guest" = "$TOPO_MAC1" ] && echo yes || echo no)"
		broken "the post, $mode: what is wrong" "$id" "way back" \
			"the router (eth0 of $TOPO_ROUTER) knows $TOPO_IP1 as MAC $TOPO_MAC1 (permanent), the guest answers to MAC $guest: frames for $TOPO_MAC1 are dropped $where" "$cure"
		has "the post, $mode: and the picture says so" "has a permanent entry, $TOPO_MAC1, which is not the guest's" \
			"$(net "$id")"
		container_delete $mode-random

		container $mode-adopt $mode adopt
		works "the post, $mode: with the cure it works" "$TAG-$mode-adopt"
		container_delete $mode-adopt
	done
}

# ---- without a container --------------------------------------------------------------------------------

bare()
{
	local out
	topo_b2_up
	works "bare pod in b2: works" "$TOPO_POD1"
	has "bare pod: by its path" "what a container here would get" "$(net "/run/netns/$TOPO_POD1")"
	has "bare pod: the mode is the option's" "eth0 (mode bridge)" "$(net --net-mode bridge "$TOPO_POD1")"
	ip -n "$TOPO_NODE" route del "$TOPO_IP1/32"
	broken "bare pod: no route to it" "$TOPO_POD1" "way back" "missing route: the router" "route the pod's address"
	ip -n "$TOPO_POD1" route flush dev eth0
	broken "bare pod: no route from it" "$TOPO_POD1" "guest" "missing route: the guest has $TOPO_IP1/32 and no IPv4 route" "add the pod's routes"

	topo_ptp_up
	works "bare pod of plugin ptp: works" "$TOPO_POD1"

	topo_a_up
	ip -n "$TOPO_POD1" route replace default via 172.17.0.99 dev eth0
	broken "wrong gateway" "$TOPO_POD1" "gateway" "wrong gateway: nobody answers ARP for 172.17.0.99; the router (eth0 of $TOPO_ROUTER) is $TOPO_GW" "correct the pod's default route"

	topo_two_up
	ip -n "$TOPO_POD1" addr flush dev net1
	has "an interface that is not taken, and why" "interface 'net1' has no address: not handed over" "$(net "$TOPO_POD1")"

	topo_macvlan_up
	out=$(net --check --format json "$TOPO_POD1")
	is "macvlan: nothing broken, and what nobody can ask is said" "null true" \
		"$(jq -r '"\(.broken) \([.findings[] | select(.verdict == "unknown")] | length > 0)"' <<<"$out")"

	topo_none_up
	has "no interface" "No interface of /run/netns/$TOPO_POD1 would be handed over" "$(net "$TOPO_POD1")"
	broken "no interface: broken" "$TOPO_POD1" "guest" "no interface is handed over" "before the container is created"
}

# Neither in /run/netns nor that of process 1: the namespace that runnc is called in.
at_home()
{
	local out
	topo_none_up
	cat >"$TMP/home" <<-'SCRIPT'
		ip link set lo up
		ip link add host0 type veth peer name eth0 netns "$1"
		ip addr add 10.1.0.1/24 dev host0
		ip link set host0 up
		ip -n "$1" addr add 10.1.0.2/24 dev eth0
		ip -n "$1" link set eth0 up
		ip -n "$1" route add default via 10.1.0.1
		sleep 0.5
		"$RUNNC" net --check "$1"
	SCRIPT
	out=$(timeout -k 5 60 unshare -n bash "$TMP/home" "$TOPO_POD1")
	has "the host end is where runnc is called" "host end: this namespace" "$out"
	has "and all works" "this namespace pings 10.1.0.2, also with 1500 bytes both ways" "$out"
}

refuses()
{
	local out
	out=$(net "$TAG-nobody" 2>&1)
	has "neither container nor namespace" "no container '$TAG-nobody' and no network namespace" "$out"
	out=$(net /dev/null 2>&1)
	has "not a namespace" "/dev/null" "$out"
	refuse "not a namespace: status" 1 net /dev/null
	out=$(net --format png x 2>&1)
	has "an unknown format" "'png' is not text, json or dot" "$out"
}

draws
in_a_by_tc
in_a_by_bridge
in_a_by_others
guarded
unikernel
in_the_post
bare
at_home
refuses
tap_done
