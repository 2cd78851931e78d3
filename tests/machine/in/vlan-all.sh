#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine: VLAN interfaces in every mode, and under a plain container.
MODES="plain auto tc bridge packet macvtap" exec "$(dirname "$0")/vlan.sh"
