#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# Each rule about a unikernel's file: a file that breaks only this rule is refused by nabla-run with its
# reason. (src/solo5/test-elf.c has the same rules under the sanitizers, at more edges.)
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

truncate -s 1M "$TMP/disk"

# mutated GUEST FIELD=VALUE...: run what comes out.
mutated()
{
	"$top/tests/solo5/mutate" "$GUESTS/$1" "$TMP/mutated" "${@:2}" || return
	tender --block:storage="$TMP/disk" "$TMP/mutated"
}
# refused REASON FIELD=VALUE...
refused()
{
	mutated block.spt "${@:2}"
	is "${*:2}" "1 nabla-run: unikernel '$TMP/mutated': $1" "$status $output"
}
# runs FIELD=VALUE...: what the rules leave free.
runs()
{
	mutated block.spt "$@"
	has "${*:-unchanged} runs" "0 1048576 bytes" "$status $output"
}

runs
runs ident.7=255
runs note.abi.version=1
runs note.abi.descsz=1
runs openbsd.filesz=19
runs openbsd.type=0
runs interp.type=0
runs bss.align=3
runs bss.flags=7

# 1. ELF
refused "not an ELF file: shorter than its header" cut=63
refused "not an ELF file" ident.0=0
refused "not a 64-bit little-endian ELF file" ident.4=1
refused "not a 64-bit little-endian ELF file" ident.5=2
refused "ELF header: not of the current version" ident.6=0
refused "ELF header: not of the current version" ehdr.version=2
refused "ELF header: not linked to a fixed address (ET_EXEC)" ehdr.type=3
refused "ELF header: built for machine 183, not for x86-64" ehdr.machine=183
refused "ELF header: 65 bytes, not 64" ehdr.ehsize=65
refused "ELF header: program headers of 32 bytes, not 56" ehdr.phentsize=32
refused "ELF header: 0 program headers, not 1 to 512" ehdr.phnum=0
refused "ELF header: 65535 program headers, not 1 to 512" ehdr.phnum=65535
refused "ELF header: the program headers lie outside of the file" ehdr.phoff=0xffffffffffffffff
refused "ELF header: the program headers lie outside of the file" cut=500
refused "ELF header: entry point 0xfffff outside of [0x100000, 0x20000000)" ehdr.entry=0xfffff
refused "ELF header: entry point 0x20000000 outside of [0x100000, 0x20000000); give it more memory" \
	ehdr.entry=0x20000000
refused "segment 4: its alignment 0 is not a power of two" text.align=0
refused "segment 4: its alignment 0x3000 is not a power of two" text.align=0x3000
refused "segment 5: it is smaller in memory than in the file" rodata.memsz=1
refused "segment 4: its address 0xff000 is below 0x100000" text.vaddr=0xff000
refused "segment 5: it overlaps the one before, or lies below it" rodata.vaddr=0x100800
refused "segment 5: it overlaps the one before, or lies below it" text.memsz=0x1001
refused "segment 5: it overlaps the one before, or lies below it" text.vaddr=0x200000
refused "segment 6: its size overflows" data.memsz=0xffffffffffffffff
refused "segment 6: its size overflows" data.vaddr=0xffffffffffffff00
refused "segment 6: it ends at 0x20001000, above guest memory (0x20000000); give it more" \
	data.vaddr=0x20000000
refused "segment 4: its contents lie outside of the file" text.filesz=0x100000 text.memsz=0x100000
refused "segment 4: its contents lie outside of the file" text.offset=0xffffffffffffff00
refused "segment 4: it is both writable and executable" "text.flags=|2"
refused "segment 6: it is both writable and executable" "data.flags=|1"
refused "segment 6: [0x102000, 0x102200) are not whole pages" data.align=0x200
refused "it has nothing to load" text.type=0 rodata.type=0 data.type=0

# 2. Notes
refused "not a Solo5 unikernel: it has no ABI note" abi.type=0
refused "not a Solo5 unikernel: it has no ABI note" note.abi.type=0
refused "not a Solo5 unikernel: it has no ABI note" "note.abi.name='Solo6"
refused "not a Solo5 unikernel: it has no ABI note" note.abi.namesz=5
refused "program header 1: a note of 11 bytes" openbsd.filesz=11
refused "program header 3: the note lies outside of the file" abi.offset=0x7fffffffffffffff
refused "ABI note: 0 bytes of description, not 1 to 32" note.abi.descsz=0
refused "ABI note: 33 bytes of description, not 1 to 32" note.abi.descsz=33
refused "ABI note: it ends before its description" abi.filesz=35
for target in 1:hvt 3:virtio 4:muen 5:genode 6:xen 0:unknown; do
	refused "built for Solo5's target ${target#*:} (${target%:*}), not for spt; build it with 'mirage configure -t spt' or what is alike" \
		"note.abi.target=${target%:*}"
done
refused "spt ABI version 0 is not 1 or 2" note.abi.version=0
refused "spt ABI version 3 is not 1 or 2" note.abi.version=3
refused "it has no manifest note" manifest.type=0
refused "manifest note: 6669 bytes of description, not 5 to 6668" note.manifest.descsz=6669
refused "manifest note: it ends before its description" "manifest.filesz=+-1"
refused "manifest: version 2 is not 1" mft.version=2
refused "manifest: 0 entries, not 1 to 64" mft.entries=0
refused "manifest: 65 entries, not 1 to 64" mft.entries=65
refused "manifest: 216 bytes for 3 entries, not 320" mft.entries=3
refused "manifest: entry 0 is not the reserved one" mft.0.type=2
refused "manifest: entry 0 is not the reserved one" "mft.0.name='x"
refused "manifest: the name of device 1 has no end" "mft.1.name='$(printf 'a%.0s' {1..68})"
refused "manifest: the name of device 1 is not 1 to 67 letters or digits" "mft.1.name='../x"
refused "manifest: the name of device 1 is not 1 to 67 letters or digits" "mft.1.name=' "
refused "manifest: device 1 is attached already" mft.1.attached=1
refused "manifest: device 'storage' is of the unknown type 3" mft.1.type=3

mutated twonets.spt "mft.2.name='left"
is "two devices of one name" \
	"1 nabla-run: unikernel '$TMP/mutated': manifest: two devices have the name 'left'" "$status $output"
tap_done
