# SPDX-License-Identifier: GPL-2.0-only
"""The demo's python app: an ordinary process in the other pod.

client.py serve PORT    answer every GET with a line
client.py get URL       print what the URL gives; status 1 and the reason if nothing came in 3 seconds
"""
import http.server
import platform
import sys
import urllib.request


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"hello {self.client_address[0]}, here is python {platform.python_version()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def main():
    if sys.argv[1] == "serve":
        http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[2])), Hello).serve_forever()
    try:
        # No proxy of the environment stands between two pods.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        print(opener.open(sys.argv[2], timeout=3).read().decode().strip())
    except OSError as error:
        sys.exit(f"no answer: {error}")


main()
