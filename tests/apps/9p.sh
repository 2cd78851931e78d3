#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# 9p over descriptors: a file server and its client, both in the container. The kernel's 9p knows no
# other transport that a guest could reach.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

serve='
set -e
mkdir -p /dev/shm/export/dir /mnt/9p
echo "from the server" >/dev/shm/export/file
seq 1 200000 >/dev/shm/export/large
mkfifo /run/to-server /run/from-server
diod -f -n -e /dev/shm/export -r 0 -w 1 <>/run/to-server >/run/from-server 2>/run/diod.log &
exec 5</run/from-server 6>/run/to-server
mount -t 9p -o trans=fd,rfdno=5,wfdno=6,version=9p2000.L,uname=root,aname=/dev/shm/export,access=any none /mnt/9p ||
	{ cat /run/diod.log; exit 1; }
'
container_try --jq '.process.capabilities[] += ["CAP_SYS_ADMIN"] | .process.noNewPrivileges = false' -- bash -c "$serve"'
grep -c " /mnt/9p 9p " /proc/mounts
cat /mnt/9p/file
sha256sum </mnt/9p/large; sha256sum </dev/shm/export/large
echo "from the client" >/mnt/9p/dir/new && cat /dev/shm/export/dir/new
mv /mnt/9p/dir/new /mnt/9p/dir/renamed && ls /dev/shm/export/dir
ln -s file /mnt/9p/link && readlink /dev/shm/export/link
rm -r /mnt/9p/dir && ls /dev/shm/export
cat /mnt/9p/none 2>&1 | sed "s/.*: //"
umount /mnt/9p && echo unmounted'
sum=$(seq 1 200000 | sha256sum)
is "mounted, read, written, renamed, removed" "1
from the server
$sum
$sum
from the client
renamed
file
file
large
link
No such file or directory
unmounted" "$output"
is "... and its status" 0 "$status"
tap_done
