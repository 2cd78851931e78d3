#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The life of a container with a stand-in guest: states, exit statuses, signals, hooks, console,
# descriptors, limits, files. What the real guest does with it all is tested elsewhere.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/standin.sh"

ID=$TAG-c

# ---- states

bundle c wait
made "create" rt create --bundle "$TMP/c" --pid-file "$TMP/c.pid" "$ID"
is "it is created" created "$(status_of c)"
is "the pid file" "$(guest_pid c)" "$(cat "$TMP/c.pid")"
is "the pid file has no newline" 0 "$(wc -l <"$TMP/c.pid")"
is "state: the members of the specification" "1.0.2 $ID $TMP/c true" \
	"$(rt state "$ID" | jq -r '"\(.ociVersion) \(.id) \(.bundle) \(.pid > 1)"')"
is "list shows it" "$ID created" "$(rt list --format json | jq -r '.[] | "\(.id) \(.status)"')"
is "list -q shows it" "$ID" "$(rt list -q)"
refuse "the id is taken" 1 rt create --bundle "$TMP/c" "$ID"
has "... in these words" "container '$ID' already exists" "$(rt create --bundle "$TMP/c" "$ID" 2>&1)"
refuse "delete of a created one is refused" 1 rt delete "$ID"
check "start" rt start "$ID"
is "it is running" running "$(status_of c)"
is "the exec FIFO is gone" "" "$(find "$TMP/state/$ID" -type p)"
has "start of a running one" "cannot start an already running container" "$(rt start "$ID" 2>&1)"
has "delete of a running one" "is running" "$(rt delete "$ID" 2>&1)"
check "kill" rt kill "$ID"
check "it stops" wait_for 10 is_status c stopped
is "a stopped one has no pid" 0 "$(guest_pid c)"
has "start of a stopped one" "cannot start a container that has stopped" "$(rt start "$ID" 2>&1)"
has "kill of a stopped one" "container not running" "$(rt kill "$ID" 2>&1)"
check "kill --all of a stopped one" rt kill --all "$ID" KILL
check "delete" rt delete "$ID"
refuse "delete again" 1 rt delete "$ID"
check "delete --force again" rt delete --force "$ID"
check "nothing is left" nothing_left

rt create --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
check "SIGTERM ends one that was not started" rt kill "$ID" TERM
check "... it is stopped then" wait_for 10 is_status c stopped
check "... and can be deleted" rt delete "$ID"
rt create --bundle "$TMP/c" "$ID" </dev/null >"$TMP/out" 2>&1
check "delete --force of a created one" rt delete --force "$ID"
rt run --detach --bundle "$TMP/c" --pid-file "$TMP/c.pid" "$ID" </dev/null >"$TMP/out" 2>&1
is "run --detach" "running $(cat "$TMP/c.pid")" "$(status_of c) $(guest_pid c)"
check "delete --force of a running one" rt delete --force "$ID"
check "nothing is left after these" nothing_left

# ---- exit statuses and signals of run

for status in 0 1 42 125 255; do
	bundle c exit $status
	refuse "run passes status $status on" $status rt run --bundle "$TMP/c" "$ID"
done
# run_signal SIGNAL EXPRESSION: its status after the signal was sent by that command.
run_signal()
{
	local pid status=0
	rm -f "$TMP/out"
	rt run --bundle "$TMP/c" "$ID" >"$TMP/out" 2>&1 </dev/null &
	pid=$!
	wait_for 10 grep -q waiting "$TMP/out" || return 1
	# $! is the shell around the function: the runtime itself is its child, or it.
	"$@" "$(pgrep -P $pid -x runnc || echo $pid)" || return 1
	wait $pid || status=$?
	echo $status
}
bundle c wait
for signal in TERM INT HUP USR1; do
	is "run forwards SIG$signal" $((128 + $(kill -l $signal))) "$(run_signal kill -$signal)"
done
kill_it() { rt kill "$ID" "$1"; }
is "kill TERM reaches the guest" 143 "$(run_signal kill_it TERM)"
is "kill SIGTERM" 143 "$(run_signal kill_it SIGTERM)"
is "kill 15" 143 "$(run_signal kill_it 15)"
is "kill usr2" 140 "$(run_signal kill_it usr2)"
is "kill KILL gives 137" 137 "$(run_signal kill_it KILL)"
check "run deletes what it made" nothing_left

