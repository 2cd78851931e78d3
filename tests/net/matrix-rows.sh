# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034	# what a row says is for matrix.sh
#
# The rows of matrix.sh: namespaces as clusters and engines leave them. A row is a function row_NAME that
# builds it and sets, beside the variables of topology.sh (addresses that it does not have are ""):
#
#	WIRES		where frames of the pod arrive: "NAMESPACE LINK MAC [VLAN]" each. VLAN: a tag that they
#			may have as well; =VLAN: that they must have
#	FAR		addresses beyond the gateway, which the pod must reach
#	NAME NAME_IS	a name and the address that it has; RESOLVER, who says so (otherwise a server is
#			started in pod 2, at its address)
#	OWN		further addresses of the pod
#	CANNOT		for modes that cannot be: CANNOT[MODE]="a part of the line that says so"
#	DOUBT		for modes that are had and through which nothing can come: the same, of the warning
#	ALSO		a function of more checks: ALSO TEXT MODE
#	ROW_MTU		the MTU that the guest's interface must have
# and returns 0, or 75 if this machine lacks something for it; $LACKS is what.

row_reset()
{
	topo_reset "$1"
	WIRES=() FAR=() OWN=() NAME=pod.test NAME_IS=192.0.2.53 RESOLVER='' ALSO='' LACKS='' ROW_MTU=1500
	unset CANNOT DOUBT
	declare -gA CANNOT=() DOUBT=()
}

# The namespaces of a node and two pods, without links.
row_spaces()
{
	TOPO_NODE=$(topo_ns node) && TOPO_POD1=$(topo_ns pod1) && TOPO_POD2=$(topo_ns pod2)
}

# topology.sh builds it: the host end is known.
row_topology()
{
	"topo_$1_up" || return
	WIRES=("$TOPO_NODE $TOPO_HOST1 $TOPO_MAC1")
}

# Something behind the gateway.
row_far()
{
	local ns=$1 address
	FAR=(198.51.100.7)
	[ -z "$TOPO_IP1_6" ] || FAR+=(2001:db8:7::7)
	[ -n "$TOPO_IP1" ] || FAR=(2001:db8:7::7)
	for address in "${FAR[@]}"; do
		ip -n "$ns" addr add "$address" dev lo || return
	done
}

# row_cni LIST: a CNI network for both pods, pod 2 first, as pods that were there before.
row_cni()
{
	local pod host
	row_spaces || return
	for pod in "$TOPO_POD2" "$TOPO_POD1"; do
		cni_add "$TOPO_NODE" "$pod" eth0 "$1" || return
	done
	TOPO_IP1=$(cni_address "$TOPO_POD1" eth0 4) TOPO_IP2=$(cni_address "$TOPO_POD2" eth0 4)
	TOPO_IP1_6=$(cni_address "$TOPO_POD1" eth0 6) TOPO_IP2_6=$(cni_address "$TOPO_POD2" eth0 6)
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	host=$(host_end "$TOPO_NODE" "$TOPO_POD1" eth0)
	WIRES=("$TOPO_NODE $host $TOPO_MAC1")
	row_far "$TOPO_NODE" && topo_settle
}

# cni_list NAME PLUGIN RANGES [MORE]: a list with one plugin and host-local.
cni_list()
{
	local routes='{"dst": "0.0.0.0/0"}, {"dst": "::/0"}'
	[[ $3 =~ \"[0-9]+[.] ]] || routes='{"dst": "::/0"}'
	[[ $3 =~ :: ]] || routes='{"dst": "0.0.0.0/0"}'
	echo '{"cniVersion": "0.4.0", "name": "'"$TAG-$1"'", "plugins": [{'"$2"',
		"ipam": {"type": "host-local", "dataDir": "DATA", "ranges": ['"$3"'], "routes": ['"$routes"']}}'"${4:-}]}"
}
cni_bridge='"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true'

row_cni_bridge_16()
{
	row_cni "$(cni_list b16 "$cni_bridge" '[{"subnet": "10.22.0.0/16"}], [{"subnet": "fd00:22::/64"}]')"
}

row_cni_bridge_24()
{
	ROW_MTU=1400
	row_cni "$(cni_list b24 "$cni_bridge, \"mtu\": 1400" '[{"subnet": "10.23.7.0/24"}]' \
		', {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "tuning"}')"
}

