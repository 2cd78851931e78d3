#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each claim about the confinement of a unikernel: a guest that tries it dies by the named signal. The
# attempts are guest/solo5/hostile.c's.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/host.sh"
. "$top/tests/lib/solo5.sh"

ulimit -c 0
truncate -s 1M "$TMP/disk"

# dies SIGNAL TEXT ATTEMPT...: it says "trying", and does not come back.
dies()
{
	local signal=$1 text=$2
	shift 2
	tender --block:storage="$TMP/disk" "${options[@]}" "$GUESTS/hostile.spt" "$@"
	is "$text: $signal" "$((128 + $(kill -l "$signal"))) trying" "$status $output"
}
options=()

tender --block:storage="$TMP/disk" "$GUESTS/hostile.spt" call e7 2a
is "the attempts work: an allowed call is made" "42 trying" "$status $output"
tender --block:storage="$TMP/disk" "$GUESTS/hostile.spt" rdisk 200 ffe00
has "... the disk's last sector can be read" "got through" "$output"

# Host calls: some of each family, by number in hexadecimal.
for call in "2 open" "101 openat" "9 mmap" "a mprotect" "b munmap" "c brk" "d sigaction" "f sigreturn" \
	"10 ioctl" "14 writev" "20 dup" "27 getpid" "29 socket" "38 clone" "39 fork" "3b execve" \
	"3c exit" "3e kill" "48 fcntl" "65 ptrace" "9d prctl" "a5 mount" "ca futex" "d9 getdents64" \
	"f6 kexec_load" "110 unshare" "11c eventfd" "122 eventfd2" "127 preadv" "135 process_vm_readv" \
	"13c renameat2" "13d seccomp" "141 bpf" "142 execveat" "1a9 io_uring_setup" "1b3 clone3" \
	"1b6 pidfd_getfd" "1b9 epoll_pwait2" "e8 epoll_wait" "ffffffff -1"; do
	dies SYS "${call#* }" call ${call%% *}
done

int80=SYS
host_has_32_bit_calls || int80=SEGV
dies $int80 "int 0x80 (exit of 32-bit programs)" int80 1
dies $int80 "int 0x80 (getpid)" int80 14
dies SYS "an x32 number (exit_group)" call 400000e7
dies SYS "an x32 number (write)" call 40000001 1
dies SYS "vsyscall" run ffffffffff600000
dies SEGV "reading the vsyscall page" get ffffffffff600000

for fd in 0 2 3 4 5 6 ff ffffffff; do
	dies SYS "write to descriptor 0x$fd" write $fd
	dies SYS "read from descriptor 0x$fd" read $fd
done
dies SYS "read from descriptor 1" read 1

dies SYS "a sector behind the capacity" rdisk 200 100000
dies SYS "... written" wdisk 200 100000
dies SYS "one byte too far" rdisk 200 ffe01
dies SYS "an offset above 4 GiB" wdisk 200 100000000
dies SYS "a negative offset" wdisk 200 fffffffffffffe00
dies SYS "half a sector" rdisk 100 0
dies SYS "two sectors" rdisk 400 0
dies SYS "no bytes" wdisk 0 0
dies SYS "a length with an upper half" wdisk 100000200 0
is "... the disk has its size" 1048576 "$(stat -c %s "$TMP/disk")"
dies SYS "a disk call on the console" call 12 1 100000 200 0
dies SYS "a disk call on the epoll descriptor" call 11 3 100000 200 0

dies SYS "a signal mask while waiting" mask
dies SYS "the process's CPU clock" clock 2
dies SYS "another process's CPU clock" clock fffffff6
dies SYS "arch_prctl: ARCH_SET_GS" call 9e 1001 0
dies SYS "arch_prctl: ARCH_GET_FS" call 9e 1003 100000
dies SYS "arch_prctl: ARCH_CET_ENABLE" call 9e 5001 1
dies SYS "arch_prctl: ARCH_MAP_VDSO_64" call 9e 2003 0
dies SYS "another timer" call 11e 3 1 100000
dies SYS "another epoll" call 119 4 100000 1 0

