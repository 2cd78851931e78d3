#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# nginx: a master and its workers serve static files to the neighbouring pod.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

pod_up || exit 1
container_bundle web --netns "/run/netns/$TOPO_POD1" -- sh -c '
	seq 1 300000 >/var/www/html/numbers
	echo hello >/var/www/html/index.html
	sed -i "s,^worker_processes.*,worker_processes 2;," /etc/nginx/nginx.conf
	exec nginx -g "daemon off; error_log stderr;"'
container_start web || { not_ok "it starts" "$(container_log web)"; tap_done; }
get() { in_peer curl -sS -m 20 "http://$TOPO_IP1$1" "${@:2}"; }
wait_for 30 get / || { not_ok "it answers" "$(container_log web)"; tap_done; }
is "a page" hello "$(get /)"
is "a file of 2 MB is unchanged" "$(seq 1 300000 | sha256sum)" "$(get /numbers | sha256sum)"
is "a range of it" "$(seq 1 300000 | head -c 2000 | tail -c 1000 | sha256sum)" \
	"$(get /numbers -r 1000-1999 | sha256sum)"
is "what is not there" 404 "$(get /nothing -o /dev/null -w '%{http_code}')"
has "its name" "Server: nginx" "$(get / -I)"
is "two hundred requests on one connection" 200 \
	"$(get "/index.html?[1-200]" | grep -c hello)"
check "twenty clients at once" in_peer bash -c "for i in \$(seq 20); do
	curl -sS -m 60 http://$TOPO_IP1/numbers | cmp - <(seq 1 300000) & jobs+=(\$!); done
	for j in \${jobs[@]}; do wait \$j || exit 1; done"
# SIGHUP makes the master start new workers and retire the old ones.
check "it reloads" container_kill web HUP
sleep 1
is "and still serves" hello "$(get /)"
check "it is told to quit" container_kill web QUIT
check "and does" wait_for 20 container_is web stopped
tap_done