rm -f "$TMP/out"
rt run --bundle "$TMP/c" "$ID" >"$TMP/out" 2>&1 </dev/null &
wait_for 10 grep -q waiting "$TMP/out"
rt delete --force "$ID"
made "an id can be used again while its first run is not back yet" \
	rt create --bundle "$TMP/c" "$ID"
wait $!
is "that run says how its container ended" 137 $?
is "and leaves the second container alone" created "$(status_of c)"
rt delete --force "$ID"

# ---- standard streams

bundle c cat
is "stdin to stdout" "through" "$(echo through | rt run --bundle "$TMP/c" "$ID")"
bundle c fail words
is "stderr" "words" "$(rt run --bundle "$TMP/c" "$ID" 2>&1 >/dev/null)"
bundle c self
for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-'; do
	eval "rt run --bundle '$TMP/c' '$ID' $closed" >"$TMP/out" 2>&1
	eval "rt create --bundle '$TMP/c' '$ID' $closed" >/dev/null
	is "with $closed: created" created "$(status_of c)"
	rt delete --force "$ID"
done
exec 7</etc/passwd 8</etc
self=$(rt run --bundle "$TMP/c" "$ID")
exec 7<&- 8<&-
is "the guest has 0-2, the launch record and its image open, nothing else" "0 1 2 3 20" \
	"$(sed -n 's/^fd \([0-9]*\) .*/\1/p' <<<"$self" | xargs)"
is "the guest's process is nobody" "uid 65534 65534 65534
gid 65534 65534 65534
groups 0" "$(grep -E '^(uid|gid|groups)' <<<"$self")"
is "its root is empty" "root 2" "$(grep ^root <<<"$self")"
is "its directory is the root" "cwd /" "$(grep ^cwd <<<"$self")"
is "it is PID 1 and leads its session" "pid 1 sid 1 tty 0" "$(grep ^pid <<<"$self")"
config c '.annotations["org.runnc.uid"] = "1234"'
has "the annotation for another uid" "uid 1234 1234 1234" "$(rt run --bundle "$TMP/c" "$ID")"

bundle c wait
rt run --detach --bundle "$TMP/c" "$ID" >/dev/null 2>&1 </dev/null
status=$(cat "/proc/$(guest_pid c)/status")
is "no capability is left" "CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000000 CapAmb: 0000000000000000" \
	"$(grep ^Cap <<<"$status" | xargs)"
is "no_new_privs is set" "1" "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' <<<"$status")"
for ns in mnt pid ipc uts net; do
	check "the guest has a $ns namespace of its own" test \
		"$(readlink "/proc/$(guest_pid c)/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")"
done
is "it has one mount, its empty root" 1 "$(wc -l <"/proc/$(guest_pid c)/mountinfo")"
is "the image cache belongs to root alone" "" "$(find "$TMP/cache" -perm /022 ! -type l)"
rt delete --force "$ID"

# ---- what the guest is told

bundle c dump "an argument" ""
echo "10.0.0.1 host" >"$TMP/hosts"
mkdir "$TMP/volume" "$TMP/empty"
echo one >"$TMP/volume/a"
mkdir "$TMP/volume/..data"
echo two >"$TMP/volume/..data/b"
ln -s ..data/b "$TMP/volume/b"
# shellcheck disable=SC2016	# jq's variables
config c '.process.env = ["A=b"] | .process.cwd = "/tmp" | .process.user = {uid: 5, gid: 6, additionalGids: [7, 8]}
	| .hostname = "box" | .root.readonly = false | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
	| .annotations = {"org.runnc.memory": "96M", "org.runnc.volumes": "copy"}
	| .mounts += [
		{destination: "/etc/hosts", type: "bind", source: ($tmp + "/hosts"), options: ["rbind", "ro"]},
		{destination: "/volume", type: "bind", source: ($tmp + "/volume"), options: ["rbind"]},
		{destination: "/empty", type: "bind", source: ($tmp + "/empty"), options: ["rbind"]}]' --arg tmp "$TMP"
