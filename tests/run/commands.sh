#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The command line: what is refused and in which words, what is printed, and the very argument vectors
# with which podman and containerd's shim call a runtime.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/standin.sh"

# wrong TEXT MESSAGE ARGUMENT...: status 1, nothing on stdout, and exactly this one line on stderr.
wrong()
{
	local text=$1 message=$2 status=0
	shift 2
	rt "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
	if [ $status = 1 ] && [ ! -s "$TMP/out" ] && [ "$(cat "$TMP/err")" = "runnc: $message" ]; then
		ok "$text"
	else
		not_ok "$text" "status $status" "wanted: runnc: $message" "got:    $(cat "$TMP/err")"
	fi
}

bundle good exit 0

# ---- wrong input

wrong "an unknown command" "unknown command 'frobnicate' (runnc --help lists them)" frobnicate
wrong "an unknown global option" "unknown option '--frob'" --frob list
wrong "an unknown option of a command" "create: unknown option '--frob'" create --frob c
wrong "an unknown letter" "list: unknown option '-x'" list -x
wrong "a missing value" "create: option '--bundle' needs a value" create c --bundle
wrong "a value too much" "delete: option '--force=yes' takes no value" delete --force=yes c
wrong "a missing operand" "start: too few arguments: it takes CONTAINER" start
wrong "an operand too many" "start: unexpected argument 'b'" start a b
wrong "a log format" "--log-format: 'xml' is not text or json" --log-format xml list
wrong "a log file that cannot be" "open log '/nonexistent/log': No such file or directory" \
	--log /nonexistent/log list
wrong "a cgroup manager" "--cgroup-manager: 'mine' is not cgroupfs, systemd or disabled" \
	--cgroup-manager mine list
wrong "an unknown signal" "kill: unknown signal 'SIGFROB'" kill c SIGFROB
wrong "signal 0" "kill: unknown signal '0'" kill c 0
wrong "signal 65" "kill: unknown signal '65'" kill c 65
wrong "a format of list" "list: --format: 'xml' is not table or json" list --format xml
wrong "a format of plan" "plan: --format: 'xml' is not text or json" plan --format xml
wrong "descriptors to pass on" "--preserve-fds 2: descriptors cannot be passed into a guest" \
	create --preserve-fds 2 c
for command in start state delete; do
	wrong "$command of nothing" "container 'nothing' does not exist" "$command" nothing
done
wrong "kill of nothing" "container 'nothing' does not exist" kill nothing KILL
wrong "an id with a slash" "container id 'a/b': 1 to 1024 letters, digits, '_', '+', '-', '.' are allowed" \
	create --bundle "$TMP/good" a/b
wrong "a bundle that is not there" \
	"container c: open '/nonexistent/config.json': No such file or directory" \
	create --bundle /nonexistent c
for command in exec ps pause resume update checkpoint restore events; do
	wrong "$command gets an answer" "$command: not supported yet" "$command" c
done
check "nothing was made by any of these" nothing_left

# ---- bundles that cannot be

wrong_bundle()
{
	bundle bad exit 0
	config bad "$2" "${@:4}"
	wrong "$1" "container c: $3" create --bundle "$TMP/bad" c
}

wrong_bundle "no process" 'del(.process)' "config.json: process: missing: there is nothing to run"
wrong_bundle "a volume" '.mounts += [{destination: "/data", type: "bind", source: "/etc", options: ["bind"]}]' \
	"mount '/data': directory '/etc': volumes are not supported yet (small ones can be copied: annotation org.runnc.volumes=copy)"
wrong_bundle "a mount source that is not there" \
	'.mounts += [{destination: "/data", type: "bind", source: "/nonexistent", options: ["bind"]}]' \
	"mount '/data': source '/nonexistent' does not exist"
wrong_bundle "a file system of the host's kernel" '.mounts += [{destination: "/x", type: "btrfs", source: "x"}]' \
	"mount '/x': file systems of type 'btrfs' are not supported"
wrong_bundle "a device" '.linux.devices = [{path: "/dev/kvm", type: "c", major: 10, minor: 232}]' \
	"device '/dev/kvm' (c 10:232): a guest has no access to devices of the host"
wrong_bundle "an annotation" '.annotations["org.runnc.magic"] = "1"' "annotation 'org.runnc.magic' is unknown"
wrong_bundle "too little memory" '.linux.resources.memory.limit = 33554432' \
	"memory limit is too small: the guest needs 64 MiB, and its kernel and the runtime 17 MiB beside it"
