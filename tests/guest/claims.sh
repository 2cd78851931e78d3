#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The guest kernel behaves as Linux does: small programs with claims (claim.h), run in a container.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/guest/lib.sh"
. "$top/tests/lib/container.sh"
export CONTAINER_TIMEOUT=300

programs=(process exec signals fpu syscall-sites faults memory memory-stress threads ptrace time vdso events proc)
for name in "${programs[@]}"; do
	guest_build "$name" "guest/$name.c" -static -pthread -lrt || tap_done
done
# The same, as a dynamic program: the C library's text is then the image's, shared by all.
for name in signals threads vdso; do
	guest_build "$name-dynamic" "guest/$name.c" -pthread || tap_done
done
guest_build answer-static guest/answer.c -static || tap_done
guest_build answer-static-pie guest/answer.c -static-pie || tap_done
guest_build answer-dynamic guest/answer.c -no-pie || tap_done
guest_build answer-pie guest/answer.c -pie || tap_done
guest_libraries || { not_ok "the C library is copied"; tap_done; }

for name in "${programs[@]}" signals-dynamic threads-dynamic vdso-dynamic; do
	guest_claims "$name"
done

guest_build bpf guest/bpf.c -static || tap_done
guest_options=(--jq '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])')
guest_claims bpf
guest_options=()

# The guest's clocks go as fast as the host's, and it knows what time it is.
container_bundle pace -- /bin/time pace
container_run pace | while read -r line; do echo "$EPOCHREALTIME $line"; done >"$TMP/pace.times"
# shellcheck disable=SC2016	# the dollars are for awk
check "the guest's monotonic clock goes as fast as the host's" awk '
	{ host[NR] = $1; guest[NR] = $2 / 1e9 }
	END { d = (host[2] - host[1]) - (guest[2] - guest[1]); print d; exit !(NR == 2 && d < 1 && d > -1) }
	' "$TMP/pace.times"
# shellcheck disable=SC2016
check "the guest's wall clock is the host's" awk '
	{ d = $1 - $3 / 1e9; print d; if (d > 1.5 || d < -0.1) bad = 1 }
	END { exit bad || NR != 2 }' "$TMP/pace.times"
tap_done
