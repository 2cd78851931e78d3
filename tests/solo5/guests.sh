#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Unikernels of both versions of the ABI run: command line, memory, time, disks, and each way to end.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

for abi in spt spt1; do
	tender "$GUESTS/hello.$abi"
	is "hello.$abi" "0 hello" "$status $output"
	tender "$GUESTS/memory.$abi"
	has "memory.$abi: $output" "0 memory is right" "$status $output"
	tender --mem=2 "$GUESTS/memory.$abi"
	has "memory.$abi in 2 MiB: $output" "0 memory is right" "$status $output"
	tender --no-stack-guard --mem=4096 "$GUESTS/hello.$abi"
	is "hello.$abi in 4 GiB" "0 hello" "$status $output"
done

# The command line: joined by single spaces; what looks like an option behind the unikernel is its own.
tender -- "$GUESTS/hello.spt" one "two  three" --mem=x -- ""
is "the command line" "hello, one two  three --mem=x -- " "$output"
long=$(head -c 8191 /dev/zero | tr '\0' a)
tender "$GUESTS/hello.spt" "$long"
is "a command line of 8191 bytes" "hello, $long" "$output"
tender "$GUESTS/hello.spt" "${long:1}" ""
is "... in two arguments" "hello, ${long:1} " "$output"
tender "$GUESTS/hello.spt" "${long:1}" "b"
is "one of 8192 is refused" "1 nabla-run: the arguments are longer than 8191 bytes" "$status $output"

for n in 0 1 7 255; do
	tender "$GUESTS/exits.spt" $n
	is "exit status $n" $n $status
done
tender "$GUESTS/exits.spt" 300
is "exit status 300 is 44" 44 $status
tender "$GUESTS/exits.spt" abort
is "abort is status 255" "255 solo5: abort" "$status $output"
tender "$GUESTS/exits.spt" fault
is "a fault is SIGSEGV" 139 $status
tender "$GUESTS/exits.spt" undefined
is "an undefined instruction is SIGILL" 132 $status
tender "$GUESTS/exits.spt" stack
is "too deep a stack is SIGSEGV" 139 $status

tender "$GUESTS/time.spt"
has "clocks and sleeps" "past deadline" "$output"
is "... status" 0 $status
wall=$(sed -n 's/wall clock: //p' <<<"$output")
check "... the wall clock is ours: $wall" [ $(($(date +%s) - wall)) -lt 5 ]

# Disks.
head -c 65536 /dev/zero | tr '\0' '\5' >"$TMP/disk"
printf '\11' | dd of="$TMP/disk" bs=1 seek=65535 conv=notrunc status=none
tender --block:storage="$TMP/disk" "$GUESTS/block.spt"
is "a disk: size, first and last byte, written and read" "0 65536 bytes, blocks of 512: 5 9" "$status $output"
is "... what was written is in the file" "ABCDEFGHIJ" "$(dd if="$TMP/disk" bs=1 skip=512 count=10 status=none)"
is "... and nothing before and behind it" "$(printf '\5\5\5' | sha256sum)" \
	"$({ head -c 512 "$TMP/disk" | tail -c 2; tail -c +1025 "$TMP/disk" | head -c 1; } | sha256sum)"
tender --block:storage="$TMP/disk" --block-sector-size:storage=4096 "$GUESTS/block.spt"
is "sectors of 4096 bytes" "0 65536 bytes, blocks of 4096: 5 9" "$status $output"
tender --block-sector-size:storage=32768 --block:storage="$TMP/disk" "$GUESTS/block.spt"
is "sectors of 32768 bytes, options in the other order" "0 65536 bytes, blocks of 32768: 5 9" "$status $output"

head -c 65536 /dev/zero >"$TMP/disk"
before=$(sha256sum <"$TMP/disk")
tender --block-ro:storage="$TMP/disk" "$GUESTS/block.spt" read-only
is "a read-only disk: a write fails, the guest lives" "0 65536 bytes, blocks of 512: 0 0" "$status $output"
exec 9<>"$TMP/disk"
tender --block-ro:storage=@9 "$GUESTS/block.spt" read-only
is "... by a descriptor that could write" "0 65536 bytes, blocks of 512: 0 0" "$status $output"
is "... the file is as it was" "$before" "$(sha256sum <"$TMP/disk")"
tender --block:storage=@9 "$GUESTS/block.spt"
is "a disk by descriptor" "0 65536 bytes, blocks of 512: 0 0" "$status $output"
exec 9<&-
exec 9<"$GUESTS/hello.spt"
tender @9 by descriptor
is "the unikernel by descriptor" "0 hello, by descriptor" "$status $output"
tender @9 twice
is "... whose offset does not matter" "0 hello, twice" "$status $output"
exec 9<&-

# A disk of more than 4 GiB: the filter's other branch.
truncate -s 9G "$TMP/big"
printf '\3' | dd of="$TMP/big" bs=1 seek=$((9 * 1024 * 1024 * 1024 - 1)) conv=notrunc status=none
tender --block:storage="$TMP/big" "$GUESTS/block.spt"
is "a disk of 9 GiB" "0 9663676416 bytes, blocks of 512: 0 3" "$status $output"

# As many devices as there can be.
all=()
for i in {0..62}; do
	name=d$(printf %02d "$i")
	truncate -s 1024 "$TMP/$name"
	# shellcheck disable=SC2059	# the format is the byte
	printf "\\$(printf %03o $((i + 1)))" | dd of="$TMP/$name" conv=notrunc status=none
	all=("--block:$name=$TMP/$name" "${all[@]}")
done
tender "${all[@]}" "$GUESTS/many.spt"
is "63 disks, attached backwards" "0 63 disks" "$status $output"
is "... each was written in its place" "$(for i in {100..162}; do echo "$i"; done)" \
	"$(for i in {0..62}; do od -An -tu1 -j512 -N1 "$TMP/d$(printf %02d "$i")" | tr -d ' '; done)"

# A file system that forbids to execute: the unikernel is copied instead of mapped.
mkdir "$TMP/noexec"
mount -t tmpfs -o noexec tmpfs "$TMP/noexec" && at_exit umount "$TMP/noexec"
cp "$GUESTS/memory.spt" "$TMP/noexec"
tender "$TMP/noexec/memory.spt"
has "from a file system without exec" "0 memory is right" "$status $output"
tap_done
