#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# Node.js: a web server that the neighbouring pod asks, worker threads, child processes, SIGTERM.
. "$(dirname "$0")/../lib/tap.sh"
. "$top/tests/lib/container.sh"

js()
{
	container_try -- node -e "$3"
	is "$1" "$2" "$output"
}

js "starts" "v18 42" 'console.log(process.version.split(".")[0], 6 * 7)'
js "worker threads share memory" "4000" '
const { Worker, isMainThread, workerData } = require("worker_threads");
const code = "const {workerData} = require(\"worker_threads\"); const a = new Int32Array(workerData);" +
	"for (let i = 0; i < 1000; i++) Atomics.add(a, 0, 1)";
const memory = new SharedArrayBuffer(4);
let left = 4;
for (let i = 0; i < 4; i++)
	new Worker(code, { eval: true, workerData: memory }).on("exit", () => {
		if (--left == 0) console.log(new Int32Array(memory)[0]);
	});'
js "child processes, with pipes" "HELLO 3" '
const { spawnSync } = require("child_process");
const up = spawnSync("tr", ["a-z", "A-Z"], { input: "hello" }).stdout.toString();
console.log(up, spawnSync("sh", ["-c", "exit 3"]).status);'
js "files, promises and a hash" "$(head -c $((1 << 20)) /dev/zero | tr '\0' x | sha256sum | cut -c1-8) true" '
const fs = require("fs/promises"), crypto = require("crypto");
(async () => {
	const data = Buffer.alloc(1 << 20, "x");
	await fs.writeFile("/tmp/x", data);
	const sum = crypto.createHash("sha256").update(await fs.readFile("/tmp/x")).digest("hex");
	console.log(sum.slice(0, 8), crypto.createHash("sha256").update(data).digest("hex") == sum);
})();'
js "the optimizing compiler and the garbage collector at work" "ok" '
let live = [];
for (let i = 0; i < 300000; i++) { live.push({ i, s: "s" + i }); if (live.length > 1000) live = []; }
const f = n => n < 2 ? n : f(n - 1) + f(n - 2);
console.log(f(25) == 75025 && live.length < 1001 ? "ok" : "wrong");'

server='
const http = require("http"), crypto = require("crypto");
let count = 0;
http.createServer((req, res) => {
	if (req.method == "POST") {
		const sum = crypto.createHash("sha256");
		req.on("data", d => sum.update(d)).on("end", () => res.end(sum.digest("hex")));
	} else if (req.url == "/big") {
		res.end(Buffer.alloc(4 << 20, "nabla\n"));
	} else {
		res.end("request " + ++count + " from " + req.socket.remoteAddress);
	}
}).listen(8080, "0.0.0.0", () => console.log("listening"));
process.on("SIGTERM", () => { console.log("terminated"); process.exit(7); });'

pod_up || exit 1
container_bundle web --netns "/run/netns/$TOPO_POD1" -- node -e "$server"
container_start web || { not_ok "the web server starts" "$(container_log web)"; tap_done; }
get() { in_peer curl -sS -m 10 "http://$TOPO_IP1:8080$1" "${@:2}"; }
listening() { container_log web | grep -q listening; }
wait_for 30 listening || { not_ok "the web server starts" "$(container_log web)"; tap_done; }
has "the web server starts" listening "$(container_log web)"
is "HTTP from the neighbouring pod, which sees its own address" "request 1 from $TOPO_IP2" "$(get /)"
is "ping from the neighbouring pod" "3 received" \
	"$(in_peer ping -c 3 -i 0.2 -W 5 "$TOPO_IP1" | grep -o '[0-9] received')"
is "one hundred connections" "request 101" "$(for ((i = 0; i < 100; i++)); do get /; echo; done |
	tail -n 1 | grep -o 'request [0-9]*')"
is "4 MB out are unchanged" "$(head -c $((4 << 20)) < <(yes nabla) | sha256sum | cut -c1-64)" \
	"$(get /big | sha256sum | cut -c1-64)"
head -c $((4 << 20)) /dev/urandom >"$TMP/body"
is "4 MB in are unchanged" "$(sha256sum <"$TMP/body" | cut -c1-64)" \
	"$(get / --data-binary @"$TMP/body")"
check "eight clients at once" in_peer bash -c "for i in 1 2 3 4 5 6 7 8; do
	curl -sS -m 20 'http://$TOPO_IP1:8080/big' | cmp - <(head -c $((4 << 20)) < <(yes nabla)) &
	jobs+=(\$!); done; for j in \${jobs[@]}; do wait \$j || exit 1; done"

check "SIGTERM is accepted" container_kill web TERM
check "it stops by itself" wait_for 10 container_is web stopped
has "the application saw SIGTERM" terminated "$(container_log web)"
check "it is deleted" container_delete web
tap_done
