#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# The options of nabla-run and their limits: each error is one line that says what is wrong, in the form
# and with the status that was asked for.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/solo5.sh"

# wrong MESSAGE ARGUMENT...
wrong()
{
	tender "${@:2}"
	is "${*:2}" "1 nabla-run: $1" "$status $output"
}
hello=$GUESTS/hello.spt block=$GUESTS/block.spt
truncate -s 1M "$TMP/disk"
truncate -s 1000 "$TMP/odd"
: >"$TMP/empty"

tender --version
has "--version" "0 nabla-run " "$status $output"
tender --help
has "--help" "0 usage: nabla-run " "$status $output"
has "... names every option of the man page" "" "$(grep -oE '^\.B[IR]* \\-\\-[a-z\\-]*' "$top/man/nabla-run.8" |
	sed 's/^[^ ]* //; s/\\-/-/g' | while read -r option; do
		[[ "$output" = *"$option"* ]] || [ "$option" = --x-exec-heap ] || echo "not there: $option"; done)"

wrong "the unikernel is missing; nabla-run --help says how to call it"
wrong "the unikernel is missing; nabla-run --help says how to call it" --mem=5 --
wrong "option '--nonsense': unknown option; nabla-run --help lists them" --nonsense "$hello"
wrong "option '-h': unknown option; nabla-run --help lists them" -h "$hello"
wrong "option '--x-exec-heap': no page is ever writable and executable here; run it without, or under Solo5's own tender" \
	--x-exec-heap "$hello"
for mem in 0 x "" -1 1048577 99999999999999999999 5M; do
	wrong "option '--mem=$mem': '$mem' is not a number from 1 to 1048576" "--mem=$mem" "$hello"
done
wrong "unikernel '$hello': ELF header: entry point 0x$(readelf -h "$hello" | sed -n 's/.*Entry.*0x//p') outside of [0x100000, 0x100000); give it more memory" \
	--mem=1 "$hello"
tender --mem=2 "$hello"
is "2 MiB are enough for hello" "0 hello" "$status $output"
# 1 TiB where the host lets nobody have that much: an error like any other.
tender --mem=1048576 "$hello"
case $output in
hello|"nabla-run: map 1048576 MiB of guest memory: Out of memory") ok "1 TiB: $output" ;;
*) not_ok "1 TiB" "$status $output" ;;
esac

wrong "unikernel '$TMP/none': open it: No such file or directory" "$TMP/none"
wrong "unikernel '$TMP': not a regular file" "$TMP"
wrong "unikernel '/dev/null': not a regular file" /dev/null
wrong "unikernel '@63': open it: Bad file descriptor" @63
wrong "unikernel: '@x' is no descriptor: @ and a number" @x

want="want NAME=VALUE, the name of 1 to 67 letters or digits"
long=$(printf 'a%.0s' {1..68})
for option in --net:=tap0 --net:a "--net:a b=tap0" --net:a-b=tap0 "--net:$long=tap0" --block:=x --net-mac:=x; do
	wrong "option '$option': $want" "$option" "$hello"
done
wrong "network device '${long:1}': the unikernel has no device of that name" "--net:${long:1}=tap0" "$hello"
wrong "option '--net:a=': the name after '=' is missing" --net:a= "$hello"
wrong "option '--net:a=@': '@' is no descriptor: @ and a number" --net:a=@ "$hello"
wrong "option '--net:a=@-1': '@-1' is no descriptor: @ and a number" --net:a=@-1 "$hello"
wrong "option '--net:a=@5': it is attached twice" --net:a=@4 --net:a=@5 "$hello"
wrong "option '--block-ro:a=y': it is attached twice" --block:a=x --block-ro:a=y "$hello"
wrong "'a' is attached as a disk and as a network device" --block:a=x --net:a=y "$hello"
wrong "network device 'a' has options, but none attaches it: --net:a=" --net-mtu:a=1500 "$hello"
wrong "disk 'a' has options, but none attaches it: --block:a=" --block-sector-size:a=512 "$hello"
for mac in "" 1 02:00:00:00:00 02:00:00:00:00:0g 02:00:00:00:00:001 02-00-00-00-00-01 02:00:00:00:00:01:; do
	wrong "option '--net-mac:a=$mac': '$mac' is no MAC address like 02:00:00:00:00:01" "--net-mac:a=$mac" "$hello"
