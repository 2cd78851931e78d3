# SPDX-License-Identifier: GPL-2.0-only
# The program of the containers in tests/net: guest.py [PORT]. HTTP on port 8080, of both families. POST /run
# executes the body as a shell command and gives back its output; POST /sum gives the checksum of the body;
# GET /N gives N bytes. Datagrams to port 7 come back. With PORT it has only that one.
import hashlib
import http.server
import socket
import subprocess
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def reply(self, body):
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(b'x' * int(self.path[1:] or 0))

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/sum':
            self.reply(hashlib.sha256(body).hexdigest().encode() + b'\n')
        else:
            done = subprocess.run(['sh', '-c', body], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=20, check=False)
            self.reply(done.stdout)

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def echo(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, 7))
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)


port = int(sys.argv[1]) if sys.argv[1:] else 8080
for where in () if sys.argv[1:] else ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
    threading.Thread(target=echo, args=where, daemon=True).start()
print('serving', flush=True)
Server(('::', port), Handler).serve_forever()
