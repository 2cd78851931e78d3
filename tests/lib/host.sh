# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts to source, after scratch.sh or tap.sh: what this host's kernel has.
#
#	host_has_32_bit_calls	are there system calls by int 0x80? A kernel without them has none to refuse:
#				the instruction is a fault of the program, SIGSEGV

host_has_32_bit_calls()
{
	if [ ! -x "$TMP/int80" ]; then
		"${CC:-cc}" -x c -o "$TMP/int80" - <<-'END' || exit 1
			/* getpid, by its 32-bit number */
			int main(void) { long r = 20; __asm__ volatile("int $0x80" : "+a" (r) : : "memory"); return r <= 0; }
		END
	fi
	{ "$TMP/int80"; } 2>/dev/null
}