done
wrong "option '--net-mac:a=01:00:5e:00:00:01': '01:00:5e:00:00:01' is a multicast address" \
	--net-mac:a=01:00:5e:00:00:01 "$hello"
for mtu in 67 65536 x; do
	wrong "option '--net-mtu:a=$mtu': '$mtu' is not a number from 68 to 65535" --net-mtu:a=$mtu "$hello"
done
for size in 256 65536 0 x; do
	wrong "option '--block-sector-size:a=$size': '$size' is not a number from 512 to 32768" \
		--block-sector-size:a=$size "$hello"
done
wrong "option '--block-sector-size:a=1000': '1000' is not a power of two" --block-sector-size:a=1000 "$hello"

# 63 devices, and one more.
all=()
for i in {1..63}; do all+=("--block:d$i=@0"); done
wrong "disk 'd1': the unikernel has no device of that name" "${all[@]}" "$hello"
wrong "option '--net:d64=@0': more than 63 devices" "${all[@]}" --net:d64=@0 "$hello"

# Devices and the manifest.
wrong "disk 'storage' of the unikernel is not attached; --block:storage= does it" "$block"
wrong "disk 'other': the unikernel has no device of that name" --block:other="$TMP/disk" "$block"
wrong "network device 'storage': to the unikernel it is a disk" --net:storage=tap0 "$block"
wrong "disk 'service': to the unikernel it is a network device" --block:service="$TMP/disk" "$GUESTS/echo.spt"
disk="disk 'storage': "
wrong "${disk}open '$TMP/none': No such file or directory" --block:storage="$TMP/none" "$block"
wrong "${disk}its size, 1000 bytes, is not a multiple of the sector size, 512, or nothing" \
	--block:storage="$TMP/odd" "$block"
wrong "${disk}its size, 0 bytes, is not a multiple of the sector size, 512, or nothing" \
	--block:storage="$TMP/empty" "$block"
wrong "${disk}'/dev/null': neither a regular file nor a block device" --block:storage=/dev/null "$block"
mkfifo "$TMP/fifo"
wrong "${disk}'$TMP/fifo': neither a regular file nor a block device" --block:storage="$TMP/fifo" "$block"
wrong "${disk}open '$TMP': Is a directory" --block:storage="$TMP" "$block"
wrong "${disk}descriptor 63: Bad file descriptor" --block:storage=@63 "$block"
exec 9<"$TMP/disk"
wrong "${disk}descriptor 9 is not open for writing; --block-ro:storage= attaches it read-only" \
	--block:storage=@9 "$block"
exec 9>>"$TMP/disk"
wrong "${disk}descriptor 9 is not open for reading" --block:storage=@9 "$block"
exec 9<&-
for kind in append write path; do
	case $kind in
	append)	reason="descriptor 9 is open for appending (O_APPEND)" ;;
	*)	reason="descriptor 9 is not open for reading" ;;
	esac
	status=0
	output=$(timeout -s KILL 20 "$top/tests/solo5/with-tap" "9=$kind:$TMP/disk" -- "$NABLA_RUN" \
		--block:storage=@9 "$block" 2>&1) || status=$?
	is "a descriptor opened for $kind" "1 nabla-run: ${disk}$reason" "$status $output"
done

# Form and status of errors.
for format in "--format=json" "--format json"; do
	# shellcheck disable=SC2086	# one word or two
	tender $format --error-status=125 "$TMP/no \"quotes\""
	is "$format: status" 125 $status
	is "... message" "error: unikernel '$TMP/no \"quotes\"': open it: No such file or directory" \
		"$(jq -r '.level + ": " + .msg' <<<"$output")"
	is "... one line" 1 "$(wc -l <<<"$output")"
done
tender --error-status=125 --nonsense
is "the status holds for the options behind it" 125 $status
tender --format=json --format=text "$TMP/none"
is "the last format counts" "nabla-run: " "${output:0:11}"
wrong "option '--format=yaml': 'yaml' is not text or json" --format=yaml "$hello"
wrong "option '--error-status=0': '0' is not a number from 1 to 255" --error-status=0 "$hello"
wrong "option '--error-status=256': '256' is not a number from 1 to 255" --error-status=256 "$hello"
tap_done