row_cni_bridge_v6() { row_cni "$(cni_list b6 "$cni_bridge" '[{"subnet": "fd00:26::/64"}]')"; }

row_cni_ptp()
{
	row_cni "$(cni_list ptp '"type": "ptp", "ipMasq": true' \
		'[{"subnet": "10.67.0.0/24"}], [{"subnet": "fd00:67::/64"}]')"
}

# The plugins of podman's default network, as it writes them with network_backend="cni".
row_podman_cni()
{
	row_cni "$(cni_list podman "${cni_bridge/cni0/cni-podman0}" '[{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]' \
		', {"type": "portmap", "capabilities": {"portMappings": true}},
		{"type": "firewall", "backend": ""}, {"type": "tuning"}')"
}

# The master is one end of a veth; the peer has the other one, as a host on the same wire has.
row_cni_macvlan()
{
	row_spaces || return
	ip -n "$TOPO_NODE" link add uplink type veth peer name eth0 netns "$TOPO_POD2"
	topo_sysctl "$TOPO_NODE" net.ipv6.conf.uplink.disable_ipv6=1
	ip -n "$TOPO_NODE" link set uplink up
	topo_sysctl "$TOPO_POD2" net.ipv6.conf.eth0.accept_dad=0
	TOPO_IP2=10.24.0.1 TOPO_IP2_6=fd00:24::1
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/24 dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2_6/64 dev eth0
	ip -n "$TOPO_POD2" link set eth0 up
	cni_add "$TOPO_NODE" "$TOPO_POD1" eth0 "$(cni_list mv '"type": "macvlan", "master": "uplink"' \
		'[{"subnet": "10.24.0.0/24", "gateway": "10.24.0.1"}],
		 [{"subnet": "fd00:24::/64", "gateway": "fd00:24::1"}]')" || return
	TOPO_IP1=$(cni_address "$TOPO_POD1" eth0 4) TOPO_IP1_6=$(cni_address "$TOPO_POD1" eth0 6)
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	WIRES=("$TOPO_POD2 eth0 $TOPO_MAC1")
	CANNOT[macvtap]="mode macvtap: is a macvlan: a macvtap would be put below it"
	DOUBT[bridge]="delivers only what is sent to its own MAC"
	row_far "$TOPO_POD2" && topo_settle
}

# Multus: the second network is one more CNI network, and the plugin sbr gives it a table of its own.
row_multus_sbr()
{
	local pod
	row_cni "$(cni_list net0 "$cni_bridge" '[{"subnet": "10.25.0.0/16"}], [{"subnet": "fd00:25::/64"}]')" || return
	for pod in "$TOPO_POD2" "$TOPO_POD1"; do
		cni_add "$TOPO_NODE" "$pod" net1 "$(cni_list net1 '"type": "bridge", "bridge": "cni1", "isGateway": true' \
			'[{"subnet": "10.9.0.0/24"}]' ', {"type": "sbr"}')" || return
	done
	SECOND1=$(cni_address "$TOPO_POD1" net1 4) SECOND2=$(cni_address "$TOPO_POD2" net1 4)
	SECOND_MAC=$(topo_mac "$TOPO_POD1" net1)
	OWN=("$SECOND1")
	WIRES+=("$TOPO_NODE $(host_end "$TOPO_NODE" "$TOPO_POD1" net1) $SECOND_MAC")
	ALSO=also_second
	topo_settle
}

# What has the second address as its source goes by the second table, so by the second interface.
also_second()
{
	is "$1: by the second interface, both ways" "to from far rule" "$(xargs < <(
		in_peer_ns ping -q -c 1 -W 5 "$SECOND1" >/dev/null && echo to
		inside "ping -q -c 1 -W 5 -I $SECOND1 $SECOND2 >/dev/null && echo from
			ping -q -c 1 -W 5 -I $SECOND1 198.51.100.7 >/dev/null && echo far
			ip rule | grep -q 'from $SECOND1 lookup 100' && echo rule"))"
}

