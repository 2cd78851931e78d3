#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1800
# Topologies times modes. Each row is a namespace as some cluster or engine leaves it (matrix-rows.sh); each
# cell a Nabla container there: ping, TCP and UDP above the MTU both ways, a name, what leaves by the pod's link
# during its whole life, delete, and a second container in the namespace. "plain" is the same with crun in a
# row: it proves the row; "none" is mode tc with an interface that nobody shares. ROWS and MODES choose some.
. "$(dirname "$0")/../lib/tap.sh"
ROOTFS=$TMP/root
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/cni.sh"
. "$top/tests/net/matrix-rows.sh"

rows=(cni_bridge_16 cni_bridge_24 cni_bridge_v6 cni_ptp cni_macvlan multus_sbr calico calico_v4 calico_v6
	shared_32 slash31 onlink aws vxlan vlan cni_vlan vlan_beside docker_default docker_user podman_cni netavark
	renamed one_without_address no_address no_interface left_by_urunc left_by_runnc)
runtime=$RUNNC
modes=${MODES:-plain tc none bridge macvtap packet auto}
cell=0
SERVERS=()
TCPDUMPS=()
at_exit row_end

# A root of this run's own: busybox, and the peer. The test machine brings both, and has no compiler.
cp -a "${BUSYBOX:-$("$top/scripts/rootfs" busybox)}" "$ROOTFS" || exit 1
if ! [ -x "$ROOTFS/bin/peer" ] &&
	! musl-gcc -static -O2 -Wall -Wextra -Werror -o "$ROOTFS/bin/peer" "$top/tests/net/matrix-peer.c"; then
	not_ok "matrix-peer.c compiles"
	tap_done
fi
peer=$ROOTFS/bin/peer
export RUNNC_IMAGE_CACHE=$TMP/image-cache

# ---- the other end -------------------------------------------------------------------------------

in_peer_ns() { in_pod2 timeout -s KILL 30 "$@"; }
inside() { in_peer_ns "$peer" run "${TOPO_IP1:-$TOPO_IP1_6}" "$1"; }

