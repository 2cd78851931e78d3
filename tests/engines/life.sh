# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For podman.sh and docker.sh to source, after the engine is up: what its users type, from run and its options
# to rm. The engine's file gives besides:
#
#	$engine_runtime		where inspect has the runtime

# ---- one command --------------------------------------------------------------------------------------

output=$(shell -- 'echo out; echo err >&2; exit 7' 2>"$TMP/err")
is "run: its exit status" 7 $?
is "run: what it prints" out "$output"
has "run: and on the other channel" err "$(cat "$TMP/err")"
[ "${RUNNC##*/}" != runnc ] ||
	has "run: it is not the host's kernel that it sees" nabla "$(shell -- 'uname -r')"
is "two layers: what the second one has, and what it took away" "second, no group" \
	"$(engine run --rm layers sh -c 'echo "$(cat /etc/layer),$(test -e /etc/group || echo " no group")"')"
is "run -i: standard input" piped "$(echo piped | by runnc run --rm -i base cat)"
has "run -t: a terminal" /dev/ "$(engine run --rm -t base tty)"

echo "of the host" >"$TMP/file"
is "options" "box A=b 1000:1000 /tmp readonly empty of the host" "$(shell --hostname box --env A=b \
	--user 1000:1000 --workdir /tmp --read-only --tmpfs /data --volume "$TMP/file:/file:ro" --memory 128m -- '
	echo $(hostname) A=$A $(id -u):$(id -g) $(pwd) $(touch /x 2>/dev/null || echo readonly) \
		$(ls /data | grep . || echo empty) $(cat /file)')"
if [ "${RUNNC##*/}" = runnc ]; then
	output=$(shell --memory 128m -- "awk '/^MemTotal/ { print \$2 }' /proc/meminfo")
	check "--memory is what the guest sees" [ "$output" -gt 90000 -a "$output" -lt 131072 ]
fi
output=$(engine run --rm base no-such-program 2>&1)
is "a program that is not there: the status" 127 $?
has "a program that is not there: what the engine says" 'no-such-program' "$output"
is "--uts host: the host's name" "$(uname -n)" "$(shell --uts host -- hostname)"
has "a name in /etc/hosts" 192.0.2.9 "$(shell --add-host far:192.0.2.9 -- 'grep far /etc/hosts')"
is "create, cp, start -a" "of the host" "$(engine create --name copied base cat /copied >/dev/null &&
	engine cp "$TMP/file" copied:/copied >/dev/null && engine start --attach copied)"

# What runnc cannot do is said by the engine in runnc's words.
if [ "${RUNNC##*/}" = runnc ]; then
	output=$(shell --volume /usr:/data -- true 2>&1)
	has "a volume is refused, with the reason" "volumes are not supported yet" "$output"
fi

# ---- a life -------------------------------------------------------------------------------------------

check "run -d" serve web --publish 127.0.0.1:8080:80
has "logs" "web serves" "$(engine logs web 2>&1)"
has "ps" "web Up" "$(engine ps --format '{{.Names}} {{.Status}}')"
is "inspect: runtime, state" "runnc running true" \
	"$(field web "$engine_runtime") $(field web .State.Status) $(field web .State.Running)"
check "inspect: it has a process" kill -0 "$(field web .State.Pid)"
is "it answers" web "$(fetch "$(address web)")"
if [ "${RUNNC##*/}" = runnc ]; then
	output=$(engine exec web true 2>&1)
	has "exec is refused, with the reason" "exec: not supported yet" "$output"
fi
check "kill -s USR1" engine kill --signal USR1 web
told() { engine logs web 2>&1 | grep -c "$1"; }
check "reaches the program" wait_for 20 told something
is "which runs on" web "$(fetch "$(address web)")"
check "stop" engine stop --time 30 web
is "stop: SIGTERM reached the program, whose status is known" "1 exited 3" \
	"$(told stop) $(field web .State.Status) $(field web .State.ExitCode)"
check "start, once more" engine start web
is "it answers again" web "$(fetch "$(address web)")"
check "restart" engine restart --time 30 web
is "restart: and again" web "$(fetch "$(address web)")"
is "restart: SIGTERM, not SIGKILL" 2 "$(told stop)"
check "kill" engine kill web
is "wait" 137 "$(engine wait web)"
is "kill: the status" "exited 137" "$(field web .State.Status) $(field web .State.ExitCode)"
check "and start, after a kill" engine start web
is "it answers as before" web "$(fetch "$(address web)")"

engine run --detach --name deaf base sh -c 'trap "" TERM; echo deaf; while :; do sleep 1; done' >/dev/null
check "one that does not hear SIGTERM" wait_for 20 eval 'engine logs deaf 2>&1 | grep deaf'
check "stop: it is killed when the time is over" engine stop --time 1 deaf
is "stop: the status says so" 137 "$(field deaf .State.ExitCode)"
engine run --detach --name again --restart on-failure:2 base sh -c 'echo once; exit 1' >/dev/null
check "run --restart: it is run again, twice" wait_for 30 eval '[ "$(engine logs again | grep -c once)" = 3 ]'
check "rm -f, while it runs" engine_drop web
is "rm -f: it is gone" "" "$(engine ps --all --quiet --filter name=web)"
nothing_left "nothing is left of them"
