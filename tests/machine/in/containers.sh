#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine: containers of busybox and of the machine's own Debian, from create to delete.
. "$(dirname "$0")/../../lib/tap.sh"
. "$top/tests/lib/container.sh"
debian=$ROOTFS ROOTFS=$BUSYBOX
export CONTAINER_TIMEOUT=200

has "the kernel is Debian 12's" "6.1." "$(uname -r)"
features=$("$RUNNC" features)
is "features: JSON, with hooks" startContainer "$(jq -r '.hooks[3]' <<<"$features")"

container_try -- uname -r
has "busybox: runs on the guest's kernel" "-nabla" "$output"
is "busybox: status 0" 0 "$status"
container_try -- sh -c 'echo out; echo err >&2; exit 42'
is "its output" "out
err" "$output"
is "its status" 42 "$status"
container_try -- sh -c 'sh -c "kill -SEGV \$\$" 2>/dev/null; echo $?; for i in 1 2 3 4 5; do (echo $i) | cat; done | tail -n 1'
is "fork, pipes, signals" "139
5" "$output"
container_try --readonly -- sh -c 'echo x >/file'
has "a read-only root is" "Read-only file system" "$output"

rt() { "$RUNNC" "${container_root[@]}" "$@"; }
container_bundle life -- sh -c 'trap "echo asked; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
check "create and start" container_start life
check "it runs" wait_for 60 grep -q ready "$TMP/life.out"
check "state: running" container_is life running
pid=$(container_pid life)
is "its process is confined: seccomp" 2 "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")"
is "... without capabilities" 0000000000000000 "$(sed -n 's/^CapBnd:\t//p' "/proc/$pid/status")"
is "... of one thread" 1 "$(sed -n 's/^Threads:\t//p' "/proc/$pid/status")"
check "kill TERM" rt kill "$TAG-life" TERM
check "it stops" wait_for 30 container_is life stopped
has "the program was asked" asked "$(container_log life)"
check "delete" rt delete "$TAG-life"
container_bundle sleeps -- sleep 1000
check "another one" container_start sleeps
check "kill KILL" rt kill "$TAG-sleeps" KILL
check "it stops at once" wait_for 10 container_is sleeps stopped
check "delete --force" rt delete --force "$TAG-sleeps"
check "delete --force again" rt delete --force "$TAG-sleeps"

# Of Debian not the kernel's modules nor Node.js: the larger the image, the longer the emulated processor
# works on it.
ROOTFS=/run/$TAG/root
mkdir -p "$ROOTFS" "/run/$TAG/upper" "/run/$TAG/work"
mount -t overlay -o "lowerdir=$debian,upperdir=/run/$TAG/upper,workdir=/run/$TAG/work" debian "$ROOTFS"
at_exit umount "$ROOTFS"
rm -r "$ROOTFS"/usr/lib/{modules,systemd} "$ROOTFS"/usr/lib/*/lib{node,icu}*
container_try -- python3 -c 'import threading, subprocess
t = threading.Thread(target=lambda: print(subprocess.run(["uname"], capture_output=True, text=True).stdout.strip()))
t.start(); t.join(); print(sum(range(100000)))'
is "debian: python3, a thread, a program" "Linux
4999950000" "$output"

is "nothing is left" "" "$(rt list -q; find /sys/fs/cgroup -name "$TAG*"; ls "$TMP/state")"
tap_done
