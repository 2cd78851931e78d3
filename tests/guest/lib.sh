# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For the scripts here and in tests/hostile to source, after tap.sh: a root file system with nothing in
# it but the programs under test, and their claims (claim.h) as results.
#
#	guest_build NAME SOURCE [OPTION]...	compile tests/SOURCE into it, as /bin/NAME, with these options
#						(-static is the usual one)
#	guest_libraries				the C library, for those that are not static
#	guest_claims NAME [ARGUMENT]...		run /bin/NAME in a container; pass its claims on
#	guest_try NAME [ARGUMENT]...		run it and leave $output and $status
#
# Its claims hold on Linux: run /bin/NAME on the host, or this with RUNNC=scripts/crun, to see that.

guest_root=$TMP/guest-root
guest_options=()
mkdir "$guest_root" || exit 1
(cd "$guest_root" && mkdir -p bin dev etc lib64 lib/x86_64-linux-gnu proc root sys tmp &&
	chmod 1777 tmp && echo root:x:0:0:root:/root:/bin/sh >etc/passwd) || exit 1
# The image is of this run only.
export RUNNC_IMAGE_CACHE=$TMP/image-cache
# shellcheck disable=SC2034	# container.sh's
ROOTFS=$guest_root

guest_build()
{
	local name=$1 source=$2 output
	shift 2
	if ! output=$(${CC:-gcc} -O2 -Wall -Wextra -I "$top/tests/guest" "$top/tests/$source" "$@" \
		-o "$guest_root/bin/$name" 2>&1); then
		not_ok "$source compiles" "$output"
		return 1
	fi
}

guest_libraries()
{
	local file
	for file in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libgcc_s.so.1; do
		cp -L "$(gcc -print-file-name=$file)" "$guest_root/lib/x86_64-linux-gnu/" || return
	done
	cp "$guest_root/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$guest_root/lib64/"
}

guest_try()
{
	container_try "${guest_options[@]}" -- "/bin/$1" "${@:2}"
}

guest_claims()
{
	local name=$1 line notes=() finished_claims=
	guest_try "$@"
	while IFS= read -r line; do
		case $line in
		"ok - "*)	ok "$name: ${line#ok - }" ;;
		"not ok - "*)	not_ok "$name: ${line#not ok - }" "${notes[@]}" ;;
		"skip - "*)	skip "$name: ${line#skip - }" "${notes[*]#\# unable: }" ;;
		done)		finished_claims=1 ;;
		*)		notes+=("$line"); continue ;;
		esac
		notes=()
	done <<<"$output"
	if [ -n "$finished_claims" ] && [ "$status" = 0 ]; then
		ok "$name: runs to its end"
	else
		not_ok "$name: runs to its end" "status $status" "${notes[@]}"
	fi
}
