# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For Docker's scripts to source: lib.sh, with a Docker daemon of the script's own, beside runc.
#
#	engine_up			the daemon, and two images: base, and layers, which is base with layers on
#					it. Ends the script with a skip if it cannot run a plain container here
#	docker ARGUMENT...		Debian's client, of that daemon
engine_program=/usr/sbin/dockerd engine_package=docker.io
. "$(dirname "$0")/lib.sh"
# It is the daemon's default too: what a guest writes stays in it, so an image's RUN lines are not for runnc.
peer=runc engine_network=bridge engine_runtime=.HostConfig.Runtime

# Another client may be installed elsewhere.
docker_client=/usr/bin/docker
docker() { timeout -k 5 60 $docker_client "$@"; }
by()
{
	case $2 in
	run|create) docker "$2" --runtime "$1" "${@:3}" ;;
	*) docker "${@:2}" ;;
	esac
}

# Can the daemon translate IPv6 addresses?
docker_ip6tables=false

# $TAG is not unique in a process namespace of the script's own.
docker_parent=${TMP##*/}
docker_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$docker_parent*" 2>/dev/null | sort; }
docker_end()
{
	engine_empty
	kill "$docker_pid"
	wait "$docker_pid"
	docker_cgroups | sort -r | xargs -r -d '\n' rmdir
}

docker_configure()
{
	engine_cover "$TMP/docker"
	engine_cover /run
	engine_cover /var/cache/runnc/images
	# containerd makes it, wherever its other directories are.
	engine_cover /opt/containerd
	mkdir /run/lock /run/netns
	! ip6tables -t nat -S >/dev/null 2>&1 || docker_ip6tables=true
	export DOCKER_HOST=unix://$TMP/docker/socket DOCKER_CONFIG=$TMP/docker/client
	unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
	# Limits that a root without CAP_SYS_RESOURCE may set. Names that Docker does not know are asked at 192.0.2.2.
	cat >"$TMP/daemon.json" <<-END
		{
			"hosts": [ "$DOCKER_HOST" ],
			"data-root": "$TMP/docker/data",
			"exec-root": "$TMP/docker/run",
			"pidfile": "$TMP/docker/pid",
			"deprecated-key-path": "$TMP/docker/key.json",
			"cgroup-parent": "/$docker_parent",
			"storage-driver": "overlay2",
			"default-ulimits": { "nofile": { "Name": "nofile", "Hard": 1024, "Soft": 1024 } },
			"runtimes": { "runnc": { "path": "$RUNNC" } },
			"dns": [ "192.0.2.2" ],
			"ipv6": true,
			"fixed-cidr-v6": "fd00:70::/64",
			"experimental": true,
			"ip6tables": $docker_ip6tables,
			"shutdown-timeout": 5
		}
	END
}

docker_answers() { kill -0 "$docker_pid" && docker version; }
engine_up()
{
	local said
	docker_configure
	ip link set lo up
	$engine_program --config-file "$TMP/daemon.json" </dev/null >"$TMP/dockerd" 2>&1 &
	docker_pid=$!
	at_exit docker_end
	wait_for 30 docker_answers || engine_lacks "Docker's daemon does not start here" "$(cat "$TMP/dockerd")"
	engine_before=$(engine_traces)
	if ! said=$(engine_images base 2>&1) || ! said=$(plain run --rm base true 2>&1); then
		engine_lacks "Docker cannot run a plain container here" "$said"
	fi
}

engine_traces()
{
	# Docker unmounts a namespace, and removes the file a minute later.
	findmnt -rno TARGET | grep -E "^$TMP/docker/.*(merged|shm|netns/[^/]*)$"
	find "$TMP"/docker/run/runtime-* -mindepth 1 2>/dev/null | grep -v '/moby$'
	find /run/runnc /run/netns -mindepth 1 2>/dev/null
	ip -o link | cut -d : -f 2
	tc qdisc show | grep -E 'clsact|ingress'
	iptables-save | grep '^-'
	ip6tables-save | grep '^-'
	ps -eo args | grep -E '^([^ ]*/)?(containerd-shim|docker-proxy|nabla)'
	docker_cgroups | grep -E '/[0-9a-f]{64}$'
}

engine_log() { grep -vE 'level=info|shim disconnected' "$TMP/dockerd" | tail -n 20; }

engine_empty()
{
	engine ps --all --quiet | xargs -r timeout -k 5 60 $docker_client rm --force
	engine network prune --force
}
engine_drop() { engine rm --force "$1"; }
