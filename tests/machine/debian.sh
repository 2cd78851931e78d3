#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 2400
# Debian 12's own kernel with cgroup v2 alone, in a virtual machine: containers, limits, both clusters,
# VLAN interfaces.
# This is the short form; `make test-machine` runs the runtime's whole tests there.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/machine/lib.sh"

machine_run 2300 "" tests/machine/in/containers.sh tests/machine/in/cgroup.sh \
	tests/machine/in/network.sh tests/machine/in/vlan.sh
tap_done
