# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For podman's scripts to source: lib.sh, with podman, beside crun.
#
#	engine_up netavark|cni		its configuration, and two images: base, and layers, which is base with
#					a layer on it. Ends the script with a skip if podman cannot run a plain
#					container here
engine_program=podman engine_package=podman
. "$(dirname "$0")/lib.sh"
peer=crun engine_network=podman engine_runtime=.OCIRuntime

by() { timeout -k 5 60 podman --runtime "$@"; }

# podman makes a cgroup for all of its containers, and leaves it.
podman_cgroups() { find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' 2>/dev/null | sort; }
podman_end()
{
	engine_empty
	podman_cgroups | sort -r | xargs -r -d '\n' rmdir
}

podman_configure()
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

engine_up()
{
	local said
	podman_configure "$1"
	at_exit podman_end
	ip link set lo up
	engine_before=$(engine_traces)
	if ! said=$(engine_images localhost/base 2>&1) || ! said=$(plain run --rm base true 2>&1); then
		engine_lacks "podman cannot run a plain container here" "$said"
	fi
}

engine_traces()
{
	find /run/runnc /run/netns -mindepth 1 2>/dev/null
	ip -o link show type veth
	ps -eo args | grep -E '^([^ ]*/)?(conmon|nabla|aardvark-dns)'
	findmnt -rno TARGET | grep -E "^$TMP/podman/.*(merged|shm)$"
	# crun leaves a pod's directory in systemd's hierarchy of cgroup v1.
	podman_cgroups | grep -E '/(libpod-)?[0-9a-f]{64}$' | grep -vE '/systemd/libpod_parent/[0-9a-f]{64}$'
}

# Each command has said it itself.
engine_log() { :; }

# The networks go with the script.
engine_empty()
{
	engine pod rm --all --force --time 0
	engine rm --all --force --time 0
}
engine_drop() { engine rm --force --time 0 "$1"; }
