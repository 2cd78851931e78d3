// SPDX-License-Identifier: GPL-2.0-only
// The web server of the figure http-node.
require("http").createServer((req, res) => res.end("hello\n")).listen(8080, "0.0.0.0");
