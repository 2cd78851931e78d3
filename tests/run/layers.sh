#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Roots that engines mount: overlays of layers. The guest sees what the host sees; layers are built once,
# and shared; what cannot be taken apart still runs.
. "$(dirname "$0")/../lib/tap.sh"
export RUNNC_IMAGE_CACHE=$TMP/cache
ROOTFS=$("$top/scripts/rootfs" busybox) || exit 1
. "$top/tests/lib/container.sh"

store=$TMP/overlay2
mkdir "$store" "$TMP/upper" "$TMP/work" "$TMP/root"

# layer NUMBER: a new directory in a store like Docker's; prints its path.
layer()
{
	local id
	id=$(printf '%064d' "$1")
	mkdir -p "$store/$id/diff" "$store/$id/work"
	echo "L$1" >"$store/$id/link"
	echo "$store/$id/diff"
}

# overlay POINT OPTIONS
overlay()
{
	mkdir -p "$1"
	mount -t overlay overlay -o "$2" "$1" && at_exit umount -l "$1"
}

# change LAYER LOWER COMMAND...: the layer becomes what the command, in the root, changes in LOWER.
change()
{
	local upper=$1 lower=$2
	shift 2
	mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=${upper%/diff}/work" "$TMP/root" &&
		(cd "$TMP/root" && "$@")
	umount "$TMP/root"
}

# All that there is, in words: the same program in the guest and on the host.
# shellcheck disable=SC2016	# for the shell in there
tree='cd /data && find . | sort | while read -r f; do
	stat -c "%n %A %u %g %t:%T %N" "$f"
	[ -f "$f" ] && [ ! -L "$f" ] && echo "$(stat -c %s "$f") $(md5sum <"$f")"
	[ -d "$f" ] || stat -c "%Y" "$f"
done; echo end'

on_host() { chroot "$1" /bin/sh -c "$tree"; }

# run_root ROOT PROGRAM...: in a container with this root; sets $output and $status.
run_root()
{
	local base=$ROOTFS
	ROOTFS=$1
	shift
	container_try -- "$@"
	ROOTFS=$base
}

plan() { "$RUNNC" plan "$TMP/try$container_tries"; }
images() { find "$TMP/cache/image" -type f | wc -l; }

one=$(layer 1) two=$(layer 2) three=$(layer 3)
fill()
{
	mkdir -p data/dir/deep data/gone data/opaque/old data/moved && echo 1 >data/one && echo 2 >data/dir/two &&
		echo 3 >data/dir/deep/three && echo 4 >data/gone/four && echo 5 >data/opaque/old/five &&
		ln data/one data/same && ln -s ../../../etc/passwd data/link && mknod data/null c 1 3 &&
		mkfifo data/fifo && cp bin/busybox data/suid && chmod 6755 data/suid && chown 12:34 data/dir
}
shrink()
{
	rm -r data/gone data/opaque data/one && mkdir data/opaque && echo 6 >data/opaque/six &&
		echo more >>data/dir/deep/three && chmod 700 data/moved
}
check "a layer upon the image" change "$one" "$ROOTFS" fill
check "a layer that takes away" change "$two" "$one:$ROOTFS" shrink
lower=$two:$one:$ROOTFS

overlay "$TMP/m1" "lowerdir=$lower,upperdir=$TMP/upper,workdir=$TMP/work"
wanted=$(on_host "$TMP/m1")
has "the host's tree is read to its end" "end" "$wanted"
run_root "$TMP/m1" /bin/sh -c "$tree"
is "the guest sees the host's tree" "$wanted" "$output"
has "and the plan has each layer" "layer       $two" "$(plan)"
is "three layers are three images, an empty upper directory is none" 3 "$(images)"

# shellcheck disable=SC2016	# for the shell in there
run_root "$TMP/m1" /bin/sh -c 'cd /data && echo x >>dir/two && mv dir renamed && cat renamed/two &&
	rm -r opaque && mkdir opaque && ls -A opaque && ln same again && stat -c %h same'
is "all of it can be changed there" "2
x
2" "$output"
is "and the host's is as before" "$wanted" "$(on_host "$TMP/m1")"

# ---- what the engine puts on top

echo 10.0.0.1 host >"$TMP/m1/data/hosts" && rm "$TMP/m1/data/null" && mknod -m 600 "$TMP/m1/data/tty" c 5 0
wanted=$(on_host "$TMP/m1")
run_root "$TMP/m1" /bin/sh -c "$tree"
is "an upper directory is seen" "$wanted" "$output"
has "it is this container's alone" "packed for this container alone" "$(plan)"
is "and not in the cache" 3 "$(images)"

