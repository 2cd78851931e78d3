#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# What a namespace holds, the guest gets: each part of it is asked for inside, in the words of ip(8), and
# compared with what the same command said in the namespace before.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/containers.sh"

furnish()
{
	local pod=$TOPO_POD1

	ip -n "$pod" link set eth0 txqueuelen 333
	ip -n "$pod" addr add 172.17.9.9/16 dev eth0
	ip -n "$pod" addr add 10.11.12.13/24 dev eth0 valid_lft 90000 preferred_lft 80000
	ip -n "$pod" addr add 10.20.0.1 peer 10.20.0.2/32 dev eth0 scope link
	ip -n "$pod" addr add 10.30.0.1/24 dev eth0 metric 77
	ip -n "$pod" addr add 10.31.0.1/24 dev eth0 noprefixroute
	ip -n "$pod" addr add fd00:17::6/64 dev eth0 nodad
	ip -n "$pod" addr add fd00:17::7/64 dev eth0 nodad valid_lft 90000 preferred_lft 0
	ip -n "$pod" route add 203.0.113.0/24 via 10.99.0.1 dev eth0 onlink metric 5 mtu lock 1300
	ip -n "$pod" route add 203.0.113.0/24 via 172.17.0.9 metric 6 src 172.17.9.9
	ip -n "$pod" route add 198.51.100.0/24 nexthop via 172.17.0.8 weight 3 \
		nexthop via 172.17.0.9 weight 1
	ip -n "$pod" route add blackhole 192.0.2.0/25
	ip -n "$pod" route add unreachable 192.0.2.128/26
	ip -n "$pod" route add prohibit 192.0.2.192/26
	ip -n "$pod" route add 10.40.0.0/16 via 172.17.0.7 table 100 proto static
	ip -n "$pod" route add throw 10.41.0.0/16 table 100
	ip -n "$pod" route add default via 172.17.0.7 table 1000
	ip -n "$pod" route add default via 172.17.0.7 metric 500 advmss 1200 initcwnd 20 rto_min 300ms
	ip -n "$pod" route add 10.50.0.0/16 tos 0x10 dev eth0 scope link
	ip -n "$pod" nexthop add id 7 via 172.17.0.6 dev eth0
	ip -n "$pod" nexthop add id 8 via 172.17.0.5 dev eth0
	ip -n "$pod" nexthop add id 9 group 7,2/8
	ip -n "$pod" nexthop add id 17 via fd00:17::16 dev eth0
	ip -n "$pod" route add 10.60.0.0/16 nhid 7
	ip -n "$pod" route add 10.61.0.0/16 nhid 9
	ip -n "$pod" route add 10.70.0.0/16 via inet6 fe80::1 dev eth0
	ip -n "$pod" -6 route add 2001:db8:7::/48 nhid 17
	ip -n "$pod" -6 route add 2001:db8:1::/48 via fd00:17::9 metric 5 mtu 1400 pref high
	ip -n "$pod" -6 route add 2001:db8:2::/48 nexthop via fd00:17::8 nexthop via fd00:17::9
	ip -n "$pod" -6 route add 2001:db8:3::/48 via fd00:17::9 expires 90000 hoplimit 9
	ip -n "$pod" -6 route add unreachable 2001:db8:4::/48
	ip -n "$pod" -6 route add default via fd00:17::9 table 200
	ip -n "$pod" rule add from 172.17.9.9 lookup 100 pref 1000
	ip -n "$pod" rule add fwmark 0x7/0xff ipproto tcp dport 80-90 lookup 1000 pref 1001
	ip -n "$pod" rule add not from 10.0.0.0/8 to 192.168.0.0/16 oif eth0 lookup main \
		suppress_prefixlength 0 pref 1002
	ip -n "$pod" rule add uidrange 5-9 goto 32767 pref 1003
	ip -n "$pod" rule add to 10.99.99.0/24 unreachable pref 1004
	ip -n "$pod" rule add pref 10 lookup local
	ip -n "$pod" rule del pref 0
	ip -n "$pod" -6 rule add from fd00:17::6 lookup 200 pref 1000
	topo_sysctl "$pod" net.ipv4.ip_unprivileged_port_start=80 net.ipv4.tcp_keepalive_time=600 \
		net.ipv4.ip_local_port_range="20000 30000" net.ipv4.ping_group_range="0 1000" \
		net.ipv4.conf.eth0.rp_filter=2 net.ipv6.conf.eth0.accept_ra=0 net.ipv4.ip_forward=1
	ip -n "$pod" neigh add 172.17.0.77 lladdr 02:aa:00:00:00:02 dev eth0 nud permanent
	ip -n "$pod" neigh add fd00:17::77 lladdr 02:aa:00:00:00:03 dev eth0 nud permanent
}