row_calico() { row_topology b2 && row_far "$TOPO_NODE"; }
row_calico_v4() { TOPO_V6=0 && row_topology b2 && row_far "$TOPO_NODE"; }
row_calico_v6()
{
	row_topology b2 || return
	ip -n "$TOPO_POD1" -4 addr flush dev eth0
	TOPO_IP1='' TOPO_IP2=''
	row_far "$TOPO_NODE"
}
row_shared_32() { row_topology b1 && row_far "$TOPO_ROUTER"; }

row_slash31()
{
	TOPO_V6=0
	row_topology a || return
	TOPO_IP1=10.3.0.0 TOPO_IP2=10.3.0.1
	ip -n "$TOPO_POD1" addr flush dev eth0 scope global
	ip -n "$TOPO_POD2" addr flush dev eth0 scope global
	ip -n "$TOPO_POD1" addr add $TOPO_IP1/31 dev eth0
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/31 dev eth0
	ip -n "$TOPO_POD1" route add default via $TOPO_IP2
	row_far "$TOPO_POD2"
}

# IPv4 and IPv6 gateways that are in no prefix of the pod's.
row_onlink()
{
	row_topology a || return
	ip -n "$TOPO_ROUTER" addr add 10.77.0.1/32 dev eth0
	ip -n "$TOPO_ROUTER" addr add fd00:77::1/128 dev eth0
	ip -n "$TOPO_POD1" route replace default via 10.77.0.1 dev eth0 onlink
	ip -n "$TOPO_POD1" -6 route replace default via fd00:77::1 dev eth0 onlink
	row_far "$TOPO_ROUTER"
}

# Amazon's VPC CNI: nobody answers ARP for the gateway; the pod has a permanent entry for it.
row_aws()
{
	local gw=169.254.1.1 mac=ee:ee:ee:ee:ee:ee
	TOPO_V6=0
	row_topology b2 || return
	topo_sysctl "$TOPO_NODE" "net.ipv4.conf.$TOPO_HOST1.proxy_arp=0" \
		"net.ipv4.conf.$TOPO_HOST1.arp_ignore=8"
	# "managed by hand": what the plugin writes.
	ip -n "$TOPO_POD1" neigh replace $gw lladdr $mac dev eth0 nud permanent
	row_far "$TOPO_NODE"
}

# Flannel: a bridge on each node, and routes through a VXLAN tunnel between them.
row_vxlan()
{
	local node=$TOPO_PREFIX-node router=$TOPO_PREFIX-router remote
	ROW_MTU=1450
	row_spaces && TOPO_ROUTER=$(topo_ns router) || return
	ip -n "$node" link add under type veth peer name under netns "$router"
	ip -n "$node" addr add 192.168.5.1/24 dev under
	ip -n "$router" addr add 192.168.5.2/24 dev under
	ip -n "$node" link set under up
	ip -n "$router" link set under up
	for ns in "$node" "$router"; do
		[ "$ns" = "$node" ] && remote=192.168.5.2 || remote=192.168.5.1
		ip -n "$ns" link add flannel.1 type vxlan id 1 dev under remote $remote dstport 8472 nolearning ||
			{ LACKS="this kernel has no VXLAN"; return 75; }
		ip -n "$ns" link set flannel.1 up
		topo_sysctl "$ns" net.ipv4.ip_forward=1
	done
	ip -n "$node" addr add 10.244.1.0/32 dev flannel.1
	ip -n "$router" addr add 10.244.2.0/32 dev flannel.1
	ip -n "$node" route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
	ip -n "$router" route add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink
	local list='"type": "bridge", "bridge": "cni0", "isGateway": true, "mtu": 1450'
	cni_add "$node" "$TOPO_POD1" eth0 "$(cni_list fl1 "$list" '[{"subnet": "10.244.1.0/24"}]')" &&
		cni_add "$router" "$TOPO_POD2" eth0 "$(cni_list fl2 "$list" '[{"subnet": "10.244.2.0/24"}]')" || return
	TOPO_IP1=$(cni_address "$TOPO_POD1" eth0 4) TOPO_IP2=$(cni_address "$TOPO_POD2" eth0 4)
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	WIRES=("$node $(host_end "$node" "$TOPO_POD1" eth0) $TOPO_MAC1")
	row_far "$node" && topo_settle
}

