#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# dpkg and apt-get, inside: install, use, upgrade and remove a package that this test builds.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

# package VERSION: build it outside.
package()
{
	local tree=$TMP/deb-$1
	mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/etc"
	cat >"$tree/DEBIAN/control" <<-E
		Package: greet
		Version: $1
		Architecture: all
		Maintainer: nobody <nobody@example.org>
		Depends: bash
		Description: a greeting
	E
	printf '#!/bin/sh\nset -e\necho "configured version %s"\n' "$1" >"$tree/DEBIAN/postinst"
	printf '#!/bin/sh\necho "greetings from version %s"\n' "$1" >"$tree/usr/bin/greet"
	echo "setting=1" >"$tree/etc/greet.conf"
	echo /etc/greet.conf >"$tree/DEBIAN/conffiles"
	chmod 755 "$tree/DEBIAN/postinst" "$tree/usr/bin/greet"
	dpkg-deb --root-owner-group -b "$tree" "$TMP/greet-$1.deb" >/dev/null
}
package 1.0
package 2.0

container_bundle apt --mount "$TMP/greet-1.0.deb:/tmp/greet-1.0.deb:ro" \
	--mount "$TMP/greet-2.0.deb:/tmp/greet-2.0.deb:ro" --env DEBIAN_FRONTEND=noninteractive -- bash -c '
	exec 2>&1
	dpkg -i /tmp/greet-1.0.deb; echo "install: $?"
	greet
	dpkg-query -W greet
	dpkg --verify greet; echo "verify: $?"
	apt-get install -y /tmp/greet-2.0.deb; echo "upgrade: $?"
	greet
	apt-get remove -y greet; echo "remove: $?"
	[ -e /usr/bin/greet ] && echo still there
	dpkg --purge greet; echo "purge: $?"
	[ -e /etc/greet.conf ] && echo still there
	dpkg --audit; apt-get check; echo "check: $?"'
output=$(CONTAINER_TIMEOUT=120 container_run apt)
has "dpkg installs it" "install: 0" "$output"
has "its script ran" "configured version 1.0" "$output"
has "its program runs" "greetings from version 1.0" "$output"
has "dpkg knows it" "greet	1.0" "$output"
has "its files are as in the package" "verify: 0" "$output"
has "apt-get upgrades it" "upgrade: 0" "$output"
has "the new program runs" "greetings from version 2.0" "$output"
has "apt-get removes it" "remove: 0" "$output"
has "dpkg purges it" "purge: 0" "$output"
has "all packages are in order afterwards" "check: 0" "$output"
is "nothing of it is left" "" "$(grep 'still there' <<<"$output")"
tap_done
