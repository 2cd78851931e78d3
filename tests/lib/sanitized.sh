# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For test scripts to source, after tap.sh: builds with sanitizers, under build/test/.
#
#	sanitized_build COMPILER	build everything with it; the directory is build/test/COMPILER
#	sanitized_sources COMPILER	only configure it, and generate the headers that are not in the tree
#	sanitized_units COMPILER	run its unit tests, one TAP result each

# Leaks count, and the first finding ends the program with a status of its own.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

sanitized_setup()
{
	local compiler=$1 dir=$top/build/test/$1 flags=-fno-sanitize-recover=all options

	# Coverage feedback for the fuzz targets, which this build also makes.
	[ "$compiler" != clang ] || flags="$flags -fsanitize=fuzzer-no-link"
	# Warnings are errors here only: a user's newer compiler must not refuse an old release.
	options=("-Db_sanitize=address,undefined" -Db_lundef=false -Dwerror=true -Db_colorout=never
		"-Dc_args=$flags")
	if [ -f "$dir/build.ninja" ]; then
		# New folders and new fuzz targets are looked for when the build is configured.
		CC=$compiler meson setup --reconfigure "${options[@]}" "$dir" "$top"
	else
		rm -rf "$dir"
		CC=$compiler meson setup "${options[@]}" "$dir" "$top"
	fi
}

# One at a time: the stages of one run share these directories, and so may two runs.
sanitized_alone()
{
	mkdir -p "$top/build/test"
	(
		flock 9
		sanitized_setup "$1" && "${@:2}" "$top/build/test/$1"
	) 9>"$top/build/test/$1.lock"
}

sanitized_build() { sanitized_alone "$1" ninja -k 0 -C; }
sanitized_sources() { sanitized_alone "$1" sanitized_headers; }
sanitized_headers()
{
	ninja -C "$1" -t targets all | sed -n 's/^\(.*\.h\): CUSTOM_COMMAND$/\1/p' | xargs ninja -C "$1"
}

sanitized_units()
{
	local dir=$top/build/test/$1 log=$top/build/test/$1/meson-logs/testlog.json
	local name result text

	rm -f "$log"
	# Its status says what the log says too; the log has the names.
	meson test -C "$dir" --no-rebuild --timeout-multiplier 3 >"$TMP/meson" 2>&1 </dev/null
	if ! [ -s "$log" ]; then
		not_ok "$1: unit tests run" "$(tail -n 40 "$TMP/meson")"
		return
	fi
	while IFS=$'\t' read -r name result; do
		text="$1: $name"
		case $result in
		OK)	ok "$text" ;;
		SKIP)	skip "$text" "$(jq -r --arg name "$name" \
				'select(.name == $name) | .stdout // ""' "$log" | tail -n 1)" ;;
		*)	not_ok "$text" "$result" "$(jq -r --arg name "$name" \
				'select(.name == $name) | (.stdout // "") + (.stderr // "")' "$log" |
				tail -n 60)" ;;
		esac
	done < <(jq -r '[.name, .result] | @tsv' "$log")
}