# The pod's only address is on a VLAN interface.
row_vlan()
{
	local ns
	row_topology a || return
	ip -n "$TOPO_POD1" link add link eth0 name net1 type vlan id 5 2>/dev/null ||
		{ LACKS="this kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)"; return 75; }
	ip -n "$TOPO_POD2" link add link eth0 name net1 type vlan id 5
	for ns in "$TOPO_POD1" "$TOPO_POD2"; do
		ip -n "$ns" addr flush dev eth0 scope global
		ip -n "$ns" link set net1 up
	done
	TOPO_IP1=10.5.0.1 TOPO_IP2=10.5.0.2 TOPO_IP1_6='' TOPO_IP2_6=''
	WIRES=("$TOPO_NODE $TOPO_HOST1 $TOPO_MAC1 5")
	ip -n "$TOPO_POD1" addr add $TOPO_IP1/24 dev net1
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/24 dev net1
	topo_settle
}

# CNI's plugin vlan: the VLAN interface is made on the node's uplink and moved into the pod, as its eth0. The
# peer is a host on the same wire, with the same VLAN.
row_cni_vlan()
{
	row_spaces || return
	ip -n "$TOPO_NODE" link add uplink type veth peer name eth0 netns "$TOPO_POD2"
	topo_sysctl "$TOPO_NODE" net.ipv6.conf.uplink.disable_ipv6=1
	topo_sysctl "$TOPO_POD2" net.ipv6.conf.eth0.disable_ipv6=1 net.ipv6.conf.default.accept_dad=0
	ip -n "$TOPO_NODE" link set uplink up
	ip -n "$TOPO_POD2" link set eth0 up
	ip -n "$TOPO_POD2" link add link eth0 name eth0.5 type vlan id 5 2>/dev/null ||
		{ LACKS="this kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)"; return 75; }
	TOPO_IP2=10.27.0.1 TOPO_IP2_6=fd00:27::1
	ip -n "$TOPO_POD2" addr add $TOPO_IP2/24 dev eth0.5
	ip -n "$TOPO_POD2" addr add $TOPO_IP2_6/64 dev eth0.5
	ip -n "$TOPO_POD2" link set eth0.5 up
	cni_add "$TOPO_NODE" "$TOPO_POD1" eth0 "$(cni_list vl '"type": "vlan", "master": "uplink", "vlanId": 5' \
		'[{"subnet": "10.27.0.0/24", "gateway": "10.27.0.1"}],
		 [{"subnet": "fd00:27::/64", "gateway": "fd00:27::1"}]')" || return
	TOPO_IP1=$(cni_address "$TOPO_POD1" eth0 4) TOPO_IP1_6=$(cni_address "$TOPO_POD1" eth0 6)
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	WIRES=("$TOPO_POD2 eth0 $TOPO_MAC1 =5")
	row_far "$TOPO_POD2" && topo_settle
}

# The pod has eth0 and a VLAN interface on it, both with addresses.
row_vlan_beside()
{
	local ns
	row_topology a || return
	for ns in "$TOPO_POD1" "$TOPO_POD2"; do
		ip -n "$ns" link add link eth0 name eth0.5 type vlan id 5 2>/dev/null ||
			{ LACKS="this kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)"; return 75; }
		ip -n "$ns" link set eth0.5 up
	done
	SECOND1=10.5.0.1 SECOND2=10.5.0.2 SECOND1_6=fd00:5::1 SECOND2_6=fd00:5::2
	ip -n "$TOPO_POD1" addr add $SECOND1/24 dev eth0.5
	ip -n "$TOPO_POD2" addr add $SECOND2/24 dev eth0.5
	ip -n "$TOPO_POD1" addr add $SECOND1_6/64 dev eth0.5
	ip -n "$TOPO_POD2" addr add $SECOND2_6/64 dev eth0.5 nodad
	OWN=("$SECOND1" "$SECOND1_6")
	WIRES=("$TOPO_NODE $TOPO_HOST1 $TOPO_MAC1 5")
	ALSO=also_vlan_beside
	row_far "$TOPO_ROUTER" && topo_settle
}

