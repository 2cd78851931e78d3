# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts to source, after tap.sh and topology.sh: CNI's real plugins, called as an engine calls them.
#
#	cni_add NODE POD LINK LIST	the plugins of the list (JSON, as in a .conflist) make LINK in
#					namespace POD, the plugins being in NODE; undone at exit
#	cni_del NODE POD LINK		undo that
#	cni_address POD LINK 4|6	the address that it got, without its prefix; nothing if none
#	host_end NODE POD LINK		the name of the other end of POD's veth
#
# Addresses come from the plugin host-local, which keeps its books in $TMP: write '"dataDir": "DATA"'.

CNI_PATH=${CNI_PATH:-/usr/lib/cni}

# cni_call COMMAND NODE POD LINK: the configuration is the standard input.
cni_call()
{
	local plugin config
	config=$(cat)
	plugin=$(jq -r .type <<<"$config")
	nsenter "--net=/run/netns/$2" env CNI_COMMAND="$1" CNI_CONTAINERID="$3" CNI_NETNS="/run/netns/$3" \
		CNI_IFNAME="$4" CNI_PATH="$CNI_PATH" "$CNI_PATH/$plugin" <<<"$config"
}

cni_add()
{
	local node=$1 pod=$2 link=$3 list config result='' n
	local kept=$TMP/cni-$pod-$link
	list=$(sed "s,\"DATA\",\"$TMP/cni-data\"," <<<"$4")
	for ((n = 0; n < $(jq '.plugins | length' <<<"$list"); n++)); do
		config=$(jq --argjson n $n --argjson result "${result:-null}" '.plugins[$n] +
			{ cniVersion, name } + if $result then { prevResult: $result } else {} end' <<<"$list")
		if ! result=$(cni_call ADD "$node" "$pod" "$link" <<<"$config"); then
			echo "CNI, plugin $n for $pod: $result" >&2
			return 1
		fi
	done
	printf '%s' "$list" >"$kept.list"
	printf '%s' "$result" >"$kept.result"
	at_exit cni_del "$node" "$pod" "$link"
}

cni_del()
{
	local node=$1 pod=$2 link=$3 n kept=$TMP/cni-$2-$3
	[ -f "$kept.list" ] || return 0
	for ((n = $(jq '.plugins | length' "$kept.list") - 1; n >= 0; n--)); do
		jq --argjson n $n --slurpfile result "$kept.result" \
			'.plugins[$n] + { cniVersion, name, prevResult: $result[0] }' "$kept.list" |
			cni_call DEL "$node" "$pod" "$link"
	done
	rm -f "$kept.list" "$kept.result"
}

cni_address()
{
	jq -r --arg family "$3" '[.ips[].address | select((contains(":") | if . then "6" else "4" end) == $family)
		| split("/")[0]][0] // ""' "$TMP/cni-$1-$2.result"
}

host_end()
{
	local index
	index=$(ip -n "$2" -j link show dev "$3" | jq '.[0].link_index')
	ip -n "$1" -j link | jq -r --argjson index "$index" '.[] | select(.ifindex == $index).ifname'
}
