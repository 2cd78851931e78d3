#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# Programs in the container that try to leave it (hostile.c): each is killed, or contained, or destroys
# nothing but its own guest; the host's file, process and the rest of the world stay as they are.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/guest/lib.sh"
. "$top/tests/lib/container.sh"
. "$top/tests/lib/host.sh"

guest_build hostile hostile/hostile.c "$top"/tests/hostile/{gate,cpu-modes,signal-frames,memory,outside}.c -static || tap_done

echo "nobody changes this" >"$TMP/canary"
chmod 666 "$TMP/canary"
touch -d @1000000000 "$TMP/canary"
canary_is=$(stat -c '%s %Y %Z %a %u' "$TMP/canary")
sleep 10000 &
canary=$!
at_exit kill "$canary"

# Memory of 64 MiB is quickly overwritten; the environment names what must stay as it is.
guest_options=(--memory 100663296 --env "CANARY_FILE=$TMP/canary" --env "CANARY_PID=$canary")

unharmed()
{
	[ "$(stat -c '%s %Y %Z %a %u' "$TMP/canary")" = "$canary_is" ] &&
		[ "$(cat "$TMP/canary")" = "nobody changes this" ] && kill -0 "$canary"
}

# As guest_try, for a guest that may no longer listen: output goes to a file, which nobody holds open.
attempts=0
try_bounded()
{
	attempts=$((attempts + 1))
	container_bundle "a$attempts" "${guest_options[@]}" -- /bin/hostile "$1" || return
	status=0
	timeout -k 1 12 "$RUNNC" "${container_root[@]}" run --bundle "$TMP/a$attempts" \
		"$TAG-a$attempts" >"$TMP/output" 2>&1 </dev/null || status=$?
	output=$(cat "$TMP/output")
	container_delete "a$attempts" || output="$output ESCAPED: not to be deleted"
}

attempt()
{
	local wanted=$1 name=$2 title=$3 good=
	try_bounded "$name"
	case $wanted in
	killed)
		# Status 159 is death by SIGSYS.
		case $status:$output in
		159:*before*)		good=1 ;;
		0:*before*contained*)	[ "$name" != sysenter ] || good=1 ;;
		139:*before*)
			case $name in
			int80|int80-32|syscall-32)	host_has_32_bit_calls || good=1 ;;
			esac ;;
		esac ;;
	contained)
		case $status:$output in
		0:*contained*)		good=1 ;;
		esac ;;
	ends)
		# 124 and 137: hung, and ended by the test. For a guest that destroys itself that is fine.
		case $status in
		97|98|99)		;;
		*)			good=1 ;;
		esac ;;
	esac
	case $output in
	*ESCAPED*)	good= ;;
	esac
	if [ -z "$good" ]; then
		not_ok "$title: $wanted" "status $status" "$(tail -n 5 <<<"$output")"
	elif ! unharmed; then
		not_ok "$title: $wanted" "the canary has changed: $(stat -c '%s %Y %Z %a %u' "$TMP/canary")"
	else
		ok "$title: $wanted"
	fi
}

while read -r wanted name title; do
	[ "$wanted" = endless ] || attempt "$wanted" "$name" "$title"
done < <("$guest_root/bin/hostile" --list)

# With every signal blocked a guest can no longer be asked; SIGKILL ends it all the same.
container_bundle loop "${guest_options[@]}" -- /bin/hostile sigreturn-loop
container_start loop
check "a loop with every signal blocked: it has begun" wait_for 20 grep -q before "$TMP/loop.out"
pid=$(container_pid loop)
container_kill loop KILL
check "a loop with every signal blocked: SIGKILL ends it" wait_for 10 container_is loop stopped
# A zombie is only a number that its parent has not asked for yet.
check "a loop with every signal blocked: no process is left" \
	sh -c "! grep -q '^State:.*[^Z] (' /proc/$pid/status 2>/dev/null"
check "it is deleted" container_delete loop
is "nothing is left in the state directory" "" "$(find "$TMP/state" -mindepth 1 -maxdepth 1 -name "$TAG-*")"
check "the host's file and process are as they were" unharmed
tap_done
