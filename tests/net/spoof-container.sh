#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# The same as spoof.sh with whole containers: root in the guest, with CAP_NET_RAW, opens a raw socket and
# sends what is not its own. Nothing of it leaves the pod, unless the operator allows it.
. "$(dirname "$0")/../lib/tap.sh"
ROOTFS=$TMP/root
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
. "$top/tests/net/wire.sh"

cp -a "$("$top/scripts/rootfs" busybox)" "$ROOTFS" || exit 1
check "the hostile program compiles" gcc -O2 -Wall -Wextra -static -o "$ROOTFS/bin/spoof" \
	"$top/tests/net/spoof.c"
export RUNNC_IMAGE_CACHE=$TMP/image-cache
TOPO_PREFIX=$TAG
options=("${container_root[@]}")

foreign() { tcpdump -nr "$TMP/wire" "not ether src $TOPO_MAC1" 2>/dev/null; }

said() { container_log "$1" | grep -qx "$2"; }

# attack NAME MODE [OPTION]...: a container that spoofs; $before, $now: the neighbour's belief; $sent.
attack()
{
	local name=$1 mode=$2

	container_root=("${options[@]}" --net-mode "$mode" "${@:3}")
	topo_a_up && in_pod2 sysctl -qw net.ipv4.neigh.eth0.locktime=0 &&
		topo_in "$TOPO_ROUTER" sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=300 \
			net.ipv6.neigh.eth0.delay_first_probe_time=300 &&
		in_pod2 ping -q -c 1 -W 2 "$TOPO_GW" >/dev/null && in_pod2 ping -q -c 1 -W 2 "$TOPO_GW6" >/dev/null
	before=$(belief)
	wire_start
	# shellcheck disable=SC2016	# the guest's shell expands these
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" -- /bin/sh -c \
		'spoof eth0 hostile "$@"; echo finished; exec sleep 1000' sh \
		"$TOPO_IP1" "$TOPO_GW" "$TOPO_IP2" "$TOPO_IP1_6" "$TOPO_GW6"
	if ! container_start "$name" || ! wait_for 30 said "$name" finished; then
		not_ok "$mode: the program runs" "$(container_log "$name")"
	fi
	wire_stop
	check "$mode: the capture is whole" wire_whole
	sent=$(container_log "$name" | grep -v finished)
	now=$(belief)
}

for mode in ${SPOOF_MODES:-tc bridge macvtap packet}; do
	attack "guarded-$mode" "$mode"
	is "$mode: each frame counted for its reason, and none of the guest's boot" \
		"$(awk '{ n[$2] += 3 } END { for (r in n) print r, n[r] }' <<<"$sent" | sort)" "$(drops "$mode")"
	is "$mode: none on the wire" 0 "$(marked)"
	is "$mode: no foreign MAC on the wire" "" "$(foreign)"
	is "$mode: the neighbour believes what it did" "$before" "$now"
	check "$mode: the guest still answers" eval "ping4 && ping6"
	has "$mode: the explainer shows the drops" arp \
		"$("$RUNNC" "${container_root[@]}" net "$TAG-guarded-$mode" 2>&1)"
	check "$mode: delete" container_delete "guarded-$mode"
	check "$mode: the pod itself answers again" ping4
done

# Annotations cannot allow it, and neither can the operator alone.
topo_a_up
guard_of() { "$RUNNC" "${@:2}" plan "$TMP/$1" 2>&1 | grep guarded; }
container_bundle raw --netns "/run/netns/$TOPO_POD1" -- /bin/true
container_bundle plain --netns "/run/netns/$TOPO_POD1" --jq 'del(.process.capabilities)' -- /bin/true
has "plan: guarded, with CAP_NET_RAW" "  guarded" "$(guard_of raw)"
has "plan: not guarded, with CAP_NET_RAW and --allow-spoofing" "not guarded" \
	"$(guard_of raw --allow-spoofing)"
has "plan: guarded, without CAP_NET_RAW" "  guarded" "$(guard_of plain --allow-spoofing)"
container_bundle asks --netns "/run/netns/$TOPO_POD1" --annotation org.runnc.allow-spoofing=1 -- /bin/true
has "plan: an annotation is no consent" "annotation 'org.runnc.allow-spoofing' is unknown" \
	"$("$RUNNC" plan "$TMP/asks" 2>&1)"

# The operator's file, in a mount namespace where /etc/runnc is the test's.
by_file()
{
	# shellcheck disable=SC2016	# the inner shell expands these
	unshare -m sh -c 'mkdir "$0/etc" "$0/work" && mount -t overlay overlay \
		-o "lowerdir=/etc,upperdir=$0/etc,workdir=$0/work" /etc && mkdir -p /etc/runnc &&
		touch /etc/runnc/allow-spoofing && eval "$1" && "$2" plan "$3" 2>&1' \
		"$1" "$2" "$RUNNC" "$TMP/raw"
}
mkdir "$TMP/file1" "$TMP/file2" "$TMP/file3"
mount -t tmpfs tmpfs "$TMP/file1" && at_exit umount "$TMP/file1"
mount -t tmpfs tmpfs "$TMP/file2" && at_exit umount "$TMP/file2"
mount -t tmpfs tmpfs "$TMP/file3" && at_exit umount "$TMP/file3"
has "the operator's file allows it" "not guarded" "$(by_file "$TMP/file1" true)"
has "a file that others may write does not" "  guarded" \
	"$(by_file "$TMP/file2" 'chmod 666 /etc/runnc/allow-spoofing')"
has "a file of somebody else's does not" "no consent" \
	"$(by_file "$TMP/file3" 'chown 65534 /etc/runnc/allow-spoofing')"

# The control: allowed, the frames leave and the neighbour believes them.
attack allowed tc --allow-spoofing
is "allowed: there is no guard" none "$(drops tc)"
check "allowed: the frames are on the wire" [ "$(marked)" -gt 70 ]
is "allowed: the neighbour believes the guest" "lladdr $TOPO_MAC1 lladdr $TOPO_MAC1" \
	"$(tr '\n' ' ' <<<"$now" | sed 's/ *$//')"
check "allowed: delete" container_delete allowed

tap_done
