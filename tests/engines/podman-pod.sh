#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# podman's pods: an infra container of either runtime holds the namespaces, two of ours and a plain container
# are in them.
. "$(dirname "$0")/podman-lib.sh"
. "$(dirname "$0")/network.sh"
engine_up netavark
beyond_up
engine_before=$(engine_traces)

for infra in runnc crun; do
	check "infra by $infra: the pod is made" by $infra pod create --name pod --publish 8080:80 --publish 8082:82
	check "infra by $infra: a container starts in it" serve web --pod pod
	is "infra by $infra: it is" $infra "$(field "$(engine pod inspect --format '{{.InfraContainerID}}' pod)" .OCIRuntime)"
	is "infra by $infra: its port" web "$(fetch 127.0.0.1:8080)"
	is "infra by $infra: the container has the pod's address" \
		"$(field "$(engine pod inspect --format '{{.InfraContainerID}}' pod)" .NetworkSettings.IPAddress)" \
		"$(engine logs web | sed -n 's/^at //p')"
	is "infra by $infra: its host name is the pod's" pod "$(engine logs web | sed -n 's/^name //p')"
	check "infra by $infra: a plain container starts beside it" \
		plain run --detach --pod pod --name side layers /serve side 81
	is "infra by $infra: each at 127.0.0.1" "web side" "$(plain exec side sh -c "
		until $(get 127.0.0.1:81) >/dev/null 2>&1; do sleep 0.1; done
		$(get 127.0.0.1); $(get 127.0.0.1:81)" | xargs)"
	is "infra by $infra: and so is the plain one's" pod "$(plain exec side hostname)"
	check "infra by $infra: a second one of ours starts" engine run --detach --pod pod --name web2 layers /serve web2 82
	check "infra by $infra: it serves" wait_for 20 engine_served web2
	is "infra by $infra: both, from outside" "web web2" "$({ fetch 127.0.0.1:8080; fetch 127.0.0.1:8082; } | xargs)"
	is "infra by $infra: from a third one of ours, at 127.0.0.1" "web side web2" "$(engine run --rm --pod pod base sh -c \
		"$(get 127.0.0.1); $(get 127.0.0.1:81); $(get 127.0.0.1:82)" | xargs)"
	is "infra by $infra: from the plain one" "web web2" "$(plain exec side sh -c "$(get 127.0.0.1); $(get 127.0.0.1:82)" | xargs)"
	is "infra by $infra: from the second one outside" beyond "$(engine run --rm --pod pod base sh -c \
		"$(get 192.0.2.2)")"
	has "infra by $infra: a port is one's" "in use" "$(engine run --rm --pod pod layers /serve web3 82 2>&1)"
	check "infra by $infra: the pod stops" engine pod stop --time 5 pod
	is "infra by $infra: each was asked to" "3 3 3" \
		"$(for one in web web2 side; do field $one .State.ExitCode; done | xargs)"
	check "infra by $infra: the pod starts again" engine pod start pod
	is "infra by $infra: its ports, again" "web web2" "$({ fetch 127.0.0.1:8080; fetch 127.0.0.1:8082; } | xargs)"
	nothing_left "infra by $infra: nothing is left"
done

# Not kube play: its pods end with their last container, and where podman 4.3 removes one while it ends, it may
# wait for ever, for a lock of its own, with either runtime.
tap_done
