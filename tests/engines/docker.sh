#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Docker runs containers with runnc, as a user types it: from run and its options to rm, and nothing is left.
. "$(dirname "$0")/docker-lib.sh"
engine_up
. "$(dirname "$0")/life.sh"

# ---- a terminal ---------------------------------------------------------------------------------------

# at_terminal COMMANDS: what COMMANDS in a container write to a terminal of 33 rows and 77 columns. The client
# gives its size to the container's terminal only after the start.
at_terminal()
{
	timeout -k 5 60 script -qec "stty rows 33 columns 77 &&
		$docker_client run --runtime runnc --rm -it base sh -c '$1'" /dev/null </dev/null
}
output=$(at_terminal 'until stty size | grep -q "33 77"; do sleep 0.1; done; stty size; tty; exit 5')
is "run -it: the status" 5 $?
has "run -it: the terminal's size" "33 77" "$output"
has "run -it: its name" /dev/ "$output"
has "run -it: what is typed" 'is typed' \
	"$(printf 'echo what is $((40 + 2)) | sed s/42/typed/\nexit\n' |
	timeout -k 5 60 script -qec "$docker_client run --runtime runnc --rm -it base sh" /dev/null)"

# ---- what Docker says of it ----------------------------------------------------------------------------

check "create" engine create --name kept --memory 128m --cpus 0.5 base sh -c 'echo started; sleep 1000'
is "create: the state" "created 0" "$(field kept .State.Status) $(field kept .State.Pid)"
check "start" engine start kept
check "logs: what it prints" wait_for 20 eval 'engine logs kept | grep started'
check "kill -s 9" engine kill --signal 9 kept
is "inspect: how it ended" "137 exited false" "$(engine wait kept) $(field kept .State.Status) $(field kept .State.OOMKilled)"
events() { engine events --since 1h --until 0s --filter container=kept --format '{{.Action}}' | xargs; }
check "events: its life" wait_for 5 eval '[ "$(events)" = "create start kill die" ]'
check "rm" engine rm kept

nothing_left "nothing is left of these"
tap_done
