#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# gdb and unikernels, as docs/unikernels.md tells: a core file, a running one, a breakpoint in one.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

debug() { timeout -s KILL 60 gdb -nx -batch -iex 'set debuginfod enabled off' "$@" 2>&1 </dev/null; }

# cored ATTEMPT... -- GUEST...: run it where it may leave a core file; sets $core and $status.
cored()
{
	core=
	status=0
	mkdir -p "$TMP/cores"
	rm -f "$TMP"/cores/*
	(cd "$TMP/cores" && ulimit -c unlimited && exec "$NABLA_RUN" "$@") >/dev/null 2>&1 || status=$?
	core=$(find "$TMP/cores" -type f -name 'core*' | head -n 1)
}

pattern=$(cat /proc/sys/kernel/core_pattern)
if [ "$(ulimit -H -c)" != unlimited ] || [[ "$pattern" != core* ]]; then
	skip "core files" "core files go to '$pattern', at most $(ulimit -H -c) bytes"
else
	cored "$GUESTS/exits.spt" fault
	is "a fault leaves a core file" "139 core" "$status $(basename "${core:-none}" | cut -c1-4)"
	check "... of less than 1 MiB: $(stat -c %b "$core") blocks" [ "$(stat -c %b "$core")" -lt 2048 ]
	output=$(debug "$GUESTS/exits.spt" "$core" -ex 'backtrace' -ex 'print cmdline' -ex 'print *solo5_boot')
	has "... in which gdb finds the place" "#0  solo5_main (cmdline=" "$output"
	has "... the line" "exits.c:" "$output"
	has "... who called" "in guest_start (boot=0x11000)" "$output"
	has "... the command line" '"fault"' "$output"
	has "... the boot information" "mem_size = 536870912" "$output"
	has "... and the signal" "SIGSEGV" "$output"
	truncate -s 1M "$TMP/disk"
	cored --block:storage="$TMP/disk" "$GUESTS/hostile.spt" call 27
	output=$(debug "$GUESTS/hostile.spt" "$core" -ex 'backtrace' -ex 'print $rax')
	has "a forbidden host call: gdb finds who made it" "in attempt_call ()" "$output"
	has "... and the signal" "SIGSYS" "$output"
fi

tender_start "$GUESTS/exits.spt" spin
wait_for 10 tender_says waiting
output=$(debug "$GUESTS/exits.spt" "$pid" -ex 'backtrace' -ex "generate-core-file $TMP/live" -ex detach)
has "gdb attaches to a running one" "solo5_main (cmdline=" "$output"
check "... which goes on" kill -0 "$pid"
tender_end
output=$(debug "$GUESTS/exits.spt" "$TMP/live" -ex 'print solo5_boot->cmdline')
has "... the core file that gdb made of it has its memory" '"spin"' "$output"

# The guest is complete in memory when the tender installs the filter: system call 317.
output=$(debug -ex 'catch syscall 317' -ex 'run' -ex 'delete' -ex "add-symbol-file $GUESTS/exits.spt" \
	-ex 'break solo5_exit' -ex 'continue' -ex 'backtrace' -ex 'continue' \
	--args "$NABLA_RUN" "$GUESTS/exits.spt" 42)
has "a breakpoint in the guest, from the beginning" "solo5_exit (status=42)" "$output"
has "... and on to its end" "exited with code 052" "$output"
tap_done
