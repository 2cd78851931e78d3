#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# redis-server: requests from the neighbouring pod, large values, a fork that saves, a load.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

pod_up || exit 1
container_bundle db --netns "/run/netns/$TOPO_POD1" -- \
	redis-server --protected-mode no --save "" --dir /tmp --appendonly yes
container_start db || { not_ok "it starts" "$(container_log db)"; tap_done; }
cli() { in_peer timeout 60 redis-cli -h "$TOPO_IP1" "$@"; }
answers() { [ "$(cli ping)" = PONG ]; }
wait_for 30 answers || { not_ok "it answers" "$(container_log db)"; tap_done; }
is "it answers the neighbouring pod" PONG "$(cli ping)"
is "set" OK "$(cli set greeting hello)"
is "get" hello "$(cli get greeting)"
is "a thousand requests down one connection" 1000 "$(yes 'incr n' | head -n 1000 | cli | tail -n 1)"
head -c 1000000 /dev/urandom | base64 -w 0 >"$TMP/value"
is "a value of 1.3 MB is stored" OK "$(cli -x set big <"$TMP/value")"
is "and comes back unchanged" "$(sha256sum <"$TMP/value")" "$(cli --raw get big | head -c -1 | sha256sum)"
cli bgsave >/dev/null
saved() { cli info persistence | tr -d '\r' | grep -qx 'rdb_bgsave_in_progress:0'; }
check "the forked child finishes saving" wait_for 20 saved
has "and reports success" "rdb_last_bgsave_status:ok" "$(cli info persistence)"
check "the append-only file is rewritten" cli bgrewriteaof
is "lua" "3" "$(cli eval 'return 1 + 2' 0)"
has "ten clients at once, 20000 requests" "GET: " \
	"$(in_peer timeout 120 redis-benchmark -q -h "$TOPO_IP1" -c 10 -n 20000 -t set,get | tr '\r' '\n' |
		grep 'requests per second')"
check "it is told to shut down" container_kill db TERM
check "and does" wait_for 20 container_is db stopped
has "in an orderly way" "bye bye" "$(container_log db)"
tap_done