# ---- other containers

mkdir "$TMP/upper2" "$TMP/work2"
echo new >"$three/new"
overlay "$TMP/m2" "lowerdir=$three:$lower,upperdir=$TMP/upper2,workdir=$TMP/work2"
run_root "$TMP/m2" /bin/sh -c 'cat /new /data/opaque/six'
is "another image upon the same layers runs" "new
6" "$output"
is "and has one image more" 4 "$(images)"

ROOTFS=$TMP/m1 container_bundle held -- /bin/sleep 60
check "a container holds its images" container_start held
is "its state lists them" 3 \
	"$(jq '.images | length' "$TMP/state/$TAG-held/state.json")"
ROOTFS=$TMP/m2 container_bundle both -- /bin/sleep 60
check "another one beside it" container_start both
container_delete held
container_delete both
is "nothing is left in the cache's temporary folder" "" "$(ls "$TMP/cache/tmp")"

# ---- at once, and killed

rm -rf "$TMP/cache"
pids=()
for i in 1 2 3 4; do
	ROOTFS=$TMP/m2 container_bundle "once$i" -- /bin/cat /new
	(container_run "once$i" >"$TMP/once$i.out" 2>&1) &
	pids+=($!)
done
wait "${pids[@]}"
is "four at once with layers that are new" "new
new
new
new" "$(cat "$TMP"/once[1-4].out)"
is "build each once" 4 "$(images)"

for i in 1 2 3 4 5 6; do
	rm -rf "$TMP/cache"
	ROOTFS=$TMP/m1 container_bundle "kill$i" -- /bin/true
	"$RUNNC" "${container_root[@]}" create --bundle "$TMP/kill$i" "$TAG-kill$i" >"$TMP/kill.out" 2>&1 </dev/null &
	pid=$!
	sleep 0.0$((i * 15))
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	container_delete "kill$i"
done
run_root "$TMP/m1" /bin/sh -c "$tree"
is "after kill -9 of create the next container is right" "$wanted" "$output"
# An empty lock of one that had just made its image stays until the next one is made.
half_made() { find "$TMP/cache/tmp" -mindepth 1 ! \( -name 'tree-*' -empty \); }
nothing_half_made() { [ -z "$(half_made)" ]; }
wait_for 10 nothing_half_made
is "and nothing half made is left" "" "$(half_made)"

# ---- many

many=
for i in $(seq 40 100); do
	dir=$(layer "$i")
	echo "$i" >"$dir/f$i"
	many=$dir:$many
done
# A page of options has no room for so many paths: as engines do.
(cd "$store" && mkdir l && for i in $(seq 40 100); do ln -s "../$(printf '%064d' "$i")/diff" "l/$i"; done &&
	mkdir -p merged && mount -t overlay overlay \
		-o "lowerdir=$(seq -f l/%g -s : 100 -1 40):$ROOTFS,upperdir=$TMP/upper,workdir=$TMP/work" merged) &&
	at_exit umount -l "$store/merged"
# shellcheck disable=SC2016	# for the shell in there
run_root "$store/merged" /bin/sh -c 'cat /f40 /f77 /f100; ls -d /f* | wc -l'
is "sixty-one layers, with paths relative to the engine's home" "40
77
100
61" "$output"
is "are as many images, and the root's" 62 "$(plan | grep -c sha256:)"

# ---- what cannot be taken apart

mkdir "$TMP/upper3" "$TMP/work3"
overlay "$TMP/m3" "lowerdir=$lower,upperdir=$TMP/upper3,workdir=$TMP/work3,metacopy=on,redirect_dir=on"
chown 5 "$TMP/m3/data/suid"
mv "$TMP/m3/data/dir" "$TMP/m3/data/other"
wanted=$(on_host "$TMP/m3")
run_root "$TMP/m3" /bin/sh -c "$tree"
is "metacopy and redirects: the merged tree runs" "$wanted" "$output"
has "with a note" "is packed as a whole: '$TMP/upper3' refers to other layers" "$(plan)"

mv "$two" "$two.away"
mkdir "$two" && ln -s /etc "$two/data"
run_root "$TMP/m1" /bin/sh -c 'cat /data/opaque/six; [ -L /data ] || echo no link'
is "a layer that was exchanged is not believed" "6
no link" "$output"
has "but said" "does not show what its layers hold" "$(plan)"

tap_done
