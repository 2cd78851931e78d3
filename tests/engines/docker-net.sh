#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Docker's networks: who reaches whom, by which name, at its resolver 127.0.0.11, and a namespace for two.
. "$(dirname "$0")/docker-lib.sh"
. "$(dirname "$0")/network.sh"
domain=one resolver=127.0.0.11

# The second network is connected before the start: a guest has what is there by then.
create_in_both()
{
	engine create --name "$1" --network one "${@:2}" >/dev/null && engine network connect two "$1"
}
serve_in_both() { create_in_both "$1" layers /serve "$1" && engine start "$1" && wait_for 20 engine_served "$1"; }
shell_in_both()
{
	create_in_both tried base sh -c "$1" && engine start --attach tried
	engine rm --force tried >/dev/null
}

engine_up
beyond_up
# Who is asked for what Docker does not know: all is at 192.0.2.53.
{ in_beyond python3 "$top/tests/net/talk.py" serve dns:192.0.2.2:53 </dev/null >"$TMP/dns" 2>&1; } &
check "a name server beyond" wait_for 20 grep ready "$TMP/dns"
engine_before=$(engine_traces)

# named NAME: the shell command that prints its IPv4 address.
named() { echo "timeout 10 nslookup -type=a $1 2>/dev/null | sed -n 's/^Address: \\([0-9.]*\\)$/\\1/p'"; }

# ---- the default network ------------------------------------------------------------------------------

test_default
for client in runnc runc; do
	output=$(by $client run --rm base sh -c "ip -o -4 addr show eth0 | awk '{ print \$4 }'
		grep -w \"\$(hostname)\" /etc/hosts | grep -v : | cut -f 1
		ip route | awk '/^default/ { print \$3 }'; awk '/^nameserver/ { print \$2 }' /etc/resolv.conf
		cat /sys/class/net/eth0/address" | xargs)
	ip=${output%%/*}
	# shellcheck disable=SC2046,SC2086	# words of the address
	is "$client: address, /etc/hosts, gateway, who is asked, and the MAC of the address" \
		"$ip/16 $ip ${ip%.*.*}.0.1 192.0.2.2 02:42$(printf ':%02x' $(tr . ' ' <<<$ip))" "$output"
	is "$client: a name beyond" 192.0.2.53 "$(by $client run --rm base sh -c "$(named beyond.test)")"
done
is "the host reaches it by IPv6" web "$(fetch "[$(address web bridge 6)]")"
if [ $docker_ip6tables = true ]; then
	is "a published port, from beyond, by IPv6" web "$(beyond "[2001:db8:2::1]:8080")"
	is "a container reaches beyond by IPv6" beyond "$(shell -- "$(get "[2001:db8:2::2]")")"
else
	skip "a published port by IPv6" "ip6tables cannot translate addresses here"
fi

# ---- networks of the user's ---------------------------------------------------------------------------

engine network create --ipv6 --subnet 10.71.0.0/24 --subnet fd00:71::/64 one >/dev/null
engine network create --subnet 10.72.0.0/24 two >/dev/null
if engine_can "a network of the user's, names, IPv6" --network one; then
	test_names
	test_two
	for client in runnc runc; do
		is "$client: the name of an address" plain.one "$(by $client run --rm --network one base \
			nslookup "$(address plain one)" | sed -n 's/.*name = //p')"
		is "$client: a name beyond, at Docker's resolver" 192.0.2.53 \
			"$(by $client run --rm --network one base sh -c "$(named beyond.test)")"
	done
fi

# ---- one namespace for two ----------------------------------------------------------------------------

test_shared
in_host() { nsenter "--net=/proc/$(field host .State.Pid)/ns/net" "$@"; }
is "what the guest had in the namespace is gone" "lo eth0" \
	"$(in_host ip -o link | awk -F '[:@ ]+' '{ print $2 }' | xargs)$(in_host tc qdisc show | grep clsact)"
if engine_can "a namespace for two, with names" --network one; then
	check "a plain container in a network with names" plain_serve named --network one
	engine run --detach --name beside --network container:named layers /serve beside 81 >/dev/null
	check "beside it a guest" wait_for 20 engine_served beside
	# Docker's resolver is one more in the namespace that keeps the interface.
	is "in the network each has the name" "named beside" "$(shell --network one -- "
		$(get named); $(get named:81)" | xargs)"
	is "the plain one still reaches others, by their names" plain "$(engine exec named sh -c "$(get plain)")"
	is "it asks for a name beyond" 192.0.2.53 "$(engine exec named sh -c "$(named beyond.test)")"
	is "a third one has both at 127.0.0.1" "named beside" "$(plain run --rm --network container:named base sh -c "
		$(get 127.0.0.1); $(get 127.0.0.1:81)" | xargs)"
fi

nothing_left "nothing is left of them"
tap_done
