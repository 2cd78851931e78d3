#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# The bench of the network: its servers are what their figures are taken for to be, whatever pieces a
# request comes in, and it runs to its end and gives each figure. What they are is not judged here: other
# tests run at the same time.
. "$(dirname "$0")/../lib/tap.sh"
cd "$top" || exit 1

for program in serve trips; do
	check "network-$program compiles" "${CC:-cc}" -O2 -static -Wall -Wextra -Werror -o "$TMP/$program" \
		"bench/network-$program.c"
done

# In a namespace of its own, on its loopback.
ip netns add "$TAG" && at_exit ip netns del "$TAG" && ip -n "$TAG" link set lo up || exit 1
inside() { nsenter --net="/run/netns/$TAG" timeout 60 "$@"; }
nsenter --net="/run/netns/$TAG" "$TMP/serve" 8080 7 >"$TMP/served" 2>&1 &
at_exit kill -KILL $!
check "the servers listen" wait_for 10 grep -q ready "$TMP/served"

# ask N PART...: send the parts a moment apart; prints the statuses of the answers, and "end" if the server
# then closes. Each answer must be as long as it says. After N of them a second of silence is the end, until
# then ten.
cat >"$TMP/ask" <<'END'
import re, socket, sys, time
s = socket.create_connection(("127.0.0.1", 8080))
for part in sys.argv[2:]:
    count, _, part = part.rpartition("*")
    s.sendall(part.encode().decode("unicode_escape").encode() * int(count or 1))
    time.sleep(0.05)
def answers(got):
    says, at = [], 0
    while at < len(got):
        head_end = got.find(b"\r\n\r\n", at) + 4
        if head_end < 4:
            return says + ["short"]
        head = got[at:head_end]
        at = head_end + int(re.search(rb"Content-Length: (\d+)", head)[1])
        says.append(head.split()[1].decode() if at <= len(got) else "short")
    return says

s.settimeout(1)
got, quiet, ended = b"", 0, False
while quiet < 10 and not ended:
    try:
        data = s.recv(1 << 20)
        got, quiet, ended = got + data, 0, not data
    except TimeoutError:
        says = answers(got)
        quiet = quiet + 1 if len(says) < int(sys.argv[1]) or "short" in says else 10
says = answers(got)
for status in dict.fromkeys(says):
    print(f"{status}x{says.count(status)}", end=" ")
print("end" if ended else "open")
END
ask() { inside python3 "$TMP/ask" "$@"; }
get='GET / HTTP/1.1\r\nHost: pod\r\n\r\n'
is "a request" "200x1 open" "$(ask 1 "$get")"
is "a request in parts" "200x1 open" "$(ask 1 'GE' 'T /path HTTP/1.1\r' '\nHost:' ' pod\r\n\r' '\n')"
is "requests in one piece, and a half" "200x3 open" "$(ask 3 "${get}${get}GET / HT" 'TP/1.1\r\n\r\n')"
# 7.8 MB of answers, none of which is read before all of the requests are sent: sockets hold 4 MiB.
is "more requests than there is room for their answers" "200x40000 open" "$(ask 40000 "40000*$get")"
is "the last one says so" "200x2 end" "$(ask 2 "${get}GET / HTTP/1.1\r\nconnection: Close\r\n\r\n$get")"
for bad in 'POST / HTTP/1.1\r\n\r\n' 'GET / HTTP/1.0\r\n\r\n' 'GET / HTTP/1.1\r\nHost\r\n\r\n' \
	'GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc' 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n' \
	'\r\n\r\n' '16384*x'; do
	is "refused: ${bad:0:60}" "400x1 end" "$(ask 1 "$bad")"
done

for kind in tcp udp; do
	trips=$(inside "$TMP/trips" $kind 127.0.0.1 7 2000 100)
	# Median, 10, 99, 99.9 of 100.
	check "round trips by $kind: $trips" awk -v trips="$trips" 'BEGIN {
		exit !(split(trips, t, " ") == 4 && 0 < t[2] && t[2] <= t[1] && t[1] <= t[3] && t[3] <= t[4]) }'
done
cat >"$TMP/wrong" <<'END'
import socket
s = socket.create_server(("127.0.0.1", 9))
while True:
    s.accept()[0].sendall(bytes(64))
END
refuse "no server, no figure" 1 inside "$TMP/trips" tcp 127.0.0.1 9 10 0
nsenter --net="/run/netns/$TAG" python3 "$TMP/wrong" &
at_exit kill -KILL $!
check "a server that answers something else listens" wait_for 10 inside python3 -c \
	'import socket; socket.create_connection(("127.0.0.1", 9))'
refuse "another answer than the message, no figure" 1 inside "$TMP/trips" tcp 127.0.0.1 9 10 0
refuse "no answer, no figure" 1 inside "$TMP/trips" tcp 127.0.0.1 8080 10 0

export QUICK=1 ROUNDS=1 BENCH_NETWORK_JSON=$TMP/figures.json
check "bench/network 1400 9000" "$top/bench/network" 1400 9000
is "every figure is there" 24 \
	"$(jq '[.figures[] | select(.ours_median > 0 and .peer_median > 0 and .ratio > 0)] | length' "$TMP/figures.json")"
is "with a target, the sixteen that have one" 16 \
	"$(jq '[.figures[] | select(.met == true or .met == false)] | length' "$TMP/figures.json")"
check "the picture is well-formed" python3 -c \
	'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$TMP/figures.svg"
tap_done
