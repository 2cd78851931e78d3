#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 2400
# VLAN interfaces, which Debian 12's own kernel has, in every mode.
. "$(dirname "$0")/../../lib/tap.sh"
. "$top/tests/machine/lib.sh"

machine_run 2300 "" tests/machine/in/vlan-all.sh
tap_done
