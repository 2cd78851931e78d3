#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 7200
# The runtime's own tests on Debian 12's kernel with cgroup v2 alone, as they are on the host.
. "$(dirname "$0")/../../lib/tap.sh"
. "$top/tests/machine/lib.sh"

machine_run 7000 "" tests/run/lifecycle.sh tests/run/network.sh tests/run/crash.sh tests/net/plumbing.sh \
	tests/apps/python.sh tests/apps/node.sh
tap_done
