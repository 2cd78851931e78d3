#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the host sees of a unikernel's process: mappings, descriptors, memory, privileges; and how it ends
# by a signal, as PID 1 of a namespace too.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

ulimit -c 0
truncate -s 1M "$TMP/disk"
exec 8<"$TMP/disk" 9<>"$TMP/disk" 77</etc/passwd
tender_start --block:storage=@9 "$GUESTS/hostile.spt" call 119 3 100000 1 ffffffff 0
wait_for 10 tender_says trying || not_ok "the unikernel waits" "$(cat "$TMP/out")"
sleep 0.1
maps=$(cat "/proc/$pid/maps")
above=$(awk '{ split($1, a, "-"); if (length(a[2]) > 8 && !/vsyscall/) print $2, $6 }' <<<"$maps")
is "above guest memory: one page, executable, not writable" "r-xp " "$above"
is "... of 4096 bytes" 4096 "$(awk '{ split($1, a, "-"); if (length(a[2]) > 8 && !/vsyscall/) print a[1], a[2] }' \
	<<<"$maps" | { read -r from to; echo $((0x$to - 0x$from)); })"
is "nothing is writable and executable" "" "$(awk '$2 ~ /w/ && $2 ~ /x/' <<<"$maps")"
is "nothing of the tender, no vDSO, no stack, no heap" "" "$(grep -E 'nabla-run|\[(vdso|vvar|stack|heap)' <<<"$maps")"
is "guest memory begins at 64 KiB" 00010000 "$(head -n 1 <<<"$maps" | cut -d- -f1)"
has "... and ends after 512 MiB, below it the stack behind a guard page" "1ff81000-20000000 rw-p" "$maps"
has "... the guard page" "1ff80000-1ff81000 ---p" "$maps"
# shellcheck disable=SC2012	# numbers
is "descriptors: 0-2, epoll, timer, disk; not what was inherited" "0 1 2 3 4 5" \
	"$(ls "/proc/$pid/fd" | sort -n | tr '\n' ' ' | sed 's/ $//')"
is "... 3 is the epoll" "anon_inode:[eventpoll]" "$(readlink "/proc/$pid/fd/3")"
is "... 4 is the timer" "anon_inode:[timerfd]" "$(readlink "/proc/$pid/fd/4")"
is "... 5 is the disk" "$TMP/disk" "$(readlink "/proc/$pid/fd/5")"
has "no_new_privs" "NoNewPrivs:	1" "$(cat "/proc/$pid/status")"
has "a seccomp filter" "Seccomp:	2" "$(cat "/proc/$pid/status")"
is "one thread" 1 "$(ls "/proc/$pid/task" | wc -l)"
private=$(awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$pid/smaps_rollup")
check "private memory is at most 200 kB: $private kB" [ "$private" -le 200 ]
tender_end
exec 77<&-

# The file's pages are shared by guests of the same file.
tender_start "$GUESTS/exits.spt" sleep
wait_for 10 tender_says waiting
private=$(awk '/^Private_/ { sum += $2 } END { print sum }' "/proc/$pid/smaps_rollup")
check "... of a guest that sleeps: $private kB" [ "$private" -le 200 ]
kill -TERM "$pid"
status=0
wait "$pid" 2>/dev/null || status=$?
is "SIGTERM ends a guest that sleeps" 143 $status
tender_start "$GUESTS/exits.spt" spin
wait_for 10 tender_says waiting
kill -TERM "$pid"
status=0
wait "$pid" 2>/dev/null || status=$?
is "SIGTERM ends one that never calls the host" 143 $status

# blocked SIGNALS...: the same with these blocked by the caller.
status=0
output=$(timeout -s KILL 20 python3 -c '
import os, signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
p.stdout.readline()
p.terminate()
print(p.wait())' "$NABLA_RUN" "$GUESTS/exits.spt" sleep) || status=$?
is "... though the caller had it blocked" "0 -15" "$status $output"

# PID 1: the kernel spares it from signals that have no handler.
for signal in TERM INT HUP QUIT USR1 USR2 ALRM; do
	for how in sleep spin; do
		: >"$TMP/out"
		unshare --pid --fork --kill-child sh -c 'exec "$@"' sh "$NABLA_RUN" "$GUESTS/exits.spt" $how \
			>"$TMP/out" 2>&1 </dev/null &
		outer=$!
		at_exit kill -KILL $outer
		wait_for 10 tender_says waiting
		inner=$(cat /proc/$outer/task/$outer/children)
		is "PID 1 of its namespace" 1 "$(awk '/^NSpid/ { print $NF }' "/proc/${inner% }/status")"
		# shellcheck disable=SC2086	# one number, and a blank behind it
		kill -$signal $inner
		status=0
		wait $outer 2>/dev/null || status=$?
		is "... that does $how dies of SIG$signal" $((128 + $(kill -l $signal))) $status
	done
done

# Descriptors 0 to 2, closed by the caller: the disk gets none of these numbers.
before=$(sha256sum <"$TMP/disk")
status=0
(exec "$NABLA_RUN" --block:storage="$TMP/disk" "$GUESTS/hostile.spt" call e7 5 <&- >&- 2>&-) || status=$?
is "closed 0-2: it runs" 5 $status
is "... and its output is not in the disk" "$before" "$(sha256sum <"$TMP/disk")"
status=0
(exec chroot "$TMP" /nabla-run) 2>/dev/null || status=$?
is "(there is no such program in an empty root)" 127 $status
cp "$NABLA_RUN" "$GUESTS/hello.spt" "$TMP"
status=0
(exec chroot "$TMP" /nabla-run hello.spt <&- >&- 2>&-) || status=$?
is "closed 0-2 in a root without /dev: it runs" 0 $status

# An inherited descriptor is closed; its number kills.
exec 77</etc/passwd
tender --block:storage=@9 "$GUESTS/hostile.spt" read 4d
is "an inherited descriptor: SYS" "159 trying" "$status $output"
exec 77<&-

# Devices' descriptors in each other's places.
exec 3<>"$TMP/disk" 4<>"$TMP/disk" 5<"$GUESTS/block.spt"
tender --block:storage=@4 @5
is "descriptors with the numbers of others: $output" 0 $status
exec 3<&- 4<&- 5<&-
tap_done
