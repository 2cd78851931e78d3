#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Servers and clients that say who they talk to, for tests of paths between namespaces and guests.

Usage: talk.py serve tcp|udp|dns|echo:ADDRESS:PORT...	say "ready", then answer until killed
       talk.py dial tcp|udp:ADDRESS:PORT [BYTES [FROM]]	send BYTES (16) bytes, print the answer
       talk.py each SPEC[,BYTES[,FROM]]...	as dial, one after the other: a line "SPEC... ANSWER" for each
       talk.py crowd tcp:ADDRESS:PORT N	N connections at once to a server of kind echo; print how many were
			heard, each with its own word, and whether their local ports are in the kernel's range
       talk.py hold tcp:ADDRESS:PORT [FROM-PORT]	one connection to such a server, with a word ten times a second
			until it is lost or SIGTERM; print "held", or what became of it
       talk.py frames LINK SOURCE-MAC MAC	for each line "SOURCE:PORT DESTINATION:PORT TEXT" a UDP packet

A server answers "NAME PORT from PEER" (NAME: $TALK_NAME) with the length and the sum of what it received,
and prints each datagram that is text; a TCP client ends its data by closing its direction. dial sends from
address FROM, if given, and ends with status 1 if nobody answers, 2 if what was received is not what was sent,
3 if the connection is refused. A server of kind dns answers every question for an IPv4 address with 192.0.2.53,
one of kind echo (TCP) returns what it gets.
"""
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
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


def resolve(query):
    question = query[12:query.index(b"\0", 12) + 5]
    wanted = question[-4:-2] == b"\0\1"
    head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, int(wanted), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, 60, 4, 192, 0, 2, 53)
    return head + question + (record if wanted else b"")


def serve_datagram(sock, kind):
    data, peer = sock.recvfrom(1 << 16)
    if kind == "dns":
        sock.sendto(resolve(data), peer)
        return
    if len(data) < 200 and data.isascii():
        print("datagram", data.decode(), "from", peer[0], flush=True)
    sock.sendto(answer(sock, peer, data), peer)


def serve_echo(loop, sock):
    if loop.get_key(sock).data == "echo":
        loop.register(sock.accept()[0], selectors.EVENT_READ, "echoed")
        return
    data = sock.recv(1 << 16)
    if data:
        sock.sendall(data)
        return
    loop.unregister(sock)
    sock.close()


def serve_one(sock, kind):
    if sock.type == socket.SOCK_DGRAM:
        serve_datagram(sock, kind)
        return
    connection, peer = sock.accept()
    with connection:
        connection.settimeout(20)
        connection.sendall(answer(sock, peer, receive(connection)))


def more_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(specs):
    more_files()
    loop = selectors.DefaultSelector()
    for kind, family, where in map(parse, specs):
        stream = kind in ("tcp", "echo")
        sock = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if stream:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        if stream:
            sock.listen(4096)
        loop.register(sock, selectors.EVENT_READ, kind)
    print("ready", flush=True)
    while True:
        for key, _ in loop.select():
            try:
                if key.data.startswith("echo"):
                    serve_echo(loop, key.fileobj)
                else:
                    serve_one(key.fileobj, key.data)
            except OSError as error:
                print("talk:", error, flush=True)


def dial(spec, size=16, source=None):
    kind, family, where = parse(spec)
    data = os.urandom(size)
    sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(20)
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
    sock.close()
    words = reply.decode().split(" got ")
    if words[1].split() != [str(size), str(zlib.crc32(data))]:
        return 2, f"{words[0]}, who did not get what was sent"
    return 0, words[0]


def try_to_dial(spec, size="16", *source):
    try:
        return dial(spec, int(size), *source)
    except ConnectionRefusedError:
        return 3, "refused"
    except OSError as error:
        return 1, str(error)


def each(*specs):
    for spec in specs:
        print(spec, try_to_dial(*spec.split(","))[1], flush=True)


def crowd(spec, number):
    more_files()
    _, family, where = parse(spec)
    socks = [socket.socket(family, socket.SOCK_STREAM) for _ in range(int(number))]
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as setting:
        first, last = map(int, setting.read().split())
    heard = 0
    for sock in socks:
        sock.settimeout(20)
        sock.connect(where)
    words = [f"{os.urandom(8).hex()} {sock.getsockname()[1]}".encode() for sock in socks]
    for _ in range(2):
        for sock, word in zip(socks, words):
            sock.sendall(word)
        heard = sum(sock.recv(100) == word for sock, word in zip(socks, words))
    outside = sum(not first <= sock.getsockname()[1] <= last for sock in socks)
    print(f"{heard} of {len(socks)} heard, {outside} beyond the range", flush=True)


def hold(spec, port="0"):
    _, family, where = parse(spec)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(20)
        sock.bind(("", int(port)))
        sock.connect(where)
        print("ready", flush=True)
        while not ended:
            word = os.urandom(8)
            sock.sendall(word)
            if sock.recv(100) != word:
                print("lost", flush=True)
                return
            time.sleep(0.1)
    print("held", flush=True)


def add(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(protocol, source, dest, header, at, payload=b""):
    """The IP packet with this transport header, whose checksum is at offset @at."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, dest)
    body = header + payload
    check = add(addresses + struct.pack(">II", len(body), protocol) + body)
    body = body[:at] + struct.pack(">H", check) + body[at + 2:]
    if family == socket.AF_INET6:
        return 0x86dd, struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + addresses + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + addresses
    return 0x800, head[:10] + struct.pack(">H", add(head)) + head[12:] + body


def send_frame(link, source_mac, mac, protocol, data):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((link, 0))
        sock.send(bytes.fromhex((mac + source_mac).replace(":", "")) + struct.pack(">H", protocol) + data)


def frames(link, source_mac, mac):
    for line in sys.stdin:
        source, dest, text = line.split()
        _, _, (source, sport) = parse("udp:" + source)
        _, _, (dest, dport) = parse("udp:" + dest)
        header = struct.pack(">HHHH", sport, dport, 8 + len(text), 0)
        send_frame(link, source_mac, mac, *packet(17, source, dest, header, 6, text.encode()))


def main():
    commands = {"crowd": crowd, "each": each, "frames": frames, "hold": hold, "serve": lambda *specs: serve(specs)}
    if sys.argv[1] in commands:
        commands[sys.argv[1]](*sys.argv[2:])
        return
    status, words = try_to_dial(*sys.argv[2:])
    print(words)
    sys.exit(status)


main()
