# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For the scripts here to source, instead of tap.sh: podman as on a machine of its own.
#
# The script runs again in mount, network and process namespaces of its own, where /run and podman's stores
# are empty: what podman makes there touches nothing of the host, and goes with the script, however it ends.
#
#	engine_up netavark|cni		its configuration, and two images: base, and layers, which is base with
#					a layer on it. Ends the script with a skip if podman cannot run a plain
#					container here
#	pm ARGUMENT...			podman, ended after a minute; the runtime is runnc, or that of --runtime
#	shell [OPTION]... -- COMMANDS	pm run --rm OPTION... base sh -c COMMANDS
#	plain ARGUMENT...		the same as pm with crun as the runtime
#	engine_can TEXT OPTION...	can a plain container be run with these options? If not, that is a skip
#	serve NAME [OPTION]...		start container NAME of layers, with a web server that answers /i by NAME;
#					layers has /peer as well, of tests/net/matrix-peer.c
#	plain_serve NAME [OPTION]...	the same, a plain container
#	fetch ADDRESS			what is at http://ADDRESS/i, as the host sees it
#	field NAME FORMAT		podman inspect
#	address NAME [NETWORK] [6]	of the container
#	nothing_left TEXT		remove all containers, and see that nothing of them is left
#
# RUNNC=scripts/crun runs the same with crun as both runtimes: a check of the scripts.

if [ -z "${ENGINE_INSIDE:-}" ]; then
	if ! command -v podman >/dev/null; then
		echo "1..0 # SKIP no podman (package podman)"
		exit 0
	fi
	ENGINE_INSIDE=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc "$0" "$@"
fi
. "$(dirname "$0")/../lib/tap.sh"

# An empty directory in place of this one.
engine_cover()
{
	[ -d "$1" ] || { mkdir -p "$1" && at_exit rmdir "$1"; } || exit 1
	mount -t tmpfs -o "mode=${2:-755}" tmpfs "$1" || exit 1
	at_exit umount --lazy "$1"
}

# podman makes a cgroup for all of its containers, and leaves it.
engine_cgroups() { find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' 2>/dev/null | sort; }
engine_end()
{
	pm pod rm --all --force --time 0
	pm rm --all --force --time 0
	engine_cgroups | sort -r | xargs -r -d '\n' rmdir
}

engine_configure()
{
	engine_cover "$TMP/podman"
	engine_cover /run
	engine_cover /dev/shm 1777
	engine_cover /var/lib/cni
	engine_cover /var/cache/runnc/images
	mkdir /run/lock /run/netns "$TMP/podman/networks"
	export CONTAINERS_CONF=$TMP/containers.conf CONTAINERS_STORAGE_CONF=$TMP/storage.conf
	# Limits that a root without CAP_SYS_RESOURCE may set.
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		log_driver = "k8s-file"
		default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		infra_image = "localhost/base"
		runtime = "runnc"
		runtime_supports_json = ["runnc", "crun"]
		[engine.runtimes]
		runnc = ["$RUNNC"]
		crun = ["$top/scripts/crun"]
		[network]
		network_backend = "$1"
		cni_plugin_dirs = ["/usr/lib/cni"]
		network_config_dir = "$TMP/podman/networks"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$TMP/podman/storage"
		runroot = "/run/containers/storage"
	END
}

# Nothing is fetched from anywhere: the first image is an archive of busybox, the second one is built on it.
engine_images()
{
	local root
	root=$("$top/scripts/rootfs" busybox) || return
	mkdir "$TMP/context"
	cat >"$TMP/context/serve" <<-'END'
		#!/bin/sh
		# serve NAME [PORT]: until it is told to stop
		trap 'echo "$1 is told to stop"; exit 3' TERM
		trap 'echo "$1 is told something"' USR1
		mkdir /www
		echo "$1" >/www/i
		httpd -f -p "${2:-80}" -h /www &
		echo "name $(hostname)"
		ip -o -4 addr show eth0 2>&1 | sed -n 's,.*inet \([^/]*\).*,at \1,p'
		echo "$1 serves"
		while kill -0 $!; do wait $!; done
	END
	chmod 755 "$TMP/context/serve"
	cat >"$TMP/context/Dockerfile" <<-END
		FROM localhost/base
		COPY serve peer /
		RUN rm /etc/group && echo second >/etc/layer
	END
	musl-gcc -static -O2 -o "$TMP/context/peer" "$top/tests/net/matrix-peer.c" &&
		tar -C "$root" -c . | timeout 60 podman import --quiet --change 'CMD ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]' - base &&
		plain build --quiet --tag layers "$TMP/context"
}

engine_up()
{
	local said
	engine_configure "$1"
	at_exit engine_end
	ip link set lo up
	engine_before=$(engine_traces)
	if ! said=$(engine_images 2>&1) || ! said=$(plain run --rm base true 2>&1); then
		echo "1..0 # SKIP podman cannot run a plain container here: $(tail -n 1 <<<"$said")"
		finished=1
		exit 0
	fi
}

pm() { timeout -k 5 60 podman "$@" </dev/null; }
plain() { pm --runtime crun "$@"; }

shell()
{
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	pm run --rm "${options[@]}" base sh -c "$2"
}

engine_can()
{
	local text=$1 said
	shift
	said=$(plain run --rm "$@" base true 2>&1) && return
	skip "$text" "a plain container cannot either: $(tail -n 1 <<<"$said")"
	return 1
}

engine_served() { pm logs "$1" 2>&1 | grep -q "$1 serves"; }
serve() { pm run --detach --name "$1" "${@:2}" layers /serve "$1" && wait_for 20 engine_served "$1"; }
plain_serve() { plain run --detach --name "$1" "${@:2}" layers /serve "$1" && wait_for 20 engine_served "$1"; }
fetch() { curl -sS --noproxy '*' -m 10 --retry 5 --retry-connrefused --retry-delay 1 "http://$1/i"; }

field() { pm inspect --format "{{$2}}" "$1"; }
address()
{
	local key=IPAddress
	[ "${3:-}" != 6 ] || key=GlobalIPv6Address
	field "$1" "(index .NetworkSettings.Networks \"${2:-podman}\").$key"
}

# Whatever a container has while it lives: a line each. $engine_before is what was there before.
engine_traces()
{
	find /run/runnc /run/netns -mindepth 1 2>/dev/null
	ip -o link show type veth
	ps -eo args | grep -E '^([^ ]*/)?(conmon|nabla|aardvark-dns)'
	findmnt -rno TARGET | grep -E "^$TMP/podman/.*(merged|shm)$"
	# crun leaves a pod's directory in systemd's hierarchy of cgroup v1.
	engine_cgroups | grep -E '/(libpod-)?[0-9a-f]{64}$' | grep -vE '/systemd/libpod_parent/[0-9a-f]{64}$'
}
engine_left() { engine_traces | grep -vxF -- "$engine_before"; }
engine_is_clear() { [ -z "$(engine_left)" ]; }

nothing_left()
{
	pm pod rm --all --force --time 0 >/dev/null
	pm rm --all --force --time 0 >/dev/null
	wait_for 20 engine_is_clear
	is "$1" "" "$(engine_left)"
}