wrong_bundle "a terminal without a socket" '.process.terminal = true' \
	"process.terminal needs --console-socket when detached"
wrong_bundle "a wrong type, by its path" '.process.args = ["a", 1]' \
	"config.json: process.args[1]: expected a string"
bundle good exit 0
wrong "a socket without a terminal" "container c: --console-socket needs process.terminal" \
	create --bundle "$TMP/good" --console-socket "$TMP/socket" c
wrong "a network mode" "container c: --net-mode: 'fast' is not tc, bridge, macvtap, packet or auto" \
	--net-mode fast create --bundle "$TMP/good" c
has "a guest kernel that is not there" \
	"runnc: container c: open guest program '/nonexistent/nabla-linux': No such file or directory" \
	"$(RUNNC_LIBEXEC=/nonexistent rt create --bundle "$TMP/good" c 2>&1)"
if ! [ -d /run/systemd/system ]; then
	rt --systemd-cgroup create --bundle "$TMP/good" c >"$TMP/out" 2>&1
	is "--systemd-cgroup without systemd: status" 1 $?
	has "--systemd-cgroup without systemd: the reason" "systemd" "$(cat "$TMP/out")"
else
	skip "--systemd-cgroup without systemd" "systemd runs here"
fi
check "nothing was made by any of these either" nothing_left

# ---- what is printed

check "--help" rt --help
check "--version" rt --version
has "the version's first line" "runnc version " "$(rt --version | head -n 1)"
for command in create start run kill delete state list spec features plan net; do
	has "$command --help" "usage: runnc [OPTION]... $command " "$(rt "$command" --help)"
	has "--help names $command" "  $command " "$(rt --help)"
done
refuse "without a command: the help, and a failure" 1 rt

features=$(rt features)
is "features: hooks" '["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]' \
	"$(jq -c .hooks <<<"$features")"
has "features: host system calls" mmap "$(jq -r '.annotations["org.runnc.host-syscalls"]' <<<"$features")"
is "features: as many host system calls as the plan's filter has" \
	"$(rt plan --format json "$TMP/good" | jq -r '[.filter[].name] | join(",")')" \
	"$(jq -r '.annotations["org.runnc.host-syscalls"]' <<<"$features")"
calls=$(jq -r '.annotations["org.runnc.host-syscalls"]' <<<"$features" | tr , '\n' | wc -l)
check "features: at most 12 of them ($calls)" test "$calls" -le 12
is "features: versions" "1.0.0 1.2.0" "$(jq -r '"\(.ociVersionMin) \(.ociVersionMax)"' <<<"$features")"

mkdir "$TMP/spec"
check "spec writes a config.json" rt spec --bundle "$TMP/spec"
check "... that is JSON" jq -e .ociVersion "$TMP/spec/config.json"
refuse "spec does not overwrite it" 1 rt spec --bundle "$TMP/spec"

is "list of nothing: table" "ID          PID         STATUS    BUNDLE                          CREATED                         OWNER" \
	"$(rt list)"
is "list of nothing: JSON" "[]" "$(rt list --format json)"
is "list of nothing: quiet" "" "$(rt list -q)"

plan=$(rt plan --format json "$TMP/good")
is "plan: the guest" linux "$(jq -r .guest <<<"$plan")"
is "plan: its arguments" '["exit","0"]' "$(jq -c .args <<<"$plan")"
is "plan: the network comes later" later "$(jq -r .network.status <<<"$plan")"
has "plan as text" "guest       linux" "$(rt plan "$TMP/good")"
(cd "$TMP/good" && rt plan) >"$TMP/out" 2>&1
is "plan of the current directory" "$(rt plan "$TMP/good")" "$(cat "$TMP/out")"
check "plan has touched nothing" nothing_left

# ---- options before and after the command, with = and without

bundle echo echo said
for how in "--log $TMP/l1 --log-format json run --bundle $TMP/echo" \
	"--log=$TMP/l1 --log-format=json run --bundle=$TMP/echo" \
	"run --log $TMP/l1 --bundle $TMP/echo --log-format=json" "run -b $TMP/echo --debug --log $TMP/l1"; do
	# shellcheck disable=SC2086	# words
	is "options: ${how//$TMP\//}" said "$(rt $how "$TAG-o" 2>&1)"
done
is "options behind the operand" said "$(rt run "$TAG-o" -b "$TMP/echo" 2>&1)"

# ---- the log