# Interface indices and seconds differ; duplicates of the pod's addresses are never looked for; nexthop
# objects become plain routes; the kernel's own routes (local, multicast, fe80::/64) are not handed over
# but made again; pod0 is the guest's way to the pod's loopback. The image has no /etc/protocols.
normal() { sed -E -e 's/ +$//' -e 's/(_lft|expires) [0-9]+sec/\1 SECONDS/g' -e '/^[0-9]+: eth0/d' -e '/ dev pod0 /d' \
	-e 's/ nhid [0-9]+//' -e '/^(local|broadcast|multicast|anycast)/d' -e '/^fe80::/d' \
	-e 's/ nodad//' -e 's/ipproto-6/tcp/' | sort; }
outside() { ip -n "$TOPO_POD1" "$@" | normal; }
inside() { guest ip "$*" | normal; }

declare -A before
asked=("-4 addr show dev eth0" "-4 route show table all" "-6 route show table all"
	"-6 addr show dev eth0 scope global" "-4 rule" "-6 rule" "neigh show nud permanent")

if ! topo_a_up || ! furnish; then not_ok "build"; fi
for what in "${asked[@]}"; do
	# shellcheck disable=SC2086	# words
	before[$what]=$(outside $what)
done
dump=$(pod_dump)
echo "nameserver 10.96.0.10" >"$TMP/resolv.conf"
echo "10.1.2.3 a-name-of-its-own" >"$TMP/hosts"
if pod_container all tc --mount "$TMP/resolv.conf:/etc/resolv.conf" --mount "$TMP/hosts:/etc/hosts:ro" \
	--jq '.hostname = "of-config-json" | .linux.sysctl = {"net.ipv4.tcp_syn_retries": "7",
		"net.ipv4.tcp_congestion_control": "bbr"}'; then
	for what in "${asked[@]}"; do
		is "ip $what" "${before[$what]}" "$(inside "$what")"
	done
	# shellcheck disable=SC2016	# for the shell inside
	# Half of the ports, which are 20000 to 30000: the interface is kept for others.
	is "settings" "80 600 21250-26249 0-1000 2 0 1 7 bbr" "$(guest 'cd /proc/sys/net/ipv4
		echo $(cat ip_unprivileged_port_start tcp_keepalive_time) $(tr "\t" - <ip_local_port_range) \
		$(tr "\t" - <ping_group_range) $(cat conf/eth0/rp_filter ../ipv6/conf/eth0/accept_ra ip_forward \
			tcp_syn_retries tcp_congestion_control)')"
	is "congestion controls to choose from" "bbr cubic dctcp reno" \
		"$(guest "tr ' ' '\n' </proc/sys/net/ipv4/tcp_available_congestion_control | sort | tr '\n' ' ' |
			sed 's/ \$//'")"
	is "resolv.conf" "nameserver 10.96.0.10" "$(guest cat /etc/resolv.conf)"
	has "hosts" "10.1.2.3" "$(guest getent hosts a-name-of-its-own)"
	is "host name" "of-config-json" "$(guest hostname)"
	has "MTU and queue length" "qlen 333" "$(guest ip link show dev eth0)"
else
	not_ok "it starts" "$(container_log all)"
fi
check "delete" container_delete all
same "restored exactly" "$dump"

# A pod's sandbox has the pod's settings in its config.json, and the pod's container finds them.
topo_a_up
container_bundle sandbox --netns "/run/netns/$TOPO_POD1" \
	--annotation io.kubernetes.cri.container-type=sandbox \
	--jq '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "0",
		"net.ipv4.conf.eth0.accept_redirects": "0"}' -- sleep 1000
check "a sandbox starts" container_start sandbox
# shellcheck disable=SC2016	# for the shell inside
is "the pod has its settings" "0 0" "$(topo_in "$TOPO_POD1" sh -c \
	'cd /proc/sys/net/ipv4; echo $(cat ip_unprivileged_port_start conf/eth0/accept_redirects)')"
if pod_container of-pod tc; then
	# shellcheck disable=SC2016	# for the shell inside
	is "and so has the pod's container" "0 0" \
		"$(guest 'cd /proc/sys/net/ipv4; echo $(cat ip_unprivileged_port_start conf/eth0/accept_redirects)')"
else
	not_ok "the pod's container starts" "$(container_log of-pod)"
fi
check "delete the sandbox" container_delete sandbox
tap_done
