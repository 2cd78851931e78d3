#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine: a busybox container in each of the post's clusters and each mode of the kernel's
# own, reached from the neighbouring pod; afterwards the pod is what it was.
. "$(dirname "$0")/../../lib/tap.sh"
ROOTFS=$BUSYBOX
. "$top/tests/lib/container.sh"
. "$top/tests/net/lib.sh"
TOPO_PREFIX=$TAG TOPO_V6=0
serve='mkdir /www; head -c 1000000 /dev/zero >/www/file; echo hello >/www/hello; httpd -h /www -p 80; echo ready; sleep 1000'

rt() { "$RUNNC" "${container_root[@]}" "$@"; }
fetch() { in_peer curl -gsS -m 20 "http://$TOPO_IP1/$1"; }
ping_guest() { in_peer ping -q -c 3 -i 0.2 -W 2 "$TOPO_IP1"; }

serves()
{
	local mode=$1 text="$TOPO $1" name=$TOPO-$1 before
	before=$(pod_dump)
	container_bundle "$name" --netns "/run/netns/$TOPO_POD1" --annotation "org.runnc.net.mode=$mode" -- sh -c "$serve"
	if ! container_start "$name" || ! wait_for 100 grep -q ready "$TMP/$name.out"; then
		not_ok "$text: it starts" "$(container_log "$name")"
	else
		ok "$text: it starts"
		check "$text: it answers pings" ping_guest
		is "$text: it answers requests" hello "$(fetch hello)"
		is "$text: a megabyte" 1000000 "$(fetch file | wc -c)"
		[ "$mode" != tc ] || beside "$text"
	fi
	check "$text: delete" rt delete --force "$TAG-$name"
	same "$text: the pod is what it was" "$before"
	check "$text: the pod itself answers" ping_guest
}

# This kernel takes the programs by which others share the interface: a second guest, with a port of its own.
beside()
{
	container_bundle "$TOPO-second" --netns "/run/netns/$TOPO_POD1" -- sh -c "${serve/-p 80/-p 82}"
	if container_start "$TOPO-second" && wait_for 100 grep -q ready "$TMP/$TOPO-second.out"; then
		is "$1: a second guest in the pod" hello "$(in_peer curl -gsS -m 20 "http://$TOPO_IP1:82/hello")"
		is "$1: the first one beside it" hello "$(fetch hello)"
	else
		not_ok "$1: a second guest starts" "$(container_log "$TOPO-second")"
	fi
	check "$1: the second one is deleted" rt delete --force "$TAG-$TOPO-second"
}

foreign()
{
	local text="$TOPO $1, a random MAC"
	container_bundle "random-$1" --netns "/run/netns/$TOPO_POD1" --annotation "org.runnc.net.mode=$1" \
		--annotation org.runnc.net.mac=random -- sh -c "$serve"
	if container_start "random-$1" && wait_for 100 grep -q ready "$TMP/random-$1.out"; then
		refuse "$text: no answer, as the post says" 1 in_peer ping -q -c 2 -i 0.2 -W 1 "$TOPO_IP1"
	else
		not_ok "$text: it starts" "$(container_log "random-$1")"
	fi
	check "$text: delete" rt delete --force "$TAG-random-$1"
}

topo_a_up && serves tc && serves bridge
topo_b1_up && serves tc && serves bridge && foreign bridge
topo_down
tap_done
