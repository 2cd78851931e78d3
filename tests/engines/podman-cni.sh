#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# podman's networks by CNI's plugins: bridge, portmap, firewall, tuning.
. "$(dirname "$0")/podman-lib.sh"
engine_up cni
is "podman uses CNI" cni "$(engine info --format '{{.Host.NetworkBackend}}')"

check "the default network: it starts" serve web --publish 8080:80
is "the host reaches it" web "$(fetch "$(address web)")"
is "by the published port" web "$(fetch 127.0.0.1:8080)"
is "so does another one" web "$(shell -- "timeout 10 wget -q -O - http://$(address web)/i")"
check "stop and start again" eval 'engine stop --time 30 web && engine start web'
is "by the published port" web "$(fetch 127.0.0.1:8080)"

engine network create --ipv6 --subnet 10.73.0.0/24 --subnet fd00:73::/64 one >/dev/null
engine network create --subnet 10.74.0.0/24 two >/dev/null
if engine_can "two networks, IPv6" --network one --network two; then
	check "in two networks: it starts" serve both --network one --network two
	check "a plain container beside it" plain_serve plain --network one
	for at in "$(address both one)" "[$(address both one 6)]" "$(address both two)"; do
		is "the host reaches it at $at" both "$(fetch "$at")"
	done
	for client in runnc crun; do
		is "$client: reaches either runtime's, by IPv4 and IPv6" "both plain both plain" \
			"$(for at in "$(address both one)" "$(address plain one)" \
				"[$(address both one 6)]" "[$(address plain one 6)]"; do
				echo "timeout 10 wget -q -O - http://$at/i"
			done | by $client run --interactive --rm --network one base sh | xargs)"
	done
	is "--ip and --mac-address" "10.73.0.77/24 92:d0:c6:0a:29:33" "$(shell --network one --ip 10.73.0.77 \
		--mac-address 92:d0:c6:0a:29:33 -- "ip -o -4 addr show eth0 | awk '{ print \$4 }'
		cat /sys/class/net/eth0/address" | xargs)"
fi

nothing_left "nothing is left of them"
tap_done
