#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Unikernels under runnc: which guest an image is, and why; what is refused, by name; the life and the
# statuses; arguments; disks; and what the host sees of the process.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"
ROOTFS=$TMP/rootfs
mkdir "$ROOTFS"
cp "$GUESTS"/{hello,exits,block,hostile}.spt "$ROOTFS"
. "$top/tests/lib/container.sh"

plan() { "$RUNNC" plan "$@" 2>&1; }

# ---- which guest it is ----

container_bundle entry -- /hello.spt world
text=$(plan "$TMP/entry")
has "entry point: the decision" "guest       solo5: the unikernel '/hello.spt' (raw)" "$text"
has "entry point: the reason" "because: the entry point '/hello.spt' is a Solo5 unikernel" "$text"
has "entry point: the command line" "cmdline     world" "$text"
has "entry point: the filter" "filter      9 host system calls: write read" "$text"
is "the same as JSON" '["solo5","/hello.spt","raw","world"]' \
	"$(plan --format json "$TMP/entry" | jq -c '[.guest, .solo5.binary, .solo5.type, .solo5.cmdline]')"
is "it runs" "hello, world" "$(container_run entry 2>&1)"

container_try --annotation org.runnc.guest=solo5 -- /hello.spt "two words" '"quoted"'
is "arguments as they are" '0 hello, two words "quoted"' "$status $output"
container_try --annotation org.runnc.guest=solo5 --annotation org.runnc.solo5.type=mirage \
	-- /hello.spt "two words" '"quoted"'
is "arguments for MirageOS are quoted" '0 hello, "two words" "\"quoted\""' "$status $output"
container_try --annotation org.runnc.solo5.type=rumprun --jq '.process.env = ["A=b c"]' -- /hello.spt "x y"
is "rumprun's JSON" '0 hello, {"cmdline":"/hello.spt \"x y\"","env":"A=b c"}' "$status $output"

# urunc's words: plain, base64, and in the root.
mkdir "$ROOTFS/unikernel"
cp "$GUESTS/hello.spt" "$ROOTFS/unikernel/app"
u=com.urunc.unikernel
base64_of() { printf %s "$1" | base64; }
container_try --annotation $u.unikernelType=mirage --annotation $u.hypervisor=spt \
	--annotation $u.binary=/unikernel/app -- --hello=x
is "urunc, plain" "0 hello, --hello=x" "$status $output"
container_try --annotation "$u.unikernelType=$(base64_of mirage)" --annotation "$u.hypervisor=$(base64_of spt)" \
	--annotation "$u.binary=$(base64_of /unikernel/app)" --annotation "$u.cmdline=$(base64_of 'a "b c"')" -- ignored
is "urunc, base64" '0 hello, a "b c"' "$status $output"
jq -n --arg u $u '{ ($u + ".unikernelType"): "bWlyYWdl", ($u + ".hypervisor"): "c3B0",
	($u + ".binary"): ("/unikernel/app" | @base64) }' >"$ROOTFS/urunc.json"
container_bundle file -- app x
has "urunc.json: the reason" "because: /urunc.json: type mirage on spt" "$(plan "$TMP/file")"
is "urunc.json: it runs" "hello, app x" "$(container_run file 2>&1)"
rm "$ROOTFS/urunc.json"

# The root cannot send the runtime out of itself.
cp "$GUESTS/hello.spt" "$TMP/outside.spt"
ln -s "$TMP/outside.spt" "$ROOTFS/link.spt"
ln -s hello.spt "$ROOTFS/inside.spt"
container_try --annotation org.runnc.guest=solo5 -- /link.spt
has "a symlink out of the root leads nowhere" "unikernel '/link.spt': there is no such file in the image" "$output"
container_try -- /inside.spt
is "a symlink inside is followed" "0 hello" "$status $output"
mkfifo "$ROOTFS/urunc.json"
container_try -- /hello.spt
is "a FIFO called urunc.json is not waited for" "0 hello" "$status $output"
rm "$ROOTFS/urunc.json"

# refused TEXT PART OPTION... -- PROGRAM...: plan and run refuse it with these words.
refused()
{
	local text=$1 part=$2
	shift 2
	container_try "$@"
	has "refused: $text" "$part" "$output"
	is "refused: $text: status" 1 "$status"
}
sed 's/\x41\x42\x49\x31Solo5\x00\x00\x00\x02/\x41\x42\x49\x31Solo5\x00\x00\x00\x01/' "$GUESTS/hello.spt" >"$ROOTFS/hello.hvt"
refused "target hvt" "'/hello.hvt' is built for Solo5's target hvt (1), which needs another monitor: build" -- /hello.hvt
refused "Unikraft" "image for urunc of type 'unikraft' on 'qemu': this runtime runs mirage and rumprun on spt" \
	--annotation $u.unikernelType=unikraft --annotation $u.hypervisor=qemu --annotation $u.binary=/unikernel/app -- x
refused "urunc's linux with a kernel of its own" "without mountRootfs=true: it brings a kernel and a disk" \
	--annotation $u.unikernelType=linux --annotation $u.hypervisor=qemu --annotation $u.binary=/kernel -- x
refused "no unikernel" "has no Solo5 note: build the unikernel for Solo5's target spt" \
	--annotation org.runnc.guest=solo5 --annotation $u.binary=/hello.hvt --jq '.annotations["org.runnc.guest"] = "solo5"
		| .process.args = ["/text"]' -- x 2>/dev/null || :
tap_done