also_vlan_beside()
{
	is "$1: by the VLAN, from outside" "" \
		"$(in_pod2 timeout -s KILL 60 sh -c "$(talks "$peer" $SECOND1 $SECOND1_6)" 2>&1)"
	is "$1: by the VLAN, from inside" "all tried" \
		"$(inside "$(talks /bin/peer $SECOND2 $SECOND2_6); echo all tried" 2>&1)"
}

# ---- engines -------------------------------------------------------------------------------------

# Docker's bridge: the gateway is the bridge's own address; what leaves is masqueraded, and forwarding is
# closed but for it. No IPv6 unless somebody asks.
docker_bridge()
{
	local bridge=$1 subnet=$2 n
	TOPO_V6=0
	row_spaces || return
	ip -n "$TOPO_NODE" link add "$bridge" type bridge
	ip -n "$TOPO_NODE" addr add "$subnet.1/16" brd "$subnet.255" dev "$bridge"
	ip -n "$TOPO_NODE" link set "$bridge" up
	topo_sysctl "$TOPO_NODE" net.ipv4.ip_forward=1
	topo_in "$TOPO_NODE" iptables -t nat -A POSTROUTING -s "$subnet.0/16" ! -o "$bridge" -j MASQUERADE
	topo_in "$TOPO_NODE" iptables -P FORWARD DROP
	topo_in "$TOPO_NODE" iptables -A FORWARD -i "$bridge" -j ACCEPT
	for n in 1 2; do
		ip -n "$TOPO_NODE" link add "vethd$n" type veth peer name eth0 netns "$TOPO_PREFIX-pod$n"
		ip -n "$TOPO_NODE" link set "vethd$n" master "$bridge" up
		topo_sysctl "$TOPO_PREFIX-pod$n" net.ipv6.conf.eth0.disable_ipv6=1
		ip -n "$TOPO_PREFIX-pod$n" link set eth0 address "02:42:${subnet/#172./ac:}:$n" 2>/dev/null
		ip -n "$TOPO_PREFIX-pod$n" addr add "$subnet.$((n + 1))/16" brd "${subnet%.*}.255.255" dev eth0
		ip -n "$TOPO_PREFIX-pod$n" link set eth0 up
		ip -n "$TOPO_PREFIX-pod$n" route add default via "$subnet.1" || return
	done
	TOPO_IP1=$subnet.2 TOPO_IP2=$subnet.3
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	WIRES=("$TOPO_NODE vethd1 $TOPO_MAC1")
	row_far "$TOPO_NODE" && topo_settle
}

row_docker_default() { docker_bridge docker0 172.17.0; }

# A network of the user's: names are resolved by a server at 127.0.0.11, inside of the namespace.
row_docker_user()
{
	docker_bridge br-1f2e3d4c5b6a 172.18.0 || return
	RESOLVER=127.0.0.11
	row_server "$TOPO_POD1" dns:127.0.0.11:35353 || return
	topo_in "$TOPO_POD1" iptables-restore <<-END
	*nat
	:PREROUTING ACCEPT [0:0]
	:INPUT ACCEPT [0:0]
	:OUTPUT ACCEPT [0:0]
	:POSTROUTING ACCEPT [0:0]
	:DOCKER_OUTPUT - [0:0]
	:DOCKER_POSTROUTING - [0:0]
	-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
	-A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
	-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:35354
	-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:35353
	-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 35354 -j SNAT --to-source :53
	-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport 35353 -j SNAT --to-source :53
	COMMIT
	END
}

# netavark_call setup|teardown POD ADDRESS ADDRESS6: as podman calls it, in the node's namespace.
netavark_call()
{
	jq -n --arg id "$2" --arg ip "$3" --arg ip6 "$4" '{
		container_id: ($id + "0123456789abcdef"), container_name: $id,
		networks: { matrix: { interface_name: "eth0", static_ips: [$ip, $ip6], aliases: [] } },
		network_info: { matrix: { name: "matrix", id: ("f" * 64), driver: "bridge",
			network_interface: "podman1", ipv6_enabled: true, internal: false, dns_enabled: true,
			ipam_options: { driver: "host-local" },
			subnets: [{ subnet: "10.89.0.0/24", gateway: "10.89.0.1" },
				{ subnet: "fd00:89::/64", gateway: "fd00:89::1" }] } } }' |
		topo_in "$TOPO_NODE" /usr/lib/podman/netavark --config "$TMP/netavark" \
			--aardvark-binary /usr/lib/podman/aardvark-dns "$1" "/run/netns/$2"
}

