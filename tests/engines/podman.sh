#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# podman runs containers with runnc, as a user types it: from run and its options to rm, and nothing is left.
. "$(dirname "$0")/podman-lib.sh"
engine_up netavark
. "$(dirname "$0")/life.sh"
tap_done
