#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bash: pipes, job control, traps, process substitution; the standard streams and the exit status.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

sh_is()
{
	container_try -- bash -c "$3"
	is "$1" "$2" "$output"
}

sh_is "pipe of three programs" "3" 'printf "c\na\nb\n" | sort | wc -l'
sh_is "data through a pipe is unchanged" \
	"$(seq 1 200000 | sha256sum | cut -c1-64)" 'seq 1 200000 | cat | tac | tac | sha256sum | cut -c1-64'
sh_is "process substitution" "2c2" 'diff <(seq 3) <(printf "1\nx\n3\n") | head -n 1'
sh_is "background jobs and wait" "done 7" \
	'for i in 1 2 3 4 5 6 7; do (sleep 0.0$i; exit $i) & done; wait -n; wait $!; echo "done $?"'
sh_is "a broken pipe ends the writer" "141 0" 'yes | head -n 1 >/dev/null; echo "${PIPESTATUS[*]}"'
sh_is "a trap runs" "term 0" 'trap "echo -n \"term \"" TERM; kill -TERM $$; echo $?'
sh_is "coproc, both ways" "hello" 'coproc cat; echo hello >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; echo "$x"'
sh_is "here document and arrays" "b 3" 'a=(a b c); cat <<-E
	${a[1]} ${#a[@]}
	E'
sh_is "a deep recursion of forks" "12" 'f() { [ $1 = 0 ] && echo 0 || echo $((1 + $(f $(($1 - 1))))); }; f 12'
sh_is "a script with #! runs" "script /tmp/x" \
	'printf "#!/bin/bash\necho script \$0\n" >/tmp/x; chmod +x /tmp/x; sleep 0; /tmp/x'
sh_is "the root is writable, and /dev works" "0 root 8" \
	'head -c 8 /dev/urandom >/root/x; : </dev/zero; cat /dev/null | wc -c | tr "\n" " "
	stat -c "%U %s" /root/x'

container_try -- bash -c 'exit 42'
is "an exit status arrives" 42 "$status"

container_bundle killed -- sleep 60
container_run killed >/dev/null 2>&1 &
if wait_for 20 container_is killed running && container_kill killed KILL; then
	wait $!
	is "SIGKILL from outside arrives as 137" 137 $?
else
	not_ok "SIGKILL from outside arrives as 137" "it did not come to run, or kill failed"
fi
container_try -- bash -c 'echo out; echo err >&2'
is "output and error output arrive" "out
err" "$output"

container_bundle stdin -- bash -c 'read -r a; read -r b; echo "$b $a"; cat | wc -c'
at_exit container_delete stdin
is "standard input arrives, and its end" "two one
100000" "$({ printf 'one\ntwo\n'; head -c 100000 /dev/zero; } |
	timeout 60 "$RUNNC" "${container_root[@]}" run --bundle "$TMP/stdin" "$TAG-stdin" 2>&1)"
tap_done