dump=$(rt run --bundle "$TMP/c" "$ID" 2>&1)
for line in "arg an argument" "arg " "env A=b" "cwd /tmp" "user 5:6 umask=37777777777 groups=7,8" "hostname box" \
	"root flags=0" "sysctl net.ipv4.ip_forward=1" "memory 100663296" "layer 0" \
	"file /etc/hosts mode=644 uid=0 gid=0 flags=1 size=14: 10.0.0.1 host" \
	"file /volume/a mode=644 uid=0 gid=0 flags=0 size=4: one" \
	"file /volume/b mode=644 uid=0 gid=0 flags=0 size=4: two" \
	"file /volume/..data/b mode=644 uid=0 gid=0 flags=0 size=4: two" \
	"mount /empty type=tmpfs source=tmpfs flags=0x0 data=mode=755,uid=0,gid=0"; do
	has "the guest is told: $line" "
$line
" "
$dump
"
done
ln -s /etc/passwd "$TMP/volume/out"
has "a symlink out of a volume is not followed" "cannot be copied into the guest" \
	"$(rt run --bundle "$TMP/c" "$ID" 2>&1)"
check "nothing is left of that" nothing_left

# ---- limits

memory_file() { find /sys/fs/cgroup -path "*$ID*" \( -name memory.limit_in_bytes -o -name memory.max \) -exec cat {} +; }
pids_file() { find /sys/fs/cgroup -path "*$ID*" -name pids.max -exec cat {} +; }
bundle c wait
config c '.linux.resources.memory.limit = 268435456 | .linux.resources.pids.limit = 50'
rt run --detach --bundle "$TMP/c" "$ID" >/dev/null 2>&1 </dev/null
is "the memory limit is set" 268435456 "$(memory_file)"
is "the pids limit is set" 50 "$(pids_file)"
has "the guest's process is in the cgroup" "/runnc/$ID" "$(cat "/proc/$(guest_pid c)/cgroup")"
rt delete --force "$ID"
check "the cgroup goes" nothing_left c
bundle c dump
config c '.linux.resources.memory.limit = 268435456'
has "the guest gets what the limit leaves" "memory 249561088" "$(rt run --bundle "$TMP/c" "$ID")"
config c '.process.oomScoreAdj = 500'
check "oomScoreAdj" rt run --bundle "$TMP/c" "$ID"

# ---- hooks

cat >"$TMP/hook" <<'END'
#!/bin/sh
# Notes its name, the status it is told, and whether it is in the runtime's network namespace.
state=$(cat)
ns=other
[ "$(readlink /proc/self/ns/net)" != "$HOME_NET" ] || ns=own
echo "$1 $(echo "$state" | jq -r .status) $ns" >>"$LOG"
[ "$1" != "$FAIL" ]
END
chmod +x "$TMP/hook"
hooks()
{
	bundle c exit 0
	# shellcheck disable=SC2016	# jq's variables
	config c '.hooks = ([("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
		| {key: ., value: [{path: $hook, args: ["hook", .], env: ["LOG=" + $log, "FAIL=" + $fail,
		"HOME_NET=" + $net, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}] | from_entries)' \
		--arg hook "$TMP/hook" --arg log "$TMP/hooks.log" --arg fail "$1" \
		--arg net "$(readlink /proc/self/ns/net)"
	rm -f "$TMP/hooks.log"
}
hooks none
check "run with hooks" rt run --bundle "$TMP/c" "$ID"
is "hooks: order, status, namespace" "prestart creating own
createRuntime creating own
createContainer creating other
startContainer created other
poststart running own
poststop stopped own" "$(cat "$TMP/hooks.log")"

failing_hook()
{
	hooks "$1"
	refuse "a failing $1 hook: run fails" 1 rt run --bundle "$TMP/c" "$ID"
	is "... these hooks have run" "$2" "$(cut -d ' ' -f 1 "$TMP/hooks.log" | xargs)"
	check "... and nothing is left" nothing_left
}
failing_hook prestart "prestart poststop"
failing_hook createRuntime "prestart createRuntime poststop"
failing_hook createContainer "prestart createRuntime createContainer poststop"
failing_hook startContainer "prestart createRuntime createContainer startContainer poststop"
hooks poststart
check "a failing poststart hook is a warning" rt run --bundle "$TMP/c" "$ID"
hooks poststop
check "a failing poststop hook is a warning" rt run --bundle "$TMP/c" "$ID"
hooks startContainer
rt create --bundle "$TMP/c" "$ID" >"$TMP/out" 2>&1 </dev/null
refuse "a failing startContainer hook: start fails" 1 rt start "$ID"
check "... and the container stops" wait_for 10 is_status c stopped
# The bundle may be gone by then: what start and delete need was copied.
rm "$TMP/c/config.json"
check "... delete works without the bundle" rt delete "$ID"
has "... and runs poststop" "poststop stopped own" "$(cat "$TMP/hooks.log")"

# ---- the guest cannot be executed

bundle c exit 0
echo "no program" >"$TMP/bad-kernel"
chmod +x "$TMP/bad-kernel"
mkdir "$TMP/libexec.bad"
cp "$TMP/bad-kernel" "$TMP/libexec.bad/nabla-linux"
: >"$TMP/libexec.bad/nabla-init.cpio"
has "a guest that cannot be executed: start says why" "execute nabla-linux: Exec format error" \
	"$(RUNNC_LIBEXEC=$TMP/libexec.bad rt run --bundle "$TMP/c" "$ID" 2>&1)"
check "nothing is left of that one" nothing_left

# ---- the console

cat >"$TMP/console.py" <<'END'
# Listen for a terminal on a UNIX socket, as conmon and containerd do, and talk to it.
import array, fcntl, os, signal, socket, struct, subprocess, sys, termios
path, command = sys.argv[1], sys.argv[2:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
if len(path) > 100:
    os.chdir(os.path.dirname(path))
    server.bind(os.path.basename(path))
else:
    server.bind(path)
server.listen(1)
runtime = subprocess.Popen(command, stdin=subprocess.DEVNULL)
server.settimeout(20)
peer, _ = server.accept()
data, control, _, _ = peer.recvmsg(100, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
assert runtime.wait() == 0
print("tty", os.isatty(fd), "raw", not termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO))
print("size", *struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))[:2])
sys.stdout.flush()
root, id = os.environ["CONSOLE_ROOT"], command[-1]
assert subprocess.run([command[0], "--root", root, "start", id]).returncode == 0
print(os.read(fd, 100).decode().strip())
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
print(os.read(fd, 100).decode().strip())
END
bundle c size
config c '.process.terminal = true | .process.consoleSize = {height: 33, width: 77}'
console() { CONSOLE_ROOT=$TMP/state timeout 30 python3 "$TMP/console.py" "$1" "$TMP/bin/runnc" --root "$TMP/state" \
	create --bundle "$TMP/c" --console-socket "$1" "$ID" 2>&1; }
