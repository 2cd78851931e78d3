#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A running container as the host sees it: identity, capabilities, descriptors, root, namespaces, maps.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/guest/lib.sh"
. "$top/tests/lib/container.sh"

guest_build wait hostile/wait.c -static || tap_done
container_bundle c -- /bin/wait
container_start c || { not_ok "the container starts" "$(container_log c)"; tap_done; }
check "the program in it runs" wait_for 20 grep -q ready "$TMP/c.out"
pid=$(container_pid c)
proc=/proc/$pid

status_field() { sed -n "s/^$1:[[:space:]]*//p" "$proc/status" | tr -s '\t ' ' '; }

is "no new privileges" 1 "$(status_field NoNewPrivs)"
is "seccomp: a filter" 2 "$(status_field Seccomp)"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "no capability in $set" 0000000000000000 "$(status_field $set)"
done
is "the user is nobody" "65534 65534 65534 65534" "$(status_field Uid)"
is "the group is nobody's" "65534 65534 65534 65534" "$(status_field Gid)"
is "no other groups" "" "$(status_field Groups | tr -d ' ')"
is "one thread" 1 "$(status_field Threads)"
is "no children" "" "$(cat "$proc/task/$pid/children" 2>/dev/null)"
is "nobody traces it" 0 "$(status_field TracerPid)"

# Not dumpable: its own user may not look into /proc/PID, whose files belong to root then.
is "not dumpable" 0 "$(stat -c %u "$proc/fd")"
is "memory: no core dump of more than nothing" "0" \
	"$(awk '/Max core file size/ { print $5 }' "$proc/limits")"

is "the root is empty" "" "$(ls -A "$proc/root/")"
check "the root is not the host's" test "$(stat -Lc %d:%i "$proc/root/")" != "$(stat -Lc %d:%i /)"
is "the working directory is the root" "$(stat -Lc %d:%i "$proc/root/")" "$(stat -Lc %d:%i "$proc/cwd/")"
is "nothing else is mounted" 1 "$(wc -l <"$proc/mountinfo")"
for ns in pid net ipc uts mnt; do
	check "namespace $ns is its own" \
		test "$(readlink "$proc/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")"
done

# 0-2 from the caller, 4 and 5 epoll, 6 guest memory, 24... images. No 3 (the launch record), no network here.
fds=$(for f in "$proc"/fd/*; do
	to=$(readlink "$f")
	case $to in
	*eventpoll*)		to=epoll ;;
	*memfd:nabla-memory*)	to=memory ;;
	*.erofs*|*/images/*|*image-cache*)	to=image ;;
	esac
	echo "${f##*/}:$to"
done | sort -n | sed '/^[012]:/d' | tr '\n' ' ')
is "descriptors beside 0-2" "4:epoll 5:epoll 6:memory 24:image " "$fds"
bad=$(for f in "$proc"/fdinfo/*; do
	n=${f##*/}
	[ "$n" -lt 3 ] || awk -v n="$n" '/^flags:/ { if (int($2 / 1000000) % 4 < 2) print n }' "$f"
done)
is "all of them are close-on-exec" "" "$bad"
is "the image is open for reading only" 0 "$(awk '/^flags:/ { print $2 % 4 }' "$proc/fdinfo/24")"

is "no page is writable and executable, in the kernel's range" "" "$(
	awk -F'[- ]' '
	function hex(s,  i, n) { n = 0; for (i = 1; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return n }
	$3 ~ /w.*x|wx/ && hex($1) >= hex("60000000") && hex($1) < hex("4000000000") { print }
	' "$proc/maps")"
is "no page of the whole process is, this program asks for none" "" "$(awk '$2 ~ /wx/' "$proc/maps")"
check "the executable is no longer to be found by a path in its root" \
	test ! -e "$proc/root/$(readlink "$proc/exe")"

check "SIGKILL" container_kill c KILL
check "it is gone" wait_for 10 container_is c stopped
check "delete" container_delete c
# A zombie is only a number that its parent has not asked for yet.
check "no process is left" sh -c "! grep -q '^State:.*[^Z] (' $proc/status 2>/dev/null"
is "no state is left" "" "$(find "$TMP/state" -mindepth 1 -maxdepth 1 -name "$TAG-*")"
is "no cgroup is left" "" "$(find /sys/fs/cgroup -type d -name "*$TAG-c*")"
check "delete of what is gone is no error" container_delete c

# The host lays out a process with an unlimited stack from the bottom up: its vDSO must not come to lie
# where the guest has its programs.
guest_build turns hostile/turns.c -static || tap_done
ulimit -S -s unlimited 2>/dev/null || true
if [ "$(ulimit -S -s)" = unlimited ]; then
	guest_try turns
	is "an unlimited stack of the caller: 500 programs run" "0 fine" "$status $output"
else
	skip "an unlimited stack of the caller: 500 programs run" "this shell's hard limit is lower"
fi
tap_done
