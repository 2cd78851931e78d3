# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For podman-net.sh and docker-net.sh to source, before the engine is up: who reaches whom in its networks. The
# script gives:
#
#	$domain			what follows a container's name in its network
#	$resolver		who is asked by a container in a network with names, with --dns 192.0.2.53
#	serve_in_both NAME	as serve, in the networks one and two at once
#	shell_in_both COMMANDS	as shell, in these
#
# and calls what it has here:
#
#	beyond_up		somebody beyond the host, at 192.0.2.2 and 2001:db8:2::2, with a web server. The host
#				has .1 and ::1 there
#	in_beyond COMMAND...	run it there
#	beyond ADDRESS		what is at http://ADDRESS/i from there
#	test_default		the default network and published ports
#	test_names		a network of the user's, and names in it
#	test_two		two networks at once
#	test_shared		one namespace for two containers

in_beyond() { nsenter --net=/run/netns/beyond "$@"; }
beyond() { in_beyond curl -sS --noproxy '*' -m 10 "http://$1/i"; }
beyond_up()
{
	ip netns add beyond
	ip link add wire type veth peer name eth0 netns beyond
	ip addr add 192.0.2.1/24 dev wire
	ip link set wire up
	ip -n beyond addr add 192.0.2.2/24 dev eth0
	ip addr add 2001:db8:2::1/64 dev wire nodad
	ip -n beyond addr add 2001:db8:2::2/64 dev eth0 nodad
	ip -n beyond link set eth0 up
	mkdir "$TMP/www"
	echo beyond >"$TMP/www/i"
	{ in_beyond busybox httpd -f -p 80 -h "$TMP/www" </dev/null >/dev/null 2>&1; } &
}

# What the guest has, in one line: "LINK ADDRESS" of each, sorted, without link-local ones and the loopback's.
addresses="ip -o addr | awk '\$2 != \"lo\" && \$2 != \"pod0\" && \$4 !~ /^fe80/ { print \$2, \$4 }' | sort | xargs"

test_default()
{
	local ip talk=$TMP/context/peer
	check "a published port: it starts" serve web --publish 8080:80
	ip=$(address web)
	is "the default network: the host reaches it" web "$(fetch "$ip")"
	check "the host pings it" ping -c 1 -W 5 "$ip"
	is "a published port, from the host" web "$(fetch 127.0.0.1:8080)"
	is "a published port, from beyond" web "$(beyond 192.0.2.1:8080)"
	has "port: the engine's word for it" "80/tcp -> 0.0.0.0:8080" "$(engine port web)"
	is "a container reaches another, the gateway, and beyond" "web gateway beyond" "$(shell -- "
		$(get "$ip")
		ping -c 1 -W 5 ${ip%.*}.1 >/dev/null && echo gateway
		$(get 192.0.2.2)" | xargs)"
	engine run --detach --name peer --publish 7000:7000 --publish 7000:7000/udp layers /peer serve >/dev/null
	check "a published UDP port: it starts" wait_for 20 eval 'engine logs peer | grep ready'
	check "from the host, a datagram larger than the MTU" "$talk" udp 192.0.2.1 4000
	check "from beyond" in_beyond "$talk" udp 192.0.2.1 4000
	check "a megabyte by TCP, from beyond" in_beyond "$talk" tcp 192.0.2.1 1000000
	is "none: but a loopback there is nothing" "lo:" "$(shell --network none -- "ip -o link | cut -d ' ' -f 2")"
}

test_names()
{
	local client
	check "in a network with names: it starts" serve nabla --network one --network-alias alias
	check "beside it a plain container" plain_serve plain --network one
	for client in runnc "$peer"; do
		is "$client: names in the network, of either runtime, alone, with the domain, by an alias" \
			"nabla plain nabla nabla" "$(by "$client" run --rm --network one base sh -c "
			$(get nabla); $(get plain); $(get "nabla.$domain"); $(get alias)" | xargs)"
		is "$client: by IPv6" "nabla plain" "$(by "$client" run --rm --network one base sh -c "
			$(get "[$(address nabla one 6)]"); $(get "[$(address plain one 6)]")" | xargs)"
		is "$client: the name has its IPv6 address" "$(address nabla one 6)" \
			"$(by "$client" run --rm --network one base nslookup -type=aaaa nabla |
			sed -n 's/^Address: \(.*:\)/\1/p')"
	done
	check "stop and start again" eval 'engine stop --time 30 nabla && engine start nabla'
	is "it is found by its name again" nabla "$(engine exec plain sh -c "
		until $(get nabla) 2>/dev/null; do sleep 0.2; done")"
	is "--ip, --mac-address, --dns, --dns-search" \
		"eth0 10.71.0.77/24 92:d0:c6:0a:29:33 $resolver test.example" \
		"$(shell --network one --ip 10.71.0.77 --mac-address 92:d0:c6:0a:29:33 --dns 192.0.2.53 \
		--dns-search test.example -- "$addresses | cut -d ' ' -f 1,2; cat /sys/class/net/eth0/address
		awk '/^nameserver/ { print \$2 }' /etc/resolv.conf; awk '/^search/ { print \$2 }' /etc/resolv.conf" | xargs)"
}

# After test_names.
test_two()
{
	local at
	check "in two networks: it starts" serve_in_both both
	check "a neighbour in the second one" plain_serve second --network two
	is "inspect has the address of each, and both answer" "both both both" \
		"$(for at in "$(address both one)" "$(address both two)" "[$(address both one 6)]"; do
			fetch "$at"; done | xargs)"
	is "a container in two networks: one address of each" 2 \
		"$(shell_in_both "$addresses" | grep -oE '10\.7[12]\.0\.' | sort -u | wc -l)"
	is "names of both networks" "nabla second" "$(shell_in_both "$(get nabla); $(get second)" | xargs)"
}

# serve_beside NAME OTHER PORT: a guest in the namespace of container OTHER
serve_beside()
{
	engine run --detach --name "$1" --network "container:$2" layers /serve "$1" "$3" && wait_for 20 engine_served "$1"
}

test_shared()
{
	local ip
	check "a plain container" plain_serve host --publish 8081:80
	ip=$(address host)
	check "with --network container: beside it" serve_beside guest host 82
	is "each has its port at the address" "host guest" "$({ fetch "$ip"; fetch "$ip:82"; } | xargs)"
	is "the published port is the plain one's" host "$(fetch 127.0.0.1:8081)"
	is "each at 127.0.0.1" "host guest" "$(engine exec host sh -c "$(get 127.0.0.1); $(get 127.0.0.1:82)" | xargs)"
	is "a third one's view, a guest too" "host guest beyond" "$(engine run --rm --network container:host base sh -c \
		"$(get 127.0.0.1); $(get 127.0.0.1:82); $(get 192.0.2.2)" | xargs)"
	has "a port is one's" "in use" "$(engine run --rm --network container:host layers /serve other 80 2>&1)"
	check "the guest goes" engine_drop guest
	is "the plain container has its address" host "$(fetch "$ip")"
	is "its port, from beyond" host "$(beyond 192.0.2.1:8081)"

	check "a guest" serve first
	ip=$(address first)
	is "a plain container in its namespace reaches it at 127.0.0.1, and others" "first beyond" \
		"$(plain run --rm --network container:first base sh -c "$(get 127.0.0.1); $(get 192.0.2.2)" | xargs)"
	check "another guest in its namespace" serve_beside next first 83
	is "each has its port at the address" "first next" "$({ fetch "$ip"; fetch "$ip:83"; } | xargs)"
	check "it goes" engine_drop next
	is "the guest is still reached" first "$(fetch "$ip")"
}
