#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# Memory that ends, processes without end, and how the end of a program arrives outside.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/guest/lib.sh"
. "$top/tests/lib/container.sh"

guest_build limits guest/limits.c -static || tap_done

for n in 0 1 42 255; do
	guest_try limits status $n
	is "status $n arrives" $n "$status"
done
# A container's first process dies of faults only, not of signals that it sends itself.
for n in 4 5 8 11; do
	guest_try limits $n
	is "death by signal $n arrives" $((128 + n)) "$status"
done

guest_options=(--memory 134217728)
guest_try limits eat
is "a program that uses up all memory is killed by SIGKILL" 137 "$status"
has "it has had 32 MiB of 128 at least" "32 MiB" "$output"
guest_try limits survive
has "three children in turn are killed for their memory" "$(printf 'child ended by signal 9\nchild ended by signal 9\nchild ended by signal 9')" \
	"$(grep child <<<"$output")"
has "the system goes on" "still here" "$output"
is "and ends as it should" 0 "$status"

guest_options=(--jq '.process.rlimits = [{type: "RLIMIT_NPROC", soft: 200, hard: 200}] | .process.user.uid = 1000')
guest_try limits bomb
has "a fork bomb below RLIMIT_NPROC: the system goes on" "still here" "$output"
is "and ends" 0 "$status"
# Without a limit that anybody has set, the guest's own memory is the limit.
guest_options=(--memory 134217728)
guest_try limits bomb
case $status in
0|137)	ok "a fork bomb without a limit: the container ends" ;;
*)	not_ok "a fork bomb without a limit: the container ends" "status $status" "$(tail -n 5 <<<"$output")" ;;
esac
tap_done
