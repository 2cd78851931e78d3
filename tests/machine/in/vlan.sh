#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the test machine: the matrix's rows with VLAN interfaces, which this kernel has. vlan-all.sh has the
# other modes.
top=$(cd "$(dirname "$0")/../../.." && pwd)
export CNI_PATH=$top/cni MODES=${MODES:-auto} ROWS=${ROWS:-cni_vlan vlan_beside}
# The root file system is an overlay, on which crun's cannot be.
mount -t tmpfs -o mode=1777 tmp /tmp
exec "$top/tests/net/matrix.sh"
