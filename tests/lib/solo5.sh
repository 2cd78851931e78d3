# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts to source, after scratch.sh or tap.sh: unikernels of guest/solo5 under nabla-run.
#
#	$NABLA_RUN	the tender under test, of the build folder that $RUNNC is of, or of $BUILD
#	$GUESTS		the folder of the unikernels
#
#	tender ARGUMENT...	run nabla-run to its end, at most 20 s; sets $status and $output (both
#				streams); in a network namespace if $NETNS is set
#	tender_start ARGUMENT...	run it in the background, output in $TMP/out; $pid; ended at exit
#	tender_says TEXT	has the one in the background written this?
#	tender_end		end it, and wait
#	net_up			a network namespace $NETNS with TAPs tap0 (10.0.0.1/24) and tap1
#	in_net COMMAND...	in that namespace

if [ -z "${BUILD:-}" ]; then
	case $RUNNC in
	*/src/cli/runnc)	BUILD=${RUNNC%/src/cli/runnc} ;;
	*)			BUILD=$top/build ;;
	esac
fi
BUILD=$(realpath -m "$BUILD")
NABLA_RUN=${NABLA_RUN:-$BUILD/src/tender/nabla-run}
[ -x "$NABLA_RUN" ] || { echo "there is no $NABLA_RUN: make build" >&2; exit 1; }
GUESTS=$BUILD/guest/solo5
NETNS=
pid=

tender()
{
	local in=()
	[ -z "$NETNS" ] || in=(nsenter "--net=/run/netns/$NETNS")
	status=0
	output=$("${in[@]}" timeout -s KILL 20 "$NABLA_RUN" "$@" 2>&1 </dev/null) || status=$?
}

tender_start()
{
	local in=()
	[ -z "$NETNS" ] || in=(nsenter "--net=/run/netns/$NETNS")
	"${in[@]}" "$NABLA_RUN" "$@" >"$TMP/out" 2>&1 </dev/null &
	pid=$!
	at_exit kill -KILL $pid
}

tender_says() { grep -q "$1" "$TMP/out"; }

# Sets $status too: 128 + N if signal N ended it.
tender_end()
{
	kill -KILL "$pid"
	status=0
	wait "$pid" 2>/dev/null || status=$?
}

in_net() { nsenter "--net=/run/netns/$NETNS" "$@"; }

net_up()
{
	NETNS=$TAG
	ip netns add "$NETNS" || return
	at_exit ip netns del "$NETNS"
	ip -n "$NETNS" link set lo up &&
		ip -n "$NETNS" tuntap add tap0 mode tap && ip -n "$NETNS" tuntap add tap1 mode tap &&
		ip -n "$NETNS" link set tap0 up && ip -n "$NETNS" link set tap1 up &&
		ip -n "$NETNS" addr add 10.0.0.1/24 dev tap0
}
