#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the guest kernel, nabla-linux, from Debian's linux-source package and this folder.
#
#	guest/linux/build.sh OUT	leaves OUT/nabla-linux
#
# A built kernel is kept in $RUNNC_CACHE (default /var/cache/runnc), under a key over everything that
# goes into it: the package's version, the compiler, this folder, and the files that it shares with the
# runtime. A clean build takes some minutes; a second one, nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
out=${1:?usage: build.sh OUT}
cache=${RUNNC_CACHE:-/var/cache/runnc}
package=linux-source-6.12
tarball=/usr/src/$package.tar.xz
jobs=${JOBS:-$(nproc)}

# What kernel and runtime both compile
shared=(abi/launch.h abi/control.h abi/ports.h src/confine/{chain.h,confine.h,confine_linux.c})

die() { echo "build.sh: $*" >&2; exit 1; }
step() { echo "guest kernel: $*"; }

[ -e "$tarball" ] || die "$tarball is missing: install the package $package ('make deps')"

key=$(
	{
		dpkg-query -W -f '${Version}\n' "$package"
		${CC:-gcc} --version | head -n 1
		cd "$top"
		find guest/linux "${shared[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum | cut -c 1-20
)
kept=$cache/kernel-$key

take() {
	mkdir -p "$out"
	cp -f "$kept/nabla-linux" "$out/nabla-linux.new"
	mv -f "$out/nabla-linux.new" "$out/nabla-linux"
}

if [ -x "$kept/nabla-linux" ]; then
	step "kept from an earlier build (key $key)"
	take
	exit 0
fi

mkdir -p "$cache"
exec 9> "$cache/kernel.lock"
flock 9
if [ -x "$kept/nabla-linux" ]; then
	take
	exit 0
fi

work=$(mktemp -d "$cache/kernel-build.XXXXXX")
trap 'rm -rf "$work"' EXIT

step "1/5 unpacking $package"
tar -C "$work" -xf "$tarball"
tree=$work/$package

step "2/5 adding the port"
for p in "$here"/patches/*.patch; do
	patch -d "$tree" -p1 -s --no-backup-if-mismatch < "$p" || die "$(basename "$p") does not apply"
done
cp -r "$here/arch" "$tree/"
mkdir -p "$tree/arch/um/nabla/abi" "$tree/arch/um/nabla/confine"
for file in "${shared[@]}"; do
	cp "$top/$file" "$tree/arch/um/nabla/$(basename "$(dirname "$file")")/"
done

export ARCH=um KCONFIG_ALLCONFIG=$here/config KBUILD_BUILD_TIMESTAMP='1970-01-01' \
	KBUILD_BUILD_USER=runnc KBUILD_BUILD_HOST=runnc
step "3/5 configuring"
make -C "$tree" allnoconfig > "$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; die "configuring failed"; }
for want in $(grep -o '^CONFIG_[A-Z0-9_]*=y' "$here/config"); do
	grep -qx "$want" "$tree/.config" || die "config asks for $want, which this kernel does not set"
done

step "4/5 compiling with $jobs jobs (about 1500 files)"
make -C "$tree" -j"$jobs" vmlinux > "$work/log" 2>&1 &
build=$!
while kill -0 "$build" 2> /dev/null; do
	sleep 15
	step "    $(grep -c '^  CC ' "$work/log") files compiled"
done
wait "$build" || { grep -E 'error|Error' "$work/log" | head -n 20 >&2; die "compiling failed"; }

step "5/5 keeping it"
mkdir "$work/kept"
strip -o "$work/kept/nabla-linux" "$tree/vmlinux"
cp "$tree/.config" "$work/kept/config"
cp "$tree/System.map" "$work/kept/System.map"
rm -rf "$kept"
mv "$work/kept" "$kept"
take
step "done: $(stat -c %s "$kept/nabla-linux") bytes (key $key)"
