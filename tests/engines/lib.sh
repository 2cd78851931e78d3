# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the engines' tests have in common: an engine as on a machine of its own. The file of one engine sources
# this, instead of tap.sh.
#
# The script runs again in mount, network and process namespaces of its own, where /run and the engine's stores
# are empty: what the engine makes there touches nothing of the host, and goes with the script, however it ends.
#
# The engine's file sets, before: $engine_program and $engine_package; and after:
#
#	$peer				the runtime of plain containers
#	$engine_network			the network of a container that is not told which
#	by RUNTIME ARGUMENT...		the engine's command, ended after a minute, with this runtime
#	engine_traces			whatever a container has while it lives: a line each
#	engine_log			what the engine has complained of
#	engine_empty			remove all containers and networks
#	engine_drop NAME		remove a container at once
#
# So both have, for their scripts:
#
#	engine ARGUMENT...		by runnc, which is the runtime under test
#	plain ARGUMENT...		by the peer
#	shell [OPTION]... -- COMMANDS	engine run --rm OPTION... base sh -c COMMANDS
#	engine_can TEXT OPTION...	can a plain container be run with these options? If not, that is a skip
#	serve NAME [OPTION]...		start container NAME of layers, with a web server that answers /i by NAME;
#					layers has /peer as well, of tests/net/matrix-peer.c
#	plain_serve NAME [OPTION]...	the same, a plain container
#	fetch ADDRESS			what is at http://ADDRESS/i, as the host sees it
#	get ADDRESS			the shell command by which a container prints the same
#	field NAME FORMAT		the engine's inspect
#	address NAME [NETWORK] [6]	of the container
#	nothing_left TEXT		remove all containers, and see that nothing of them is left
#
# RUNNC=$PWD/scripts/crun runs the same with crun as the runtime under test: a check of the scripts.

if [ -z "${ENGINE_INSIDE:-}" ]; then
	if ! command -v "$engine_program" >/dev/null; then
		echo "1..0 # SKIP no $engine_program (package $engine_package)"
		exit 0
	fi
	ENGINE_INSIDE=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

# An empty directory in place of this one.
engine_cover()
{
	[ -d "$1" ] || { mkdir -p "$1" && at_exit rmdir "$1"; } || exit 1
	mount -t tmpfs -o "mode=${2:-755}" tmpfs "$1" || exit 1
	at_exit umount --lazy "$1"
}

# engine_lacks REASON OUTPUT: end the script with a skip.
engine_lacks()
{
	echo "1..0 # SKIP $1: $(tail -n 1 <<<"$2")"
	finished=1
	exit 0
}

# engine_context BASE: $TMP/context, of which the engine builds the image layers: BASE with two layers on it.
engine_context()
{
	mkdir "$TMP/context"
	cat >"$TMP/context/serve" <<-'END'
		#!/bin/sh
		# serve NAME [PORT]: until it is told to stop
		trap 'echo "$1 is told to stop"; exit 3' TERM
		trap 'echo "$1 is told something"' USR1
		mkdir /www
		echo "$1" >/www/i
		httpd -f -p "${2:-80}" -h /www &
		echo "name $(hostname)"
		ip -o -4 addr show eth0 2>&1 | sed -n 's,.*inet \([^/]*\).*,at \1,p'
		echo "$1 serves"
		while kill -0 $!; do wait $!; done
	END
	chmod 755 "$TMP/context/serve"
	cat >"$TMP/context/Dockerfile" <<-END
		FROM $1
		COPY serve peer /
		RUN rm /etc/group && echo second >/etc/layer
	END
	musl-gcc -static -O2 -o "$TMP/context/peer" "$top/tests/net/matrix-peer.c"
}

# Nothing is fetched from anywhere: the first image is an archive of busybox, the second one is built on it.
engine_images()
{
	local root
	root=$("$top/scripts/rootfs" busybox) &&
		tar -C "$root" -c . | by "$peer" import \
			--change 'CMD ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]' - base &&
		engine_context "$1" && plain build --quiet --tag layers "$TMP/context"
}

engine() { by runnc "$@" </dev/null; }
plain() { by "$peer" "$@" </dev/null; }

shell()
{
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	engine run --rm "${options[@]}" base sh -c "$2"
}

engine_can()
{
	local text=$1 said
	shift
	said=$(plain run --rm "$@" base true 2>&1) && return
	skip "$text" "a plain container cannot either: $(tail -n 1 <<<"$said")"
	return 1
}

engine_served() { engine logs "$1" 2>&1 | grep -q "$1 serves"; }
serve() { engine run --detach --name "$1" "${@:2}" layers /serve "$1" && wait_for 20 engine_served "$1"; }
plain_serve() { plain run --detach --name "$1" "${@:2}" layers /serve "$1" && wait_for 20 engine_served "$1"; }
fetch() { curl -sS --noproxy '*' -m 10 --retry 5 --retry-connrefused --retry-delay 1 "http://$1/i"; }
get() { echo "timeout 10 wget -q -O - http://$1/i"; }

field() { engine inspect --format "{{$2}}" "$1"; }
address()
{
	local key=IPAddress
	[ "${3:-}" != 6 ] || key=GlobalIPv6Address
	field "$1" "(index .NetworkSettings.Networks \"${2:-$engine_network}\").$key"
}

# $engine_before is what was there before.
engine_left() { engine_traces | grep -vxF -- "$engine_before"; }
engine_is_clear() { [ -z "$(engine_left)" ]; }

nothing_left()
{
	engine_empty >/dev/null
	wait_for 20 engine_is_clear
	is "$1" "" "$(engine_left)"
	engine_is_clear || engine_log | sed 's/^/# /'
}
