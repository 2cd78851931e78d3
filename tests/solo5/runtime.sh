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
echo "only text" | tee "$ROOTFS/text" >"$ROOTFS/node.nabla"
refused "no unikernel" "unikernel '/text' has no Solo5 note: build the unikernel for Solo5's target spt" \
	--annotation org.runnc.guest=solo5 -- /text
refused "an old nabla image" "it is of the nabla ABI before Solo5 0.6" --annotation $u.unikernelType=rumprun \
	--annotation $u.hypervisor=spt --annotation $u.binary=/node.nabla -- x
head -c 5000 "$GUESTS/hello.spt" >"$ROOTFS/short.spt"
refused "a file cut short" "unikernel '/short.spt': " -- /short.spt
refused "an unknown word" "annotation org.runnc.guest: 'windows' is not linux or solo5" \
	--annotation org.runnc.guest=windows -- /hello.spt

# ---- life and statuses ----

status_is()
{
	container_try -- /exits.spt "$1"
	is "exits.spt $1: status" "$2" "$status"
	[ -z "$3" ] || has "exits.spt $1: the log" "status $2: $3" "$output"
}
status_is 0 0 ''
status_is 7 7 ''
status_is abort 255 'the unikernel aborted: a panic or a failed assertion'
status_is fault 139 'killed by SIGSEGV: a fault'
status_is undefined 132 'killed by SIGILL'
# getpid; its numbers are hexadecimal.
container_try --annotation org.runnc.block.storage=/hello.spt -- /hostile.spt call 27 0 0 0 0 0
is "a forbidden host call: status" 159 "$status"
has "a forbidden host call: the log" "status 159: killed by SIGSYS: it made a host system call that is not allowed" \
	"$output"

container_bundle life -- /exits.spt sleep
check "create and start" container_start life
wait_for 10 grep -q waiting "$TMP/life.out"
state=$("$RUNNC" "${container_root[@]}" state "$TAG-life")
is "state" '["running","solo5",null]' "$(jq -c '[.status, .guest, .exitStatus]' <<<"$state")"
host=$(cat "/proc/$(container_pid life)/status")
is "on the host: one thread, of a user without rights, confined" "1 65534 0000000000000000 1 2" \
	"$(awk '/^Threads|^CapEff|^NoNewPrivs|^Seccomp:/ { v[$1] = $2 } /^Uid/ { v[$1] = $2 }
		END { print v["Threads:"], v["Uid:"], v["CapEff:"], v["NoNewPrivs:"], v["Seccomp:"] }' <<<"$host")"
is "its descriptors: the streams, an epoll and a timer" "anon_inode:[eventpoll] anon_inode:[timerfd]" \
	"$(readlink "/proc/$(container_pid life)/fd/"* | grep anon_inode | sort | tr '\n' ' ' | sed 's/ $//')"
check "kill TERM" container_kill life TERM
check "it is stopped at once" wait_for 5 container_is life stopped
check "delete" "$RUNNC" "${container_root[@]}" delete "$TAG-life"
refuse "it is gone" 1 "$RUNNC" "${container_root[@]}" state "$TAG-life"

# The end of one that nobody waits for is told by state: here this shell's child is the parent.
container_bundle zombie -- /exits.spt abort
at_exit container_delete zombie
python3 - "$RUNNC" "${container_root[@]}" "$TMP/zombie" "$TAG-zombie" >"$TMP/zombie.state" <<'PYTHON'
import ctypes, json, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)		# orphans become ours, as an engine has it
runnc, option, root, bundle, name = sys.argv[1:]
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.run([runnc, option, root, "run", "--detach", "--bundle", bundle, name], check=True, **quiet)
for _ in range(100):
    state = json.loads(subprocess.run([runnc, option, root, "state", name], capture_output=True).stdout)
    if state["status"] == "stopped":
        break
    time.sleep(0.05)
print(state["status"], state.get("exitStatus"), state.get("exitReason"))
PYTHON
is "state tells how it ended" "stopped 255 the unikernel aborted: a panic or a failed assertion" \
	"$(cat "$TMP/zombie.state")"

# ---- memory ----

container_bundle small --annotation org.runnc.memory=3M -- /hello.spt
has "memory by annotation" "memory      3 MiB for the guest" "$(plan "$TMP/small")"
is "it runs in 3 MiB" "hello" "$(container_run small 2>&1)"
container_bundle limited --memory 67108864 -- /hello.spt
has "memory by the limit" "memory      62 MiB for the guest, of the container's limit of 64 MiB" \
	"$(plan "$TMP/limited")"
is "it runs within the limit" "hello" "$(container_run limited 2>&1)"

# ---- disks ----

# Size, first and last byte; then a write to the second block, which is read again.
{ printf '\001'; head -c 8190 /dev/zero; printf '\002'; } >"$ROOTFS/disk.img"
sum=$(sha256sum "$ROOTFS/disk.img")
container_try --annotation org.runnc.block.storage=/disk.img -- /block.spt
is "a writable disk" "0 8192 bytes, blocks of 512: 1 2" "$status $output"
is "the image's file is as it was" "$sum" "$(sha256sum "$ROOTFS/disk.img")"
container_try --annotation org.runnc.block.storage=/disk.img,sector=4096 -- /block.spt
is "sectors of 4096 bytes" "0 8192 bytes, blocks of 4096: 1 2" "$status $output"
container_try --annotation org.runnc.block.storage=/disk.img,ro -- /block.spt read-only
is "a read-only disk" "0 8192 bytes, blocks of 512: 1 2" "$status $output"
container_try --readonly --annotation org.runnc.block.storage=/disk.img -- /block.spt read-only
is "a read-only root: so is its disk" "0 8192 bytes, blocks of 512: 1 2" "$status $output"
container_try --annotation $u.unikernelType=mirage --annotation $u.hypervisor=spt \
	--annotation $u.binary=/block.spt --annotation $u.block=/disk.img -- x
is "urunc's block" "0 8192 bytes, blocks of 512: 1 2" "$status $output"
container_try --annotation org.runnc.block.storage=root:iso9660 -- /block.spt read-only
has "the root as ISO 9660" "0 " "$status $output"
has "... whole sectors" "bytes, blocks of 512: 0 0" "$output"
container_try --annotation org.runnc.block.storage=root:erofs -- /block.spt read-only
has "the root as EROFS" "0 " "$status $output"
refused "a disk that nobody names" "the unikernel has a disk 'storage': say what it is by annotation" -- /block.spt
refused "a disk out of the root" "disk 'storage': open '/link.spt' of the image: No such file" \
	--annotation org.runnc.block.storage=/link.spt -- /block.spt
refused "a disk that is no file" "disk 'storage': '/unikernel' of the image is not a regular file" \
	--annotation org.runnc.block.storage=/unikernel -- /block.spt
refused "a disk of no whole sectors" "its size is no multiple of the sector size, 512" \
	--annotation org.runnc.block.storage=/text,ro -- /block.spt
refused "an unknown disk" "annotation org.runnc.block.other: the unikernel has no such disk" \
	--annotation org.runnc.block.other=/x --annotation org.runnc.block.storage=/disk.img -- /block.spt

features=$("$RUNNC" features | jq -r '.annotations |
	.["org.runnc.guests"] + " " + .["org.runnc.host-syscalls.solo5"]')
is "features: both kinds of guest, and the unikernel's calls" \
	"linux,solo5 write,read,epoll_pwait,clock_gettime,timerfd_settime,pread64,pwrite64,arch_prctl,exit_group" \
	"$features"
tap_done
