# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For the scripts here to source, after tap.sh: the runtime with the stand-in guest (tests/standin).
#
#	rt ARGUMENT...			the runtime, with a state directory of its own
#	bundle NAME ARGUMENT...		a bundle whose container's arguments are these
#	config NAME FILTER [JQ-OPTION]...	change its config.json by a jq filter
#	status_of NAME			the container's status
#	guest_pid NAME			its process, as the state says
#	made TEXT COMMAND...		as check, for commands that leave a container behind, which keeps the
#					standard streams: they go to a file, $TMP/out
#	nothing_left NAME		no process, mount, cgroup, state of it
#
# The runtime is a copy below $TMP, as is the guest: any process whose executable lies there is ours.

for need in jq "$RUNNC" "${RUNNC%/src/cli/runnc}/tests/standin/nabla-standin"; do
	command -v "$need" >/dev/null || {
		echo "1..1"
		echo "not ok 1 - $need is there"
		exit 1
	}
done

mkdir "$TMP/bin" "$TMP/libexec" "$TMP/rootfs" "$TMP/cache"
cp "$RUNNC" "$TMP/bin/runnc"
cp "${RUNNC%/src/cli/runnc}/tests/standin/nabla-standin" "$TMP/libexec/nabla-linux"
: >"$TMP/libexec/nabla-init.cpio"
echo content >"$TMP/rootfs/file"
export RUNNC_LIBEXEC=$TMP/libexec RUNNC_IMAGE_CACHE=$TMP/cache
# A sanitized runtime must not look for leaks in the children that it ends with _exit().
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}

rt() { "$TMP/bin/runnc" --root "$TMP/state" "$@"; }

bundle()
{
	local dir=$TMP/$1
	shift
	mkdir -p "$dir"
	rm -f "$dir/config.json"
	rt spec --bundle "$dir" && jq --arg root "$TMP/rootfs" \
		'.process.args = $ARGS.positional | .process.terminal = false | .root.path = $root' \
		--args "$@" <"$dir/config.json" >"$dir/new" && mv "$dir/new" "$dir/config.json"
}

config()
{
	local dir=$TMP/$1 filter=$2
	shift 2
	jq "$@" "$filter" <"$dir/config.json" >"$dir/new" && mv "$dir/new" "$dir/config.json"
}

status_of() { rt state "$TAG-$1" | jq -r .status; }
guest_pid() { rt state "$TAG-$1" | jq -r .pid; }
is_status() { [ "$(status_of "$1")" = "$2" ]; }

made()
{
	local text=$1 status=0
	shift
	"$@" >"$TMP/out" 2>&1 </dev/null || status=$?
	if [ $status = 0 ]; then
		ok "$text"
	else
		not_ok "$text" "status $status from: $*" "$(cat "$TMP/out")"
	fi
}

our_processes()
{
	local p exe
	for p in /proc/[0-9]*; do
		exe=$(readlink "$p/exe" 2>/dev/null) || continue
		case $exe in
		"$TMP"/*) echo "${p#/proc/} $exe" ;;
		esac
	done
}

# Prints what is left of container NAME (of any, without one); status 0 only if that is nothing.
nothing_left()
{
	local id=$TAG-${1-} left
	left=$(
		find "$TMP/state" -mindepth 1 -maxdepth 1 ${1:+-name "$id"} 2>/dev/null
		find /sys/fs/cgroup -type d -name "$id*" 2>/dev/null
		grep -F "$TMP" /proc/self/mountinfo
		[ -n "${1-}" ] || our_processes
	)
	[ -z "$left" ] || { echo "left over: $left"; return 1; }
}

remove_all()
{
	local id
	for id in $(rt list -q); do
		rt delete --force "$id"
	done
}
at_exit remove_all
