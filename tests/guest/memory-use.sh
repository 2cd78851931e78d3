#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# What a guest's memory costs its host: nothing before it is used, and little after it was.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

# KiB of guest memory that the host holds for the container
held()
{
	awk '/^[0-9a-f]+-/ { mine = /memfd:nabla-memory/ && $3 == "00a00000" } /^Rss:/ && mine { sum += $2 } END { print sum + 0 }' \
		"/proc/$(container_pid "$1")/smaps"
}
held_below() { [ "$(held "$1")" -lt "$2" ]; }
held_above() { [ "$(held "$1")" -gt "$2" ]; }
said() { container_log "$1" | grep -qx "$2"; }

guest() { container_bundle "$1" --annotation org.runnc.memory="$2" -- python3 -u -c "$3"; container_start "$1"; }
available='
def available():
    return [int(l.split()[1]) for l in open("/proc/meminfo") if l.startswith("MemAvailable")][0]
'

container_bundle sleep --annotation org.runnc.memory=4G -- sleep 60
container_start sleep
sleep 1
kib=$(held sleep)
if [ "$kib" -gt 1000 ] && [ "$kib" -lt 12000 ]; then
	ok "a sleeping guest of 4 GiB holds less than 12 MB"
else
	not_ok "a sleeping guest of 4 GiB holds less than 12 MB" "it holds $kib KiB"
fi
container_delete sleep

guest user 1G "$available"'
import time
before = available()
print("large" if before > 900000 else "small: %d" % before)
x = bytearray(600 << 20)
for i in range(0, len(x), 4096): x[i] = 1
print("used"); time.sleep(3)
del x
print("freed"); time.sleep(60)'
check "all of a guest's memory is available at the start" wait_for 20 said user large
check "600 MiB in use are held" wait_for 30 held_above user 600000
check "the program frees them" wait_for 20 said user freed
check "... and the host gets them back" wait_for 20 held_below user 60000
container_delete user

guest full 512M "$available"'
import time, os
x = bytearray((available() - 30000) << 10)
for i in range(0, len(x), 4096): x[i] = 1
print("whole" if all(x[i] == 1 for i in range(0, len(x), 4096)) else "damaged")
del x
room = available() // 6
if os.fork() == 0:
    parts = []
    for part in range(8):
        parts.append(bytearray(room << 10))
        for i in range(0, len(parts[-1]), 4096): parts[-1][i] = 1
    os._exit(0)
print("status", os.wait()[1] & 127)
print("alive")'
check "a program can use what is available" wait_for 30 said full whole
check "what uses more is killed" wait_for 60 said full "status 9"
check "... and nobody else" wait_for 10 said full alive

# As each doubling copies, more and more of memory is new; nothing that is in use may be taken for new.
ROOTFS=$("$top/scripts/rootfs" busybox)
for _ in 1 2 3; do
	container_try --memory 134217728 -- sh -c 'x=x; while :; do x=$x$x; done'
	is "a shell that doubles a string to the end of memory is killed, not the guest" 137 "$status"
done
tap_done