is "the console goes to the socket, and its size to the guest" "tty True raw True
size 33 77
size 33 77
size 50 132" "$(console "$TMP/socket")"
rt delete --force "$ID"
long=$TMP/$(printf 'd%.0s' {1..100})
mkdir "$long"
has "a socket with a long path" "size 50 132" "$(console "$long/socket")"
rt delete --force "$ID"

cat >"$TMP/terminal.py" <<'END'
# Run a command on a terminal; print what it writes; resize and interrupt it in between.
import fcntl, os, pty, struct, sys, termios, time
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
def expect(fd, text):
    seen = b""
    while text.encode() not in seen:
        seen += os.read(fd, 100)
    print(text)
pid, fd = pty.fork()
if pid == 0:
    size(0, 24, 80)
    os.execv(sys.argv[1], sys.argv[1:])
expect(fd, "size 24 80")
size(fd, 25, 81)
expect(fd, "size 25 81")
os.kill(pid, 15)
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
lflag = termios.tcgetattr(fd)[3]
print("restored", bool(lflag & termios.ICANON and lflag & termios.ECHO))
END
is "run relays a terminal" "size 24 80
size 25 81
status 0
restored True" "$(timeout 30 python3 "$TMP/terminal.py" "$TMP/bin/runnc" --root "$TMP/state" run --bundle "$TMP/c" "$ID" 2>&1)"
bundle c dump
config c '.process.terminal = true'
rt run --bundle "$TMP/c" "$ID" 2>/dev/null </dev/null | true
is "run with a terminal, and nobody who reads: its status" 0 "${PIPESTATUS[0]}"
check "... and nothing is left" nothing_left
bundle c cat
config c '.process.terminal = true'
has "run with a terminal and without one of its own" "typed" \
	"$( (echo typed; sleep 1) | timeout -s KILL 20 "$TMP/bin/runnc" --root "$TMP/state" run --bundle "$TMP/c" "$ID" 2>&1 &
	sleep 2; rt kill "$ID" KILL; wait)"
rt delete --force "$ID"
check "nothing is left of the consoles" nothing_left
tap_done
