#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 400
# containerd's CRI plugin, as a kubelet uses it: pods of a runtime class, all of whose containers are of runnc, the
# sandbox's as well, with CNI's bridge; beside pods of runc.
engine_program=/usr/bin/containerd engine_package=containerd
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/network.sh"
cri() { timeout -k 5 90 "$top/tests/engines/cri.py" "$TMP/containerd/socket" "$@" </dev/null; }
containerd_client() { timeout -k 5 60 ctr --address "$TMP/containerd/socket" --namespace k8s.io "$@"; }
containerd_parent=${TMP##*/}
containerd_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$containerd_parent*" 2>/dev/null | sort; }
containerd_end()
{
	kill "$containerd_pid"
	wait "$containerd_pid"
	containerd_cgroups | sort -r | xargs -r -d '\n' rmdir
}

containerd_configure()
{
	local dir
	engine_cover "$TMP/containerd"
	for dir in /run /var/cache/runnc/images /opt/containerd /var/lib/cni; do
		engine_cover $dir
	done
	mkdir /run/lock /run/netns "$TMP/containerd/cni" "$TMP/logs" "$TMP/ids"
	cat >"$TMP/containerd.toml" <<-END
		version = 2
		root = "$TMP/containerd/root"
		state = "$TMP/containerd/state"
		[grpc]
		  address = "$TMP/containerd/socket"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "docker.io/library/base:latest"
		  disable_apparmor = true
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/usr/lib/cni"
		    conf_dir = "$TMP/containerd/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		    runtime_type = "io.containerd.runc.v2"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runnc]
		    runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runnc.options]
		      BinaryName = "$RUNNC"
	END
	cat >"$TMP/containerd/cni/10-test.conflist" <<-END
		{
			"cniVersion": "0.4.0", "name": "test", "plugins": [ {
				"type": "bridge", "bridge": "cri0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
				"ipam": {
					"type": "host-local", "dataDir": "$TMP/containerd/addresses",
					"ranges": [ [ { "subnet": "10.66.0.0/24" } ] ], "routes": [ { "dst": "0.0.0.0/0" } ]
				}
			} ]
		}
	END
}

# An archive as "docker save" writes it: busybox, and /serve of lib.sh.
containerd_image()
{
	local image=$TMP/image id
	mkdir "$image" "$TMP/root"
	cp -a "$("$top/scripts/rootfs" busybox)/." "$TMP/root" && engine_context base && cp "$TMP/context/serve" "$TMP/root" &&
		tar -C "$TMP/root" -cf "$image/layer.tar" . || return
	id=$(sha256sum "$image/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg id "sha256:$id" '{architecture: "amd64", os: "linux", config: {
		Cmd: ["sleep", "1000000"], Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
		rootfs: {type: "layers", diff_ids: [$id]}}' >"$image/config.json"
	echo '[{"Config": "config.json", "RepoTags": ["base:latest"], "Layers": ["layer.tar"]}]' >"$image/manifest.json"
	tar -C "$image" -cf "$TMP/image.tar" manifest.json config.json layer.tar
	containerd_client images import "$TMP/image.tar"
}

engine_traces()
{
	findmnt -rno TARGET | grep -E "^$TMP/containerd/(.*/)?(rootfs|shm)$"
	find /run/runnc /run/netns -mindepth 1 2>/dev/null
	find /run/containerd/runc -mindepth 2 -maxdepth 2 2>/dev/null
	ip -o link | cut -d : -f 2 | grep -vw cri0
	tc qdisc show | grep -E 'clsact|ingress'
	pgrep -fa '^([^ ]*/)?(containerd-shim|nabla)' | cut -d ' ' -f 2-
}
engine_log() { grep -vE 'level=info' "$TMP/out" | tail -n 20; }
engine_empty() { :; }

# run POD NAME COMMAND...: a container, whose id is then in $TMP/ids/NAME
run() { cri container "$1" "$2" docker.io/library/base:latest "$TMP/logs" "${@:3}" >"$TMP/ids/$2"; }
id() { cat "$TMP/ids/$1"; }
served() { grep -q " $1 serves" "$TMP/logs/$1"; }
# serve_in POD NAME [PORT]
serve_in() { run "$1" "$2" /serve "${@:2}" && wait_for 20 served "$2"; }
# ended POD NAME COMMANDS: a container that runs this; what it printed, in one line
ended() { run "$1" "$2" sh -c "$3" && cri wait "$(id "$2")" >/dev/null && cut -d ' ' -f 4- "$TMP/logs/$2" | xargs; }

containerd_configure
ip link set lo up
"$engine_program" --config "$TMP/containerd.toml" </dev/null >"$TMP/out" 2>&1 &
containerd_pid=$!
at_exit containerd_end
wait_for 30 containerd_client version || engine_lacks "containerd does not start here" "$(cat "$TMP/out")"
check "an image" containerd_image
beyond_up
plain=$(cri pod plain runc "/$containerd_parent/plain" "$TMP/logs" 2>&1) ||
	engine_lacks "containerd cannot run a plain pod here" "$plain"
check "a plain pod's container" serve_in "$plain" there
engine_before=$(engine_traces)

pod=$(cri pod pod runnc "/$containerd_parent/pod" "$TMP/logs")
is "a pod of runnc" 64 "$(printf %s "$pod" | wc -c)"
ip=$(cri address "$pod")
has "it has an address" 10.66.0. "$ip"
check "a container" serve_in "$pod" web
check "a second one" serve_in "$pod" side 82
is "from the host" "web side" "$({ fetch "$ip"; fetch "$ip:82"; } | xargs)"
is "from a third one, at 127.0.0.1, at the pod's address, another pod, and beyond" "web side side there beyond" \
	"$(ended "$pod" third "$(get 127.0.0.1); $(get 127.0.0.1:82); $(get "$ip:82"); $(get "$(cri address "$plain")")
		$(get 192.0.2.2)")"
is "from a plain pod" "web side" "$(ended "$plain" other "$(get "$ip"); $(get "$ip:82")")"
has "a port is one's" "in use" "$(ended "$pod" late "httpd -f -p 82 2>&1")"
# So does containerd itself, for kubectl port-forward.
netns=$(ip netns list | cut -d ' ' -f 1 | while read -r n; do
	[ -z "$(ip -n "$n" -o addr show to "$ip")" ] || echo "$n"; done)
is "a port is forwarded from the pod's namespace" "web side" \
	"$({ ip netns exec "$netns" curl -sS -m 10 http://127.0.0.1/i; ip netns exec "$netns" curl -sS -m 10 http://127.0.0.1:82/i; } | xargs)"
check "the first one is told to stop" cri stop "$(id web)"
is "it was told so" "3" "$(cri wait "$(id web)")"
check "and is removed" cri remove "$(id web)"
is "the second one goes on" side "$(fetch "$ip:82")"
check "the first one comes back" serve_in "$pod" again
is "both, from the host" "again side" "$({ fetch "$ip"; fetch "$ip:82"; } | xargs)"
check "the pod stops" cri stop-pod "$pod"
check "and is removed" cri remove-pod "$pod"
nothing_left "nothing is left of it"
check "the plain pod is removed" cri stop-pod "$plain"
cri remove-pod "$plain"
tap_done
