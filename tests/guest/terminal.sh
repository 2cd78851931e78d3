#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# A terminal of the guest's own: line discipline, job control, size, hang-up. The program runs on
# /dev/console as under any runtime; the other side is a pseudoterminal that this script holds.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

cat >"$TMP/terminal.py" <<'END'
# terminal.py ROWS COLUMNS STEPS COMMAND...: run it on a terminal of that size. STEPS is a Python list of
# ["expect", TEXT] | ["type", TEXT] | ["size", ROWS, COLUMNS] | ["close"]; then its exit status.
import ast, fcntl, os, pty, select, struct, sys, termios, time
rows, columns, steps, command = int(sys.argv[1]), int(sys.argv[2]), ast.literal_eval(sys.argv[3]), sys.argv[4:]
def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    resize(0, rows, columns)
    os.execv(command[0], command)
seen = b""
def read():
    global seen
    if not select.select([fd], [], [], 20)[0]:
        print("nothing came; so far:", seen); os.kill(pid, 9); sys.exit(1)
    try:
        data = os.read(fd, 4096)
    except OSError:
        data = b""
    seen += data
    return data
for step in steps:
    if step[0] == "expect":
        while step[1].encode() not in seen:
            if not read():
                print("it ended without", repr(step[1]), "after", seen); sys.exit(1)
        seen = seen[seen.index(step[1].encode()) + len(step[1]):]
        print("saw", step[1])
    elif step[0] == "type":
        os.write(fd, step[1].encode())
    elif step[0] == "size":
        resize(fd, step[1], step[2])
    elif step[0] == "close":
        os.close(fd)
        break
else:
    while read():
        pass
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END

# on_terminal ROWS COLUMNS STEPS PROGRAM...: what terminal.py says
on_terminal()
{
	local rows=$1 columns=$2 steps=$3 name=tty$BASHPID	# each runs in a subshell of its own
	shift 3
	container_bundle "$name" --jq '.process.terminal = true' --env TERM=xterm -- "$@"
	timeout -s KILL 60 python3 "$TMP/terminal.py" "$rows" "$columns" "$steps" \
		"$(command -v "$RUNNC")" "${container_root[@]}" run --bundle "$TMP/$name" "$TAG-$name" 2>&1
	container_delete "$name"	# at_exit would be the subshell's
}

is "a terminal on all three streams, which is /dev/console" "saw yes /dev/console crw
status 7" "$(on_terminal 24 80 '[["expect", "yes /dev/console crw"]]' \
	bash -c '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo "yes $(tty) $(stat -L -c %A /dev/console | cut -c1-3)"; exit 7')"
is "its size, from the first moment on" "saw 33 77
status 0" "$(on_terminal 33 77 '[["expect", "33 77"]]' stty size)"
is "a new size, and SIGWINCH to the foreground" "saw ready
saw size 50 132
saw size 20 40
status 0" "$(on_terminal 24 80 '[["expect", "ready"], ["size", 50, 132], ["expect", "size 50 132"],
	["size", 20, 40], ["expect", "size 20 40"]]' python3 -c '
import os, signal
n = 0
def changed(*_):
    global n
    n += 1
    print("size", os.get_terminal_size(0).lines, os.get_terminal_size(0).columns, flush=True)
signal.signal(signal.SIGWINCH, changed)
print("ready", flush=True)
while n < 2: signal.pause()')"
is "line editing and echo are done once" "saw ready
saw got <abd>
status 0" "$(on_terminal 24 80 '[["expect", "ready"], ["type", "abc\x7fd\n"], ["expect", "got <abd>"]]' \
	bash -c 'echo ready; read -r x; echo "got <$x>"')"
is "^C interrupts what is in the foreground" "saw #
saw started
saw #
saw status=130
status 0" "$(on_terminal 24 80 '[["expect", "#"], ["type", "bash -c \"echo star\\\"\\\"ted; exec sleep 60\"\n"],
	["expect", "started"], ["type", "\x03"], ["expect", "#"], ["type", "echo status=$?\n"], ["expect", "status=130"],
	["type", "exit 0\n"]]' bash --norc --noprofile -i)"
is "^C interrupts a program that only computes" "saw #
saw started
saw #
saw status=130
status 0" "$(on_terminal 24 80 '[["expect", "#"], ["type", "echo star\"\"ted; while :; do :; done\n"],
	["expect", "started"], ["type", "\x03"], ["expect", "#"], ["type", "echo status=$?\n"], ["expect", "status=130"],
	["type", "exit 0\n"]]' bash --norc --noprofile -i)"
is "^Z stops it, fg continues it" "saw #
saw started
saw Stopped
saw #
saw ended
saw #
status 3" "$(on_terminal 24 80 '[["expect", "#"],
	["type", "bash -c \"echo star\\\"\\\"ted; sleep 1; echo en\\\"\\\"ded\"\n"], ["expect", "started"], ["type", "\x1a"],
	["expect", "Stopped"], ["expect", "#"], ["type", "fg\n"], ["expect", "ended"], ["expect", "#"], ["type", "exit 3\n"]]' \
	bash --norc --noprofile -i)"
is "end of file by ^D" "saw ready
saw 4
status 0" "$(on_terminal 24 80 '[["expect", "ready"], ["type", "abc\n\x04"], ["expect", "4"]]' bash -c 'echo ready; wc -c')"
is "much output arrives whole" "saw end-30000
status 0" "$(on_terminal 24 80 '[["expect", "end-30000"]]' bash -c 'seq 1 30000; echo end-30000')"
container_bundle none -- stty size
has "without a terminal there is none" "Inappropriate ioctl" "$(container_run none 2>&1)"
tap_done
