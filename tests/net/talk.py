#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Servers and clients that say who they talk to, for tests of paths between namespaces and guests.

Usage: talk.py serve tcp|udp:ADDRESS:PORT...	say "ready", then answer until killed
       talk.py dial tcp|udp:ADDRESS:PORT [BYTES [FROM]]	send BYTES (16) bytes, print the answer

A server answers "NAME PORT from PEER" (NAME: $TALK_NAME) with the length and the sum of what it received;
a TCP client says so by closing its direction. dial sends from address FROM, if given, and ends with status 1
if nobody answers, 2 if what was received is not what was sent, 3 if the connection is refused.
"""
import os
import selectors
import socket
import sys
import zlib


def parse(text):
    kind, rest = text.split(":", 1)
    address, port = rest.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return kind, family, (address, int(port))


def answer(sock, peer, data):
    name = os.environ.get("TALK_NAME", "server")
    return f"{name} {sock.getsockname()[1]} from {peer[0]} got {len(data)} {zlib.crc32(data)}\n".encode()


def receive(sock):
    parts = []
    while True:
        part = sock.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def serve_one(sock):
    if sock.type == socket.SOCK_DGRAM:
        data, peer = sock.recvfrom(1 << 16)
        sock.sendto(answer(sock, peer, data), peer)
        return
    connection, peer = sock.accept()
    with connection:
        connection.settimeout(5)
        connection.sendall(answer(sock, peer, receive(connection)))


def serve(specs):
    loop = selectors.DefaultSelector()
    for kind, family, where in map(parse, specs):
        sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == "tcp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        if kind == "tcp":
            sock.listen(64)
        loop.register(sock, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in loop.select():
            try:
                serve_one(key.fileobj)
            except OSError as error:
                print("talk:", error, flush=True)


def dial(spec, size=16, source=None):
    kind, family, where = parse(spec)
    data = os.urandom(size)
    sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(3)
    if source:
        sock.bind((source, 0))
    if kind == "tcp":
        sock.connect(where)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        reply = receive(sock)
    else:
        sock.connect(where)
        sock.send(data)
        reply = sock.recv(1 << 16)
    words = reply.decode().split(" got ")
    print(words[0])
    return 0 if words[1].split() == [str(size), str(zlib.crc32(data))] else 2


def main():
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    try:
        sys.exit(dial(sys.argv[2], *(int(a) for a in sys.argv[3:4]), *sys.argv[4:5]))
    except ConnectionRefusedError:
        print("refused")
        sys.exit(3)
    except OSError as error:
        print(error)
        sys.exit(1)


main()
