#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# The guest kernel behaves as Linux does: small programs with claims (claim.h), run in a container.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/guest/lib.sh"
. "$top/tests/lib/container.sh"
export CONTAINER_TIMEOUT=300

programs=(process exec signals fpu syscall-sites faults memory memory-stress threads ptrace time events proc)
for name in "${programs[@]}"; do
	guest_build "$name" "guest/$name.c" -static -pthread -lrt || tap_done
done
# The same, as a dynamic program: the C library's text is then the image's, shared by all.
for name in signals threads; do
	guest_build "$name-dynamic" "guest/$name.c" -pthread || tap_done
done
guest_build answer-static guest/answer.c -static || tap_done
guest_build answer-static-pie guest/answer.c -static-pie || tap_done
guest_build answer-dynamic guest/answer.c -no-pie || tap_done
guest_build answer-pie guest/answer.c -pie || tap_done
guest_libraries || { not_ok "the C library is copied"; tap_done; }

for name in "${programs[@]}" signals-dynamic threads-dynamic; do
	guest_claims "$name"
done

# The guest's clocks are the host's.
guest_try time now
read -r monotonic real <<<"$output"
check "the guest's monotonic clock is near the host's" \
	awk -v a="$monotonic" 'BEGIN { getline < "/proc/uptime"; exit !(a - $1 < 30 && $1 - a < 30) }'
check "the guest's wall clock is near the host's" test $((real - $(date +%s))) -gt -30 -a $((real - $(date +%s))) -lt 5
tap_done