aardvark_end()
{
	[ ! -f "$TMP/netavark/aardvark-dns/aardvark.pid" ] ||
		kill "$(cat "$TMP/netavark/aardvark-dns/aardvark.pid")"
	rm -rf "$TMP/netavark"
}

row_netavark()
{
	[ -x /usr/lib/podman/netavark ] || { LACKS="no netavark"; return 75; }
	[ -x /usr/lib/podman/aardvark-dns ] || { LACKS="no aardvark-dns"; return 75; }
	row_spaces || return
	TOPO_IP1=10.89.0.5 TOPO_IP1_6=fd00:89::5 TOPO_IP2=10.89.0.4 TOPO_IP2_6=fd00:89::4
	mkdir -p "$TMP/netavark"
	at_exit aardvark_end
	netavark_call setup "$TOPO_POD2" $TOPO_IP2 $TOPO_IP2_6 >/dev/null &&
		netavark_call setup "$TOPO_POD1" $TOPO_IP1 $TOPO_IP1_6 >/dev/null || return
	TOPO_MAC1=$(topo_mac "$TOPO_POD1" eth0)
	WIRES=("$TOPO_NODE $(host_end "$TOPO_NODE" "$TOPO_POD1" eth0) $TOPO_MAC1")
	RESOLVER=10.89.0.1 NAME=$TOPO_POD2.dns.podman NAME_IS=$TOPO_IP2
	row_far "$TOPO_NODE" && topo_settle
}

# ---- odd ones ------------------------------------------------------------------------------------

row_renamed()
{
	row_topology a || return
	ip -n "$TOPO_POD1" link set eth0 down
	ip -n "$TOPO_POD1" link set eth0 name net1
	ip -n "$TOPO_POD1" link set net1 up
	ip -n "$TOPO_POD1" addr add "$TOPO_IP1_6/64" dev net1 nodad
	ip -n "$TOPO_POD1" route add default via "$TOPO_GW"
	ip -n "$TOPO_POD1" -6 route add default via "$TOPO_GW6"
	ALSO=also_renamed
	row_far "$TOPO_ROUTER" && wait_for 10 row_calm net1
}
row_calm() { [ -z "$(ip -n "$TOPO_POD1" -o addr show dev "$1" tentative)" ]; }
also_renamed() { has "$1: its name" "net1" "$(inside "ip -o link show dev net1")"; }

# The second interface has no address: it stays in the namespace.
row_one_without_address()
{
	row_topology two || return
	ip -n "$TOPO_POD1" addr flush dev net1
	ALSO=also_one_without_address
	row_far "$TOPO_ROUTER"
}
also_one_without_address()
{
	[ "$2" != plain ] || return 0
	is "$1: the one with an address only" "eth0" "$(inside "ls /sys/class/net | grep -v -e lo -e pod0")"
}

# urunc's redirects to a tap whose guest is gone take every frame, from a plain container as well.
row_left_by_urunc()
{
	local from to mode
	row_topology a || return
	ip -n "$TOPO_POD1" tuntap add tap0_urunc mode tap
	ip -n "$TOPO_POD1" link set tap0_urunc up
	for from in eth0 tap0_urunc; do
		[ $from = eth0 ] && to=tap0_urunc || to=eth0
		tc -n "$TOPO_POD1" qdisc add dev $from ingress
		tc -n "$TOPO_POD1" filter add dev $from parent ffff: protocol all u32 match u32 0 0 \
			action mirred egress redirect dev $to || return
	done
	CANNOT[packet]="has a qdisc 'ingress' of somebody else"
	for mode in bridge macvtap; do
		DOUBT[$mode]="has filters of others, which may take frames first"
	done
	DOUBT[plain]=''
	row_far "$TOPO_ROUTER"
}
