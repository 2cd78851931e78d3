# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts here to source, after tap.sh: a virtual machine with Debian 12's own kernel.
#
#	machine_run SECONDS KERNEL-OPTIONS PROGRAM...	boot it, run these in it (paths from the top of the
#			tree) and give what they print as TAP as results of this script
#
# The programs find the tree (tests, scripts, what is built of them) at /runnc.
#
# The processor is emulated, so that it is the same everywhere, and many times slower than the host's:
# MACHINE_ACCEL=kvm is for machines whose /dev/kvm works (one that is there may still hang).
# $MACHINE_KEEP names a directory for what its two serial lines wrote.

machine_build=${RUNNC%/src/cli/runnc}

# Into $TMP/disk what a run needs beside the image: the tree without what is only for the compiler.
machine_disk()
{
	local file tree=$TMP/tree

	mkdir "$tree"
	cp -a "$top/tests" "$top/scripts" "$top/SECURITY.md" "$tree/"
	for file in src/cli/runnc src/net/net-tool src/ns/test-cgroup-live tests/standin/nabla-standin \
		guest/nabla-linux guest/init/nabla-init.cpio; do
		mkdir -p "$tree/build/${file%/*}"
		cp -L "$machine_build/$file" "$tree/build/$file" || return
	done
	cp -a "$("$top/scripts/rootfs" busybox)" "$tree/busybox"
	# What tests/net/matrix.sh has at both ends, and makes the pod's interface by.
	musl-gcc -static -O2 -o "$tree/busybox/bin/peer" "$top/tests/net/matrix-peer.c" || return
	mkdir "$tree/cni"
	cp -L /usr/lib/cni/{vlan,host-local} "$tree/cni/" || return
	printf '%s\n' "$@" >"$tree/list"
	mkfs.erofs --quiet "$TMP/disk" "$tree"
}

# Machine and time limit end with this script.
machine_boot()
{
	local seconds=$1 options=$2
	{ exec timeout -k 5 "$seconds" qemu-system-x86_64 -accel "${MACHINE_ACCEL:-tcg}" -cpu max -smp 1 -m 3072 \
		-nodefaults -no-user-config -display none -no-reboot -device virtio-rng-pci \
		-kernel "$machine/vmlinuz" -initrd "$machine/initrd" \
		-append "console=ttyS0 panic=-1 quiet $options" \
		-drive "file=$machine/root.erofs,format=raw,if=virtio,readonly=on" \
		-drive "file=$TMP/disk,format=raw,if=virtio,readonly=on" \
		-serial "file:$TMP/console" -serial "file:$TMP/results" </dev/null >"$TMP/qemu" 2>&1; } &
	machine_pid=$!
	wait $machine_pid
	machine_status=$?
	machine_pid=''
}

machine_stop() { [ -z "$machine_pid" ] || kill "$machine_pid"; }
machine_pid=''
at_exit machine_stop

# One result of a program in the machine; $notes are the lines behind it.
machine_result()
{
	local text
	case $result in
	"")	return ;;
	"not ok "*) text=${result#not ok } ;;
	*)	text=${result#ok } ;;
	esac
	text="$program: ${text#* - }"
	seen=$((seen + 1))
	case $result in
	"not ok "*)	not_ok "$text" "${notes[@]}" ;;
	*"# SKIP "*)	skip "${text%% # SKIP*}" "${text##*# SKIP }" ;;
	*)		ok "$text" ;;
	esac
	result=''
}

# A program that prints no TAP has its status as its one result.
machine_end()
{
	local status=${1% *}
	machine_result
	echo "# $program: ${1#* } s"
	if [ "$plan" = none ] && [ $seen = 0 ]; then
		[ "$status" = 0 ] && ok "$program" || not_ok "$program" "status $status" "${notes[@]}"
	elif [ "$plan" != $seen ]; then
		not_ok "$program: gives as many results as it plans" "planned: $plan, given: $seen, status $status" \
			"${notes[@]}"
	fi
}

machine_results()
{
	local line program='' result='' notes=() plan=none seen=0 ended=
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		"== machine "*)	echo "# ${line#== }" ;;
		"== status "*)	machine_end "${line#== status }"; program='' ;;
		"== end")	ended=1 ;;
		"== "*)		program=${line#== } result='' notes=() plan=none seen=0 ;;
		"ok "* | "not ok "*) machine_result; result=$line notes=() ;;
		1..*)		machine_result; plan=${line#1..}; plan=${plan%% *} ;;
		*)		notes+=("${line#\# }") ;;
		esac
	done <"$TMP/results"
	machine_result
	[ -n "$ended" ] || not_ok "${program:-the machine}: comes to its end" \
		"status of the machine: $machine_status; its console:" "$(tail -n 30 "$TMP/console")" "$(cat "$TMP/qemu")"
}

machine_run()
{
	local seconds=$1 options=$2
	shift 2
	machine=$("$top/tests/machine/image") && machine_disk "$@" || {
		not_ok "there is a machine to run on"
		return
	}
	touch "$TMP/results" "$TMP/console"
	machine_boot "$seconds" "$options"
	[ -z "${MACHINE_KEEP:-}" ] || cp "$TMP/results" "$TMP/console" "$MACHINE_KEEP/"
	machine_results
}