row_server()
{
	local out=$TMP/server$((${#SERVERS[@]}))
	: >"$out"
	{ exec nsenter "--net=/run/netns/$1" python3 "$top/tests/net/talk.py" serve "${@:2}" \
		>"$out" 2>&1 </dev/null; } &
	SERVERS+=($!)
	wait_for 20 grep -q ready "$out"
}

# What every row has: the peer's server, and somebody who knows names.
row_serve()
{
	local server=${TOPO_IP2:-$TOPO_IP2_6}
	: >"$TMP/peer.out"
	{ exec nsenter "--net=/run/netns/$TOPO_POD2" "$peer" serve >"$TMP/peer.out" 2>&1 </dev/null; } &
	SERVERS+=($!)
	wait_for 10 grep -q ready "$TMP/peer.out" || return
	if [ -z "$RESOLVER" ]; then
		RESOLVER=$server
		row_server "$TOPO_POD2" "dns:$server:53" || return
	fi
	echo "nameserver $RESOLVER" >"$TMP/resolv.conf"
}

row_end()
{
	local pid
	wires_stop
	for pid in "${SERVERS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	SERVERS=()
	aardvark_end
}

# ---- the wire ------------------------------------------------------------------------------------

wires_start()
{
	local n ns link rest
	TCPDUMPS=()
	for n in "${!WIRES[@]}"; do
		read -r ns link rest <<<"${WIRES[n]}"
		rm -f "$TMP/wire$n.err"
		{ exec nsenter "--net=/run/netns/$ns" tcpdump -i "$link" -Q in -s 128 -U --immediate-mode -Z root \
			-w "$TMP/wire$n" 2>"$TMP/wire$n.err" </dev/null; } &
		TCPDUMPS+=($!)
	done
	for n in "${!WIRES[@]}"; do
		wait_for 20 grep -q "listening on" "$TMP/wire$n.err" || return
	done
}

wires_stop()
{
	local pid
	[ ${#TCPDUMPS[@]} = 0 ] || sleep 0.3
	for pid in "${TCPDUMPS[@]}"; do
		kill -INT "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	TCPDUMPS=()
}

hex_of() { python3 -c 'import sys, ipaddress
print(*("0x" + ipaddress.ip_address(a).packed.hex() for a in sys.argv[1:]), sep="\n")' "$@"; }
link_local() { python3 -c 'import sys, ipaddress
m = bytes.fromhex(sys.argv[1].replace(":", ""))
print(ipaddress.ip_address(b"\xfe\x80" + bytes(6) + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:]))' "$1"; }

# foreign MAC [[=]VLAN]: a filter for frames that are not the pod's: by MAC, ARP sender, address, kind, tag.
foreign()
{
	local mac=$1 vlan=${2:-} hex=${1//:/} address own4=() own6=() arp='' ip='' ip6='src host ::' bad
	local tagged='ether[12:2] = 0x8100'
	for address in "$TOPO_IP1" "$TOPO_IP1_6" "${OWN[@]}"; do
		case $address in
		'')	;;
		*:*)	own6+=("$address") ;;
		*)	own4+=("$address") ;;
		esac
	done
	own6+=("$(link_local "$mac")")
	for address in "${own4[@]}"; do
		arp+="arp[14:4] = $(hex_of "$address") or "
		ip+="src host $address or "
	done
	# A probe's sender is 0.0.0.0.
	arp+="arp[14:4] = 0"
	ip+="src host 0.0.0.0"
	for address in "${own6[@]}"; do
		ip6+=" or src host $address"
	done
	bad="not ether src $mac or not (arp or ip or ip6) or (arp and (arp[8:4] != 0x${hex:0:8} or \
		arp[12:2] != 0x${hex:8:4} or not ($arp))) or (ip and not ($ip)) or (ip6 and not ($ip6))"
	# Behind the word "vlan" all is looked for behind a tag.
	case $vlan in
	'')	echo "$bad" ;;
	=*)	echo "not $tagged or ether[14:2] & 0xfff != ${vlan#=} or (vlan and ($bad))" ;;
	*)	echo "(not $tagged and ($bad)) or ($tagged and ether[14:2] & 0xfff != $vlan) or (vlan and ($bad))" ;;
	esac
}

wires_are_clean()
{
	local text=$1 n frames=0 bad=''
	for n in "${!WIRES[@]}"; do
		frames=$((frames + $(tcpdump -nn -r "$TMP/wire$n" 2>/dev/null | wc -l)))
		bad+=$(tcpdump -enn -r "$TMP/wire$n" "${FOREIGN[n]}" 2>&1 | grep -v '^reading from')
	done
	if [ "$frames" -lt 20 ]; then
		not_ok "$text" "only $frames frames were captured"
	else
		is "$text" "" "$bad"
	fi
}

# ---- a cell --------------------------------------------------------------------------------------

restored()
{
	local now
	now=$(pod_dump)
	if [ "$before" = "$now" ]; then ok "$1"; else not_ok "$1" "$(diff <(echo "$before") <(echo "$now"))"; fi
}

cell_bundle()
{
	cell=$((cell + 1))
	id=c$cell
	[ "$mode" != none ] || set -- --annotation org.runnc.net.sidecars=none "$@"
	container_bundle $id --netns "/run/netns/$TOPO_POD1" --annotation "org.runnc.net.mode=${mode/none/tc}" \
		--mount "$TMP/resolv.conf:/etc/resolv.conf:ro" --memory 134217728 "$@"
}

cell_start() { cell_bundle -- /bin/peer serve && container_start $id && wait_for 60 cell_serves; }
cell_serves() { [ "$(in_pod2 timeout -s KILL 3 "$peer" run "${TOPO_IP1:-$TOPO_IP1_6}" "echo yes")" = yes ]; }

# talks PEER ADDRESS...: a shell program that tries each way to talk to each address, and says what went wrong.
talks()
{
	local a
	# shellcheck disable=SC2016	# for the other shell
	echo 't() { n=$1; shift; o=$("$@" 2>&1) || echo "$n: status $? of $*: $(echo "$o" | tail -n 2)"; }'
	for a in "${@:2}"; do
		echo "t ping ping -q -c 1 -W 5 $a"
		echo "t fragments ping -q -c 1 -W 5 -s 4000 $a"
		echo "t TCP $1 tcp $a 400000"
		echo "t UDP $1 udp $a 5000"
	done
}

pings()
{
	local a
	for a; do
		echo "t 'beyond the gateway' ping -q -c 1 -W 5 $a"
	done
}

addresses() { local a; for a; do [ -z "$a" ] || echo "$a"; done; }

# shellcheck disable=SC2046	# words
cell_talks()
{
	is "$1: reached from outside by $(addresses "$TOPO_IP1" "$TOPO_IP1_6" | xargs)" "" "$(in_pod2 timeout -s KILL 60 \
		sh -c "$(talks "$peer" $(addresses "$TOPO_IP1" "$TOPO_IP1_6"))" 2>&1)"
	# The end of what the guest says shows that it said all.
	is "$1: reaches $(addresses "$TOPO_IP2" "$TOPO_IP2_6" "${FAR[@]}" | xargs)" "all tried" "$(inside \
		"$(talks /bin/peer $(addresses "$TOPO_IP2" "$TOPO_IP2_6")
		pings "${FAR[@]}"); echo all tried" 2>&1)"
	[ -z "$NAME" ] || is "$1: name by $RESOLVER" "$NAME_IS" "$(inside "peer name $NAME" 2>&1)"
	is "$1: MTU" "$ROW_MTU" "$(inside "cat /sys/class/net/$link/mtu" 2>&1)"
	[ -z "$ALSO" ] || $ALSO "$1" "$mode"
}

# A mode that cannot be had: in words, and nothing is changed.
cell_refused()
{
	local output status=0
	cell_bundle -- /bin/peer serve
	output=$(timeout -s KILL 30 "$RUNNC" "${container_root[@]}" create --bundle "$TMP/$id" "$TAG-$id" 2>&1 </dev/null) ||
		status=$?
	container_delete $id >/dev/null 2>&1
	has "$1: refused (status $status)" "${CANNOT[$mode]}" "$([ $status = 0 ] || echo "$output")"
	restored "$1: refused, and nothing changed"
}

# A mode that was insisted upon, in which nothing can come: the warning says so.
cell_doubted()
{
	if [ "$mode" = plain ]; then
		refuse "$1: a plain container is not reached here either" 1 in_pod2 ping -q -c 1 -W 1 "$TOPO_IP1"
		return
	fi
	cell_bundle -- /bin/peer serve
	has "$1: runnc plan warns" "${DOUBT[$mode]}" \
		"$(timeout -s KILL 30 "$RUNNC" "${container_root[@]}" plan "$TMP/$id" 2>&1 | tr -s ' \n' ' ')"
	check "$1: it starts all the same" container_start $id
	check "$1: delete" container_delete $id
	restored "$1: restored exactly"
}

cell_works()
{
	local text=$1
	wires_start || not_ok "$text: capture" "$(cat "$TMP"/wire*.err)"
	if cell_start; then
		cell_talks "$text"
	else
		not_ok "$text: it starts and answers" "$(container_log $id)"
	fi
	check "$text: delete" container_delete $id
	restored "$text: restored exactly"
	if cell_start; then
		is "$text: a second container" "all tried" "$(inside "$(talks /bin/peer "${TOPO_IP2:-$TOPO_IP2_6}")
			echo all tried" 2>&1)"
	else
		not_ok "$text: a second container starts and answers" "$(container_log $id)"
	fi
	container_delete $id >/dev/null 2>&1
	restored "$text: restored again"
	wires_stop
	wires_are_clean "$text: nothing foreign on the wire"
}

one_cell()
{
	local text="$row $mode"
	RUNNC=$runtime
	[ "$mode" != plain ] || RUNNC=$top/scripts/crun
	if [ -n "${CANNOT[$mode]+set}" ]; then
		cell_refused "$text"
	elif [ -n "${DOUBT[$mode]+set}" ]; then
		cell_doubted "$text"
	else
		cell_works "$text"
	fi
	RUNNC=$runtime
}

one_row()
{
	local status=0 n mac vlan
	row_reset "$row"
	TOPO_V6=1
	"row_$row" || status=$?
	if [ $status = 75 ] && [ -n "$LACKS" ]; then
		skip "$row: all modes" "$LACKS"
		return
	elif [ $status != 0 ] || ! row_serve; then
		not_ok "$row: the row is built" "status $status"
		return
	fi
	FOREIGN=()
	for n in "${!WIRES[@]}"; do
		read -r _ _ mac vlan <<<"${WIRES[n]}"
		FOREIGN[n]=$(foreign "$mac" "$vlan")
	done
	link=$(ip -n "$TOPO_POD1" -o addr show to "${TOPO_IP1:-$TOPO_IP1_6}" | awk '{ print $2 }')
	before=$(pod_dump)
	has "$row: the row is built" "inet" "$before"
	for mode in $modes; do
		one_cell
	done
}

# ---- rows without a network ----------------------------------------------------------------------

# No interface, or none with an address: the container runs, with a loopback.
row_lonely()
{
	local text output status
	row_reset "$row"
	row_spaces || { not_ok "$row: the row is built"; return; }
	if [ "$row" = no_address ]; then
		ip -n "$TOPO_NODE" link add pod1 type veth peer name eth0 netns "$TOPO_POD1"
		ip -n "$TOPO_NODE" link set pod1 up
		ip -n "$TOPO_POD1" link set eth0 up
		topo_settle
	fi
	echo "nameserver 127.0.0.1" >"$TMP/resolv.conf"
	before=$(pod_dump)
	has "$row: the row is built" "inet 127.0.0.1/8" "$before"
	for mode in $modes; do
		text="$row $mode"
		RUNNC=$runtime
		[ "$mode" != plain ] || RUNNC=$top/scripts/crun
		for n in "it runs" "a second container runs"; do
			# shellcheck disable=SC2016	# for the shell inside
			cell_bundle -- sh -c 'peer serve >/tmp/peer & until grep -q ready /tmp/peer; do sleep 0.1; done
				ping -q -c 1 -W 5 127.0.0.1 >/dev/null && peer tcp ::1 400000 && peer udp 127.0.0.1 5000 &&
				echo works; ip -o addr show scope global'
			status=0
			output=$(CONTAINER_TIMEOUT=30 container_run $id 2>"$TMP/warning") || status=$?
			is "$text: $n, with a loopback and no address" "0 works" "$status $output"
			[ "$row $mode" = "no_address ${mode#plain}" ] && has "$text: and says why" \
				"interface 'eth0' has no address: not handed over" "$(cat "$TMP/warning")"
			restored "$text: restored exactly"
		done
		RUNNC=$runtime
	done
}

# A bridge of eth0 and a tap: eth0's address was given to a guest, and is lost.
row_old_runnc()
{
	row_reset "$row"
	row_topology a || { not_ok "$row: the row is built"; return; }
	ip -n "$TOPO_POD1" link add br0 type bridge
	ip -n "$TOPO_POD1" tuntap add tap0 mode tap
	ip -n "$TOPO_POD1" link set tap0 master br0
	ip -n "$TOPO_POD1" addr flush dev eth0
	ip -n "$TOPO_POD1" link set eth0 master br0
	echo "nameserver 127.0.0.1" >"$TMP/resolv.conf"
	before=$(pod_dump)
	refuse "$row plain: a plain container is not reached either" 1 in_pod2 ping -q -c 1 -W 1 "$TOPO_IP1"
	for mode in ${modes//plain/}; do
		cell_bundle -- /bin/peer serve
		has "$row $mode: runnc plan says what to do" \
			"is a port of bridge 'br0' beside 'tap0': so the first runnc left it, which could not restore; the pod needs a new namespace" \
			"$(timeout -s KILL 30 "$RUNNC" "${container_root[@]}" plan "$TMP/$id" 2>&1 | tr -s ' \n' ' ')"
		restored "$row $mode: nothing changed"
	done
}

for row in ${ROWS:-"${rows[@]}"}; do
	began=$SECONDS
	case $row in
	no_interface|no_address)	row_lonely ;;
	left_by_runnc)			row_old_runnc ;;
	*)				one_row ;;
	esac
	row_end
	echo "# $row: $((SECONDS - began)) s"
done
tap_done