dies SYS "making data executable" protect
dies SEGV "executing data" rundata
dies SEGV "executing constants" runconst
dies SEGV "executing the heap" runheap
dies SEGV "executing the stack" runstack
dies SEGV "writing text" writetext
dies SEGV "writing constants" writeconst
dies SEGV "writing below the stack" guard
options=(--no-stack-guard)
tender --block:storage="$TMP/disk" "${options[@]}" "$GUESTS/hostile.spt" guard
has "... which is the guard page's doing" "got through" "$output"
options=()
dies SEGV "page 0" get 0
dies SEGV "the last page below 64 KiB" put ffff

# The tender. Without randomisation it is where it was before: of one that still runs we learn where, by
# stopping it in its last system call but the filter; of one that has entered, what is left.
plain=(setarch -R)
"${plain[@]}" "$NABLA_RUN" --block:storage="$TMP/disk" "$GUESTS/hostile.spt" call 119 3 0 1 ffffffff 0 >"$TMP/entered" &
pid=$!
at_exit kill -KILL $pid
"${plain[@]}" strace -f -e inject=munmap:signal=STOP -e trace=munmap -o "$TMP/trace" \
	"$NABLA_RUN" --block:storage="$TMP/disk" "$GUESTS/hostile.spt" run 0 >/dev/null 2>&1 &
at_exit kill -KILL $!
stopped()
{
	before=$(pgrep -P "$1") && grep -q '^State:.*[Tt]' "/proc/$before/status" &&
		grep -q nabla-run "/proc/$before/maps"
}
tender=$!
if wait_for 10 stopped $tender; then
	tender_text=$(awk '/nabla-run/ && $2 ~ /x/ { sub(/-.*/, "", $1); print $1; exit }' "/proc/$before/maps")
	vdso=$(awk '/\[vdso\]/ { sub(/-.*/, "", $1); print $1 }' "/proc/$before/maps")
	stack=$(awk '/\[stack\]/ { sub(/-.*/, "", $1); print $1 }' "/proc/$before/maps")
	kill -KILL "$before"
	ok "before it enters, the tender is at $tender_text, the vDSO at $vdso"
else
	not_ok "the tender could be stopped before it enters the guest" "$(cat "$TMP/trace")"
	tender_text=0 vdso=0 stack=0
fi
check "another one has entered" wait_for 10 grep -q trying "$TMP/entered"
page=$(awk '{ split($1, a, "-"); if (length(a[1]) > 10 && $2 ~ /x/ && $0 !~ /vsyscall/) print a[1] }' "/proc/$pid/maps")
# Where its first system call instruction is: what stands before it wants the tender's memory.
call=$(python3 -c 'import sys
with open(f"/proc/{sys.argv[1]}/mem", "rb") as memory:
    memory.seek(int(sys.argv[2], 16))
    print("%x" % (int(sys.argv[2], 16) + memory.read(4096).index(b"\x0f\x05")))' $pid "$page")
kill -KILL $pid
wait $pid 2>/dev/null

try_plain()
{
	local signal=$1 text=$2
	shift 2
	status=0
	output=$("${plain[@]}" timeout -s KILL 20 "$NABLA_RUN" --block:storage="$TMP/disk" \
		"$GUESTS/hostile.spt" "$@" 2>&1 </dev/null) || status=$?
	is "$text: $signal" "$((128 + $(kill -l "$signal"))) trying" "$status $output"
}
try_plain SEGV "reading the tender's text" get "$tender_text"
try_plain SEGV "running the tender" run "$tender_text"
try_plain SEGV "reading the vDSO" get "$vdso"
try_plain SEGV "running the vDSO" run "$vdso"
try_plain SEGV "reading the tender's stack" get "$stack"
try_plain SEGV "running the last page, at $page" run "$page"
try_plain SYS "running its system call instruction, at $call" run "$call"
try_plain SEGV "writing the last page" put "$page"
tap_done
