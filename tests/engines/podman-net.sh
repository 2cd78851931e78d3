#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# podman's networks, by netavark and aardvark-dns: who reaches whom, by which name, and a namespace for two.
. "$(dirname "$0")/podman-lib.sh"
. "$(dirname "$0")/network.sh"
domain=dns.podman resolver=192.0.2.53
serve_in_both() { serve "$1" --network one --network two; }
shell_in_both() { shell --network one --network two -- "$1"; }

engine_up netavark
beyond_up
# These stay.
engine_before=$(engine_traces)

test_default
engine network create --ipv6 --subnet 10.71.0.0/24 --subnet fd00:71::/64 one >/dev/null
engine network create --subnet 10.72.0.0/24 two >/dev/null
if engine_can "two networks, names, IPv6" --network one --network two; then
	test_names
	test_two
fi
test_shared

nothing_left "nothing is left of them"
tap_done