rt --log "$TMP/log" --log-format json start nothing 2>/dev/null
is "an error is the log's last line, as JSON" "error container 'nothing' does not exist" \
	"$(tail -n 1 "$TMP/log" | jq -r '"\(.level) \(.msg)"')"
rt --log "$TMP/log" --log-format json start --frob nothing 2>/dev/null
is "... also a wrong option's" "start: unknown option '--frob'" "$(tail -n 1 "$TMP/log" | jq -r .msg)"
rt --log "$TMP/log" --log-format json exec nothing 2>/dev/null
is "... also an unsupported command's" "exec: not supported yet" "$(tail -n 1 "$TMP/log" | jq -r .msg)"
rt --log "$TMP/log.text" start nothing 2>/dev/null
has "as text" "level=error msg=\"container 'nothing' does not exist\"" "$(tail -n 1 "$TMP/log.text")"

# ---- podman, by way of conmon (which also calls `--version` and `features`)

bundle engine wait
B=$TMP/engine F=$TMP/engine.pid ID=$TAG-engine LOG=$TMP/engine.log
podman() { "$TMP/bin/runnc" --root "$TMP/state" "$@"; }
check "podman: --version" podman --version
# stdin, stdout, stderr are conmon's pipes.
podman --log-format=json --log "$LOG" create --bundle "$B" --pid-file "$F" "$ID" >"$TMP/out" 2>&1 </dev/null
is "podman: create" 0 $?
is "podman: the pid file" "$(guest_pid engine)" "$(cat "$F")"
check "podman: start" podman start "$ID"
refuse "podman: exec is refused" 1 \
	podman --log-format=json --log "$LOG" exec --pid-file "$F.exec" --process "$B/config.json" --detach "$ID"
is "podman: ... and says so in the log" "exec: not supported yet" "$(tail -n 1 "$LOG" | jq -r .msg)"
refuse "podman: pause is refused" 1 podman pause "$ID"
refuse "podman: update is refused" 1 podman update --resources="$B/config.json" "$ID"
check "podman: kill 15" podman kill "$ID" 15
check "podman: it ends" wait_for 10 is_status engine stopped
refuse "podman: kill 9 of a stopped one fails" 1 podman kill "$ID" 9
check "podman: delete --force" podman delete --force "$ID"
check "podman: nothing is left" nothing_left engine
podman --cgroup-manager disabled --debug --log-format=json --log "$LOG" create --bundle "$B" --pid-file "$F" "$ID" \
	>"$TMP/out" 2>&1 </dev/null
is "podman: --cgroups=disabled: create" 0 $?
is "podman: ... makes no cgroup" "" "$(find /sys/fs/cgroup -type d -name "$ID*" 2>/dev/null)"
check "podman: ... delete --force" podman delete --force "$ID"

# ---- containerd's shim (ctr, CRI, dockerd)

shim() { "$TMP/bin/runnc" --root "$TMP/shim/default" --log "$LOG" --log-format json "$@"; }
rm -f "$F" "$LOG"
shim create --bundle "$B" --pid-file "$F" "$ID" >"$TMP/out" 2>&1 </dev/null
is "shim: create" 0 $?
is "shim: state" created "$(shim state "$ID" | jq -r .status)"
check "shim: start" shim start "$ID"
refuse "shim: exec is refused" 1 \
	shim exec --process "$B/config.json" --console-socket "$TMP/sock" --detach --pid-file "$F.exec" "$ID"
refuse "shim: ps is refused" 1 shim ps --format json "$ID"
refuse "shim: update is refused" 1 shim update --resources - "$ID"
is "shim: ... and says so in the log" "update: not supported yet" "$(tail -n 1 "$LOG" | jq -r .msg)"
refuse "shim: delete of a running one is refused" 1 shim delete "$ID"
is "shim: ... in these words" "container $ID: is running: kill it first, or use --force" \
	"$(tail -n 1 "$LOG" | jq -r .msg)"
check "shim: kill 15" shim kill "$ID" 15
shim_stopped() { [ "$(shim state "$ID" | jq -r .status)" = stopped ]; }
check "shim: it ends" wait_for 10 shim_stopped
refuse "shim: kill 9 of a stopped one fails" 1 shim kill "$ID" 9
is "shim: ... in the words that containerd looks for" "container $ID: container not running" \
	"$(tail -n 1 "$LOG" | jq -r .msg)"
check "shim: kill --all of a stopped one" shim kill --all "$ID" 9
check "shim: delete" shim delete "$ID"
check "shim: delete --force of an unknown one" shim delete --force "$ID"
check "shim: nothing is left" nothing_left engine
tap_done
