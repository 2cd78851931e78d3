# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts to source, after scratch.sh or tap.sh: containers of the runtime $RUNNC.
#
#	container_bundle NAME [OPTION]... -- PROGRAM...	a bundle of $ROOTFS, options as of scripts/bundle
#	container_run NAME		run it to its end; its status; its output is passed on
#	container_try [OPTION]... -- PROGRAM...	both of these at once; sets $output and $status
#	container_start NAME		create and start it; its output goes to $TMP/NAME.out
#	container_pid NAME		print the process id on the host
#	container_is NAME STATUS	is the container's status in the runtime's words this one?
#	container_log NAME		print what it has written so far
#	container_delete NAME		end and remove it; also done at the end of the script
#
#	pod_up				a pod for one container: the variables of tests/net/topology.sh
#	in_peer COMMAND...		run it in the neighbouring pod
#
# RUNNC="scripts/crun" runs the same scripts on a plain container: a check of the scripts themselves,
# and of the claim that a Nabla container behaves like one.

ROOTFS=${ROOTFS:-$("$top/scripts/rootfs" debian)} || exit 1
container_root=(--root "$TMP/state")

container_bundle()
{
	local dir=$TMP/$1 root=$ROOTFS
	shift
	mkdir "$dir"
	# runnc gives each guest a writable layer of its own; elsewhere the shared root needs one.
	if [ "${RUNNC##*/}" != runnc ]; then
		root=$dir/rootfs
		mkdir "$root" "$dir/upper" "$dir/work"
		mount -t overlay overlay -o "lowerdir=$ROOTFS,upperdir=$dir/upper,workdir=$dir/work" \
			"$root" || return
		at_exit umount "$root"
	fi
	"$top/scripts/bundle" "$dir" "$root" "$@"
}

container_run()
{
	at_exit container_delete "$1"
	timeout -k 5 "${CONTAINER_TIMEOUT:-60}" \
		"$RUNNC" "${container_root[@]}" run --bundle "$TMP/$1" "$TAG-$1" </dev/null
}

container_tries=0
container_try()
{
	container_tries=$((container_tries + 1))
	container_bundle "try$container_tries" "$@" || return
	status=0
	# shellcheck disable=SC2034	# both are the caller's
	output=$(container_run "try$container_tries" 2>&1) || status=$?
}

container_start()
{
	at_exit container_delete "$1"
	# A session of its own: what a terminal sends to the script is not meant for the container.
	setsid -w "$RUNNC" "${container_root[@]}" create --bundle "$TMP/$1" --pid-file "$TMP/$1.pid" "$TAG-$1" \
		>"$TMP/$1.out" 2>&1 </dev/null && "$RUNNC" "${container_root[@]}" start "$TAG-$1"
}

container_pid() { cat "$TMP/$1.pid"; }
container_log() { cat "$TMP/$1.out"; }
container_kill() { "$RUNNC" "${container_root[@]}" kill "$TAG-$1" "$2"; }
container_is()
{
	[ "$("$RUNNC" "${container_root[@]}" state "$TAG-$1" | jq -r .status)" = "$2" ]
}
container_delete() { "$RUNNC" "${container_root[@]}" delete --force "$TAG-$1"; }

. "$top/tests/net/topology.sh"

pod_up()
{
	# shellcheck disable=SC2034	# for topology.sh: what the applications need is IPv4
	TOPO_PREFIX=$TAG TOPO_V6=0
	at_exit topo_down
	topo_a_up
}

in_peer() { topo_in "$TOPO_POD2" "$@"; }
