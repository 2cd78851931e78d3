# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts here, after containers.sh: who dials whom, by talk.py, of a guest, an ordinary container of its
# pod (the "sidecar") and the neighbouring pod (the "peer").
#
#	sidecar COMMAND...		run it beside the guest, in its namespace, as an ordinary container would
#	serve NAMESPACE NAME SPEC...	servers there that call themselves NAME
#	servers_stop			end them all
#	dials TEXT WHO...		of lines "SPEC ANSWER" on the standard input a result each: when WHO (by_sidecar,
#			by_peer, by_guest) dials SPEC, is it answered so?
#	hold [PORT]			a connection of the sidecar's, from this local port, that goes on
#	held TEXT			a result: it was never lost
#	at_once NAME COMMAND..., together	commands in the background, and waiting for all of them
#	outcome NAME			the last line that it has written

talk=$top/tests/net/talk.py
SERVERS=()
HOLD_PID=''

sidecar() { topo_in "$TOPO_POD1" "$@"; }

serve()
{
	local ns=$1 name=$2
	shift 2
	rm -f "$TMP/$name.log"
	{ TALK_NAME=$name exec nsenter --net="/run/netns/$ns" python3 "$talk" serve "$@" >"$TMP/$name.log" 2>&1 \
		</dev/null; } &
	SERVERS+=($!)
	at_exit kill -9 $!
	wait_for 30 grep -q ready "$TMP/$name.log" || not_ok "server $name" "$(cat "$TMP/$name.log")"
}

servers_stop()
{
	kill -9 "${SERVERS[@]}"
	wait "${SERVERS[@]}" 2>/dev/null
	SERVERS=()
}

dials()
{
	local text=$1 lines specs got spec wanted

	shift
	lines=$(cat)
	mapfile -t specs < <(cut -d ' ' -f 1 <<<"$lines")
	got=$("$@" "${specs[@]}" 2>&1)
	while read -r spec wanted; do
		is "$text: $spec" "$spec $wanted" "$(grep -F "$spec " <<<"$got" || tail -n 3 <<<"$got")"
	done <<<"$lines"
}

by_sidecar() { sidecar timeout -s KILL 90 python3 "$talk" each "$@" </dev/null; }
by_peer() { in_pod2 timeout -s KILL 90 python3 "$talk" each "$@" </dev/null; }
by_guest() { guest "python3 /talk.py each $*"; }

hold()
{
	rm -f "$TMP/hold.log"
	{ exec nsenter --net="/run/netns/$TOPO_POD1" python3 "$talk" hold "tcp:$TOPO_IP2:82" "$@" >"$TMP/hold.log" 2>&1 \
		</dev/null; } &
	HOLD_PID=$!
	at_exit kill -9 $HOLD_PID
	wait_for 30 grep -q ready "$TMP/hold.log" || not_ok "a connection" "$(cat "$TMP/hold.log")"
}

held()
{
	kill -TERM $HOLD_PID
	wait $HOLD_PID
	is "$1: a connection of the sidecar's goes through all of that" "ready
held" "$(cat "$TMP/hold.log")"
}

at_once() { "${@:2}" >"$TMP/once.$1" 2>&1 </dev/null & once+=($!); }
together() { wait "${once[@]}"; once=(); }
outcome() { tail -n 1 "$TMP/once.$1"; }
once=()
