#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image that was packaged for urunc's Linux with the image's own root runs on this project's Linux guest,
# without urunc's init, which it need not have. Says annotation org.runnc.guest so, a unikernel's image does too.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"
ROOTFS=$("$top/scripts/rootfs" busybox) || exit 1
. "$top/tests/lib/container.sh"

u=com.urunc.unikernel
words=(--annotation "$u.unikernelType=linux" --annotation "$u.hypervisor=qemu"
	--annotation "$u.binary=/.boot/kernel" --annotation "$u.mountRootfs=true")
container_bundle urunc "${words[@]}" -- /urunit /bin/echo hello from urunc
text=$("$RUNNC" plan "$TMP/urunc")
has "the decision" "guest       linux: " "$text"
has "the reason" "because: annotations com.urunc.unikernel.*: type linux on qemu" "$text"
has "the process" "process     /bin/echo hello from urunc" "$text"
is "there is no /urunit" "" "$(ls "$ROOTFS/urunit" 2>/dev/null)"
output=$(container_run urunc 2>&1)
is "it runs" "0 hello from urunc" "$? $output"

mkdir "$TMP/mixed"
cp -a "$ROOTFS/." "$TMP/mixed"
cp "$GUESTS/hello.spt" "$TMP/mixed"
jq -n --arg u $u '{ ($u + ".unikernelType"): "mirage", ($u + ".hypervisor"): "spt", ($u + ".binary"): "/hello.spt" }' \
	>"$TMP/mixed/urunc.json"
ROOTFS=$TMP/mixed
container_try -- /bin/echo is linux
is "urunc.json: the unikernel" "0 hello, /bin/echo is linux" "$status $output"
container_try --annotation org.runnc.guest=linux -- /bin/echo is linux
is "org.runnc.guest=linux: Linux" "0 is linux" "$status $output"
tap_done
