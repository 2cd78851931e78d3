#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Other unmodified programs: perl, sqlite3, curl, ps, ip, a static busybox.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

run_is()
{
	local text=$1 wanted=$2
	shift 2
	container_try -- "$@"
	is "$text" "$wanted" "$output"
}

run_is "perl: fork, pipe and a regular expression" "child says 42" perl -e '
	pipe(R, W); if (!fork) { close R; print W "n=42\n"; exit }
	close W; $_ = <R>; wait; print "child says $1\n" if /(\d+)/'
run_is "perl: sockets between two processes" "got ping" perl -MSocket -e '
	socketpair(A, B, AF_UNIX, SOCK_STREAM, PF_UNSPEC); if (!fork) { syswrite B, "ping"; exit }
	sysread A, $x, 4; wait; print "got $x\n"'
run_is "sqlite3: a table, an index, a join" "500|499" bash -c 'sqlite3 /tmp/x.db "
	create table a(n integer primary key, s text);
	with recursive c(n) as (select 0 union all select n + 1 from c where n < 999)
		insert into a select n, hex(n) from c;
	create index i on a(s);
	select count(*), max(x.n) from a x join a y on y.n = x.n * 2;"'
run_is "ps sees the container's processes" "sleep" bash -c 'sleep 9 & ps -o comm= -p $!; kill $!'
run_is "the host name is the bundle's" "nabla" hostname
run_is "ip shows the loopback, up" "127.0.0.1/8" bash -c "ip -br addr show lo | grep -o '127[^ ]*'"
run_is "curl speaks to python's server over the loopback" "<!DOCTYPE HTML>" bash -c '
	python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 &
	for i in $(seq 100); do curl -s http://127.0.0.1:8000/ >/tmp/o && break; sleep 0.1; done
	head -n 1 /tmp/o; kill $!'
run_is "tar and gzip, there and back" "same" bash -c '
	tar -C /usr/lib -czf /tmp/x.tgz python3.11 && mkdir /tmp/y && tar -C /tmp/y -xzf /tmp/x.tgz &&
	diff -r /usr/lib/python3.11 /tmp/y/python3.11 && echo same'
run_is "find and xargs over the whole image" "0" bash -c '
	find /usr/bin /usr/lib -xdev -type f -print0 | xargs -0 cat >/dev/null; echo $?'
run_is "all files of the root have one device number, also new ones" "1" bash -c '
	echo new >/srv/new; echo more >>/etc/passwd
	stat -c %d / /bin/bash /etc /etc/passwd /srv/new | sort -u | wc -l'
run_is "their inode numbers are exact in JavaScript" "true" node -e '
	const fs = require("fs");
	console.log(["/bin/bash", "/etc", "/"].every(
		f => fs.statSync(f, {bigint: true}).ino === BigInt(fs.statSync(f).ino) &&
		Number.isSafeInteger(fs.statSync(f).ino)))'

# Programs come and go in all of the guest's slots of addresses; with an unlimited stack the host once
# had its own code in one of them.
stack=$(ulimit -S -s)
if ulimit -S -s unlimited 2>/dev/null; then
	run_is "450 programs in turn, started with an unlimited stack" "done" bash -c '
		for i in $(seq 450); do /bin/true || exit 1; done; echo done'
	ulimit -S -s "$stack"
else
	skip "450 programs in turn, started with an unlimited stack" "RLIMIT_STACK cannot be raised here"
fi

ROOTFS=$("$top/scripts/rootfs" busybox)
run_is "a static busybox, as the only program" "3" sh -c 'echo a b c | wc -w'
run_is "its httpd and wget" "hello" sh -c '
	mkdir /www; echo hello >/www/x; httpd -p 8000 -h /www; wget -q -O - http://127.0.0.1:8000/x'
tap_done
