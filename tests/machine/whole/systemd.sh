#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 2400
# Debian 12's own kernel with systemd as PID 1: containers with and without --systemd-cgroup.
. "$(dirname "$0")/../../lib/tap.sh"
. "$top/tests/machine/lib.sh"

machine_run 2300 "machine.init=/lib/systemd/systemd systemd.run=/runnc/tests/machine/work \
	systemd.run_success_action=poweroff-force systemd.run_failure_action=poweroff-force" \
	tests/machine/in/systemd.sh
tap_done
